"""A tenant that has a row in every table, for tests of all mutations at once.

world = await World.make(anyone, owner)
async with world.still():   # nothing changes, in any table of any of the worlds
    …
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from db import gateway
from db.base import Base, target_of
from db.models import ComponentTypeCode, MessageTemplate, TenantSubscription, UnitTypeCode
from tests.client import Client, signed_in
from tests.factories import Row, fill_tenant, insert, make_tenant
from tests.mutations.scene import Scene

TABLES = [
    table
    for table in (*Base.metadata.sorted_tables, *gateway.metadata.sorted_tables)
    if ("tenant_id" in table.c or table.name == "tenants") and not table.name.startswith("event_")
]
"""Not events, which tell of what anybody writes, and move on by themselves."""
TEMPLATE = {"channel": "email", "subject": "Hello", "text_body": "Hello {{ name }}", "locale": "en"}


@dataclass
class World(Scene):
    """A tenant whose `filled` rows, one of each table by its name, are tied to each other."""

    filled: Mapping[str, Row] = field(default_factory=dict)

    @classmethod
    async def make(cls, anyone: Client, owner: AsyncConnection, *permissions: str) -> "World":
        """A new tenant with rows, and somebody who holds `permissions`, all if none are given."""
        tenant = await make_tenant(owner, slug=f"tenant-{uuid4()}")
        rows = await fill_tenant(owner, tenant)
        client = await signed_in(anyone, owner, tenant, *(permissions or ("*",)))
        world = cls(owner, client, tenant, rows)
        # Codes that are offered, a subscription that is the tenant's to change, a template that can be sent
        for codes in (ComponentTypeCode, UnitTypeCode):
            await world.change(codes, is_active=True)
        await world.change(TenantSubscription, status="active", provider=None)
        await world.change(
            MessageTemplate, version_status="approved", html_body=None, variables_schema=None, **TEMPLATE
        )
        return world

    async def change(self, model: type[Base], **values: Any) -> None:
        """Give all rows of a table other values."""
        table = model.__table__
        assert isinstance(table, sa.Table)
        await self.owner.execute(table.update().where(table.c.tenant_id == self.tenant).values(values))

    async def person(self, *permissions: str) -> "World":
        """The same tenant as another user has it, who holds `permissions`."""
        client = await signed_in(Client(self.client.app), self.owner, self.tenant, *permissions)
        return World(self.owner, client, self.tenant, self.filled)

    async def new(self, table: str, **values: Any) -> Row:
        """Another row of the tenant, that nothing names; it belongs to the others where it must."""
        into = Base.metadata.tables[table]
        needed = {
            column.name: self.filled[target.name]["id"]
            for column in into.c
            if column.name != "tenant_id"
            and not column.nullable
            and (target := target_of(column)) is not None
        }
        return await insert(self.owner, into, tenant_id=self.tenant, **needed | values)

    @asynccontextmanager
    async def still(self, *others: "World") -> AsyncIterator[None]:
        """Nothing changes within, in any table of this tenant and of `others`."""
        tenants = [self.tenant, *(other.tenant for other in others)]
        before = await prints(self.owner, *tenants)
        yield
        after = await prints(self.owner, *tenants)
        assert after == before, {name for name in after if after[name] != before[name]}


async def prints(owner: AsyncConnection, *tenants: Any) -> dict[str, Any]:
    """Of each table how many rows the tenants have and a hash of all that is in them."""

    def of(table: sa.Table) -> sa.Select[Any]:
        row: Any = sa.cast(sa.literal_column(f'"{table.name}"'), sa.Text)
        text = sa.func.string_agg(sa.func.md5(row), sa.text(f"'' ORDER BY md5(\"{table.name}\"::text)"))
        whose = table.c["id" if table.name == "tenants" else "tenant_id"]
        return sa.select(
            sa.literal(table.name).label("name"), sa.func.count().label("rows"), sa.func.md5(text)
        ).where(whose.in_(tenants))

    found = await owner.execute(sa.union_all(*map(of, TABLES)))
    return {name: (count, hashed) for name, count, hashed in map(tuple, found)}
