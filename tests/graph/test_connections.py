"""Pages of a list: how many rows, which, and what is said of those beyond."""

import datetime as dt
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db import models
from tests.client import Client, signed_in
from tests.factories import insert, make_tenant, make_user
from tests.graph.lists import Place

COMPANIES = Place("companies")
NEWEST = dt.datetime(2026, 5, 4, 3, 2, 1, 999_999, tzinfo=dt.UTC)


async def add_companies(owner: AsyncConnection, tenant: UUID, count: int) -> list[str]:
    """The ids of new companies, the newest first, a microsecond apart."""
    table = models.Company.__table__
    rows = [
        {"tenant_id": tenant, "name": f"{n:03}", "created_at": NEWEST - dt.timedelta(microseconds=n)}
        for n in range(count)
    ]
    await owner.execute(sa.insert(models.Company), rows)
    found = await owner.execute(
        sa.select(table.c.id).where(table.c.tenant_id == tenant).order_by(table.c.created_at.desc())
    )
    return [str(row.id) for row in found]


@pytest.fixture(scope="module")
async def reader(anyone: Client, owner_engine: AsyncEngine) -> Client:
    """Who reads a tenant of 102 companies, one more than two pages hold; for tests that only read."""
    async with owner_engine.connect() as owner:
        tenant = await make_tenant(owner)
        await add_companies(owner, tenant, 102)
        return await signed_in(anyone, owner, tenant, "*")


@pytest.fixture
async def tenant(owner: AsyncConnection) -> UUID:
    return await make_tenant(owner)


def names(page: dict[str, Any]) -> list[str]:
    return [edge["node"]["name"] for edge in page["edges"]]


PAGE = """query ($first: Int, $after: String, $last: Int, $before: String) {
    companies(first: $first, after: $after, last: $last, before: $before) {
        edges { cursor node { name } } nodes { name }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
}"""


async def page(reader: Client, **arguments: Any) -> dict[str, Any]:
    found: dict[str, Any] = (await reader.read(PAGE, **arguments))["companies"]
    edges, info = found["edges"], found["pageInfo"]
    assert [edge["node"] for edge in edges] == found["nodes"]
    assert info["startCursor"] == (edges[0]["cursor"] if edges else None)
    assert info["endCursor"] == (edges[-1]["cursor"] if edges else None)
    return found


def beyond(found: dict[str, Any]) -> tuple[bool, bool]:
    """Whether there is something before the page, and after it."""
    return found["pageInfo"]["hasPreviousPage"], found["pageInfo"]["hasNextPage"]


def numbers(start: int, stop: int) -> list[str]:
    return [f"{number:03}" for number in range(start, stop)]


@pytest.mark.parametrize(
    ("arguments", "start", "stop"),
    [
        ({}, 0, 25),
        ({"first": None, "last": None, "after": None, "before": None}, 0, 25),
        ({"first": 1}, 0, 1),
        ({"first": 100}, 0, 100),
        ({"last": 1}, 101, 102),
        ({"last": 100}, 2, 102),
    ],
)
async def test_a_page_has_25_rows_or_what_is_asked_for(
    reader: Client, arguments: dict[str, Any], start: int, stop: int
) -> None:
    found = await page(reader, **arguments)
    assert names(found) == numbers(start, stop)
    assert beyond(found) == (start > 0, stop < 102)


@pytest.mark.parametrize("size", ["first", "last"])
async def test_a_page_of_no_rows_still_says_whether_there_are_any(reader: Client, size: str) -> None:
    found = await page(reader, **{size: 0})
    assert found["edges"] == []
    assert beyond(found) == ((False, True) if size == "first" else (True, False))


async def test_an_empty_list(anyone: Client, owner: AsyncConnection, tenant: UUID) -> None:
    nobody = await signed_in(anyone, owner, tenant, "*")
    found = await page(nobody)
    assert found["edges"] == []
    assert beyond(found) == (False, False)
    data = await nobody.read("{ companies { totalCount } }")
    assert data == {"companies": {"totalCount": 0}}


@pytest.mark.parametrize(
    "arguments",
    [
        {"first": -1},
        {"last": -1},
        {"first": 101},
        {"last": 101},
        {"first": 2_147_483_647},
        {"first": 1, "last": 1},
        {"first": 0, "last": 0},
    ],
)
async def test_a_page_that_cannot_be_is_bad_input(reader: Client, arguments: dict[str, Any]) -> None:
    assert await reader.codes(PAGE, **arguments) == ["BAD_INPUT"]
    nested = """query ($first: Int, $last: Int) {
        companies(first: 1) { nodes { deals(first: $first, last: $last) { totalCount } } }
    }"""
    assert await reader.codes(nested, **arguments) == ["BAD_INPUT"]


@pytest.mark.parametrize("first", [2**31, "1", 1.5, True])
async def test_a_page_is_counted_in_integers(reader: Client, first: Any) -> None:
    assert await reader.codes(PAGE, first=first) == ["BAD_INPUT"]


async def test_a_full_last_page_has_nothing_beyond(reader: Client) -> None:
    start = await page(reader, first=100)
    rest = await page(reader, first=2, after=start["pageInfo"]["endCursor"])
    assert names(rest) == numbers(100, 102)
    assert beyond(rest) == (True, False)
    past = await page(reader, first=2, after=rest["pageInfo"]["endCursor"])
    assert names(past) == []
    assert beyond(past) == (True, False)


async def test_after_and_before_together_bound_a_page(reader: Client) -> None:
    cursors = [edge["cursor"] for edge in (await page(reader, first=10))["edges"]]
    between = {"after": cursors[1], "before": cursors[8]}
    found = await page(reader, **between)
    assert names(found) == numbers(2, 8)
    found = await page(reader, first=4, **between)
    assert (names(found), beyond(found)) == (numbers(2, 6), (True, True))
    found = await page(reader, last=4, **between)
    assert (names(found), beyond(found)) == (numbers(4, 8), (True, True))
    assert names(await page(reader, after=cursors[8], before=cursors[1])) == []
    assert names(await page(reader, after=cursors[3], before=cursors[4])) == []


async def test_a_list_is_walked_to_the_microsecond(reader: Client) -> None:
    there = await COMPANIES.walk(reader, 7)
    assert len(there) == len(set(there)) == 102
    assert await COMPANIES.walk(reader, 7, backwards=True) == there
    assert await COMPANIES.walk(reader, 3) == there


async def test_a_count_is_of_the_list_and_not_of_the_page(reader: Client) -> None:
    data = await reader.read(
        '{ companies(first: 3, filter: { name: { startsWith: "01" } }) { totalCount nodes { name } } }'
    )
    assert data["companies"] == {"totalCount": 10, "nodes": [{"name": name} for name in numbers(10, 13)]}


async def test_each_parent_has_a_page_of_its_own(
    anyone: Client, owner: AsyncConnection, tenant: UUID
) -> None:
    reader = await signed_in(anyone, owner, tenant, "*")
    companies = await add_companies(owner, tenant, 4)
    contacts: dict[str, list[str]] = {}
    for company, count in zip(companies, (0, 1, 3, 30), strict=True):
        made = [
            await insert(owner, models.Contact, tenant_id=tenant, company_id=company) for _ in range(count)
        ]
        contacts[company] = [str(row["id"]) for row in reversed(made)]
    query = """query ($first: Int, $last: Int) { companies { nodes { id contacts(first: $first, last: $last) {
        totalCount nodes { id } pageInfo { hasNextPage hasPreviousPage }
    } } } }"""
    for size, kept in (({"first": 2}, slice(0, 2)), ({"last": 2}, slice(-2, None)), ({}, slice(0, 25))):
        data = await reader.read(query, **size)
        found = {node["id"]: node["contacts"] for node in data["companies"]["nodes"]}
        assert {i: [row["id"] for row in page["nodes"]] for i, page in found.items()} == {
            company: rows[kept] for company, rows in contacts.items()
        }
        assert [page["totalCount"] for page in found.values()] == [0, 1, 3, 30]
        more = [len(rows) > len(rows[kept]) for rows in contacts.values()]
        assert [any(page["pageInfo"].values()) for page in found.values()] == more
    place = Place("contacts", parent=f'company(id: "{companies[3]}")')
    assert await place.walk(reader, 7) == contacts[companies[3]]
    assert await place.walk(reader, 7, backwards=True) == contacts[companies[3]]


@pytest.mark.parametrize(("size", "info"), [("first", "endCursor"), ("last", "startCursor")])
async def test_rows_that_come_and_go_do_not_disturb_a_walk(
    anyone: Client, owner: AsyncConnection, tenant: UUID, size: str, info: str
) -> None:
    reader = await signed_in(anyone, owner, tenant, "*")
    rows = await add_companies(owner, tenant, 20)
    here = rows if size == "first" else rows[::-1]
    seen: list[str] = []
    cursor: str | None = None
    while cursor is not None or not seen:
        found = await COMPANIES.page(reader, size, 3, cursor)
        ids = [edge["node"]["id"] for edge in found["edges"]]
        seen += ids if size == "first" else ids[::-1]
        cursor = found["pageInfo"][info]
        if len(seen) == 6:
            # One that was seen, the one that the cursor names, and all that the next page would have held
            gone = [here[2], *here[5:9]]
            await owner.execute(sa.delete(models.Company).where(models.Company.id.in_(gone)))
            for microseconds in (10_000, -10, -10_000):
                at = NEWEST + dt.timedelta(microseconds=microseconds)
                await insert(owner, models.Company, tenant_id=tenant, created_at=at)
    assert [row for row in seen if row in here] == [*here[:6], *here[9:]]
    # Beside those 17: the one in the middle, and the one at the far end
    assert len(seen) == len(set(seen)) == 17 + 2


async def test_lists_without_an_id_are_walked_by_the_rest_of_their_key(
    anyone: Client, owner: AsyncConnection, tenant: UUID
) -> None:
    reader = await signed_in(anyone, owner, tenant, "*")
    at = {"tenant_id": tenant, "created_at": NEWEST}
    group = await insert(owner, models.Group, tenant_id=tenant)
    users = sorted([await make_user(owner, tenant) for _ in range(9)], reverse=True)
    roles = sorted(
        [(await insert(owner, models.Role, tenant_id=tenant))["id"] for _ in range(9)], reverse=True
    )
    permissions = [f"a.{letter}" for letter in "ihgfedcba"]
    for user, role, permission in zip(users, roles, permissions, strict=True):
        await insert(owner, models.GroupMember, **at, group_id=group["id"], user_id=user)
        await insert(owner, models.UserRole, **at, user_id=users[0], role_id=role)
        await insert(owner, models.RolePermission, **at, role_id=roles[0], permission=permission)
        if user != users[0]:
            await insert(owner, models.UserRole, **at, user_id=user, role_id=roles[0])
    ids_of_users, ids_of_roles = [str(user) for user in users], [str(role) for role in roles]
    for place, keys in (
        (Place("members", parent=f'group(id: "{group["id"]}")', key="userId"), ids_of_users),
        (Place("roles", parent=f'user(id: "{users[0]}")', key="roleId"), ids_of_roles),
        (Place("users", parent=f'role(id: "{roles[0]}")', key="userId"), ids_of_users),
        (Place("permissions", parent=f'role(id: "{roles[0]}")', key="permission"), permissions),
    ):
        assert await place.walk(reader, 4) == keys
        assert await place.walk(reader, 4, backwards=True) == keys


async def test_stages_come_by_their_place(anyone: Client, owner: AsyncConnection, tenant: UUID) -> None:
    pipeline = await insert(owner, models.DealPipeline, tenant_id=tenant)
    for place in (2, -1, 1, 3, 0):
        await insert(
            owner,
            models.DealStage,
            tenant_id=tenant,
            pipeline_id=pipeline["id"],
            order_index=place,
            code=f"s{place}",
        )
    reader = await signed_in(anyone, owner, tenant, "deals.view")
    for stages in (
        Place("stages", parent=f'dealPipeline(id: "{pipeline["id"]}")', key="code"),
        Place("dealStages", key="code"),
    ):
        assert await stages.walk(reader, 2) == ["s-1", "s0", "s1", "s2", "s3"]
