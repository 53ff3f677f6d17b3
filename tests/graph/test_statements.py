"""What a read costs: the exact statements of an operation, and that each of them names its tenant."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from graphql import (
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLObjectType,
    build_schema,
    get_named_type,
    is_leaf_type,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db import models
from db.base import Base
from db.gateway import platform_grants
from db.readers import _Connection
from graph.schema import schema
from graph.snapshot import Snapshot
from tests.client import Client, signed_in
from tests.factories import fill_tenant, insert, make_tenant
from tests.statements import of_viewer, statements

GLOBAL = {"plans", "plan_features", "billing_webhook_logs"}
"""The tables without a tenant."""

SALES_SCREEN = """query ($first: Int, $count: Boolean = false, $inner: Boolean = false) {
    deals(first: $first) {
        totalCount @include(if: $count)
        nodes {
            id name
            company { id name } contact { id fullName } stage { id code } pipeline { id name }
            activities(first: 10) { totalCount @include(if: $inner) nodes { id subject } }
        }
    }
}"""


@dataclass
class Sales:
    """A tenant with 100 deals, each with a company, a contact and twelve activities of its own."""

    reader: Client
    deals: list[UUID]

    async def read(self, query: str, **variables: Any) -> tuple[dict[str, Any], list[str]]:
        """The data, and the statements that it took."""
        with statements(self.reader.services.database) as sent:
            data = await self.reader.read(query, **variables)
        return data, sent


@pytest.fixture(scope="module")
async def sales(anyone: Client, owner_engine: AsyncEngine) -> Sales:
    async with owner_engine.connect() as owner:
        tenant = await make_tenant(owner)
        pipeline = await insert(owner, models.DealPipeline, tenant_id=tenant)
        where = {"tenant_id": tenant, "pipeline_id": pipeline["id"]}
        stages = [await insert(owner, models.DealStage, **where) for _ in range(3)]
        deals = []
        for number in range(100):
            company = await insert(owner, models.Company, tenant_id=tenant)
            contact = await insert(owner, models.Contact, tenant_id=tenant, company_id=company["id"])
            deal = await insert(
                owner,
                models.Deal,
                **where,
                stage_id=stages[number % 3]["id"],
                company_id=company["id"],
                contact_id=contact["id"],
            )
            work = [{"tenant_id": tenant, "deal_id": deal["id"], "type_code": "call"}] * 12
            await owner.execute(models.Activity.__table__.insert(), work)  # type: ignore[attr-defined]
            deals.append(deal["id"])
        reader = await signed_in(anyone, owner, tenant, "*")
        # The first use of a connection asks the server about types, once
        await reader.read(SALES_SCREEN)
        return Sales(reader, deals)


def what(sent: list[str]) -> list[str]:
    """What each statement reads first, in alphabetical order."""
    return sorted("viewer" if of_viewer(text) else next(read_by(text))[0] for text in sent)


TABLES = "|".join(sorted(Base.metadata.tables, key=len, reverse=True))
SEVEN = ["activities", "companies", "contacts", "deal_pipelines", "deal_stages", "deals", "viewer"]


@pytest.mark.parametrize("rows", [1, 10, 100])
async def test_a_page_of_deals_with_its_relations_takes_seven_statements(sales: Sales, rows: int) -> None:
    data, sent = await sales.read(SALES_SCREEN, first=rows)
    nodes = data["deals"]["nodes"]
    assert [node["id"] for node in nodes] == [str(deal) for deal in reversed(sales.deals)][:rows]
    assert all(len(node["activities"]["nodes"]) == 10 for node in nodes)
    assert all(node["company"] and node["contact"] and node["stage"] for node in nodes)
    assert what(sent) == SEVEN


async def test_no_rows_cost_no_relations(sales: Sales) -> None:
    data, sent = await sales.read(SALES_SCREEN, first=0)
    assert data == {"deals": {"nodes": []}}
    assert what(sent) == ["deals", "viewer"]


async def test_a_count_is_one_statement_more(sales: Sales) -> None:
    data, sent = await sales.read(SALES_SCREEN, first=10, count=True)
    assert data["deals"]["totalCount"] == 100
    assert what(sent) == sorted([*SEVEN, "deals"])


async def test_a_count_under_every_parent_is_one_statement_for_all(sales: Sales) -> None:
    data, sent = await sales.read(SALES_SCREEN, first=100, inner=True)
    assert [node["activities"]["totalCount"] for node in data["deals"]["nodes"]] == [12] * 100
    assert what(sent) == sorted([*SEVEN, "activities"])


async def test_a_row_by_its_id_is_one_statement(sales: Sales) -> None:
    query = "query ($id: ID!) { deal(id: $id) { id company { id } } again: deal(id: $id) { name } }"
    data, sent = await sales.read(query, id=str(sales.deals[7]))
    assert data["deal"]["id"] == str(sales.deals[7])
    assert what(sent) == ["companies", "deals", "viewer"]


async def test_nodes_of_all_types_are_one_statement(sales: Sales) -> None:
    ids = [str(sales.deals[0]), str(sales.reader.user_id), str(sales.reader.tenant_id)]
    data, sent = await sales.read("query ($ids: [ID!]!) { nodes(ids: $ids) { __typename } }", ids=ids)
    assert [node["__typename"] for node in data["nodes"]] == ["Deal", "User", "Tenant"]
    assert len(sent) == 2
    data, sent = await sales.read("query ($id: ID!) { node(id: $id) { __typename } }", id=ids[0])
    assert (data, len(sent)) == ({"node": {"__typename": "Deal"}}, 2)


async def test_the_same_arguments_share_a_statement_and_others_do_not(sales: Sales) -> None:
    query = """{ deals(first: 5) { nodes {
        one: activities(first: 3) { nodes { id } } same: activities(first: 3) { nodes { subject } }
        other: activities(first: 2) { nodes { id } }
        open: activities(first: 3, filter: { status: { eq: OPEN } }) { nodes { id } }
    } } }"""
    data, sent = await sales.read(query)
    assert [len(data["deals"]["nodes"][0][name]["nodes"]) for name in ("one", "same", "other", "open")] == [
        3,
        3,
        2,
        3,
    ]
    assert what(sent) == ["activities", "activities", "activities", "deals", "viewer"]


async def test_a_row_reached_twice_is_read_once(sales: Sales) -> None:
    query = "{ deals(first: 3) { nodes { pipeline { id } again: pipeline { name } stage { id } } } }"
    _, sent = await sales.read(query)
    assert what(sent) == ["deal_pipelines", "deal_stages", "deals", "viewer"]


async def test_lists_side_by_side_share_what_they_lead_to(sales: Sales) -> None:
    query = """query ($id: ID!) {
        some: deals(first: 3) { nodes { company { id } } }
        more: deals(first: 9) { nodes { company { name } } }
        deal(id: $id) { company { id } contact { company { id } } }
    }"""
    data, sent = await sales.read(query, id=str(sales.deals[0]))
    assert [len(data[name]["nodes"]) for name in ("some", "more")] == [3, 9]
    # The company of a contact is a level further down
    assert what(sent) == ["companies", "companies", "contacts", "deals", "deals", "deals", "viewer"]


async def test_a_count_alone_reads_no_rows(sales: Sales) -> None:
    data, sent = await sales.read("{ deals(first: 3) { totalCount } }")
    assert data == {"deals": {"totalCount": 100}}
    assert what(sent) == ["deals", "viewer"]
    assert "count(*)" in sent[-1]


async def test_the_viewer_costs_what_it_shows(sales: Sales) -> None:
    data, sent = await sales.read("{ viewer { permissions } }")
    assert len(data["viewer"]["permissions"]) > 50
    assert what(sent) == ["viewer"]
    query = "{ viewer { user { email } tenant { name subscription { status } } inbox { nodes { id } } } }"
    data, sent = await sales.read(query)
    assert data["viewer"]["tenant"]["subscription"] is None
    expected = ["notifications_inbox", "tenant_subscription", "tenants", "users", "viewer"]
    assert what(sent) == expected


async def test_a_document_that_is_refused_reads_nothing(sales: Sales) -> None:
    with statements(sales.reader.services.database) as sent:
        codes = await sales.reader.codes("{ deals { nodes { passwordHash } } }")
    assert (codes, sent) == (["GRAPHQL_VALIDATION_FAILED"], [])


async def test_sizes_of_pages_that_clients_think_of_share_a_statement(
    planned: Client, owner: AsyncConnection
) -> None:
    reader = await signed_in(planned, owner, await make_tenant(owner), "*")
    query = "query ($n: Int) { deals(first: $n) { nodes { name } pageInfo { hasNextPage } } }"
    with statements(reader.services.database) as sent:
        for size in (0, 41, 42, 43, 99):
            await reader.read(query, n=size)
    assert len({text for text in sent if not of_viewer(text)}) == 1


@pytest.mark.parametrize(
    ("engine", "reading", "method", "times"),
    # The engine's snapshot begins by asking whether the viewer still stands, and reads them no more
    [("planned", _Connection, "fetch", 4), ("stock", Snapshot, "execute", 5)],
)
async def test_all_reads_of_an_operation_see_one_snapshot(
    planned: Client,
    stock: Client,
    owner: AsyncConnection,
    monkeypatch: pytest.MonkeyPatch,
    engine: str,
    reading: type,
    method: str,
    times: int,
) -> None:
    tenant = await make_tenant(owner)
    reader = await signed_in(stock if engine == "stock" else planned, owner, tenant, "*")
    first = await insert(owner, models.Company, tenant_id=tenant, name="before")
    await reader.read("{ viewer { permissions } }")  # reads whose documents are trusted
    original, reads = getattr(reading, method), 0

    async def interrupted(self: Any, *args: Any, **options: Any) -> Any:
        nonlocal reads
        reads += 1
        result = await original(self, *args, **options)
        await insert(owner, models.Company, tenant_id=tenant)
        change = models.Company.__table__.update().where(models.Company.id == first["id"])  # type: ignore[attr-defined]
        await owner.execute(change.values(name=f"after {reads}"))
        return result

    monkeypatch.setattr(reading, method, interrupted)
    query = (
        "{ companies { ...page } again: companies(first: 9) { ...page } } fragment page on CompanyConnection"
    )
    query += " { totalCount nodes { name } }"
    data = await reader.read(query)
    # Before the first read nothing had been added
    alone = {"totalCount": 1, "nodes": [{"name": "before"}]}
    assert data == {"companies": alone, "again": alone}
    assert reads == times
    monkeypatch.undo()
    assert (await reader.read(query))["companies"]["totalCount"] == 1 + times


def unscoped(statement: str) -> list[str]:
    """The tables in `statement` that no condition holds to a tenant, unless they have none."""
    found = []
    for table, alias in read_by(statement):
        key = "id" if table == "tenants" else "tenant_id"
        if table not in GLOBAL and not re.search(rf"\b{alias}\.{key} = \$", statement):
            found.append(table)
    return found


def read_by(statement: str) -> Iterator[tuple[str, str]]:
    """Each table that `statement` reads, with the name it has there."""
    # In a FROM clause a table stands after FROM, JOIN or a comma; a column has a dot behind it
    for match in re.finditer(rf"(?:FROM|JOIN|,)\s+({TABLES})\b(?!\.)(?: AS (\w+))?", statement):
        yield match[1], match[2] or match[1]


def test_a_table_without_its_tenant_is_noticed() -> None:
    assert unscoped("SELECT deals.id FROM deals WHERE deals.id = $1") == ["deals"]
    two = "SELECT d.id FROM deals AS d JOIN companies ON companies.id = d.company_id WHERE d.tenant_id = $1"
    assert unscoped(two) == ["companies"]
    assert unscoped("SELECT 1 FROM tenants, plans WHERE tenants.tenant_id = $1") == ["tenants"]
    assert unscoped("SELECT 1 FROM tenants, plans WHERE tenants.id = $1") == []


PRINTED = build_schema(schema.as_str())


def everything() -> Iterator[str]:
    """For each field of Query, a document with all it shows, two levels of relations and counts."""
    assert PRINTED.query_type is not None
    for name, field in PRINTED.query_type.fields.items():
        given = "(ids: [$id])" if "ids" in field.args else "(id: $id)" if "id" in field.args else ""
        used = "" if given else "node(id: $id) { id }"
        yield f"query ($id: ID!) {{ {used} {name}{given} {selection(field, 3)} }}"


def selection(field: GraphQLField, depth: int) -> str:
    """All leaves below a field, and its relations to `depth`."""
    kind = get_named_type(field.type)
    if not isinstance(kind, GraphQLObjectType):
        return "" if is_leaf_type(kind) else "{ __typename }"
    if kind.name.endswith("Connection"):
        return f"{{ totalCount nodes {selection(kind.fields['nodes'], depth)} }}"
    shown = [
        f"{name} {selection(item, depth - 1)}"
        for name, item in kind.fields.items()
        if depth > 1 or is_leaf_type(get_named_type(item.type))
    ]
    return f"{{ __typename {' '.join(shown)} }}"


def filters() -> Iterator[str]:
    """For each list of Query, a document with a filter through every to-one relation."""
    assert PRINTED.query_type is not None
    for name, field in PRINTED.query_type.fields.items():
        if "filter" in field.args:
            kind = get_named_type(field.args["filter"].type)
            assert isinstance(kind, GraphQLInputObjectType)
            types = {f: get_named_type(item.type).name for f, item in kind.fields.items() if f != "not"}
            through = [f"{f}: {{}}" for f, t in types.items() if t.removesuffix("Filter") in models.__all__]
            given = ", ".join(f for f in through if not f.startswith(("and:", "or:")))
            yield f"{{ {name}(filter: {{ {given} }}) {{ totalCount nodes {{ __typename }} }} }}"


@pytest.mark.usefixtures("unbounded")
async def test_every_statement_names_the_tenant_on_every_table(
    anyone: Client, owner: AsyncConnection
) -> None:
    tenant = await make_tenant(owner)
    rows = await fill_tenant(owner, tenant)
    reader = await signed_in(anyone, owner, tenant, "*")
    await owner.execute(platform_grants.insert().values(tenant_id=tenant, user_id=reader.user_id))
    with statements(reader.services.database) as sent:
        for document in everything():
            answer = await reader.ask(document, id=str(rows["deals"]["id"]))
            assert {e["extensions"]["code"] for e in answer.get("errors", ())} <= {"NOT_FOUND"}, answer
        for document in filters():
            await reader.read(document)
    assert [(found, text) for text in set(sent) if (found := unscoped(text))] == []
    assert {table for text in sent for table, _ in read_by(text)} == set(Base.metadata.tables)
    assert sum("EXISTS" in text for text in sent if not of_viewer(text)) > 30
