"""Cursors: good for the list, parent, order and tenant that gave them out, and for nothing else."""

import base64
import datetime as dt
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db import models
from graph.auth import keys
from graph.cursor import CursorScope
from graph.limits import MAX_ROOT_FIELDS
from graph.ordering import default_order
from graph.tables import TABLES
from tests.client import Client, running, session_of, signed_in
from tests.factories import Row, insert, make_tenant
from tests.graph.lists import Place
from tests.server import Urls

BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
COMPANIES = Place("companies")


@dataclass
class Lists:
    """Two companies with two deals each, all made at the same moment."""

    reader: Client
    companies: list[Row]
    deals: list[Row]

    async def cursor(self, place: Place) -> str:
        """The cursor of the first row of a list."""
        cursor: str = (await place.page(self.reader, "first", 1))["pageInfo"]["endCursor"]
        return cursor


@pytest.fixture(scope="module")
async def lists(anyone: Client, owner_engine: AsyncEngine) -> Lists:
    async with owner_engine.connect() as owner:
        tenant = await make_tenant(owner)
        at = {"tenant_id": tenant, "created_at": dt.datetime(2026, 1, 1, tzinfo=dt.UTC)}
        companies = [await insert(owner, models.Company, **at) for _ in range(2)]
        pipeline = await insert(owner, models.DealPipeline, tenant_id=tenant)
        stage = await insert(owner, models.DealStage, tenant_id=tenant, pipeline_id=pipeline["id"])
        on = {**at, "pipeline_id": pipeline["id"], "stage_id": stage["id"]}
        deals = [
            await insert(owner, models.Deal, **on, company_id=company["id"]) for company in companies * 2
        ]
        return Lists(await signed_in(anyone, owner, tenant, "*"), companies, deals)


async def refused(reader: Client, place: Place, *cursors: str) -> list[str]:
    """Those of `cursors` that a list refuses as BAD_CURSOR, as `after` and as `before`."""
    # Many in a request; but under the viewer, where lists cannot be null, one error would hide the others
    many = 1 if place.parent.startswith("viewer") else MAX_ROOT_FIELDS
    found = {
        way: [
            cursor
            for start in range(0, len(cursors), many)
            for cursor in await _refused(reader, place, way, cursors[start : start + many])
        ]
        for way in ("after", "before")
    }
    assert found["after"] == found["before"]
    return found["after"]


async def _refused(reader: Client, place: Place, way: str, cursors: tuple[str, ...]) -> list[str]:
    names = {f"c{number}": cursor for number, cursor in enumerate(cursors)}
    read = " ".join(
        f"{name}: {place.field}(first: 1 {way}: ${name} {place.arguments}) {{ nodes {{ __typename }} }}"
        for name in names
    )
    for part in reversed(place.parent.split(" > ") if place.parent else []):
        read = f"{part} {{ {read} }}"
    given = ", ".join(f"${name}: String" for name in names)
    errors = (await reader.ask(f"query ({given}) {{ {read} }}", **names)).get("errors", [])
    assert {error["extensions"]["code"] for error in errors} <= {"BAD_CURSOR"}
    bad = {error["path"][-1] for error in errors}
    return [cursor for name, cursor in names.items() if name in bad]


async def test_a_cursor_is_opaque_but_says_where_it_is(lists: Lists) -> None:
    cursor = await lists.cursor(COMPANIES)
    assert set(cursor) <= set(BASE64URL)
    assert await refused(lists.reader, COMPANIES, cursor) == []


def flipped(cursor: str, at: int, bit: int) -> str:
    """The cursor with one bit changed of the six that the character at `at` stands for."""
    return cursor[:at] + BASE64URL[BASE64URL.index(cursor[at]) ^ bit] + cursor[at + 1 :]


async def test_every_altered_character_is_noticed(lists: Lists) -> None:
    # Orders with places of three lengths, so that the last character once stands for 6, 4 and 2 bits
    for place in (COMPANIES, COMPANIES.order("UPDATED_AT", "ASC"), COMPANIES.order("NAME", "DESC")):
        cursor = await lists.cursor(place)
        bits = [(at, 1 << at % 6) for at in range(len(cursor))] + [
            (len(cursor) - 1, 1 << n) for n in range(6)
        ]
        altered = list(dict.fromkeys(flipped(cursor, at, bit) for at, bit in bits))
        assert await refused(lists.reader, place, *altered) == altered


async def test_a_cursor_in_another_spelling_is_refused(lists: Lists) -> None:
    cursor = await lists.cursor(COMPANIES)
    raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    others = [
        *(cursor[:length] for length in range(len(cursor))),
        *(cursor[length:] for length in range(1, len(cursor))),
        *(cursor + more for more in ("=", "==", "====", "A", "AAAA", " ", "\n", "é")),
        f" {cursor}",
        cursor[:4] + "\n" + cursor[4:],
        cursor[:-1] + "\u0660",
        "A" * 100_000,
        "null",
        base64.urlsafe_b64encode(raw[:-16]).decode().rstrip("="),
        base64.urlsafe_b64encode(b"[]" + raw[-16:]).decode().rstrip("="),
        base64.b64encode(bytes([255, 254, 253]) * 30).decode(),
    ]
    assert await refused(lists.reader, COMPANIES, *others) == others


async def test_a_cursor_is_good_for_its_list_alone(lists: Lists) -> None:
    ids = [row["id"] for row in lists.companies]
    places = [
        COMPANIES,
        COMPANIES.order("CREATED_AT", "ASC"),
        COMPANIES.order("UPDATED_AT", "DESC"),
        COMPANIES.order("NAME", "DESC"),
        COMPANIES.order("NAME", "ASC"),
        Place("deals"),
        Place("deals").order("NAME", "ASC"),
        Place("deals", parent=f'company(id: "{ids[0]}")'),
        Place("deals", parent=f'company(id: "{ids[1]}")'),
        Place("deals", parent=f'company(id: "{ids[0]}")').order("NAME", "ASC"),
        Place("deals", parent=f'dealPipeline(id: "{lists.deals[0]["pipeline_id"]}")'),
        Place("deals", parent=f'dealStage(id: "{lists.deals[0]["stage_id"]}")'),
        Place("sessions", parent="viewer"),
        Place("sessions", parent="viewer > user"),
        Place("inbox", parent="viewer"),
    ]
    cursors = {place: await lists.cursor(place) for place in places if place.field != "inbox"}
    assert len(set(cursors.values())) == len(cursors)
    for place in places:
        others = [cursor for other, cursor in cursors.items() if other != place]
        assert await refused(lists.reader, place, *others) == others, place
        if place in cursors:
            assert await refused(lists.reader, place, cursors[place]) == []


async def test_a_cursor_under_one_parent_is_refused_under_its_siblings(lists: Lists) -> None:
    own = lists.companies[0]["id"]
    cursor = await lists.cursor(Place("deals", parent=f'company(id: "{own}")'))
    query = "query ($after: String) { companies { nodes { id deals(after: $after) { nodes { id } } } } }"
    answer = await lists.reader.ask(query, after=cursor)
    (error,) = answer["errors"]
    nodes = answer["data"]["companies"]["nodes"]
    assert error["extensions"] == {"code": "BAD_CURSOR"}
    assert nodes[error["path"][2]]["id"] != str(own)
    (found,) = [node["deals"] for node in nodes if node["id"] == str(own)]
    last = min(str(deal["id"]) for deal in lists.deals if deal["company_id"] == own)
    assert found == {"nodes": [{"id": last}]}


async def test_the_default_order_in_words_has_the_same_cursors(lists: Lists) -> None:
    cursor = await lists.cursor(COMPANIES)
    assert await lists.cursor(COMPANIES.order("CREATED_AT", "DESC")) == cursor


async def test_a_filter_may_change_on_the_way(lists: Lists) -> None:
    first = await COMPANIES.page(lists.reader, "first", 1)
    second = replace(COMPANIES, arguments=f'filter: {{ name: {{ ne: "{lists.companies[0]["name"]}x" }} }}')
    rest = await second.page(lists.reader, "first", 5, first["pageInfo"]["endCursor"])
    none = replace(COMPANIES, arguments="filter: { or: [] }")
    assert len(rest["edges"]) == 1
    assert (await none.page(lists.reader, "first", 5, first["pageInfo"]["endCursor"]))["edges"] == []


async def test_a_cursor_is_good_in_its_tenant_alone(
    lists: Lists, anyone: Client, owner: AsyncConnection
) -> None:
    tenant = await make_tenant(owner)
    stranger = await signed_in(anyone, owner, tenant, "*")
    assert lists.reader.tenant_id is not None
    colleague = await signed_in(anyone, owner, lists.reader.tenant_id, "companies.view")
    cursor = await lists.cursor(COMPANIES)
    assert await refused(stranger, COMPANIES, cursor) == [cursor]
    assert await refused(colleague, COMPANIES, cursor) == []


async def test_a_cursor_is_signed_with_the_gateways_key(lists: Lists) -> None:
    table = models.Company.__table__
    assert isinstance(table, sa.Table)
    assert lists.reader.tenant_id is not None
    place = default_order(TABLES[table]).place
    row = type("Row", (), dict(lists.companies[0]))
    right = CursorScope(
        lists.reader.services.keys.current.derive("cursor"),
        lists.reader.tenant_id,
        "CrmQuery.companies",
        "",
        "created_at desc",
    )
    assert await refused(lists.reader, COMPANIES, right.encode(place, row)) == []
    for wrong in (
        replace(right, key=b"\0" * 32),
        replace(right, key=lists.reader.services.keys.current.derive("refresh")),
        replace(right, tenant_id=UUID(int=0)),
    ):
        cursor = wrong.encode(place, row)
        assert await refused(lists.reader, COMPANIES, cursor) == [cursor]


async def test_a_cursor_says_nothing_of_its_row(lists: Lists) -> None:
    cursor = await lists.cursor(COMPANIES.order("NAME", "ASC"))
    said = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    for row in lists.companies:
        assert not any(
            str(value).encode() in said for value in (row["name"], row["id"].hex, row["tenant_id"].hex)
        )


@pytest.mark.parametrize("cursor", [1, True, ["AAAA"], {"a": 1}])
async def test_a_cursor_is_a_string(lists: Lists, cursor: Any) -> None:
    query = "query ($after: String) { companies(after: $after) { nodes { id } } }"
    assert await lists.reader.codes(query, after=cursor) == ["BAD_INPUT"]


async def test_cursors_outlive_new_signing_keys(urls: Urls, owner: AsyncConnection, tmp_path: Path) -> None:
    tenant = await make_tenant(owner)
    await insert(owner, models.Company, tenant_id=tenant)
    async with running(urls.gateway, tmp_path) as before:
        reader = await signed_in(before, owner, tenant, "*")
        cursor = (await COMPANIES.page(reader, "first", 1))["pageInfo"]["endCursor"]
    keys.rotate(tmp_path / "keys.json", keep=dt.timedelta(days=1))
    async with running(urls.gateway, tmp_path) as after:
        assert reader.user_id is not None
        again = await session_of(after, owner, tenant, reader.user_id)
        assert await refused(again, COMPANIES, cursor) == []


async def test_a_cursor_holds_any_text(anyone: Client, owner: AsyncConnection) -> None:
    tenant = await make_tenant(owner)
    for name in ("", "\n\"'\\", "\u0001" * 600, "فيلا ١٢", "🏠" * 600, "a" * 100_000):
        for _ in range(2):
            await insert(owner, models.Company, tenant_id=tenant, name=name)
    reader = await signed_in(anyone, owner, tenant, "*")
    place = COMPANIES.order("NAME", "ASC")
    there = await place.walk(reader, 1)
    assert len(there) == len(set(there)) == 12
    assert await place.walk(reader, 1, backwards=True) == there
