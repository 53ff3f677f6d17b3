"""Requests that others must agree to, and each step taken on them, as they are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
import strawberry
from strawberry import ID

from db import models
from db.enums import ApprovalAction, ApprovalDomain, ApprovalState
from db.gateway import approval_levels
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
    """All for who may view them; one's own requests, and those that one may decide at one of their levels."""
    if viewer.has(Permission.APPROVALS_VIEW):
        return None
    own: sa.ColumnElement[bool] = source.c.requested_by == viewer.user_id
    if not viewer.has(Permission.APPROVALS_DECIDE):
        return own
    level = approval_levels.alias()
    of_this = (level.c.tenant_id == viewer.tenant_id, level.c.approval_id == source.c.id)
    held = sorted(permission.value for permission in viewer.permissions)
    mine = sa.bindparam(None, held, type_=sa.ARRAY(sa.Text), unique=True)
    levels: sa.Select[Any] = (
        sa.select(sa.literal_column("1")).select_from(level).where(*of_this).correlate(source)
    )
    theirs = levels.where(sa.or_(level.c.permission.is_(None), level.c.permission == sa.any_(mine)))
    # What another service asks approval of has no levels here: it takes `approvals.decide` alone.
    return sa.or_(own, sa.exists(theirs), ~sa.exists(levels))


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
    """A change that others must agree to; seen by who asked for it, may decide it or may view approvals."""

    domain: str = column(
        "What kind of change it is: `deal.stage.move`, `unit.price.change`, `campaign.launch`, or another "
        "service's own."
    )
    subject_entity: str = column("What kind of row would change, such as `deal`.")
    subject_id: ID = column("The id of that row.")
    payload: JSON | None = column(
        "The change asked for: the input of `moveDeal`, `changeUnitPrice` or `launchCampaign` without the "
        "id, and in `from` what it rests on. Of another service's domain, whatever that service put there."
    )
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


@strawberry.type(description="One level of a policy: whose agreement it takes, and how soon.")
class ApprovalLevel:
    """A level."""

    level: int = strawberry.field(description="Its number, counted from 1.")
    permission: Permission | None = strawberry.field(
        description="The permission that deciding takes beside APPROVALS_DECIDE; null if none."
    )
    sla_minutes: int | None = strawberry.field(
        description="Within how many minutes it is to be decided, once it is its turn; null for no end."
    )


@strawberry.type(description="What takes the agreement of others in this tenant, and of whom.")
class ApprovalPolicy:
    """A policy."""

    domain: ApprovalDomain = strawberry.field(description="What it is about.")
    levels: list[ApprovalLevel] = strawberry.field(
        description="The levels of a request, passed one by one, each by another person."
    )
    created_at: DateTime = strawberry.field(description="When it was made.")
    updated_at: DateTime = strawberry.field(description="When it was last changed.")
