"""A tenant with a row in every table and whoever administers it, and what would betray those rows."""

import json
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from db import models
from db.base import Base
from db.gateway import platform_grants
from tests.client import Client, session_of
from tests.factories import Row, fill_tenant, insert, make_tenant

GLOBAL = {"plans", "plan_features", "billing_webhook_logs"}
"""The tables whose rows are of no tenant."""

HIDDEN = {"password_hash", "refresh_token_hash"}
"""The columns that nobody sees."""

# What the factories make up: no other row has it. Values of enums, defaults and codes are everybody's.
_MADE_UP = re.compile(r"person\d+@example\.test|[a-z-]+ [a-z0-9-]+ \d+")


@dataclass(frozen=True)
class Filled:
    """The tenant, a row of each table by name, and the user among them, who holds every permission."""

    id: UUID
    rows: dict[str, Row]
    child_role: Row
    admin: Client

    @property
    def own(self) -> list[Row]:
        """The rows that are the tenant's."""
        return [*(row for name, row in self.rows.items() if name not in GLOBAL), self.child_role]

    @cached_property
    def ids(self) -> list[str]:
        """The ids of the tenant's rows."""
        return [str(row["id"]) for row in self.own if "id" in row]

    @cached_property
    def marks(self) -> set[str]:
        """What stands in the tenant's rows alone, as JSON has it: ids, texts, JSON values."""
        everybodys = {unlike(value) for name in GLOBAL for value in self.rows[name].values()}
        found = {unlike(value) for row in self.own for value in row.values()}
        return {mark for mark in found - everybodys if mark is not None}

    @cached_property
    def _any(self) -> re.Pattern[str]:
        return re.compile(rf"(?<!\w)({'|'.join(map(re.escape, sorted(self.marks)))})(?!\w)")

    def seen_in(self, text: str) -> set[str]:
        """What of this tenant is in a response."""
        return set(self._any.findall(text))


def unlike(value: Any) -> str | None:
    """How `value` reads in a response if no other row has it, or None."""
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, list):
        return str(value[0])
    if isinstance(value, dict):
        return json.dumps(value)  # with the blanks that PostgreSQL puts into it
    return value if isinstance(value, str) and _MADE_UP.fullmatch(value) else None


async def fill(anyone: Client, owner: AsyncConnection) -> Filled:
    """A new tenant, in which every relation of every type leads somewhere."""
    tenant = await make_tenant(owner)
    rows = await fill_tenant(owner, tenant)
    assert set(rows) == set(Base.metadata.tables)
    user, role = rows["users"]["id"], rows["roles"]["id"]
    await insert(owner, models.RolePermission, tenant_id=tenant, role_id=role, permission="*")
    await owner.execute(platform_grants.insert().values(tenant_id=tenant, user_id=user))
    overlay = rows["map_overlays"]["id"]
    await owner.execute(
        sa.update(models.Project).where(models.Project.tenant_id == tenant).values(map_overlay_id=overlay)
    )
    rows["projects"] = {**rows["projects"], "map_overlay_id": overlay}
    child = await insert(owner, models.Role, tenant_id=tenant, parent_role_id=role)
    return Filled(tenant, rows, child, await session_of(anyone, owner, tenant, user))
