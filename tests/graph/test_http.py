"""GraphQL over HTTP: whatever is sent, the answer is a refusal with a code or an answer, never a 500."""

import gzip
import json
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from graph.limits import MAX_BODY_BYTES
from tests.client import Client, signed_in
from tests.factories import make_tenant

JSON = {"content-type": "application/json"}
NEGOTIATED = "application/graphql-response+json"
DEEP = 100_000


@pytest.fixture
async def admin(anyone: Client, owner: AsyncConnection) -> Client:
    return await signed_in(anyone, owner, await make_tenant(owner), "*")


async def send(client: Client, content: bytes, **headers: str) -> httpx.Response:
    if client.token is not None:
        headers["authorization"] = f"Bearer {client.token}"
    async with client.http() as http:
        sent = JSON | {name.replace("_", "-"): value for name, value in headers.items()}
        return await http.post("/graphql", content=content, headers=sent)


def refusal(response: httpx.Response) -> str:
    """The code of an answer that is one error and no data."""
    answer = response.json()
    assert list(answer) == ["errors"], answer
    (error,) = answer["errors"]
    assert error["message"]
    code: str = error["extensions"]["code"]
    return code


def body(query: str, **rest: Any) -> bytes:
    return orjson.dumps({"query": query, **rest})


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"hello",
        b"query { viewer { permissions } }",
        b"'{}'",
        b'"{ viewer { permissions } }"',
        b"7",
        b"null",
        b"true",
        b"[]",
        b'[{"query": "{ viewer { permissions } }"}]',
        b"{}",
        b'{"query": null}',
        b'{"query": ""}',
        b'{"query": " \\n "}',
        b'{"query": 7}',
        b'{"query": ["{ viewer { permissions } }"]}',
        b'{"variables": {}}',
        b'{"query": "{ a }", "variables": []}',
        b'{"query": "{ a }", "variables": "{}"}',
        b'{"query": "{ a }", "variables": 7}',
        b'{"query": "{ a }", "variables": false}',
        b'{"query": "{ a }", "extensions": [1]}',
        b'{"query": "{ a }", "operationName": 7}',
        b'{"query": "{ a }", "operationName": {}}',
        b'{"query": "{ a }", "variables": {"a": ' + b"9" * 5000 + b"}}",
        b'{"query": "{ a }", "variables": {"a": 1e400}}',
        b'{"query": "{ a }", "variables": {"a": "\\ud800"}}',
        b'{"query": "{ a(id: \\"\\udfff\\") }"}',
        b'{"query": "{ a }", "operationName": "\\ud800"}',
        b'{"query": "{ \xff }"}',
        b'{"query": "{ \xed\xa0\x80 }"}',
        b'{"query": "{ \xc0\xaf }"}',
        b'\xef\xbb\xbf{"query": "{ a }"}',
        '{"query": "{ a }"}'.encode("utf-16"),
        b"[" * DEEP,
        b"[" * DEEP + b"]" * DEEP,
        b'{"a":' * 40_000 + b"1" + b"}" * 40_000,
        b'{"query": "{ a }", "variables": {"a": ' + b"[" * DEEP + b"]" * DEEP + b"}}",
    ],
    ids=lambda content: content[:40].decode(errors="replace") or "nothing",
)
async def test_a_body_that_is_no_request_is_refused(anyone: Client, content: bytes) -> None:
    response = await send(anyone, content)
    assert response.status_code == 400
    assert refusal(response) == "BAD_INPUT"


@pytest.mark.parametrize(
    "headers",
    [
        {"content_type": "text/plain"},
        {"content_type": "application/graphql"},
        {"content_type": "application/x-www-form-urlencoded"},
        {"content_type": "multipart/form-data; boundary=x"},
        {"content_type": "application/json; charset=utf-16"},
        {"content_type": "application/jsonp"},
        {"content_type": ""},
        {"content_encoding": "gzip"},
        {"content_encoding": "br"},
        {"content_encoding": "gzip, identity"},
    ],
    ids=str,
)
async def test_another_kind_of_body_is_refused_unread(anyone: Client, headers: dict[str, str]) -> None:
    content = body("{ __typename }")
    content = gzip.compress(content) if "gzip" in str(headers) else content
    response = await send(anyone, content, **headers)
    assert (response.status_code, refusal(response)) == (415, "BAD_INPUT")


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON; Charset=UTF-8"])
async def test_json_in_utf_8_is_read(anyone: Client, kind: str) -> None:
    response = await send(anyone, body("{ __typename }  # ملاحظة"), content_type=kind)
    assert (response.status_code, response.json()) == (200, {"data": {"__typename": "Query"}})
    assert response.headers["content-type"] == "application/json; charset=utf-8"


async def test_a_body_has_a_bound(anyone: Client) -> None:
    query = body("{ __typename }")
    assert (await send(anyone, query + b" " * (MAX_BODY_BYTES - len(query)))).status_code == 200
    response = await send(anyone, query + b" " * (MAX_BODY_BYTES - len(query) + 1))
    assert (response.status_code, refusal(response)) == (413, "BAD_INPUT")


UNREADABLE = ["{", "}", "{ a(", "query", '{ a(b: "\\uD800") }', '{ a(b: "\\u{110000}") }', "{ a(b: 'c') }"]
UNREADABLE += ["{ \0 }", "{ ماذا }", "{a" * 60, "{ a(b: " + "[" * 60]
TOO_DEEP = ["{a" * 40_000, "{a" * 20_000 + "}" * 20_000, "{ a(b: " + "[" * 50_000]
WRONG = [
    "{ nothing }",
    "{ deals }",
    "{ deal { id } }",
    '{ deals(first: "1") { totalCount } }',
    "{ plans { id } }",
]
WRONG += ["query A { plans { totalCount } } query A { plans { totalCount } }", "{ ...F }"]
WRONG += ["{ deals(first: " + "9" * 5000 + ") { totalCount } }", "fragment F on Query { __typename }"]
WRONG += ["subscription { viewer { permissions } }", "{ deals(orderBy: { field: NAMES }) { totalCount } }"]
WRONG += [
    "fragment F on Query { ...F } { ...F }",
    "type Query { a: Int }",
    "query ($a: Nothing) { __typename }",
]


@pytest.mark.parametrize(
    ("query", "code"),
    [(query, "GRAPHQL_PARSE_FAILED") for query in UNREADABLE]
    + [(query, "TOO_COMPLEX") for query in TOO_DEEP]
    + [(query, "GRAPHQL_VALIDATION_FAILED") for query in WRONG],
    ids=lambda text: text[:40].replace("\0", "0"),
)
async def test_a_document_that_cannot_be_run_has_a_code_and_no_data(
    anyone: Client, query: str, code: str
) -> None:
    for accept, status in (("*/*", 200), (NEGOTIATED, 400)):
        response = await send(anyone, body(query), accept=accept)
        assert response.status_code == status
        assert "data" not in response.json()
        assert {error["extensions"]["code"] for error in response.json()["errors"]} == {code}


TWO = "query A { a: __typename } query B { b: __typename }"


async def test_one_operation_is_run_and_it_is_the_one_named(anyone: Client) -> None:
    for name in ("A", "B"):
        response = await send(anyone, body(TWO, operationName=name))
        assert response.json() == {"data": {name.lower(): "Query"}}
    for named in ({}, {"operationName": None}, {"operationName": "C"}, {"operationName": ""}):
        response = await send(anyone, body(TWO, **named), accept=NEGOTIATED)
        assert (response.status_code, refusal(response)) == (400, "GRAPHQL_VALIDATION_FAILED")
    response = await send(anyone, body("{ __typename } query B { __typename }"))
    assert {error["extensions"]["code"] for error in response.json()["errors"]} == {
        "GRAPHQL_VALIDATION_FAILED"
    }
    # The first of several is run by none: here it would be a mutation that nobody asked for.
    sign_in = 'signIn(input: { tenantSlug: "a", email: "b", password: "c" }) { expiresAt }'
    response = await send(anyone, body(f"mutation A {{ {sign_in} }} query B {{ __typename }}"))
    assert refusal(response) == "GRAPHQL_VALIDATION_FAILED"


DEALS = "query ($filter: DealFilter) { deals(filter: $filter) { totalCount } }"
NUL = "a\0b"


@pytest.mark.parametrize(
    "variables",
    [
        {"filter": {"name": {"eq": NUL}}},
        {"filter": {"name": {"in": ["a", NUL]}}},
        {"filter": {"name": {"contains": NUL}}},
        {"filter": {"name": {"startsWith": NUL}}},
        {"filter": {"id": {"eq": NUL}}},
        {"filter": {"companyId": {"in": ["\0" * 36]}}},
        {"filter": {"tags": {"has": NUL}}},
        {"filter": {"tags": {"hasAll": [NUL]}}},
        {"filter": {"currency": {"eq": "\0\0\0"}}},
        {"filter": {"createdAt": {"gt": "2026-01-01T00:00:00Z\0"}}},
        {"filter": {"expectedCloseAt": {"eq": "2026-01-0\0"}}},
        {"filter": {"amountMinor": {"eq": "1\0"}}},
        {"filter": {"owner": {"email": {"eq": NUL}}}},
        {"filter": 7},
        {"filter": {"unknown": 1}},
    ],
    ids=str,
)
async def test_a_variable_that_cannot_be_used_is_bad_input(admin: Client, variables: dict[str, Any]) -> None:
    response = await send(admin, body(DEALS, variables=variables))
    (error,) = response.json()["errors"]
    assert (response.status_code, error["extensions"]["code"]) == (200, "BAD_INPUT")


async def test_a_filter_in_a_variable_does_not_nest_without_end(admin: Client) -> None:
    for depth in (6, 100, 400, 900):
        nested = b'{"not":' * depth + b"{}" + b"}" * depth
        content = b'{"query": %s, "variables": {"filter": %s}}' % (json.dumps(DEALS).encode(), nested)
        response = await send(admin, content)
        assert response.status_code in (200, 400)
        assert [error["extensions"]["code"] for error in response.json()["errors"]] == ["BAD_INPUT"]


@pytest.mark.parametrize("escaped", ["\\u0000", "\\u{0}"])
async def test_a_literal_that_cannot_be_used_is_bad_input(admin: Client, escaped: str) -> None:
    for field in (
        f'deals(filter: {{ name: {{ eq: "{escaped}" }} }}) {{ totalCount }}',
        f'deals(filter: {{ tags: {{ hasAny: ["{escaped}"] }} }}) {{ totalCount }}',
        f'deal(id: "{escaped}") {{ id }}',
    ):
        assert await admin.codes(f"{{ {field} }}") == ["BAD_INPUT"]
    assert await admin.codes(f'{{ deals(after: "{escaped}") {{ totalCount }} }}') == ["BAD_CURSOR"]
    assert await admin.read(f'{{ node(id: "{escaped}") {{ id }} }}') == {"node": None}
    json_filter = (
        f'{{ leads(filter: {{ attributes: {{ contains: {{ a: "{escaped}" }} }} }}) {{ totalCount }} }}'
    )
    assert await admin.codes(json_filter) == ["GRAPHQL_VALIDATION_FAILED"]


@pytest.mark.parametrize("field", ["tenantSlug", "email", "password"])
@pytest.mark.parametrize("text", [NUL, "\0", "x" * 100_000, "", "\u202e\uffff"], ids=repr)
async def test_whatever_is_typed_to_sign_in_is_refused_like_a_wrong_password(
    anyone: Client, field: str, text: str
) -> None:
    given = {"tenantSlug": "demo", "email": "a@demo.test", "password": "wrong"} | {field: text}
    query = "mutation ($i: SignInInput!) { signIn(input: $i) { accessToken errors { code } } }"
    assert await anyone.read(query, i=given) == {
        "signIn": {"accessToken": None, "errors": [{"code": "INVALID"}]}
    }
