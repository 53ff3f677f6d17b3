"""Asking for approval, deciding about it, and what takes it."""

from __future__ import annotations

from typing import Annotated, Any

import sqlalchemy as sa
import strawberry
from strawberry import ID

from db import models
from db.enums import ApprovalDomain
from graph.approvals import decisions, policies, requests
from graph.approvals.operations import Operation
from graph.approvals.policies import Level
from graph.approvals.rows import checked_note
from graph.auth.viewer import PLATFORM
from graph.context import Info
from graph.errors import UserError, UserErrorCode
from graph.inputs import make_input
from graph.limits import MAX_APPROVAL_LEVELS, MAX_SLA_MINUTES
from graph.mutations.crm.deals import MoveDealInput, move_a_deal
from graph.mutations.inventory.units import ChangeUnitPriceInput, change_a_price
from graph.mutations.marketing.campaigns import CampaignLaunchInput, launch_a_campaign
from graph.permissions import Permission
from graph.queries.approvals import shown_policy
from graph.scalars import DateTime
from graph.types.approvals import Approval, ApprovalPolicy
from graph.writing.mutation import Payload, mutation, payload, written
from graph.writing.work import Refused, refusal


@payload("What became of an approval.")
class ApprovalPayload(Payload):
    """An approval."""

    approval: Approval | None = written(models.Approval, "The approval, as it now is.")


@payload("What became of a policy.")
class ApprovalPolicyPayload(Payload):
    """A policy."""

    approval_policy: ApprovalPolicy | None = strawberry.field(
        description="The policy, as it now is or last was.", default=None
    )


_ASKED: dict[str, tuple[Operation, Any]] = {
    "dealStageMove": (move_a_deal, MoveDealInput),
    "unitPriceChange": (change_a_price, ChangeUnitPriceInput),
    "campaignLaunch": (launch_a_campaign, CampaignLaunchInput),
}
_NOTE = "What you say about it, for those whom it concerns."
RequestApprovalInput: Any = make_input(
    "RequestApprovalInput",
    "What others should agree to: one of the three.",
    {
        "dealStageMove": (
            "deal_stage_move",
            MoveDealInput | None,
            "`deal.stage.move`: a step of a deal; takes DEALS_MOVE.",
        ),
        "unitPriceChange": (
            "unit_price_change",
            ChangeUnitPriceInput | None,
            "`unit.price.change`: a unit's price; takes INVENTORY_PRICE.",
        ),
        "campaignLaunch": (
            "campaign_launch",
            CampaignLaunchInput | None,
            "`campaign.launch`: a campaign's launch, at once or later; takes MARKETING_SEND and the right to "
            "read the audience.",
        ),
        "note": ("note", str | None, _NOTE),
    },
)


@strawberry.input(description="Which approval to decide about.")
class DecideApprovalInput:
    """A decision."""

    id: ID = strawberry.field(description="The id of the approval.")
    note: str | None = strawberry.field(default=None, description=_NOTE)
    if_updated_at: DateTime | None = strawberry.field(
        default=None,
        description="The `updatedAt` that you read: if the approval has changed since, at another level for "
        "instance, nothing is done, and the error is `STALE`.",
    )


@strawberry.input(description="Which approval to withdraw.")
class CancelApprovalInput:
    """A withdrawal."""

    id: ID = strawberry.field(description="The id of the approval.")
    note: str | None = strawberry.field(default=None, description=_NOTE)


@strawberry.input(description="Which approval to apply.")
class ApplyApprovalInput:
    """An approval that was agreed to."""

    id: ID = strawberry.field(description="The id of the approval.")


@strawberry.input(description="One level of a policy.")
class ApprovalLevelInput:
    """Whose agreement it takes, and how soon."""

    permission: Permission | None = strawberry.field(
        default=None, description="What deciding takes beside APPROVALS_DECIDE; left out, nothing."
    )
    sla_minutes: int | None = strawberry.field(
        default=None,
        description="Within how many minutes it is to be decided, once it is its turn, from 1 to "
        f"{MAX_SLA_MINUTES}; left out, there is no end. What is late is escalated.",
    )


@strawberry.input(description="What takes approval from now on, and whose.")
class SetApprovalPolicyInput:
    """A policy."""

    domain: ApprovalDomain = strawberry.field(description="What it is about.")
    levels: list[ApprovalLevelInput] = strawberry.field(
        description=f"The levels, 1 to {MAX_APPROVAL_LEVELS}, that a request passes one by one, each by "
        "another person."
    )


@strawberry.input(description="What takes no approval any more.")
class DeleteApprovalPolicyInput:
    """A policy."""

    domain: ApprovalDomain = strawberry.field(description="What it is about.")


@strawberry.type
class ApprovalsMutation:
    """Approvals and their policies."""

    @mutation(
        "Ask for approval of something that you may do yourself, also where no policy wants that: then one "
        "level is enough, by anybody else with APPROVALS_DECIDE. It is done in your name as soon as all have "
        "agreed. Of one thing one request waits at a time.",
        needs=Permission.APPROVALS_REQUEST,
    )
    async def request_approval(
        self,
        info: Info,
        input: Annotated[RequestApprovalInput, strawberry.argument(description="What for.")],
    ) -> ApprovalPayload | None:
        """What could not be done now is refused now, by the field of the operation's own input."""
        named = {name: value for name, value in input.items() if name in _ASKED and value is not None}
        if len(named) != 1:
            message = f"Name {', '.join(_ASKED)}: one of the three."
            raise Refused(UserError(code=UserErrorCode.INVALID, field=["input"], message=message))
        ((name, given),) = named.items()
        note = checked_note(input.get("note"))
        try:
            return ApprovalPayload.of(await requests.request(info.context.work, _ASKED[name][0], given, note))
        except Refused as refused:
            raise refused.below(name) from None

    @mutation(
        "Agree to a request, at the level where it stands. Takes the permission of that level as well; "
        "neither who asked nor who agreed at an earlier level can do it. With the last level the request is "
        "applied, in the requester's name; where that cannot be it stays `approved`, and its newest step "
        "says why.",
        needs=Permission.APPROVALS_DECIDE,
    )
    async def approve(
        self, info: Info, input: Annotated[DecideApprovalInput, strawberry.argument(description="Which one.")]
    ) -> ApprovalPayload | None:
        """Of two at once one decides."""
        note = checked_note(input.note)
        work = info.context.work
        return ApprovalPayload.of(await decisions.approve(work, input.id, note, input.if_updated_at))

    @mutation(
        "Reject a request, at the level where it stands and for good. Takes what agreeing to it takes.",
        needs=Permission.APPROVALS_DECIDE,
    )
    async def reject(
        self, info: Info, input: Annotated[DecideApprovalInput, strawberry.argument(description="Which one.")]
    ) -> ApprovalPayload | None:
        """Of two at once one decides."""
        note = checked_note(input.note)
        work = info.context.work
        return ApprovalPayload.of(await decisions.reject(work, input.id, note, input.if_updated_at))

    @mutation(
        "Withdraw a request that is pending, or approved and not applied: your own, or with APPROVALS_MANAGE "
        "any that you see."
    )
    async def cancel_approval(
        self, info: Info, input: Annotated[CancelApprovalInput, strawberry.argument(description="Which one.")]
    ) -> ApprovalPayload | None:
        """It stays cancelled."""
        note = checked_note(input.note)
        return ApprovalPayload.of(await decisions.cancel(info.context.work, input.id, note))

    @mutation(
        "Try again to do what was agreed to, in the requester's name: your own request, or with "
        "APPROVALS_DECIDE any that you see. If it still cannot be done, the error says why."
    )
    async def apply_approval(
        self, info: Info, input: Annotated[ApplyApprovalInput, strawberry.argument(description="Which one.")]
    ) -> ApprovalPayload | None:
        """It is applied once."""
        return ApprovalPayload.of(await decisions.apply(info.context.work, input.id))

    @mutation(
        "Let something take approval, or another one than before. What was asked for already keeps its "
        "levels.",
        needs=Permission.APPROVALS_MANAGE,
    )
    async def set_approval_policy(
        self,
        info: Info,
        input: Annotated[SetApprovalPolicyInput, strawberry.argument(description="What takes whose.")],
    ) -> ApprovalPolicyPayload | None:
        """It is in force for what is asked for after it."""
        if not 1 <= len(input.levels) <= MAX_APPROVAL_LEVELS:
            message = f"A policy has 1 to {MAX_APPROVAL_LEVELS} levels."
            raise refusal(UserErrorCode.INVALID, message, "levels")
        levels = [_level(given, str(place)) for place, given in enumerate(input.levels)]
        return _of(await policies.set_policy(info.context.work, input.domain, levels))

    @mutation(
        "Let something take no approval any more. What was asked for already still does.",
        needs=Permission.APPROVALS_MANAGE,
    )
    async def delete_approval_policy(
        self,
        info: Info,
        input: Annotated[DeleteApprovalPolicyInput, strawberry.argument(description="What.")],
    ) -> ApprovalPolicyPayload | None:
        """The mutation does what it says from now on."""
        gone = await policies.delete_policy(info.context.work, input.domain)
        if gone is None:
            raise refusal(UserErrorCode.NOT_FOUND, "There is no policy for this.", "domain")
        return _of(gone)


def _level(given: ApprovalLevelInput, place: str) -> Level:
    if given.permission in PLATFORM:
        message = "Nobody in a tenant can be given this permission."
        raise refusal(UserErrorCode.INVALID, message, "levels", place, "permission")
    if given.sla_minutes is not None and not 1 <= given.sla_minutes <= MAX_SLA_MINUTES:
        message = f"This is from 1 to {MAX_SLA_MINUTES}."
        raise refusal(UserErrorCode.INVALID, message, "levels", place, "slaMinutes")
    return Level(given.permission and given.permission.value, given.sla_minutes)


def _of(row: sa.Row[Any]) -> ApprovalPolicyPayload:
    return ApprovalPolicyPayload.of(None, approval_policy=shown_policy(row))
