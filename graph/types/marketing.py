"""Campaigns, what they sent, and telephone sales, as they are shown."""

from __future__ import annotations

from typing import Annotated, Final

import strawberry
from strawberry import ID

from db import models
from db.enums import CampaignStatus, CampaignType, Channel, DeliveryStatus, RecipientType
from graph.connection import Connection
from graph.context import Info
from graph.node import Node, Timestamped
from graph.permissions import Permission
from graph.relations import to_many, to_one
from graph.scalars import URL, DateTime
from graph.tables import TABLES, column, table
from graph.types.crm import Contact, Lead
from graph.types.identity import User

Recipient = Annotated[
    Contact | Lead | User,
    strawberry.union(
        "Recipient", description="Whom a campaign goes to; each takes the permission of its type."
    ),
]

_RECIPIENTS: Final = {
    RecipientType.CONTACT: models.Contact,
    RecipientType.LEAD: models.Lead,
    RecipientType.USER: models.User,
}


@table(models.Campaign, needs=Permission.MARKETING_VIEW)
class Campaign(Node, Timestamped):
    """A message sent to many."""

    name: str = column("What the campaign is called.")
    type: CampaignType = column("The channel it uses.")
    status: CampaignStatus = column("How far it has come.")
    scheduled_at: DateTime | None = column("When it is to be launched; null if somebody is to do it by hand.")
    sent_at: DateTime | None = column("When it was launched; null before.")
    completed_at: DateTime | None = column("When its last message had left; null before.")
    created_by_user_id: ID | None = column("The id of the user who made it; null if no user did.")
    created_by: User | None = to_one(models.Campaign.created_by_user_id, "The user who made it.")
    sends: Connection[CampaignSend] | None = to_many(
        models.CampaignSend.campaign_id, "Its messages, one a recipient, newest first."
    )
    calls: Connection[TelemarketingCall] | None = to_many(
        models.TelemarketingCall.campaign_id, "The telemarketing calls made for it, newest first."
    )


@table(models.CampaignSend, needs=Permission.MARKETING_VIEW)
class CampaignSend(Node, Timestamped):
    """A campaign's message to one recipient."""

    campaign_id: ID = column("The id of the campaign.")
    campaign: Campaign | None = to_one(models.CampaignSend.campaign_id, "The campaign.")
    recipient_id: ID | None = column("The id of whom it goes to, who may be gone by now.")
    recipient_type: RecipientType | None = column("What that is the id of.")
    channel: Channel = column("The way it travels.")
    status: DeliveryStatus = column("How far it has come.")
    provider: str | None = column("The service that carries it; null before one is chosen.")
    provider_message_id: str | None = column("What that service calls it.")
    queued_at: DateTime | None = column("When it was queued; null before.")
    sent_at: DateTime | None = column("When it left; null before.")
    delivered_at: DateTime | None = column("When it arrived; null if it has not, or nobody told.")
    opened_at: DateTime | None = column("When it was first opened; null if it was not, or nobody told.")
    clicked_at: DateTime | None = column("When a link in it was first followed; null as `openedAt`.")
    error_message: str | None = column("Why it failed, in the provider's words; null if it did not.")

    @strawberry.field(description="Whom it goes to, if still there; takes the permission of their type.")
    async def recipient(self, info: Info) -> Recipient | None:
        """The row that the id names, in the table that the type names; batched with its siblings'."""
        if self.recipient_id is None or self.recipient_type is None:
            return None
        target = TABLES[_RECIPIENTS[RecipientType(self.recipient_type)].__table__]  # type: ignore[index]
        target.allow(info.context.viewer)
        found: Recipient | None = await info.context.loaders.one(target, "id").load(self.recipient_id)
        return found


@table(models.TelemarketingCall, needs=Permission.TELEMARKETING_VIEW)
class TelemarketingCall(Node, Timestamped):
    """A sales call, planned or made."""

    campaign_id: ID | None = column("The id of the campaign it is made for; null if for none.")
    campaign: Campaign | None = to_one(models.TelemarketingCall.campaign_id, "The campaign it is made for.")
    agent_user_id: ID | None = column("The id of the user who calls; null while nobody is chosen.")
    agent: User | None = to_one(models.TelemarketingCall.agent_user_id, "The user who calls.")
    contact_id: ID | None = column("The id of the contact called; null if the number is of none.")
    contact: Contact | None = to_one(models.TelemarketingCall.contact_id, "The contact called.")
    lead_id: ID | None = column("The id of the lead it is about; null if it is about none.")
    lead: Lead | None = to_one(models.TelemarketingCall.lead_id, "The lead it is about.")
    phone_number: str = column("The number called; in E.164 where the gateway wrote it.")
    scheduled_at: DateTime | None = column("When it is to be made; null if it was not planned.")
    started_at: DateTime | None = column("When it began; null before.")
    ended_at: DateTime | None = column("When it ended; null before.")
    outcome_code: str | None = column("What came of it, as the tenant codes it; null before it ended.")
    notes: str | None = column("What the agent wrote down.")
    recording_url: URL | None = column("Where its recording is; null if there is none.")
    talk_time_sec: int | None = column("How long was talked, in seconds.")
    provider_session_id: str | None = column("What the telephone provider calls it.")
