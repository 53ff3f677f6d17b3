"""Every list and order of the schema, walked forwards and backwards over ties and rows without a value.

The default order, newest first, is the descending one of `created_at`.
"""

import datetime as dt
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

import pytest
import sqlalchemy as sa
from graphql import GraphQLEnumType, GraphQLObjectType, build_schema, get_named_type
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db import models
from db.base import Base
from db.gateway import platform_grants
from graph.relations import ToMany
from graph.schema import schema
from graph.tables import TABLES
from tests.client import Client, signed_in
from tests.contract import TABLE_OF_TYPES
from tests.factories import Row, fill_tenant, insert, make_tenant
from tests.graph.lists import Place

SCHEMA = build_schema(schema.as_str())
ROWS, PAGE = 13, 5
NOON = dt.datetime(2026, 3, 1, 12, 0, 0, 1, tzinfo=dt.UTC)


@dataclass
class Filled:
    """A tenant with many rows of every type that is listed, all under the same parents."""

    reader: Client
    tenant: UUID
    rows: dict[str, Row]


def lists() -> dict[str, sa.Table]:
    """The connections of Query, with their tables."""
    tables = Base.metadata.tables.items()
    return {f: table for name, table in tables for f in TABLE_OF_TYPES[name].root_fields if is_list(f)}


def is_list(field: str) -> bool:
    assert SCHEMA.query_type is not None
    return "first" in SCHEMA.query_type.fields[field].args


def offered(table: sa.Table) -> list[str]:
    """The columns that the schema lets a client sort by."""
    kind = SCHEMA.type_map.get(f"{TABLE_OF_TYPES[table.name].type}OrderField")
    return [name.lower() for name in cast(GraphQLEnumType, kind).values] if kind else []


def orders() -> Iterator[tuple[str, str | None, str]]:
    for field, table in lists().items():
        yield field, None, ""
        for column in offered(table):
            if column != "created_at":
                yield field, column, "DESC"
            yield field, column, "ASC"


@pytest.fixture(scope="module")
async def filled(anyone: Client, owner_engine: AsyncEngine) -> Filled:
    async with owner_engine.connect() as owner:
        tenant = await make_tenant(owner)
        rows = await fill_tenant(owner, tenant)
        chance = random.Random(20260301)  # noqa: S311 - the same rows in every run
        for table in Base.metadata.sorted_tables:
            if "id" in table.c and table.name != "tenants":
                for number in range(ROWS - 1):
                    await insert(owner, table, **like(rows[table.name], table, number, chance))
        reader = await signed_in(anyone, owner, tenant, "*")
        await owner.execute(platform_grants.insert().values(tenant_id=tenant, user_id=reader.user_id))
        return Filled(reader, tenant, rows)


def like(row: Row, table: sa.Table, number: int, chance: random.Random) -> dict[str, Any]:
    """The values of another row under the same parents, with few different values in what is sorted by."""
    parents = {c.name for key in table.foreign_key_constraints for c in key.columns} & row.keys()
    loose = {"entity_id", "recipient_id", "recipient_type"} & row.keys()
    values = {name: row[name] for name in parents | loose}
    values["created_at"] = NOON + dt.timedelta(microseconds=chance.randrange(3))
    if table.name == "message_templates":
        values["locale"] = f"x-{number}"  # a code is unique in its language
    if table.name == "roles":
        values["parent_role_id"] = row["id"]
    unique = {"code"} if table.name in ("roles", "unit_type_codes", "component_type_codes") else set()
    for name in set(offered(table)) - {"created_at"} - unique:
        # Six without a value, more than a page: a cursor stands on one, with values and without beyond it
        without = table.c[name].nullable and number % 2 == 0
        values[name] = None if without else some(table.c[name], chance)
    return values


def some(column: sa.Column[Any], chance: random.Random) -> Any:
    # Small letters alone: they sort alike in every collation, so that Python can be asked
    step = chance.randrange(3)
    if isinstance(column.type, sa.DateTime):
        return NOON + dt.timedelta(microseconds=step)
    if isinstance(column.type, sa.Date):
        return dt.date(2026, 3, 1) + dt.timedelta(days=step)
    if isinstance(column.type, sa.BigInteger):
        return 2**60 + step - 1
    return step - 1 if isinstance(column.type, sa.Integer) else ("ab", "aba", "b")[step]


async def expected(
    owner: AsyncConnection, table: sa.Table, column: str, *where: sa.ColumnElement[bool], tenant: UUID
) -> list[str]:
    """The ids in ascending order: NULL last, ties by id."""
    if "tenant_id" in table.c:
        own = table.c.tenant_id == tenant
        where = (*where, sa.or_(own, table.c.tenant_id.is_(None)) if table.c.tenant_id.nullable else own)
    found = (await owner.execute(sa.select(table.c.id, table.c[column]).where(*where))).all()
    found = sorted(found, key=lambda row: (row[1] is None, 0 if row[1] is None else row[1], row[0]))
    return [str(row[0]) for row in found]


@pytest.mark.parametrize(("field", "column", "direction"), list(orders()))
async def test_a_walk_meets_every_row_once(
    filled: Filled, owner: AsyncConnection, field: str, column: str | None, direction: str
) -> None:
    table, place = lists()[field], Place(field)
    shown = TABLES[table]
    rows = await expected(owner, table, column or shown.sort, tenant=filled.tenant)
    if direction == "DESC" or (column is None and shown.sort == "created_at"):
        rows.reverse()
    if column is not None:
        place = place.order(column.upper(), direction)
    assert len(rows) >= ROWS
    assert await place.walk(filled.reader, PAGE) == rows
    assert await place.walk(filled.reader, PAGE, backwards=True) == rows


def nested() -> Iterator[Any]:
    for shown in TABLES.values():
        for name, item in shown.fields.items():
            if isinstance(item, ToMany) and item.target.key == ("id",):
                yield pytest.param(shown.table, item, id=f"{shown.name}.{name}")


@pytest.mark.parametrize(("parents", "item"), list(nested()))
async def test_a_walk_under_a_parent_meets_its_rows_once(
    filled: Filled, owner: AsyncConnection, parents: sa.Table, item: ToMany
) -> None:
    parent, table = filled.rows[parents.name]["id"], item.target.table
    rows = await expected(owner, table, item.target.sort, item.column == parent, tenant=filled.tenant)
    if item.target.sort == "created_at":
        rows.reverse()
    assert len(rows) >= ROWS - 1
    printed = cast(GraphQLObjectType, SCHEMA.type_map[TABLES[parents].name])
    field = next(n for n, f in printed.fields.items() if n.lower() == item.python_name.replace("_", ""))
    assert get_named_type(printed.fields[field].type).name == f"{item.target.name}Connection"
    place = Place(field, parent=f'node(id: "{parent}") > ... on {printed.name}')
    assert await place.walk(filled.reader, PAGE) == rows
    assert await place.walk(filled.reader, PAGE, backwards=True) == rows


async def test_an_order_holds_under_a_parent(filled: Filled, owner: AsyncConnection) -> None:
    table, parent = models.Deal.__table__, filled.rows["deal_pipelines"]["id"]
    place = Place("deals", parent=f'dealPipeline(id: "{parent}")')
    own = table.c.pipeline_id == parent
    for column in offered(cast(sa.Table, table)):
        rows = await expected(owner, cast(sa.Table, table), column, own, tenant=filled.tenant)
        for direction, there in (("ASC", rows), ("DESC", rows[::-1])):
            ordered = place.order(column.upper(), direction)
            assert await ordered.walk(filled.reader, PAGE) == there
            assert await ordered.walk(filled.reader, PAGE, backwards=True) == there
