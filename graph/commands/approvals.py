"""`m3 approvals`: telling of those that were due and are not decided.

Any number of these may run at once: each works on approvals that no other has locked, and what is told is
told once for each time that an approval was due.
"""

from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from db.enums import ApprovalAction, ApprovalState
from db.gateway import approval_escalations
from db.session import Database, DatabaseUnavailable, Scope
from graph.approvals.people import tell
from graph.approvals.rows import approvals, take_down
from graph.auth.holders import holders
from graph.auth.viewer import NOBODYS_SESSION, Viewer
from graph.commands.report import in_a_line
from graph.errors import Unavailable
from graph.permissions import Permission
from graph.settings import Settings
from graph.snapshot import Change
from graph.writing.work import Work

_NOBODY: Final = UUID(int=0)
"""No user: what is done by itself is done by nobody."""


class _Overdue(NamedTuple):
    tenant_id: UUID
    approval_id: UUID


@dataclass
class Escalated:
    """What came of a run."""

    told: int = 0
    failed: list[str] = field(default_factory=list)
    """A line for each approval at which something went wrong: it is tried again the next time."""


async def escalate(settings: Settings) -> Escalated:
    """Takes a step in the history of each overdue approval, and tells those who manage approvals."""
    database = Database(settings.gateway_url, pool_size=1)
    ran = Escalated()
    try:
        for overdue in await _overdue(database):
            try:
                ran.told += await _one(database, overdue)
            except (Unavailable, DatabaseUnavailable):
                raise
            except Exception as error:  # the others are overdue all the same
                named = f"{overdue.approval_id} of tenant {overdue.tenant_id}"
                ran.failed.append(f"{named}: {in_a_line(error)}")
    finally:
        await database.close()
    return ran


async def _overdue(database: Database) -> list[_Overdue]:
    names = ("tenant_id", "approval_id")
    found = sa.func.gateway.overdue_approvals().table_valued(*(sa.column(name, sa.Uuid) for name in names))
    async with database.read(Scope()) as connection:
        rows = await connection.execute(sa.select(*(found.c[name] for name in names)))
        return [_Overdue(*row) for row in rows]


async def _one(database: Database, overdue: _Overdue) -> bool:
    """Whether an approval was told of, in a transaction of its own."""
    change = Change(database, Scope(tenant_id=overdue.tenant_id))
    try:
        work = Work(Viewer(overdue.tenant_id, _NOBODY, NOBODYS_SESSION, frozenset()), change, None, "m3")
        done = await _tell(work, overdue)
    except BaseException:
        await change.rollback()
        raise
    await (change.commit() if done else change.rollback())
    return done


async def _tell(work: Work, overdue: _Overdue) -> bool:
    """Tell of an approval, unless another is at it, or has told, or it has been decided."""
    approval = await _locked(work, overdue)
    if approval is None:
        return False
    c = approvals.shown.table.c
    due = sa.select(c.tenant_id, c.id, c.sla_due_at).where(
        c.tenant_id == overdue.tenant_id, c.id == overdue.approval_id
    )
    mark = insert(approval_escalations).from_select([*overdue._fields, "due_at"], due)
    marked = mark.on_conflict_do_nothing().returning(approval_escalations.c.due_at)
    if (await work.execute(marked)).one_or_none() is None:
        return False
    note = f"Level {approval.level} of {approval.required_levels} was to be decided by then."
    await take_down(work, approval.id, ApprovalAction.ESCALATED, note, by=None)
    managers = holders(work.viewer.tenant_id, Permission.APPROVALS_MANAGE.value)
    await tell(work, approval, managers, "Overdue, and not decided", note)
    entry = work.entry("approval.escalate", approvals.shown, approval, approval)
    await work.write_down([entry | {"user_id": None}])
    return True


async def _locked(work: Work, overdue: _Overdue) -> Any:
    """The approval, locked, if it still waits and is overdue; None also where another has it locked."""
    shown = approvals.shown
    c = shown.table.c
    statement = sa.select(*shown.select(shown.table)).where(
        c.tenant_id == work.viewer.tenant_id,
        c.id == overdue.approval_id,
        c.state == ApprovalState.PENDING.value,
        c.sla_due_at <= sa.func.clock_timestamp(),
    )
    row = (await work.execute(statement.with_for_update(skip_locked=True))).one_or_none()
    return None if row is None else shown.row(tuple(row))
