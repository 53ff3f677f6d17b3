"""Changing what a tenant subscribes to."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import sqlalchemy as sa
import strawberry
from sqlalchemy.dialects.postgresql import insert
from strawberry import ID

from db import models
from db.enums import SubscriptionStatus
from graph.context import Info
from graph.errors import UserErrorCode
from graph.permissions import Permission
from graph.scalars import DateTime
from graph.types.billing import TenantSubscription
from graph.writing.editing import Editing
from graph.writing.mutation import Payload, mutation, payload, written
from graph.writing.plan_limits import exceeded
from graph.writing.states import States
from graph.writing.work import Work, id_of, refusal


@payload("What became of the tenant's subscription.")
class TenantSubscriptionPayload(Payload):
    """A subscription."""

    subscription: TenantSubscription | None = written(
        models.TenantSubscription, "The subscription, as it now is or last was."
    )


subscriptions = Editing(
    models.TenantSubscription,
    TenantSubscriptionPayload,
    "",
    create=Permission.BILLING_MANAGE,
    update=Permission.BILLING_MANAGE,
    delete=Permission.BILLING_MANAGE,
)
subscription_states = States(subscriptions, "status", {"cancel": ("trial active past_due", "cancelled")})

_IF_UPDATED_AT = "The `updatedAt` that you read: with a newer row nothing is done, and the error is `STALE`."


@strawberry.input(description="Which plan the tenant goes on.")
class ChangePlanInput:
    """A plan."""

    plan_id: ID = strawberry.field(description="The id of an active plan.")
    if_updated_at: DateTime | None = strawberry.field(default=None, description=_IF_UPDATED_AT)


@strawberry.input(description="On what condition the subscription is cancelled.")
class CancelSubscriptionInput:
    """A condition."""

    if_updated_at: DateTime | None = strawberry.field(default=None, description=_IF_UPDATED_AT)


@strawberry.type
class BillingMutation:
    """The subscription."""

    @mutation(
        "Put the tenant on another plan, at once; without a subscription it begins one. Refused with "
        "`CONFLICT` where a billing provider owns the subscription or it is cancelled, and with "
        "`LIMIT_REACHED` while the tenant has more users or contacts than the plan allows.",
        needs=Permission.BILLING_MANAGE,
    )
    async def change_plan(
        self, info: Info, input: Annotated[ChangePlanInput, strawberry.argument(description="Which plan.")]
    ) -> TenantSubscriptionPayload | None:
        """Who adds users or contacts meanwhile waits, and then finds the new limits."""
        work, plan_id = info.context.work, id_of(input.plan_id, "planId")
        before = await _locked(work, input.if_updated_at)
        if before is not None:
            if before.provider is not None:
                message = f"{before.provider} owns this subscription: the plan changes there."
                raise refusal(UserErrorCode.CONFLICT, message, row=before)
            if before.status == SubscriptionStatus.CANCELLED:
                raise refusal(UserErrorCode.CONFLICT, "This subscription is cancelled.", row=before)
            if before.plan_id == plan_id:
                return TenantSubscriptionPayload.of(before)
        await _check_plan(work, plan_id, before)
        if before is None:
            return TenantSubscriptionPayload.of(await _begin(work, plan_id))
        after = await subscriptions.change(work, before, {"plan_id": plan_id}, "change_plan")
        return TenantSubscriptionPayload.of(after)

    @mutation(
        "Cancel the tenant's subscription: it is not renewed, and stays cancelled. The limits of its plan "
        "stay too.",
        needs=Permission.BILLING_MANAGE,
    )
    async def cancel_subscription(
        self,
        info: Info,
        input: Annotated[
            CancelSubscriptionInput | None, strawberry.argument(description="On what condition.")
        ] = None,
    ) -> TenantSubscriptionPayload | None:
        """Also one that a provider owns: the billing service tells the provider."""
        work = info.context.work
        before = await _locked(work, None if input is None else input.if_updated_at)
        if before is None:
            raise refusal(UserErrorCode.NOT_FOUND, "There is no subscription.")
        subscription_states.check(before, "cancel")
        after = await subscription_states.take(work, before, "cancel", renews_at=None)
        return TenantSubscriptionPayload.of(after)


async def _locked(work: Work, if_updated_at: datetime | None) -> Any:
    """The tenant's subscription, or None; Refused if it is newer than `if_updated_at`."""
    before = await work.read(subscriptions.shown, work.viewer.tenant_id, lock=True)
    if before is not None and if_updated_at not in (None, before.updated_at):
        raise refusal(UserErrorCode.STALE, "This has changed since you read it.", row=before)
    return before


async def _check_plan(work: Work, plan_id: UUID, before: Any) -> None:
    """Refused unless the plan can be chosen, and what there is fits into it."""
    plan = models.Plan
    active = (await work.execute(sa.select(plan.is_active).where(plan.id == plan_id))).scalar_one_or_none()
    if active is None:
        raise refusal(UserErrorCode.NOT_FOUND, "There is nothing with this id.", "planId", row=before)
    if not active:
        raise refusal(UserErrorCode.INVALID, "This plan is no longer offered.", "planId", row=before)
    too_many = await exceeded(work, plan_id)
    if too_many:
        message = f"The plan allows less than there is: {', '.join(too_many)}."
        raise refusal(UserErrorCode.LIMIT_REACHED, message, "planId", row=before)


async def _begin(work: Work, plan_id: UUID) -> Any:
    """A first subscription; Refused if another request was quicker."""
    shown = subscriptions.shown
    statement = insert(models.TenantSubscription).values(
        tenant_id=work.viewer.tenant_id, plan_id=plan_id, status=SubscriptionStatus.ACTIVE
    )
    made = await subscriptions.attempt(
        work, statement.on_conflict_do_nothing().returning(*shown.select(shown.table))
    )
    row = made.one_or_none()
    if row is None:
        raise refusal(UserErrorCode.CONFLICT, "The tenant has just got a subscription.")
    after = shown.row(tuple(row))
    await work.audit("tenant_subscription.begin", shown, after=after)
    return after
