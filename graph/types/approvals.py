"""Requests that others must agree to, and each step taken on them, as they are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from strawberry import ID

from db import models
from db.enums import ApprovalAction, ApprovalState
from graph.auth.viewer import Viewer
from graph.connection import Connection
from graph.node import Created, Node, Timestamped
from graph.permissions import Permission
from graph.relations import to_many, to_one
from graph.scalars import JSON, DateTime
from graph.tables import TABLES, column, table

if TYPE_CHECKING:
    from graph.types.identity import User


def approvals_of(viewer: Viewer, source: sa.FromClause) -> sa.ColumnElement[bool] | None:
    """All for who may view or decide them; one's own requests for everybody."""
    if viewer.has(Permission.APPROVALS_VIEW) or viewer.has(Permission.APPROVALS_DECIDE):
        return None
    own: sa.ColumnElement[bool] = source.c.requested_by == viewer.user_id
    return own


def steps_of(viewer: Viewer, source: sa.FromClause) -> sa.ColumnElement[bool] | None:
    """The steps of the approvals that the viewer sees."""
    approvals = TABLES[models.Approval.__table__]  # type: ignore[index]
    approval = approvals.table.alias()
    if approvals_of(viewer, approval) is None:
        return None
    return sa.exists(
        sa.select(sa.literal(1))
        .select_from(approval)
        .where(approval.c.id == source.c.approval_id, approvals.scope(approval, viewer))
        .correlate(source)
    )


@table(models.Approval, visible=approvals_of)
class Approval(Node, Timestamped):
    """A change that others must agree to; seen by who asked for it, may view approvals or may decide them."""

    domain: str = column("What kind of change it is, such as `deal.stage.move`.")
    subject_entity: str = column("What kind of row would change, such as `deal`.")
    subject_id: ID = column("The id of that row.")
    payload: JSON | None = column("The change asked for; its form depends on the domain.")
    state: ApprovalState = column("How the request stands.")
    level: int = column("Which level of agreement it waits for, counted from 1.")
    required_levels: int = column("How many levels must agree.")
    requested_by: ID = column("The id of the user who asked.")
    requester: User = to_one(models.Approval.requested_by, "The user who asked.")
    sla_due_at: DateTime | None = column("By when it should be decided; null if nothing says.")
    steps: Connection[ApprovalStep] = to_many(
        models.ApprovalStep.approval_id, "What was done about it, newest first."
    )


@table(models.ApprovalStep, visible=steps_of)
class ApprovalStep(Node, Created):
    """What somebody did about a request for approval. Never changed; seen by who sees the request."""

    approval_id: ID = column("The id of the request.")
    approval: Approval = to_one(models.ApprovalStep.approval_id, "The request.")
    actor_user_id: ID | None = column("The id of the user who did it; null if no user did.")
    actor: User | None = to_one(
        models.ApprovalStep.actor_user_id, "The user who did it, if still there.", target=models.User
    )
    action: ApprovalAction = column("What was done.")
    note: str | None = column("What they said about it.")
