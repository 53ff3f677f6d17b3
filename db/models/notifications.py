"""Templates, messages on their way out, the inbox, and who wants no messages."""

from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db.base import (
    CASCADE,
    Base,
    Created,
    Json,
    TenantOwned,
    Timestamp,
    Timestamped,
    UuidKey,
    one_of,
    refers_to,
)
from db.enums import Channel, DeliveryStatus, InboxCategory, TemplateStatus


class MessageTemplate(UuidKey, TenantOwned, Timestamped, Base):
    """The text of a message in one language."""

    __tablename__ = "message_templates"
    __ordered_by__ = ("code", "updated_at")
    __table_args__ = (UniqueConstraint("tenant_id", "code", "locale"),)

    code: Mapped[str]
    channel: Mapped[str] = one_of(Channel)
    locale: Mapped[str | None] = mapped_column(server_default=text("'en'"))
    version_status: Mapped[str] = one_of(TemplateStatus, TemplateStatus.APPROVED)
    subject: Mapped[str | None]
    html_body: Mapped[str | None]
    text_body: Mapped[str | None]
    variables_schema: Mapped[Json | None]


class OutboxMessage(UuidKey, TenantOwned, Timestamped, Base):
    """A message for a sender to take."""

    __tablename__ = "messages_outbox"
    __ordered_by__ = ("queued_at",)
    __table_args__ = (
        Index(
            "outbox_idem_uq",
            "tenant_id",
            "idempotency_key",
            unique=True,
            postgresql_where=text("idempotency_key IS NOT NULL"),
        ),
    )

    channel: Mapped[str] = one_of(Channel)
    to_email: Mapped[str | None]
    to_phone_e164: Mapped[str | None]
    template_code: Mapped[str | None]
    payload: Mapped[Json | None]
    status: Mapped[str] = one_of(DeliveryStatus, DeliveryStatus.PENDING)
    provider: Mapped[str | None]
    provider_message_id: Mapped[str | None]
    idempotency_key: Mapped[str | None]
    queued_at: Mapped[Timestamp] = mapped_column(server_default=text("now()"))
    sent_at: Mapped[Timestamp | None]
    delivered_at: Mapped[Timestamp | None]
    error_code: Mapped[str | None]


Index("outbox_status_time_ix", OutboxMessage.tenant_id, OutboxMessage.status, OutboxMessage.queued_at.desc())


class InboxNotification(UuidKey, TenantOwned, Timestamped, Base):
    """A notice in a user's inbox."""

    __tablename__ = "notifications_inbox"
    __listed_by__ = ("user_id",)

    user_id: Mapped[UUID] = refers_to("users", CASCADE)
    category: Mapped[str] = one_of(InboxCategory)
    title: Mapped[str]
    body: Mapped[str | None]
    meta: Mapped[Json | None]
    is_read: Mapped[bool] = mapped_column(server_default=text("FALSE"))


Index(
    "inbox_user_time_ix",
    InboxNotification.tenant_id,
    InboxNotification.user_id,
    InboxNotification.is_read,
    InboxNotification.created_at.desc(),
)


class SuppressionEntry(UuidKey, TenantOwned, Created, Base):
    """An address that must get no messages on one channel."""

    __tablename__ = "suppression_list"
    __ordered_by__ = ("occurred_at",)
    __table_args__ = (Index("suppression_lookup_ix", "tenant_id", "channel", "normalized_value"),)

    channel: Mapped[str] = one_of(Channel)
    normalized_value: Mapped[str]
    reason: Mapped[str | None]
    occurred_at: Mapped[Timestamp] = mapped_column(server_default=text("now()"))


__all__ = ["InboxNotification", "MessageTemplate", "OutboxMessage", "SuppressionEntry"]
