"""Rows for tests: what a test does not say is filled in, parents included.

    tenant = await make_tenant(owner)
    deal = await insert(owner, Deal, tenant_id=tenant, name="Villa 12")

The connection is the owner's with maintenance on (fixture `owner`), or the service role's.
"""

import datetime
import itertools
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, cast
from uuid import UUID, uuid4

from sqlalchemy import (
    ARRAY,
    CHAR,
    Boolean,
    Column,
    CursorResult,
    Date,
    DateTime,
    ForeignKeyConstraint,
    Integer,
    Numeric,
    Table,
    Uuid,
)
from sqlalchemy.dialects.postgresql import CITEXT, INET, JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from db.base import Base
from db.models import Role, RolePermission, Tenant, User, UserRole

Row = Mapping[str, Any]

# Columns that name a row without a foreign key
_LOOSE: Mapping[str, Mapping[str, str]] = {
    "audit_logs": {"user_id": "users", "entity_id": "deals"},
    "approval_history": {"actor_user_id": "users"},
    "approvals": {"subject_id": "deals"},
    "campaign_sends": {"recipient_id": "contacts"},
}
_numbers = itertools.count(1)


async def make_tenant(connection: AsyncConnection, **values: Any) -> UUID:
    """A tenant with nothing in it."""
    return cast(UUID, (await insert(connection, Tenant, **values))["id"])


async def make_user(connection: AsyncConnection, tenant_id: UUID, *permissions: str, **values: Any) -> UUID:
    """A user of the tenant, with a role that holds `permissions` if any are given."""
    user = await insert(connection, User, tenant_id=tenant_id, **values)
    if permissions:
        role = await insert(connection, Role, tenant_id=tenant_id)
        for permission in permissions:
            key = {"tenant_id": tenant_id, "role_id": role["id"]}
            await insert(connection, RolePermission, **key, permission=permission)
        await insert(connection, UserRole, tenant_id=tenant_id, user_id=user["id"], role_id=role["id"])
    return cast(UUID, user["id"])


async def fill_tenant(connection: AsyncConnection, tenant_id: UUID) -> dict[str, Row]:
    """Give the tenant a row in every table, tied to each other by every foreign key; by name of table.

    The three global tables get a row too. What is named `<table>` in the result is the tenant's own.
    """
    rows: dict[str, Row] = {}
    for table in sorted(Base.metadata.sorted_tables, key=lambda table: table.name in _LOOSE):
        if table.name == "tenants":
            found = await connection.execute(table.select().where(table.c.id == tenant_id))
            rows[table.name] = _row(found)
            continue
        values: dict[str, Any] = {"tenant_id": tenant_id} if "tenant_id" in table.c else {}
        for constraint in _foreign_keys(table):
            target = rows.get(constraint.referred_table.name)
            if target is not None:
                values |= {e.parent.name: target[e.column.name] for e in constraint.elements}
        if "price_minor" in table.c:
            values |= {"price_minor": 1_250_000_00, "currency": "EGP"}
        for name, target_name in _LOOSE.get(table.name, {}).items():
            values[name] = rows[target_name]["id"]
        for column in table.c:  # nothing left out that a field or a filter could show of the tenant
            takes_one = column.computed is None and (column.nullable or column.server_default is None)
            if takes_one and column.name not in values and not column.foreign_keys:
                values[column.name] = _value(column)
        rows[table.name] = await insert(connection, table, **values)
    return rows


async def insert(connection: AsyncConnection, into: type[Base] | Table, **values: Any) -> Row:
    """Insert a row and return it whole; NOT NULL columns without a value or default are filled in."""
    table = into if isinstance(into, Table) else cast(Table, into.__table__)
    for constraint in _foreign_keys(table):
        missing = [e for e in constraint.elements if _needs_value(e.parent, values)]
        if missing:
            known = {
                e.column.name: values[e.parent.name] for e in constraint.elements if e.parent.name in values
            }
            parent = await insert(connection, constraint.referred_table, **known)
            values |= {e.parent.name: parent[e.column.name] for e in missing}
    for column in table.c:
        if _needs_value(column, values):
            values[column.name] = _value(column)
    return _row(await connection.execute(table.insert().values(values).returning(*table.c)))


def _row(result: CursorResult[Any]) -> Row:
    return {str(name): value for name, value in result.mappings().one().items()}


def _foreign_keys(table: Table) -> list[ForeignKeyConstraint]:
    """The table's foreign keys, the simple before the composite ones that build on them."""
    return sorted(table.foreign_key_constraints, key=lambda constraint: len(constraint.elements))


def _needs_value(column: Column[Any], values: Mapping[str, Any]) -> bool:
    return (
        column.name not in values
        and not column.nullable
        and column.server_default is None
        and column.computed is None
    )


def _value(column: Column[Any]) -> Any:
    """A value of the column's type, unlike any other where the type leaves room for that."""
    number = next(_numbers)
    if "enum" in column.info:
        return next(iter(column.info["enum"])).value
    match column.type:
        case CITEXT():
            return f"person{number}@example.test"
        case CHAR():
            return "EGP"
        case Uuid():
            return uuid4()
        case Boolean():
            return False
        case Numeric():
            return Decimal(number)
        case Integer():
            return number
        case DateTime():
            return datetime.datetime.now(datetime.UTC)
        case Date():
            return datetime.date(2026, 1, 1) + datetime.timedelta(days=number % 300)
        case JSONB():
            return {"number": number}
        case INET():
            return "192.0.2.1"
        case ARRAY():
            return [f"tag-{number}"]
        case _:
            return f"{column.table.name} {column.name} {number}".replace("_", "-")
