"""Campaigns, what they sent, and telephone sales."""

from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped

from db.base import CASCADE, SET_NULL, Base, TenantOwned, Timestamp, Timestamped, UuidKey, one_of, refers_to
from db.enums import CampaignStatus, CampaignType, Channel, DeliveryStatus, RecipientType


class Campaign(UuidKey, TenantOwned, Timestamped, Base):
    """A message sent to many."""

    __tablename__ = "campaigns"
    __listed_by__ = ("created_by_user_id",)
    __ordered_by__ = ("name", "scheduled_at", "updated_at")

    name: Mapped[str]
    type: Mapped[str] = one_of(CampaignType)
    status: Mapped[str] = one_of(CampaignStatus, CampaignStatus.DRAFT)
    scheduled_at: Mapped[Timestamp | None]
    sent_at: Mapped[Timestamp | None]
    completed_at: Mapped[Timestamp | None]
    created_by_user_id: Mapped[UUID | None] = refers_to("users")


class CampaignSend(UuidKey, TenantOwned, Timestamped, Base):
    """A campaign's message to one recipient."""

    __tablename__ = "campaign_sends"
    __listed_by__ = ("campaign_id", "recipient_id")
    __ordered_by__ = ("queued_at",)
    __table_args__ = (Index("campaign_sends_lookup_ix", "tenant_id", "campaign_id", "status", "queued_at"),)

    campaign_id: Mapped[UUID] = refers_to("campaigns", CASCADE)
    recipient_id: Mapped[UUID | None]
    recipient_type: Mapped[str | None] = one_of(RecipientType)
    channel: Mapped[str] = one_of(Channel)
    status: Mapped[str] = one_of(DeliveryStatus, DeliveryStatus.PENDING)
    provider: Mapped[str | None]
    provider_message_id: Mapped[str | None]
    queued_at: Mapped[Timestamp | None]
    sent_at: Mapped[Timestamp | None]
    delivered_at: Mapped[Timestamp | None]
    opened_at: Mapped[Timestamp | None]
    clicked_at: Mapped[Timestamp | None]
    error_message: Mapped[str | None]


class TelemarketingCall(UuidKey, TenantOwned, Timestamped, Base):
    """A sales call, planned or made."""

    __tablename__ = "telemarketing_calls"
    __listed_by__ = ("campaign_id", "agent_user_id", "contact_id", "lead_id")
    __ordered_by__ = ("scheduled_at", "started_at")
    __table_args__ = (Index("tm_calls_agent_time_ix", "tenant_id", "agent_user_id", "scheduled_at"),)

    campaign_id: Mapped[UUID | None] = refers_to("campaigns", SET_NULL)
    agent_user_id: Mapped[UUID | None] = refers_to("users", SET_NULL)
    contact_id: Mapped[UUID | None] = refers_to("contacts", SET_NULL)
    lead_id: Mapped[UUID | None] = refers_to("leads", SET_NULL)
    phone_number: Mapped[str]
    scheduled_at: Mapped[Timestamp | None]
    started_at: Mapped[Timestamp | None]
    ended_at: Mapped[Timestamp | None]
    outcome_code: Mapped[str | None]
    notes: Mapped[str | None]
    recording_url: Mapped[str | None]
    talk_time_sec: Mapped[int | None]
    provider_session_id: Mapped[str | None]


__all__ = ["Campaign", "CampaignSend", "TelemarketingCall"]
