"""Deciding about approvals, and doing what was agreed to.

Plan of a decision: the approval is read, then locked; whoever finds it changed in between has lost to another
who decided at the same moment, and decides nothing. Passing the last level, the operation is made ready and
done again in the requester's name behind a savepoint: if it cannot be, the agreement stands and says why.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from db.enums import ApprovalAction
from db.models import ApprovalStep
from graph.approvals.operations import OPERATIONS, Operation
from graph.approvals.people import agreed, deciders, requester, tell
from graph.approvals.policies import Level, frozen
from graph.approvals.requests import due
from graph.approvals.rows import OUTDATED, approval_states, approvals, take_down
from graph.auth.viewer import load_absent_viewer
from graph.errors import BadInput, Forbidden, NotFound, UserErrorCode
from graph.inputs import read_input
from graph.permissions import Permission
from graph.stored import parsed
from graph.writing import faults
from graph.writing.work import Refused, Work, id_of, refusal

_GONE: Final = "Whoever asked for it is not an active user any more."
_NOT_OURS: Final = "The service that asked for this approval does what was agreed to."


async def approve(work: Work, id: str, note: str | None, if_updated_at: datetime | None) -> Any:
    """The approval with one level more agreed to; applied with the last, if it can be."""
    before = await _decidable(work, id, if_updated_at, "approve")
    await take_down(work, before.id, ApprovalAction.APPROVED, note, by=work.viewer.user_id)
    if before.level < before.required_levels:
        level = await frozen(work, before.id, before.level + 1)
        values = {"level": before.level + 1, "sla_due_at": await due(work, level)}
        after = await approvals.change(work, before, values, "approve")
        await _ask(work, after, level)
        await _answer(work, after, f"Level {before.level} of {before.required_levels} agreed", note)
        return after
    agreed_to = await approval_states.take(work, before, "approve")
    if agreed_to.domain not in OPERATIONS:
        await _answer(work, agreed_to, "Approved", note)
        return agreed_to
    applied, reason = await _apply(work, agreed_to)
    if reason is not None:
        await take_down(work, before.id, ApprovalAction.APPROVED, f"Not applied: {reason}", by=None)
        await _answer(work, agreed_to, "Approved, but not done", reason)
        return agreed_to
    await _answer(work, applied, "Approved and done", note)
    return applied


async def reject(work: Work, id: str, note: str | None, if_updated_at: datetime | None) -> Any:
    """The approval, rejected for good at the level where it stands."""
    before = await _decidable(work, id, if_updated_at, "reject")
    after = await approval_states.take(work, before, "reject")
    await take_down(work, before.id, ApprovalAction.REJECTED, note, by=work.viewer.user_id)
    await _answer(work, after, "Rejected", note)
    return after


async def cancel(work: Work, id: str, note: str | None) -> Any:
    """The approval, withdrawn by who asked for it or who manages approvals."""
    before = await approvals.locked(work, id, None, "id")
    if before.requested_by != work.viewer.user_id and not work.viewer.has(Permission.APPROVALS_MANAGE):
        raise Forbidden(Permission.APPROVALS_MANAGE)
    approval_states.check(before, "cancel")
    after = await approval_states.take(work, before, "cancel")
    await take_down(work, before.id, ApprovalAction.CANCELLED, note, by=work.viewer.user_id)
    await _answer(work, after, "Withdrawn", note)
    if before.state == "pending":
        people = deciders(after, work.viewer.tenant_id, await frozen(work, before.id, before.level))
        await tell(work, after, people, "No longer wanted, your approval", note)
    return after


async def apply(work: Work, id: str) -> Any:
    """The approval, applied at last; Refused, with the reason, if that still cannot be."""
    before = await approvals.locked(work, id, None, "id")
    may = Permission.APPROVALS_DECIDE
    if before.requested_by != work.viewer.user_id and not work.viewer.has(may):
        raise Forbidden(may)
    approval_states.check(before, "apply")
    if before.domain not in OPERATIONS:
        raise refusal(UserErrorCode.CONFLICT, _NOT_OURS, row=before)
    after, reason = await _apply(work, before)
    if reason is not None:
        raise refusal(UserErrorCode.CONFLICT, reason, row=before)
    await _answer(work, after, "Done, as approved")
    return after


async def _decidable(work: Work, id: str, if_updated_at: datetime | None, step: str) -> Any:
    """The approval, locked, where it waits for the viewer's decision."""
    seen = await work.read(approvals.shown, id_of(id, "id"))
    row = await approvals.locked(work, id, None, "id")
    as_read = if_updated_at or getattr(seen, "updated_at", None)
    viewer = work.viewer
    if row.requested_by == viewer.user_id:
        message = "You asked for this yourself: others decide about it."
        raise refusal(UserErrorCode.CONFLICT, message, row=row)
    approval_states.check(row, step)
    if row.updated_at != as_read:
        raise refusal(UserErrorCode.STALE, "This has changed since you read it.", row=row)
    level = await frozen(work, row.id, row.level)
    _allow(work, level)
    actor = ApprovalStep.__table__.c.actor_user_id
    before = agreed(row, viewer.tenant_id).where(actor == viewer.user_id)
    if (await work.execute(sa.select(before.exists()))).scalar_one():
        message = "You have agreed at an earlier level: another person decides at this one."
        raise refusal(UserErrorCode.CONFLICT, message, row=row)
    return row


def _allow(work: Work, level: Level) -> None:
    """Forbidden without what the level asks for."""
    if level.permission is not None and not work.viewer.has(Permission(level.permission)):
        raise Forbidden(Permission(level.permission))


async def _ask(work: Work, approval: Any, level: Level) -> None:
    people = deciders(approval, work.viewer.tenant_id, level)
    await tell(work, approval, people, "Your approval is wanted")


async def _answer(work: Work, approval: Any, title: str, note: str | None = None) -> None:
    await tell(work, approval, requester(approval, work.viewer.tenant_id), title, note)


async def _apply(work: Work, approval: Any) -> tuple[Any, str | None]:
    """The approval after what was agreed to is done, and None; or as it was, and why it cannot be done."""
    operation = OPERATIONS[approval.domain]
    try:
        async with work.transaction.apart():
            async with _in_name_of(work, approval.requested_by, f"approval {approval.id}") as theirs:
                await _do(theirs, operation, approval)
            after = await approval_states.take(work, approval, "apply")
            await take_down(work, approval.id, ApprovalAction.APPLIED, None, by=work.viewer.user_id)
            return after, None
    except Refused as refused:
        return approval, str(refused)
    except (Forbidden, NotFound, BadInput) as error:
        return approval, str(error)
    except DBAPIError as error:
        escaped = faults.escaped(error, ())
        if escaped is None:
            raise
        return approval, str(escaped)


async def _do(work: Work, operation: Operation, approval: Any) -> None:
    """Do the operation, if it still is what was asked for."""
    if not work.viewer.has(operation.needs):
        raise Forbidden(operation.needs)
    asked = parsed(approval.payload)
    if not isinstance(asked, Mapping):
        raise BadInput("The request does not say what to do.")
    wanted = {name: value for name, value in asked.items() if name != "from"}
    given = read_input(operation.input, {**wanted, "id": str(approval.subject_id)})
    ready = await operation.ready(work, given)
    if ready.found != asked.get("from"):
        raise refusal(UserErrorCode.CONFLICT, OUTDATED)
    await ready.do(work, True)


@asynccontextmanager
async def _in_name_of(work: Work, user_id: UUID, program: str) -> AsyncIterator[Work]:
    """The work of another user in this transaction, with the rights that they have now."""
    viewer = await load_absent_viewer(work.transaction, work.viewer.tenant_id, user_id)
    if viewer is None:
        raise refusal(UserErrorCode.CONFLICT, _GONE)
    await _act_as(work, user_id)
    yield replace(work, viewer=viewer, ip=None, user_agent=program)
    await _act_as(work, work.viewer.user_id)


async def _act_as(work: Work, user_id: UUID) -> None:
    """Let triggers write down this user; a savepoint that is rolled back undoes it."""
    await work.execute(sa.select(sa.func.set_config("app.user_id", str(user_id), True)))
