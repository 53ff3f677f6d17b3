"""Whom an approval concerns: who may decide it next, who asked for it, who manages approvals."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from db.enums import ApprovalAction, InboxCategory
from db.models import ApprovalStep, InboxNotification, User
from graph.approvals.operations import what
from graph.approvals.policies import Level
from graph.auth.holders import holders
from graph.permissions import Permission
from graph.writing.work import Work


def deciders(approval: Any, tenant_id: UUID, level: Level) -> sa.Select[Any]:
    """The ids of those who may decide about an approval that stands at `level`."""
    found = holders(tenant_id, Permission.APPROVALS_DECIDE.value).where(
        User.id != approval.requested_by, User.id.not_in(agreed(approval, tenant_id))
    )
    if level.permission not in (None, Permission.APPROVALS_DECIDE.value):
        found = found.where(User.id.in_(holders(tenant_id, level.permission)))
    return found


def agreed(approval: Any, tenant_id: UUID) -> sa.Select[Any]:
    """The ids of those who have agreed to an approval at one of its levels."""
    c = ApprovalStep.__table__.c
    return sa.select(c.actor_user_id).where(
        c.tenant_id == tenant_id,
        c.approval_id == approval.id,
        c.action == ApprovalAction.APPROVED.value,
        c.actor_user_id.is_not(None),
    )


def requester(approval: Any, tenant_id: UUID) -> sa.Select[Any]:
    """The id of who asked for an approval."""
    return sa.select(User.id).where(User.tenant_id == tenant_id, User.id == approval.requested_by)


async def tell(work: Work, approval: Any, users: sa.Select[Any], title: str, body: str | None = None) -> None:
    """Put a notice about an approval into the inboxes of `users`, but not of who does this.

    `title` ends in what the approval is about.
    """
    people = users.where(User.id != work.viewer.user_id).subquery()
    meta = {
        "approvalId": str(approval.id),
        "domain": approval.domain,
        "state": approval.state,
        "subjectEntity": approval.subject_entity,
        "subjectId": str(approval.subject_id),
    }
    values = {
        "tenant_id": sa.literal(work.viewer.tenant_id, sa.Uuid),
        "user_id": people.c.id,
        "category": sa.literal(InboxCategory.APPROVALS.value, sa.Text),
        "title": sa.literal(f"{title}: {what(approval.domain)}", sa.Text),
        "body": sa.literal(body, sa.Text),
        "meta": sa.literal(meta, JSONB),
        # Not now(): who waited for another to decide may have begun first.
        "created_at": sa.func.clock_timestamp(),
    }
    await work.execute(sa.insert(InboxNotification).from_select(list(values), sa.select(*values.values())))
