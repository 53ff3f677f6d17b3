"""Doing an operation, or asking for it where the tenant's policy wants others to agree."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, TypeVar

import sqlalchemy as sa

from db.enums import ApprovalAction, ApprovalState
from graph.approvals.operations import Operation, Ready
from graph.approvals.people import deciders, tell
from graph.approvals.policies import UNGOVERNED, Level, freeze, policy
from graph.approvals.rows import approvals, take_down
from graph.errors import Forbidden, UserErrorCode
from graph.writing.mutation import Payload
from graph.writing.values import Draft
from graph.writing.work import Work, refusal

P = TypeVar("P", bound=Payload)


async def perform(work: Work, operation: Operation, payload: type[P], given: Mapping[str, Any]) -> P:
    """The payload of an operation that was done, or that was asked for: then it holds the `approval`."""
    ready = await operation.ready(work, given)
    levels = await policy(work, operation.domain) if ready.changes else None
    if levels is None:
        return payload.of(await ready.do(work, False))
    return payload.of(ready.row, approval=await _submit(work, operation, ready, levels))


async def request(work: Work, operation: Operation, given: Mapping[str, Any], note: str | None) -> Any:
    """The approval that the viewer asks for, whether or not a policy makes them."""
    if not work.viewer.has(operation.needs):
        raise Forbidden(operation.needs)
    ready = await operation.ready(work, given)
    if not ready.changes:
        raise refusal(UserErrorCode.CONFLICT, "This would change nothing.")
    levels = await policy(work, operation.domain)
    return await _submit(work, operation, ready, UNGOVERNED if levels is None else levels, note)


async def due(work: Work, level: Level) -> Any:
    """By when a level that begins now is to be decided; None if nothing says."""
    if level.sla_minutes is None:
        return None
    return await work.moment() + timedelta(minutes=level.sla_minutes)


async def _submit(
    work: Work, operation: Operation, ready: Ready, levels: Sequence[Level], note: str | None = None
) -> Any:
    """The new approval. The subject is locked, so of two who ask at once the second finds the first's."""
    viewer, c = work.viewer, approvals.shown.table.c
    waiting = sa.exists().where(
        c.tenant_id == viewer.tenant_id,
        c.subject_id == ready.row.id,
        c.domain == operation.domain.value,
        c.state == sa.literal_column(f"'{ApprovalState.PENDING}'"),
    )
    if (await work.execute(sa.select(waiting))).scalar_one():
        message = "Somebody has asked for approval of this already, and it waits to be decided."
        raise refusal(UserErrorCode.CONFLICT, message, row=ready.row)
    draft = Draft()
    draft.values = {
        "domain": operation.domain.value,
        "subject_entity": operation.entity,
        "subject_id": ready.row.id,
        "payload": {**ready.wanted, "from": ready.found},
        "required_levels": len(levels),
        "requested_by": viewer.user_id,
        "sla_due_at": await due(work, levels[0]),
    }
    approval = await approvals.insert_draft(work, draft, "request")
    await freeze(work, approval.id, levels)
    await take_down(work, approval.id, ApprovalAction.SUBMITTED, note, by=viewer.user_id)
    people = deciders(approval, viewer.tenant_id, levels[0])
    await tell(work, approval, people, "Your approval is wanted", note)
    return approval
