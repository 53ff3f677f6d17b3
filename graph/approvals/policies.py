"""Policies: which domains take the agreement of others, in how many levels, of whom and how soon."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from db.enums import ApprovalDomain
from db.gateway import approval_levels, approval_policies
from graph.snapshot import Snapshot
from graph.writing.work import Work


@dataclass(frozen=True)
class Level:
    """One level: what deciding takes beside `approvals.decide`, and within how many minutes."""

    permission: str | None = None
    sla_minutes: int | None = None


UNGOVERNED: Final = (Level(),)
"""What somebody who asks without having to is given: one level, open to all who decide approvals."""


def levels_of(stored: list[dict[str, Any]]) -> list[Level]:
    """The levels that a policy stores."""
    return [Level(item["permission"], item["slaMinutes"]) for item in stored]


def _stored(levels: Sequence[Level]) -> list[dict[str, Any]]:
    return [{"permission": level.permission, "slaMinutes": level.sla_minutes} for level in levels]


async def policy(work: Work, domain: ApprovalDomain) -> list[Level] | None:
    """The levels that the tenant's policy for a domain asks for; None without a policy."""
    c = approval_policies.c
    statement = sa.select(c.levels).where(c.tenant_id == work.viewer.tenant_id, c.domain == domain.value)

    async def look_up() -> list[Level] | None:
        stored = (await work.execute(statement)).scalar_one_or_none()
        return None if stored is None else levels_of(stored)

    return await work.once(("policy", domain), look_up)


async def freeze(work: Work, approval_id: UUID, levels: Sequence[Level]) -> None:
    """Let a request have these levels, whatever becomes of the policy."""
    rows = [
        {
            "tenant_id": work.viewer.tenant_id,
            "approval_id": approval_id,
            "level": number,
            "permission": level.permission,
            "sla_minutes": level.sla_minutes,
        }
        for number, level in enumerate(levels, 1)
    ]
    await work.execute(sa.insert(approval_levels).values(rows))


async def frozen(work: Work, approval_id: UUID, number: int) -> Level:
    """A level of a request; one of another service's takes `approvals.decide` alone."""
    c = approval_levels.c
    statement = sa.select(c.permission, c.sla_minutes).where(
        c.tenant_id == work.viewer.tenant_id, c.approval_id == approval_id, c.level == number
    )
    row = (await work.execute(statement)).one_or_none()
    return Level() if row is None else Level(row.permission, row.sla_minutes)


async def policies(snapshot: Snapshot, tenant_id: UUID) -> Sequence[sa.Row[Any]]:
    """The tenant's policies by domain."""
    table = approval_policies
    return await snapshot.fetch(
        sa.select(table).where(table.c.tenant_id == tenant_id).order_by(table.c.domain)
    )


async def set_policy(work: Work, domain: ApprovalDomain, levels: Sequence[Level]) -> sa.Row[Any]:
    """The policy for a domain from now on; what was asked for before keeps the levels it has."""
    before = await _locked(work, domain)
    key = {"tenant_id": work.viewer.tenant_id, "domain": domain.value}
    values = {"levels": _stored(levels)}
    statement = (
        insert(approval_policies)
        .values(**key, **values)
        .on_conflict_do_update(index_elements=list(key), set_=values)
    )
    after = (await work.execute(statement.returning(approval_policies))).one()
    await _audit(work, "set", before, after)
    return after


async def delete_policy(work: Work, domain: ApprovalDomain) -> sa.Row[Any] | None:
    """The policy for a domain as it last was, now gone; None if there was none."""
    before = await _locked(work, domain)
    if before is not None:
        await work.execute(sa.delete(approval_policies).where(*_of(work, domain)))
        await _audit(work, "delete", before, None)
    return before


def _of(work: Work, domain: ApprovalDomain) -> list[sa.ColumnElement[bool]]:
    c = approval_policies.c
    return [c.tenant_id == work.viewer.tenant_id, c.domain == domain.value]


async def _locked(work: Work, domain: ApprovalDomain) -> sa.Row[Any] | None:
    statement = sa.select(approval_policies).where(*_of(work, domain)).with_for_update()
    return (await work.execute(statement)).one_or_none()


async def _audit(work: Work, verb: str, before: sa.Row[Any] | None, after: sa.Row[Any] | None) -> None:
    was, became = (
        None if row is None else {"domain": row.domain, "levels": row.levels} for row in (before, after)
    )
    await work.note(f"approval_policy.{verb}", None, became, was)
