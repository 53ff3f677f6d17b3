"""The rows of approvals and their history, and the states they go through."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from db import models
from db.enums import ApprovalAction, ApprovalDomain, ApprovalState
from db.models import ApprovalStep
from graph.permissions import Permission
from graph.stored import parsed
from graph.writing.editing import Editing
from graph.writing.mutation import Payload
from graph.writing.states import States
from graph.writing.values import value_of
from graph.writing.work import Work

approvals = Editing(
    models.Approval,
    Payload,
    "",
    create=Permission.APPROVALS_REQUEST,
    update=Permission.APPROVALS_DECIDE,
    delete=Permission.APPROVALS_MANAGE,
)
"""No column is a client's to write: approvals change by the steps taken on them."""

approval_states = States(
    approvals,
    "state",
    {
        "approve": ("pending", "approved"),
        "reject": ("pending", "rejected"),
        "cancel": ("pending approved", "cancelled"),
        "apply": ("approved", "applied"),
    },
)


OUTDATED: Final = "What it is about has changed since it was asked for."


async def agreed_to(work: Work, domain: ApprovalDomain, subject_id: UUID) -> Any:
    """What the newest request about the subject that was applied rests on; None if there is none."""
    c = approvals.shown.table.c
    statement = sa.select(c.payload).where(
        c.tenant_id == work.viewer.tenant_id,
        c.subject_id == subject_id,
        c.domain == domain.value,
        c.state == ApprovalState.APPLIED.value,
    )
    newest = statement.order_by(c.updated_at.desc(), c.id.desc()).limit(1)
    asked = parsed((await work.execute(newest)).scalar_one_or_none())
    return asked.get("from") if isinstance(asked, Mapping) else None


async def take_down(
    work: Work, approval_id: UUID, action: ApprovalAction, note: str | None, *, by: UUID | None
) -> None:
    """Add a step to the history of an approval, taken by a user or, with None, by nobody."""
    await work.execute(
        sa.insert(ApprovalStep).values(
            tenant_id=work.viewer.tenant_id,
            approval_id=approval_id,
            actor_user_id=by,
            action=action.value,
            note=note,
            # Not now(): several steps of one transaction have an order.
            created_at=sa.func.clock_timestamp(),
        )
    )


def checked_note(note: Any) -> str | None:
    """What a client gave as `note`, or Refused."""
    column: Any = ApprovalStep.__table__.c.note
    found: str | None = value_of(column, note, "note")
    return found
