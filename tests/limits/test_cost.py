"""What an operation costs: worked out before it runs, counted while it does, told in each answer."""

from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from graphql import get_introspection_query
from sqlalchemy.ext.asyncio import AsyncConnection

from db import models
from graph.limits import MAX_BODY_BYTES, MAX_BULK_BYTES
from tests.client import Client
from tests.factories import insert
from tests.statements import statements

CASES: list[tuple[str, dict[str, Any], int]] = [
    ("{ __typename }", {}, 1),
    ("{ viewer { permissions } }", {}, 1),
    ("{ viewer { tenant { name } } }", {}, 2),
    ('{ company(id: "1") { name } }', {}, 2),
    ("{ companies { nodes { name } } }", {}, 26),
    ("{ companies(first: 10) { totalCount } }", {}, 12),
    ("{ companies(last: 10) { edges { cursor } pageInfo { hasNextPage } } }", {}, 11),
    ("{ companies(first: 0) { totalCount } }", {}, 2),
    ("query($n: Int) { companies(first: $n) { totalCount } }", {"n": 7}, 9),
    ("query($n: Int) { companies(first: $n) { totalCount } }", {"n": 7.0}, 9),
    ("query($n: Int) { companies(first: $n) { totalCount } }", {"n": None}, 27),
    ("query($n: Int) { companies(first: $n) { totalCount } }", {}, 27),
    ("query($n: Int = 3) { companies(first: $n) { totalCount } }", {}, 5),
    ("query($n: Int = 3) { companies(first: $n) { totalCount } }", {"n": 4}, 6),
    # A page; for each of its rows a page of deals and their number; for each of those a company
    (
        "{ companies(first: 10) { nodes { deals(first: 5) { totalCount nodes { company { id } } } } } }",
        {},
        121,
    ),
    ("{ companies(first: 10) { nodes { id } edges { node { deals(first: 2) { totalCount } } } } }", {}, 41),
    ("{ companies(first: 3) { nodes { id } } companies(first: 3) { nodes { name } } }", {}, 4),
    ("{ a: companies(first: 3) { nodes { id } } b: companies(first: 3) { nodes { name } } }", {}, 7),
    ("{ ...F ...F } fragment F on Query { companies(first: 3) { nodes { id } } }", {}, 4),
    ("{ companies(first: 3) @skip(if: true) { totalCount } }", {}, 1),
    ("query($x: Boolean!) { companies(first: 3) @include(if: $x) { totalCount } }", {"x": True}, 5),
    ("query($x: Boolean!) { companies(first: 3) @include(if: $x) { totalCount } }", {"x": False}, 1),
    ("query($x: Boolean!) { ... @skip(if: $x) { companies(first: 3) { totalCount } } }", {"x": True}, 1),
    ('{ node(id: "1") { id ... on Deal { company { id } } ... on Unit { id project { id } } } }', {}, 4),
    ('{ nodes(ids: ["1", "2", "3"]) { id ... on Deal { company { id } } } }', {}, 7),
    ("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": ["1", "2"]}, 3),
    ("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": "1"}, 2),
    ('{ __type(name: "Deal") { name } }', {}, 101),
    ("{ __schema { queryType { name } } }", {}, 4001),
    (get_introspection_query(), {}, 4001),
    ("{ __schema { a: types { fields { name } } b: types { fields { args { name } } } } }", {}, 8001),
    ("{ __schema { types { name } types { kind } directives { name } } }", {}, 4001),
    (
        '{ __type(name: "Deal") { ...F b: fields { name } } } fragment F on __Type { fields { name } }',
        {},
        201,
    ),
    ('{ a: __type(name: "Deal") { name } b: __type(name: "Unit") { name } }', {}, 201),
    ('mutation { deleteCompany(id: "1") { errors { message } } }', {}, 11),
    (
        'mutation { a: deleteCompany(id: "1") { company { id } } b: deleteCompany(id: "2") { __typename } }',
        {},
        22,
    ),
    (
        'mutation { createCompanies(input: [{name: "a"}, {name: "b"}]) { results { errors { code } } } }',
        {},
        13,
    ),
    (
        "mutation($i: [CreateCompanyInput!]!) { createCompanies(input: $i) { results { company { id } } } }",
        {"i": [{"name": "a"}, {"name": "b"}, {"name": "c"}]},
        17,
    ),
]


async def cost(
    client: Client, query: str, variables: dict[str, Any] | None = None, **extra: Any
) -> dict[str, Any]:
    """`extensions.cost` of an answer."""
    headers = {"Authorization": f"Bearer {client.token}"} if client.token else {}
    async with client.http(costed=True) as http:
        body = {"query": query, "variables": variables, **extra}
        answer = (await http.post("/graphql", json=body, headers=headers)).json()
    found: dict[str, Any] = answer["extensions"]["cost"]
    return found


@pytest.mark.parametrize(("query", "variables", "requested"), CASES)
async def test_the_cost_follows_from_document_and_variables(
    reader: Client, query: str, variables: dict[str, Any], requested: int
) -> None:
    found = await cost(reader, query, variables)
    assert found["requested"] == requested
    assert 1 <= found["actual"] <= requested
    explained = await cost(reader, query, variables, extensions={"explainCost": True})
    assert explained == {"requested": requested, "actual": 0, "remaining": None}


async def test_the_actual_cost_is_the_rows_that_were_read(reader: Client, owner: AsyncConnection) -> None:
    own = {"tenant_id": reader.tenant_id}
    companies = [await insert(owner, models.Company, **own) for _ in range(3)]
    for company in companies[:2]:
        await insert(owner, models.Contact, company_id=company["id"], **own)
    query = """{ companies(first: 2) { totalCount nodes {
      name contacts(first: 5) { nodes { fullName company { name } } } } } }"""
    found = await cost(reader, query)
    # Two companies and their number; each may have five contacts, each of whom may have a company
    assert found["requested"] == 1 + 1 + 2 + 2 * 5 + 2 * 5
    # The oldest company of three is not on the page: one contact, and one company to look up
    assert found["actual"] == 1 + 1 + 2 + 1 + 1


@pytest.mark.parametrize("header", ["Explain-Cost", "explainCost"])
async def test_a_header_asks_for_the_cost_alone(reader: Client, header: str) -> None:
    with statements(reader.services.database) as sent:
        async with reader.http(costed=True) as http:
            response = await http.post(
                "/graphql",
                json={"query": 'mutation { deleteCompany(id: "1") { errors { code } } }'},
                headers={"Authorization": f"Bearer {reader.token}", header: "true"},
            )
    assert response.json() == {
        "data": None,
        "extensions": {"cost": {"requested": 11, "actual": 0, "remaining": None}},
    }
    assert sent == []


async def test_an_explained_operation_is_refused_as_it_would_be(reader: Client) -> None:
    query = "{ companies(first: 100) { nodes { deals(first: 100) { nodes { id } } } } }"
    response = await reader.post(query, None, **{"Explain-Cost": "true"})
    (error,) = response.json()["errors"]
    assert error["extensions"] == {"code": "TOO_COMPLEX", "exceeded": "nodes", "limit": 10000, "asked": 10100}


BULK = "mutation($rows: [CreateCompanyInput!]!) { createCompanies(input: $rows) { errors { message } } }"
ONE = "mutation($row: CreateCompanyInput!) { createCompany(input: $row) { errors { message } } }"


async def pieces(query: str, variables: dict[str, Any]) -> AsyncIterator[bytes]:
    body = orjson.dumps({"query": query, "variables": variables})
    for start in range(0, len(body), 65536):
        yield body[start : start + 65536]


async def test_a_large_body_is_for_bulk_mutations_of_who_is_signed_in(reader: Client) -> None:
    def rows(size: int) -> dict[str, Any]:
        return {"rows": [{"name": "a", "city": "b"}], "padding": "x" * size}

    for query, variables, size, status in (
        (BULK, rows(MAX_BULK_BYTES - 1000), MAX_BULK_BYTES, 200),
        (BULK, rows(MAX_BULK_BYTES), None, 413),
        (ONE, {"row": {"name": "a"}, "padding": "x" * MAX_BODY_BYTES}, None, 413),
    ):
        response = await reader.post(query, variables)
        assert response.status_code == status, size
    assert response.json()["errors"][0]["extensions"]["exceeded"] == "bytes"
    said = {"content-type": "application/json", "authorization": f"Bearer {reader.token}"}
    async with reader.http() as http:
        response = await http.post("/graphql", content=pieces(BULK, rows(MAX_BODY_BYTES)), headers=said)
    assert response.status_code == 200
    nobody = Client(reader.app)
    for client in (nobody, Client(reader.app, "no token")):
        response = await client.post(BULK, rows(MAX_BODY_BYTES))
        assert response.status_code == 413
        assert response.json()["errors"][0]["extensions"]["code"] == "BAD_INPUT"
