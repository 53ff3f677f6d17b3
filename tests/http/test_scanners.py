"""What scanners of GraphQL endpoints look for (graphql-cop, Clairvoyance, InQL …), in tables."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import httpx
import orjson
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.client import Client, signed_in
from tests.factories import make_tenant

JSON = {"content-type": "application/json"}
CIRCLE = (
    "{ __schema { types { fields { type { fields { type { fields { type { fields { name } } } } } } } } } }"
)


def repeated(text: str, count: int) -> str:
    return "{ " + " ".join(text.replace("#", str(number)) for number in range(count)) + " }"


REFUSED: list[tuple[str, str]] = [
    ("aliases", repeated("a#: __typename", 101)),
    ("aliases below", "{ deals { nodes " + repeated("a#: id", 101) + " } }"),
    ("directives", "{ __typename " + "@include(if: true) " * 10 + "}"),
    ("many directives", repeated("a#: __typename @include(if: true)", 31)),
    ("unknown directives", "{ __typename " + "@aa" * 50 + "}"),
    ("fields", "{ " + "__typename " * 1000 + "}"),
    ("circular introspection", CIRCLE),
    ("circular fragments", "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }"),
    ("depth", "{ deals { nodes " + "{ company { deals { nodes " * 8 + "{ id }" + " } } }" * 8 + " } }"),
]


@pytest.mark.parametrize(("what", "query"), REFUSED, ids=[what for what, _ in REFUSED])
async def test_a_document_made_to_cost_is_refused(
    anyone: Client, owner: AsyncConnection, what: str, query: str
) -> None:
    client = await signed_in(anyone, owner, await make_tenant(owner), "*")
    answer = await client.ask(query)
    assert "data" not in answer
    codes = {error["extensions"]["code"] for error in answer["errors"]}
    assert codes <= {"TOO_COMPLEX", "GRAPHQL_VALIDATION_FAILED"}, what


BATCH = orjson.dumps([{"query": "{ __typename }"}] * 10)
FORM = b"query=%7B__typename%7D"


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (BATCH, JSON, 400),
        (b'[{"query": "{ __typename }"}]', JSON, 400),
        (FORM, {"content-type": "application/x-www-form-urlencoded"}, 415),
        (b"{ __typename }", {"content-type": "application/graphql"}, 415),
        (b'{"query": "{ __typename }"}', {"content-type": "text/plain"}, 415),
    ],
    ids=["batch", "batch of one", "form", "bare document", "text"],
)
async def test_another_way_in_is_closed(
    anyone: Client, content: bytes, headers: dict[str, str], status: int
) -> None:
    async with anyone.http() as http:
        response = await http.post("/graphql", content=content, headers=headers)
    assert response.status_code == status
    assert list(response.json()) == ["errors"]


async def test_there_are_no_mutations_by_get(anyone: Client) -> None:
    for query in ("mutation { __typename }", "mutation { signOut { errors { code } } }"):
        async with anyone.http() as http:
            response = await http.get(f"/graphql?query={quote(query)}")
        assert response.status_code == 405


async def test_there_are_no_suggestions(anyone: Client) -> None:
    for query in ("{ deel { id } }", "{ __typename { directive } }", "query { systemUpdate }"):
        assert "Did you mean" not in (await anyone.post(query)).text


def no_tracing(response: httpx.Response) -> bool:
    return not {"tracing", "debug", "queryPlan", "ftv1"} & set(response.json().get("extensions", {}))


def no_inside(response: httpx.Response) -> bool:
    text = response.text.lower()
    inside = ("traceback", "stacktrace", "exception", "sqlalchemy", "asyncpg", "strawberry", ".py", "select ")
    return not any(word in text for word in inside)


def no_server(response: httpx.Response) -> bool:
    return not {"server", "x-powered-by"} & set(response.headers)


@pytest.mark.parametrize("holds", [no_tracing, no_inside, no_server])
@pytest.mark.parametrize(
    "body",
    [
        {"query": "{ __typename }"},
        {"query": "{ __typename }", "extensions": {"tracing": True}},
        {"query": "queryy { __typename }"},
        {"query": "{ \u0000 }"},
        {"query": "query ($x: Int!) { __typename }", "variables": {"x": "y"}},
        {"query": "{ deals { nodes { id } } }"},
        {"query": 'mutation { deleteDeal(id: "\' OR 1=1 --") { errors { code } } }'},
        {"query": '{ deals(filter: { name: { contains: "%\\\\_\'\\"" } }) { totalCount } }'},
    ],
    ids=lambda body: str(body)[:60],
)
async def test_nothing_of_the_inside_is_told(
    anyone: Client, body: dict[str, Any], holds: Callable[[httpx.Response], bool]
) -> None:
    async with anyone.http() as http:
        response = await http.post(
            "/graphql", json=body, headers={"apollo-tracing": "1", "apollo-federation-include-trace": "ftv1"}
        )
    assert response.status_code == 200
    assert holds(response), response.text


@pytest.mark.parametrize(
    "path",
    [
        "/graphiql",
        "/playground",
        "/altair",
        "/voyager",
        "/console",
        "/v1/graphql",
        "/api/graphql",
        "/debug",
        "/.env",
        "/docs",
        "/openapi.json",
    ],
)
async def test_there_is_one_endpoint(anyone: Client, path: str) -> None:
    async with anyone.http() as http:
        assert (await http.get(path, headers={"accept": "text/html"})).status_code == 404
