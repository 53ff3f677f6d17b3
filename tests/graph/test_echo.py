"""No error repeats what was submitted: it may have been a password."""

from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.client import Client, signed_in
from tests.factories import make_tenant

SECRET = "hunter2"
SIGN_IN = "mutation($input: SignInInput!) { signIn(input: $input) { accessToken } }"


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        (SIGN_IN, {"input": {"tenantSlug": "a", "email": "b", "password": [SECRET]}}),
        (SIGN_IN, {"input": SECRET}),
        (SIGN_IN, {"input": {"tenantSlug": "a", "email": "b", "password": "c", SECRET: 1}}),
        (
            f'mutation {{ signIn(input: {{ tenantSlug: "a", email: "b", password: ["{SECRET}"] }})'
            " { accessToken } }",
            {},
        ),
        (f'mutation {{ signIn(input: {{ password "{SECRET}" }}) {{ accessToken }} }}', {}),
        (f'{{ deals(first: 1 """{SECRET}""") {{ totalCount }} }}', {}),
        (f'{{ deals(filter: {{ createdAt: {{ eq: "{SECRET}" }} }}) {{ totalCount }} }}', {}),
        ("query($at: DateTime) { deals(filter: { createdAt: { eq: $at } }) { totalCount } }", {"at": SECRET}),
        (
            "query($status: DealStatus) { deals(filter: { status: { eq: $status } }) { totalCount } }",
            {"status": SECRET},
        ),
        *(
            (
                "query($status: DealStatus) { deals(filter: { status: { eq: $status } }) { totalCount } }",
                {"status": value},
            )
            for value in (
                f"it's {SECRET}",
                f"{SECRET}'",
                f"' does not exist in 'A' enum {SECRET}",
                SECRET * 300,
            )
        ),
        (f"{{ deals(orderBy: {{ field: {SECRET} }}) {{ totalCount }} }}", {}),
        ("query($first: Int) { deals(first: $first) { totalCount } }", {"first": SECRET}),
        ("query($filter: DealFilter) { deals(filter: $filter) { totalCount } }", {"filter": [SECRET]}),
        ("query($id: ID!) { deal(id: $id) { id } }", {"id": {SECRET: 1}}),
    ],
)
async def test_a_refused_value_is_not_repeated(anyone: Client, query: str, variables: dict[str, Any]) -> None:
    response = await anyone.post(query, variables)
    codes = {error["extensions"]["code"] for error in response.json()["errors"]}
    assert codes <= {"BAD_INPUT", "GRAPHQL_VALIDATION_FAILED", "GRAPHQL_PARSE_FAILED"}
    assert SECRET not in response.text


async def test_what_a_value_was_to_be_is_said(anyone: Client) -> None:
    query = "query($status: DealStatus) { deals(filter: { status: { eq: $status } }) { totalCount } }"
    (error,) = (await anyone.ask(query, status="it's nothing"))["errors"]
    assert error["message"].endswith(" The value does not exist in 'DealStatus' enum.")


async def test_an_error_is_no_longer_than_its_words_need(anyone: Client) -> None:
    response = await anyone.post("{ a(b " + '"' + "Value '" * 30_000 + '") }')
    (error,) = response.json()["errors"]
    assert len(error["message"]) <= 1000


async def test_a_filter_has_a_size(anyone: Client, owner: AsyncConnection) -> None:
    reader = await signed_in(anyone, owner, await make_tenant(owner), "*")
    query = "query($f: DealFilter!) { deals(filter: { or: [%s] }) { totalCount } companies { totalCount } }"
    some = {"or": [{"name": {"eq": "x"}}] * 100}
    answer = await reader.ask(query % ", ".join(["$f"] * 100), f=some)
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_INPUT"]
    assert answer["data"] == {"deals": None, "companies": {"totalCount": 0}}
    few = {"or": [{"name": {"in": ["x"] * 90}}] * 2}
    assert await reader.read(query % "$f, $f", f=few) == {
        "deals": {"totalCount": 0},
        "companies": {"totalCount": 0},
    }
