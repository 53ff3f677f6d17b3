"""Who may not look at the schema does not learn its names from errors either."""

import re
from collections.abc import AsyncIterator
from functools import cache
from typing import Any
from uuid import uuid4

import pytest
from graphql import get_introspection_query
from graphql.language import Lexer, Source, TokenKind

from graph.schema import schema
from tests.client import Client, running
from tests.server import Urls

INTROSPECTION = [
    get_introspection_query(),
    "{ __schema { types { name } } }",
    '{ __type(name: "Deal") { fields { name } } }',
    '{ a: __type(name: "Deal") { name } }',
    'query Q { ...F } fragment F on Query { __type(name: "Deal") { name } }',
    "query($x: Boolean = false) { __schema @include(if: $x) { queryType { name } } }",
    "{ ... on Query { __schema { directives { name } } } }",
]

GUESSES: list[tuple[str, Any]] = [
    (query, None)
    for query in (
        "{ deels { totalCount } }",
        "{ deals }",
        "{ deals { totlCount } }",
        "{ deal { id } }",
        "{ deals(frist: 1) { totalCount } }",
        '{ deals(first: "x") { totalCount } }',
        '{ deals(filter: { nme: { eq: "x" } }) { totalCount } }',
        '{ deals(filter: { name: { eqq: "x" } }) { totalCount } }',
        "{ deals(filter: { status: { eq: OPNE } }) { totalCount } }",
        "{ deals(filter: { status: { eq: 7 } }) { totalCount } }",
        "{ deals(orderBy: { field: NAMES }) { totalCount } }",
        "{ deals(orderBy: {}) { totalCount } }",
        "query($f: DealFliter) { deals(filter: $f) { totalCount } }",
        "query($f: Int) { deal(id: $f) { id } }",
        '{ node(id: "x") { ... on Deall { id } } }',
        '{ node(id: "x") { name } }',
        '{ deal(id: "x") { ... on Company { id } } }',
        "fragment F on Deall { id } { __typename ...F }",
        "{ __typename @inclde(if: true) }",
        "{ __typename @include(iff: true) }",
        "{ viewer { permissions { x } } }",
        "mutation { signIn { accessToken } }",
        "mutation { signIn(input: {}) { accessToken } }",
        'mutation { createDeal(input: { nam: "x" }) { deal { id } } }',
        "mutation { createDeal(input: 7) { deal { id } } }",
        "{ __schema { typ } }",
        "{ __typ }",
        "subscription { notificationAded { at } }",
        'query($at: DateTime = "x") { deals(filter: { createdAt: { eq: $at } }) { totalCount } }',
    )
] + [
    ("query($f: DealFilter) { deals(filter: $f) { totalCount } }", {"f": {"nme": {"eq": "x"}}}),
    ("query($f: DealFilter) { deals(filter: $f) { totalCount } }", {"f": {"status": {"eq": "OPNE"}}}),
    ("query($f: DealFilter) { deals(filter: $f) { totalCount } }", {"f": {"status": {"eq": 7}}}),
    ("query($f: DealFilter) { deals(filter: $f) { totalCount } }", {"f": {"createdAt": {"eq": "x"}}}),
    ("query($f: DealFilter) { deals(filter: $f) { totalCount } }", {"f": {"company": {"nme": {}}}}),
    ("query($o: DealOrder) { deals(orderBy: $o) { totalCount } }", {"o": {"field": "NAMES"}}),
    ("query($o: DealOrder) { deals(orderBy: $o) { totalCount } }", {"o": {}}),
    ("query($n: Int) { deals(first: $n) { totalCount } }", {"n": "x"}),
    ("query($n: Int!) { deals(first: $n) { totalCount } }", {}),
    ("mutation($i: SignInInput!) { signIn(input: $i) { accessToken } }", {"i": {"emai": "x"}}),
    ("mutation($i: SignInInput!) { signIn(input: $i) { accessToken } }", {"i": {}}),
    ("mutation($i: SignInInput!) { signIn(input: $i) { accessToken } }", {"i": {"email": ["x"]}}),
]


@pytest.fixture(scope="module", params=["planned", "stock"])
async def silent(
    request: pytest.FixtureRequest, urls: Urls, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Client]:
    """A gateway that shows its schema to nobody."""
    folder = tmp_path_factory.mktemp("silent")
    async with running(urls.gateway, folder, introspection="nobody", engine=request.param) as client:
        yield client


SAID = "The document does not fit the schema. An argument has a value that does not fit."


@cache
def names() -> set[str]:
    """Every name of the schema: types, fields, arguments, values and directives."""
    sdl = re.sub(r'"""(.|\n)*?"""', "", schema.as_str())
    return set(re.findall(r"\w+", sdl)) - set(SAID.removesuffix(".").replace(". ", " ").split())


def submitted(query: str, variables: Any) -> set[str]:
    lexer = Lexer(Source(query))
    found = set(re.findall(r"\w+", str(variables)))
    while (token := lexer.advance()).kind is not TokenKind.EOF:
        if token.kind is TokenKind.NAME:
            found.add(token.value)
    return found


@pytest.mark.parametrize("query", INTROSPECTION, ids=lambda query: query.split("{")[1][:40])
async def test_the_schema_is_shown_where_it_may_be(anyone: Client, silent: Client, query: str) -> None:
    assert (await anyone.read(query)) is not None
    answer = await silent.ask(query)
    assert list(answer) == ["errors"]
    assert answer["errors"] == [
        {"message": "The schema is not shown here.", "extensions": {"code": "GRAPHQL_VALIDATION_FAILED"}}
    ]
    assert (await silent.read("{ __typename }")) == {"__typename": "Query"}


@pytest.mark.parametrize(("query", "variables"), GUESSES, ids=str)
async def test_a_wrong_guess_teaches_no_name(silent: Client, query: str, variables: Any) -> None:
    response = await silent.post(query, variables)
    assert response.json()["errors"]
    for error in response.json()["errors"]:
        told = set(re.findall(r"\w+", error["message"])) & names()
        assert told <= submitted(query, variables), error["message"]


@pytest.mark.parametrize(("query", "variables"), GUESSES, ids=str)
async def test_no_name_is_suggested_to_anybody(anyone: Client, query: str, variables: Any) -> None:
    assert "Did you mean" not in (await anyone.post(query, variables)).text


async def test_what_is_wrong_is_said_as_far_as_it_can_be(silent: Client) -> None:
    query = "query($first: Int) {\n  deals(first: $first) { totalCount }\n}"
    (error,) = (await silent.ask(query, first="x"))["errors"]
    assert error["message"] == "Variable '$first' has a value that does not fit."
    assert error["extensions"] == {"code": "BAD_INPUT"}
    (error,) = (await silent.ask("{\n  nothing\n}"))["errors"]
    assert error["locations"] == [{"line": 2, "column": 3}]
    (error,) = (await silent.ask("{ deals { ) }"))["errors"]
    assert error["extensions"] == {"code": "GRAPHQL_PARSE_FAILED"}


async def test_members_may_look_where_strangers_may_not(urls: Urls, tmp_path: Any) -> None:
    async with running(urls.gateway, tmp_path, introspection="members") as client:
        assert await client.codes("{ __schema { description } }") == ["GRAPHQL_VALIDATION_FAILED"]
        client.token = "x"
        assert await client.codes("{ __schema { description } }") == ["GRAPHQL_VALIDATION_FAILED"]

        client.token, _ = client.services.tokens.issue(uuid4(), uuid4(), uuid4())
        assert "__schema" in await client.read("{ __schema { description } }")


async def test_an_answer_about_the_schema_is_made_once_and_is_the_same(anyone: Client) -> None:
    for query in ("{ __typename }", '{ __type(name: "Deal") { name fields { name } } }'):
        first = await anyone.ask(query)
        assert "errors" not in first
        assert await anyone.ask(query) == first
    named = "query A { __typename } query B { b: __typename }"
    async with anyone.http() as http:
        for name, key in (("A", "__typename"), ("B", "b"), ("A", "__typename")):
            answer = await http.post("/graphql", json={"query": named, "operationName": name})
            assert answer.json()["data"] == {key: "Query"}
    switched = "query ($x: Boolean = true) { __typename a: __typename @include(if: $x) }"
    assert set((await anyone.ask(switched))["data"]) == {"__typename", "a"}
    assert set((await anyone.ask(switched, x=False))["data"]) == {"__typename"}
