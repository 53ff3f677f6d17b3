"""`node` and `nodes`: every type found by the id alone, showing what its lists show."""

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db import models
from tests.client import Client, signed_in
from tests.factories import insert, make_tenant
from tests.graph.filled import Filled, fill
from tests.graph.sdl import TABLES, along, leaves, object_type, route, selection

pytestmark = pytest.mark.usefixtures("unbounded")

NODES = [name for name in TABLES if "Node" in {item.name for item in object_type(name).interfaces}]
NO_NODES = {"GroupMember", "RolePermission", "TenantSubscription", "UserProfile", "UserRole"}

BY_IDS = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"


@pytest.fixture(scope="module")
async def filled(anyone: Client, owner_engine: AsyncEngine) -> Filled:
    async with owner_engine.connect() as owner:
        return await fill(anyone, owner)


def test_38_types_are_nodes_and_5_are_not() -> None:
    assert len(NODES) == 38
    assert TABLES.keys() - set(NODES) == NO_NODES


@pytest.mark.parametrize("name", NODES)
async def test_a_node_shows_what_its_list_shows(filled: Filled, name: str) -> None:
    wanted = str(filled.rows[TABLES[name].name]["id"])
    data: Any = await filled.admin.read(f"{{ {along(route(name), selection(name))} }}")
    listed = {row["id"]: row for row in rows(data)}
    query = f"query ($id: ID!) {{ node(id: $id) {{ __typename ... on {name} {{ {selection(name)} }} }} }}"
    found = (await filled.admin.read(query, id=wanted))["node"]
    assert found.pop("__typename") == name
    assert found == listed[wanted]
    # All that a row can hold, it holds: what both left out would be equal as well
    assert {field for field in leaves(name) if found[field] is None} <= {"parentRoleId"}


def rows(data: Any) -> list[dict[str, Any]]:
    """The rows at the end of a route."""
    found = [data]
    while "id" not in found[0]:
        below = [value for row in found for value in row.values() if value is not None]
        found = [row for value in below for row in value.get("nodes", [value])]
    return found


async def test_nodes_come_in_the_order_of_their_ids(filled: Filled) -> None:
    every = [str(filled.rows[TABLES[name].name]["id"]) for name in NODES]
    mixed = [*reversed(every), every[5], str(uuid4()), every[5]]
    data = await filled.admin.read(BY_IDS, ids=mixed)
    ids = [row and row["id"] for row in data["nodes"]]
    assert ids == [*reversed(every), every[5], None, every[5]]
    assert [row["__typename"] for row in data["nodes"][:38]] == NODES[::-1]


@pytest.mark.parametrize(
    "spelling",
    [
        "",
        "1",
        "x" * 36,
        "deals",
        "\0",
        "٣" * 36,
        "urn:uuid:{}",
        "{{{}}}",
        " {}",
        "{}\n",
        "a" * 10_000,
    ],
)
async def test_what_is_no_id_is_the_id_of_nothing(filled: Filled, spelling: str) -> None:
    own = str(filled.rows["deals"]["id"])
    given = spelling.format(own) if "{}" in spelling else spelling
    data = await filled.admin.read(BY_IDS, ids=[given, own, own.replace("-", "")])
    assert data["nodes"] == [None, {"__typename": "Deal", "id": own}, None]
    data = await filled.admin.read("query ($id: ID!) { node(id: $id) { id } }", id=given)
    assert data == {"node": None}


async def test_an_id_may_be_in_capitals(filled: Filled) -> None:
    own = str(filled.rows["deals"]["id"])
    data = await filled.admin.read(BY_IDS, ids=[own.upper()])
    assert data["nodes"] == [{"__typename": "Deal", "id": own}]


async def test_what_has_no_id_of_its_own_is_no_node(filled: Filled) -> None:
    member = filled.rows["group_members"]
    data = await filled.admin.read(BY_IDS, ids=[str(member["group_id"]), str(member["user_id"])])
    assert [row["__typename"] for row in data["nodes"]] == ["Group", "User"]
    document = "{ node(id: 1) { ... on GroupMember { userId } } }"
    assert await filled.admin.codes(document) == ["GRAPHQL_VALIDATION_FAILED"]


async def test_at_most_a_hundred_nodes_are_read_at_once(filled: Filled) -> None:
    own = str(filled.rows["deals"]["id"])
    assert len((await filled.admin.read(BY_IDS, ids=[own] * 100))["nodes"]) == 100
    assert (await filled.admin.read(BY_IDS, ids=[]))["nodes"] == []
    assert await filled.admin.codes(BY_IDS, ids=[own] * 101) == ["BAD_INPUT"]


async def test_a_node_leads_on_like_any_row(anyone: Client, owner: AsyncConnection) -> None:
    tenant = await make_tenant(owner)
    reader = await signed_in(anyone, owner, tenant, "*")
    company = await insert(owner, models.Company, tenant_id=tenant, name="Nile")
    deal = await insert(owner, models.Deal, tenant_id=tenant, company_id=company["id"], name="Villa")
    query = """query ($ids: [ID!]!) { nodes(ids: $ids) {
        ... on Deal { company { name } } ... on Company { deals { totalCount nodes { name } } }
    } }"""
    data = await reader.read(query, ids=[str(deal["id"]), str(company["id"])])
    assert data["nodes"] == [
        {"company": {"name": "Nile"}},
        {"deals": {"totalCount": 1, "nodes": [{"name": "Villa"}]}},
    ]
