"""What tests of mutations share: a tenant, people in it, and what they left behind.

scene = await Scene.make(anyone, owner, "deals.create", "deals.view")
done = await scene.call("createDeal", "deal { id }", input={…})
async with scene.unchanged():
    …
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from graphql import GraphQLSchema, build_schema
from sqlalchemy.ext.asyncio import AsyncConnection

from db.base import Base
from db.models import AuditLog
from graph.schema import schema
from tests.client import Client, signed_in
from tests.factories import insert, make_tenant

SCHEMA: Final[GraphQLSchema] = build_schema(schema.as_str())
NOWHERE: Final = "00000000-0000-4000-8000-000000000000"
"""An id that nothing has."""
NOT_WORK: Final = {"sessions"}
"""Tables that a sign-in writes, and no mutation of a domain does."""


@dataclass
class Scene:
    """A tenant, and someone of it who acts."""

    owner: AsyncConnection
    client: Client
    tenant: UUID

    @classmethod
    async def make(cls, anyone: Client, owner: AsyncConnection, *permissions: str) -> "Scene":
        """A new tenant with one user, who holds `permissions`, all if none are given."""
        tenant = await make_tenant(owner)
        client = await signed_in(anyone, owner, tenant, *(permissions or ("*",)))
        return cls(owner, client, tenant)

    async def joined_by(self, *permissions: str) -> "Scene":
        """The same tenant as another user has it."""
        client = await signed_in(Client(self.client.app), self.owner, self.tenant, *permissions)
        return Scene(self.owner, client, self.tenant)

    async def insert(self, model: type[Base], **values: Any) -> dict[str, Any]:
        """A row of the tenant."""
        return dict(await insert(self.owner, model, tenant_id=self.tenant, **values))

    async def ask(self, name: str, select: str, **arguments: Any) -> dict[str, Any]:
        """The whole answer to the mutation `name`."""
        return await self.client.ask(document(name, select, arguments), **arguments)

    async def call(self, name: str, select: str, **arguments: Any) -> dict[str, Any]:
        """The payload of a mutation that did what it was asked."""
        answer = await self.ask(name, select + " errors { code field message }", **arguments)
        assert "errors" not in answer, answer["errors"]
        payload: dict[str, Any] = answer["data"][name]
        assert payload.pop("errors") == []
        return payload

    async def refused(self, name: str, **arguments: Any) -> list[tuple[str, str | None]]:
        """Code and field of what a person must mend; nothing was written."""
        async with self.unchanged():
            answer = await self.ask(name, "errors { code field message }", **arguments)
        assert "errors" not in answer, answer["errors"]
        return told(answer["data"][name]["errors"])

    async def codes(self, name: str, **arguments: Any) -> list[str]:
        """The codes of the errors beside the data; nothing was written."""
        async with self.unchanged():
            answer = await self.ask(name, "errors { code }", **arguments)
        return [error["extensions"]["code"] for error in answer["errors"]]

    async def row(self, model: type[Base], id: Any) -> dict[str, Any]:
        """The row as it is."""
        rows = await self.rows(model, id=UUID(str(id)))
        assert len(rows) == 1
        return rows[0]

    async def rows(self, model: type[Base], **equal: Any) -> list[dict[str, Any]]:
        """The tenant's rows with these values, oldest first."""
        table = model.__table__
        where = [table.c.tenant_id == self.tenant, *(table.c[name] == value for name, value in equal.items())]
        found = await self.owner.execute(sa.select(table).where(*where).order_by(table.c.created_at))
        return [dict(row) for row in found.mappings()]

    async def audit(self, action: str | None = None) -> list[dict[str, Any]]:
        """The audit log, oldest first."""
        rows = await self.rows(AuditLog)
        return [row for row in rows if action in (None, row["action"])]

    @asynccontextmanager
    async def unchanged(self) -> AsyncIterator[None]:
        """Nothing of the tenant changes within, its audit log included."""
        before = await self._all()
        yield
        assert await self._all() == before

    async def _all(self) -> Mapping[str, list[Any]]:
        found = {}
        for table in Base.metadata.sorted_tables:
            if "tenant_id" in table.c and table.name not in NOT_WORK:
                statement = sa.select(sa.func.to_jsonb(sa.literal_column(f'"{table.name}"'))).where(
                    table.c.tenant_id == self.tenant
                )
                rows = (await self.owner.execute(statement)).scalars().all()
                found[table.name] = sorted(rows, key=str)
        return found


def document(name: str, select: str, arguments: Mapping[str, Any]) -> str:
    """The mutation `name` with variables for `arguments`."""
    mutation = SCHEMA.mutation_type
    assert mutation is not None
    types = {key: arg.type for key, arg in mutation.fields[name].args.items()}
    if not arguments:
        return f"mutation {{ {name} {{ {select} }} }}"
    declared = ", ".join(f"${key}: {types[key]}" for key in arguments)
    given = ", ".join(f"{key}: ${key}" for key in arguments)
    if not arguments:
        return f"mutation {{ {name} {{ {select} }} }}"
    return f"mutation({declared}) {{ {name}({given}) {{ {select} }} }}"


def told(errors: list[dict[str, Any]]) -> list[tuple[str, str | None]]:
    """Code and field of user errors, the path written with dots."""
    return [(error["code"], error["field"] and ".".join(error["field"])) for error in errors]
