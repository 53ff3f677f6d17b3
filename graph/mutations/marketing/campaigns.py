"""Changing campaigns, and sending them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import sqlalchemy as sa
import strawberry
from strawberry import ID

from db import models
from db.enums import ApprovalDomain, DeliveryStatus
from db.models import CampaignSend, OutboxMessage
from graph.approvals.operations import Ready, operation
from graph.approvals.requests import perform
from graph.context import Info
from graph.inputs import make_input
from graph.mutations.marketing.audience import AudienceInput, as_json
from graph.mutations.marketing.launch import (
    WAITING,
    Launch,
    Prepared,
    forget,
    launch,
    prepare,
    remember,
    take_time,
)
from graph.permissions import Permission
from graph.scalars import JSON, DateTime
from graph.types.approvals import Approval
from graph.types.marketing import Campaign
from graph.writing.drafts import DraftEditing
from graph.writing.mutation import Payload, mutation, payload, written
from graph.writing.states import States
from graph.writing.values import Draft
from graph.writing.work import Refused, Work


@payload("What became of a campaign.")
class CampaignPayload(Payload):
    """A campaign."""

    campaign: Campaign | None = written(models.Campaign, "The campaign, as it now is or last was.")
    approval: Approval | None = written(
        models.Approval, "What it waits for, where a policy lets others agree to its launch.", "approval"
    )


async def _rules(work: Work, draft: Draft) -> None:
    if draft.before is None:
        draft.values["created_by_user_id"] = work.viewer.user_id


campaigns = DraftEditing(
    models.Campaign,
    CampaignPayload,
    "name type",
    create=Permission.MARKETING_MANAGE,
    update=Permission.MARKETING_MANAGE,
    delete=Permission.MARKETING_MANAGE,
    column="status",
    rules=_rules,
)
campaign_states = States(
    campaigns,
    "status",
    {
        "schedule": ("draft scheduled", "scheduled"),
        "unschedule": ("scheduled", "draft"),
        "launch": ("draft scheduled", "sending"),
        "finish": ("sending", "sent"),
        "cancel": ("draft scheduled sending", "cancelled"),
    },
)

_LAUNCH: dict[str, tuple[str, Any, str]] = {
    "id": ("id", ID, "The id of the campaign."),
    "templateCode": ("template_code", str, "The code of an approved template for the campaign's channel."),
    "locale": (
        "locale",
        str | None,
        "The language of the template, `en` if left out; a template for any language will do.",
    ),
    "audience": ("audience", AudienceInput, "Whom it goes to."),
    "variables": (
        "variables",
        JSON | None,
        "The template's variables: an object, the value of each by its name. They are the same for all.",
    ),
}
LaunchCampaignInput: Any = make_input(
    "LaunchCampaignInput", "Which campaign to launch, with what, to whom.", _LAUNCH
)
ScheduleCampaignInput: Any = make_input(
    "ScheduleCampaignInput",
    "Which campaign to launch when, with what, to whom.",
    {
        **_LAUNCH,
        "scheduledAt": ("scheduled_at", DateTime, "When to launch it; a time that has passed is at once."),
    },
)
CampaignLaunchInput: Any = make_input(
    "CampaignLaunchInput",
    "Which campaign to launch, with what, to whom, at once or later.",
    {
        **_LAUNCH,
        "scheduledAt": (
            "scheduled_at",
            DateTime | None,
            "When to launch it; left out, as soon as all have agreed.",
        ),
    },
)


@strawberry.input(description="Which campaign to cancel.")
class CancelCampaignInput:
    """A campaign."""

    id: ID = strawberry.field(description="The id of the campaign.")


@operation(
    ApprovalDomain.CAMPAIGN_LAUNCH,
    "campaign",
    "CampaignLaunchInput",
    Permission.MARKETING_SEND,
    "launch a campaign",
)
async def launch_a_campaign(work: Work, given: Mapping[str, Any]) -> Ready:
    """A campaign and how it is to be launched, at `scheduledAt` or, without that, at once."""
    campaign = await campaigns.locked(work, given["id"], None, "id")
    due_at = given.get("scheduledAt")
    campaign_states.check(campaign, "launch" if due_at is None else "schedule")
    asked = Launch(given["templateCode"], given.get("locale"), given["audience"], given.get("variables"))
    try:
        prepared = await prepare(work, campaign, asked)
    except Refused as refused:
        raise Refused(*refused.errors, row=campaign) from None

    async def do(work: Work, approved: bool) -> Any:
        if due_at is not None:
            await remember(work, campaign.id, asked, due_at, approved=approved)
            return await campaign_states.take(work, campaign, "schedule", scheduled_at=due_at)
        try:
            return await launch(work, campaign_states, campaign, asked, prepared)
        except Refused as refused:
            raise Refused(*refused.errors, row=campaign) from None

    wanted = {name: as_json(value) for name, value in given.items() if name != "id" and value is not None}
    return Ready(campaign, wanted, rests_on(campaign, prepared), do)


def rests_on(campaign: Any, prepared: Prepared) -> dict[str, Any]:
    """What is agreed to without being asked for: the channel, and the very text."""
    return {"type": campaign.type, "templateId": str(prepared.template.id)}


async def _cancel_messages(work: Work, campaign_id: Any) -> None:
    """Take back the messages that no sender has taken, and say so of their sends."""
    send: Any = CampaignSend.__table__
    message: Any = OutboxMessage.__table__
    taken_back = (
        sa.update(message)
        .where(
            message.c.tenant_id == work.viewer.tenant_id,
            send.c.tenant_id == work.viewer.tenant_id,
            send.c.campaign_id == campaign_id,
            send.c.status.in_(WAITING),
            message.c.id == send.c.id,
            message.c.status == DeliveryStatus.PENDING.value,
        )
        .values(status=DeliveryStatus.CANCELLED.value)
        .returning(send.c.id)
        .cte("taken_back")
    )
    await work.execute(
        sa.update(send)
        .where(send.c.tenant_id == work.viewer.tenant_id, send.c.id.in_(sa.select(taken_back.c.id)))
        .values(status=DeliveryStatus.CANCELLED.value)
    )


@strawberry.type
class CampaignsMutation:
    """Campaigns."""

    create_campaign: CampaignPayload | None = campaigns.create("Add a campaign, a draft at first.")
    update_campaign: CampaignPayload | None = campaigns.update(
        "Change a campaign that is still a draft. Its status changes by `scheduleCampaign`, `launchCampaign` "
        "and `cancelCampaign`."
    )
    delete_campaign: CampaignPayload | None = campaigns.delete(
        "Delete a campaign that is still a draft. The calls made for it stay."
    )

    @mutation(
        "Let a campaign be launched later, or at another time or otherwise than was said before. That is "
        "done in your name and with the rights that you then have; if it cannot be done any more, the "
        "campaign is a draft again, and your inbox says why. Under a policy for `campaign.launch` the "
        "payload has the `approval` that it waits for, and it is scheduled when all have agreed.",
        needs=Permission.MARKETING_SEND,
    )
    async def schedule_campaign(
        self,
        info: Info,
        input: Annotated[ScheduleCampaignInput, strawberry.argument(description="What when.")],
    ) -> CampaignPayload | None:
        """What could not be launched now is refused now."""
        return await perform(info.context.work, launch_a_campaign, CampaignPayload, input)

    @mutation(
        "Launch a campaign: everybody in the audience gets its message once, except at suppressed addresses. "
        "It is `sending` until the last message has left, and then `sent`. Under a policy for "
        "`campaign.launch` it is not launched, and the payload has the `approval` that it waits for.",
        needs=Permission.MARKETING_SEND,
    )
    async def launch_campaign(
        self,
        info: Info,
        input: Annotated[LaunchCampaignInput, strawberry.argument(description="What to whom.")],
    ) -> CampaignPayload | None:
        """Two at once take turns at the campaign's lock, and the second finds it launched."""
        return await perform(info.context.work, launch_a_campaign, CampaignPayload, input)

    @mutation(
        "Cancel a campaign. Of one that is being sent, the messages that no sender has taken yet stay here.",
        needs=Permission.MARKETING_SEND,
    )
    async def cancel_campaign(
        self, info: Info, input: Annotated[CancelCampaignInput, strawberry.argument(description="Which one.")]
    ) -> CampaignPayload | None:
        """It stays cancelled."""
        work = info.context.work
        campaign = await campaign_states.step(work, input.id, "cancel")
        await forget(work, campaign.id)
        await take_time(work)
        await _cancel_messages(work, campaign.id)
        return CampaignPayload.of(campaign)
