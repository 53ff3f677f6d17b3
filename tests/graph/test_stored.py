"""Whatever other services have stored can be read, in a list and as a node, and costs nobody the page."""

from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from db import models
from db.base import Base
from tests.client import Client, signed_in
from tests.factories import insert, make_tenant
from tests.graph.lists import Place

FIRST, LAST = "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"


def nested(depth: int) -> str:
    return f"(repeat('[', {depth}) || repeat(']', {depth}))::jsonb"


STORED: list[tuple[str, type[Base], str, str, str]] = [
    ("activities", models.Activity, "dueAt", "'infinity'", f'"{LAST}"'),
    ("activities", models.Activity, "dueAt", "'-infinity'", f'"{FIRST}"'),
    ("activities", models.Activity, "dueAt", "'0044-03-15 BC'", f'"{FIRST}"'),
    ("activities", models.Activity, "dueAt", "'10000-01-01 00:00Z'", f'"{LAST}"'),
    ("activities", models.Activity, "dueAt", "'9999-12-31 23:59:59.999999Z'", f'"{LAST}"'),
    (
        "activities",
        models.Activity,
        "dueAt",
        "'0001-01-01 00:00:00.000001Z'",
        '"0001-01-01T00:00:00.000001Z"',
    ),
    (
        "activities",
        models.Activity,
        "dueAt",
        "'2026-07-01 12:00:00.123456+03'",
        '"2026-07-01T09:00:00.123456Z"',
    ),
    ("activities", models.Activity, "dueAt", "NULL", "null"),
    ("deals", models.Deal, "expectedCloseAt", "'infinity'", '"9999-12-31"'),
    ("deals", models.Deal, "expectedCloseAt", "'-infinity'", '"0001-01-01"'),
    ("deals", models.Deal, "expectedCloseAt", "'0044-03-15 BC'", '"0001-01-01"'),
    ("deals", models.Deal, "expectedCloseAt", "'10000-01-01'", '"9999-12-31"'),
    ("deals", models.Deal, "expectedCloseAt", "'9999-12-31'", '"9999-12-31"'),
    ("deals", models.Deal, "expectedCloseAt", "NULL", "null"),
    ("deals", models.Deal, "amountMinor", "-9223372036854775808", '"-9223372036854775808"'),
    ("deals", models.Deal, "currency", "'eg'", '"eg"'),
    ("deals", models.Deal, "currency", "NULL", "null"),
    ("usageCounters", models.UsageCounter, "value", "'NaN'", '"NaN"'),
    ("usageCounters", models.UsageCounter, "value", "'-Infinity'", '"-Infinity"'),
    ("usageCounters", models.UsageCounter, "value", "1e40", f'"1{"0" * 40}"'),
    ("usageCounters", models.UsageCounter, "value", "1.500", '"1.500"'),
    ("usageCounters", models.UsageCounter, "value", "1e-12", '"0.000000000001"'),
    (
        "leads",
        models.Lead,
        "attributes",
        "'{\"n\": 123456789012345678901234567890}'",
        '{"n": 123456789012345678901234567890}',
    ),
    ("leads", models.Lead, "attributes", "'0.12345678901234567890123'", "0.12345678901234567890123"),
    ("leads", models.Lead, "attributes", "'1e400'", "1" + "0" * 400),
    ("leads", models.Lead, "attributes", nested(3000), "[" * 3000 + "]" * 3000),
    ("leads", models.Lead, "attributes", "'\"null\"'", '"null"'),
    ("leads", models.Lead, "attributes", "'null'", "null"),
    ("leads", models.Lead, "attributes", "NULL", "null"),
    ("leads", models.Lead, "attributes", "'\"\\u0001 \\ud83c\\udfe0\"'", '"\\u0001 🏠"'),
    ("leads", models.Lead, "tags", "'{a,NULL,b}'", '["a","b"]'),
    ("leads", models.Lead, "tags", "'{{a,b},{c,NULL}}'", '["a","b","c"]'),
    ("leads", models.Lead, "tags", "'[3:4]={x,y}'", '["x","y"]'),
    ("leads", models.Lead, "tags", "'{NULL}'", "[]"),
    ("leads", models.Lead, "tags", "'{}'", "[]"),
    ("leads", models.Lead, "tags", "NULL", "null"),
    ("auditLogs", models.AuditLog, "ipAddress", "'192.0.2.1/24'", '"192.0.2.1/24"'),
    ("auditLogs", models.AuditLog, "ipAddress", "'192.0.2.1'", '"192.0.2.1"'),
    ("auditLogs", models.AuditLog, "ipAddress", "'::ffff:192.0.2.1'", '"::ffff:c000:201"'),
    ("companies", models.Company, "website", "'javascript:alert(1)'", '"javascript:alert(1)"'),
    ("contacts", models.Contact, "phoneE164", "'at home'", '"at home"'),
    ("contacts", models.Contact, "email", "'No Address'", '"No Address"'),
]


@pytest.mark.parametrize(
    ("root", "model", "field", "stored", "shown"),
    [pytest.param(*case, id=f"{case[2]}-{case[3][:40]}") for case in STORED],
)
async def test_what_is_stored_can_be_read(
    anyone: Client, owner: AsyncConnection, root: str, model: type[Base], field: str, stored: str, shown: str
) -> None:
    tenant = await make_tenant(owner)
    values: dict[str, Any] = {"tenant_id": tenant, column_of(model, field): sa.literal_column(stored)}
    row = await insert_past_the_driver(owner, model, values)
    reader = await signed_in(anyone, owner, tenant, "*")
    response = await reader.post(f"{{ {root} {{ nodes {{ {field} }} }} }}")
    assert response.text == f'{{"data":{{"{root}":{{"nodes":[{{"{field}":{shown}}}]}}}}}}'
    query = f'{{ node(id: "{row}") {{ ... on {model.__name__} {{ {field} }} }} }}'
    response = await reader.post(query)
    assert response.text == f'{{"data":{{"node":{{"{field}":{shown}}}}}}}'


def column_of(model: type[Base], field: str) -> str:
    columns = {name.replace("_", ""): name for name in model.__table__.c.keys()}  # noqa: SIM118 - not a dict
    return columns[field.lower()]


async def insert_past_the_driver(owner: AsyncConnection, model: type[Base], values: dict[str, Any]) -> str:
    """Insert a row whose values the driver could not read back; its id."""
    (name,) = values.keys() - {"tenant_id"}
    row = await insert(owner, model, tenant_id=values["tenant_id"])
    table = model.__table__
    change = sa.update(model).where(table.c.id == row["id"]).values({name: values[name]})
    await owner.execute(change)
    return str(row["id"])


async def add(
    owner: AsyncConnection, tenant: UUID, model: type[Base], column: str, *values: str
) -> list[str]:
    """The ids of new rows with these values of `column`, each an SQL literal."""
    return [
        await insert_past_the_driver(owner, model, {"tenant_id": tenant, column: sa.literal_column(value)})
        for value in values
    ]


async def test_a_walk_goes_on_past_infinity(anyone: Client, owner: AsyncConnection) -> None:
    tenant = await make_tenant(owner)
    odd = ("'-infinity'", "'0044-03-15 BC'", "'2026-01-01'", "'infinity'", "NULL")
    rows = await add(owner, tenant, models.Activity, "due_at", *odd)
    reader = await signed_in(anyone, owner, tenant, "*")
    for direction, there in (("ASC", rows), ("DESC", rows[::-1])):
        place = Place("activities").order("DUE_AT", direction)
        for size in (1, 2, 5):
            assert await place.walk(reader, size) == there
            assert await place.walk(reader, size, backwards=True) == there


@pytest.mark.parametrize(
    ("place", "model", "name", "first", "last"),
    [
        # What programs store for "never": the first or last moment that they know
        (Place("activities"), models.Activity, "dueAt", "0001-01-01 00:00Z", "9999-12-31 23:59:59.999999Z"),
        (Place("deals"), models.Deal, "expectedCloseAt", "0001-01-01", "9999-12-31"),
    ],
)
async def test_the_ends_of_the_calendar_are_times_like_others(
    anyone: Client,
    owner: AsyncConnection,
    place: Place,
    model: type[Base],
    name: str,
    first: str,
    last: str,
) -> None:
    tenant, column = await make_tenant(owner), column_of(model, name)
    early = sorted(await add(owner, tenant, model, column, *[f"'{first}'"] * 3))
    late = sorted(await add(owner, tenant, model, column, *[f"'{last}'"] * 3))
    reader = await signed_in(anyone, owner, tenant, "*")
    for direction, there in (("ASC", early + late), ("DESC", late[::-1] + early[::-1])):
        ordered = place.order(column.upper(), direction)
        assert await ordered.walk(reader, 2) == there
        assert await ordered.walk(reader, 2, backwards=True) == there
    shown = [FIRST, LAST] if name == "dueAt" else ["0001-01-01", "9999-12-31"]
    for operator, operand, count in (
        ("eq", shown[0], 3),
        ("lte", shown[0], 3),
        ("lt", shown[0], 0),
        ("gte", shown[1], 3),
        ("gt", shown[1], 0),
        ("in", shown, 6),
        ("notIn", shown[:1], 3),
        ("ne", shown[1], 3),
    ):
        query = (
            f"query ($filter: {model.__name__}Filter) {{ {place.field}(filter: $filter) {{ totalCount }} }}"
        )
        found = await reader.read(query, filter={name: {operator: operand}})
        assert found == {place.field: {"totalCount": count}}, operator
