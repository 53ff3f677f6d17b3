"""Templates, messages on their way out, the inbox, and who wants no messages, as they are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from strawberry import ID

from db import models
from db.enums import Channel, DeliveryStatus, InboxCategory, TemplateStatus
from graph.auth.letters import without_secret
from graph.auth.viewer import Viewer
from graph.node import Created, Node, Timestamped
from graph.permissions import Permission
from graph.relations import to_one
from graph.scalars import JSON, DateTime, EmailAddress, PhoneNumber
from graph.tables import column, table

if TYPE_CHECKING:
    from graph.types.identity import User


def own_notifications(viewer: Viewer, source: sa.FromClause) -> sa.ColumnElement[bool]:
    """Nobody reads the inbox of another, whatever they may do."""
    own: sa.ColumnElement[bool] = source.c.user_id == viewer.user_id
    return own


@table(models.MessageTemplate, needs=Permission.TEMPLATES_VIEW)
class MessageTemplate(Node, Timestamped):
    """The text of a message in one language."""

    code: str = column("Its code; with the locale, unique in the tenant.")
    channel: Channel = column("The way its messages travel.")
    locale: str | None = column("The language of the text, a BCP 47 tag; null if it fits any.")
    version_status: TemplateStatus = column("Whether it may be sent.")
    subject: str | None = column("The subject, with `{{ name }}` for variables; null on channels without.")
    html_body: str | None = column("The text as HTML, with `{{ name }}` for variables.")
    text_body: str | None = column("The text without markup, with `{{ name }}` for variables.")
    variables_schema: JSON | None = column("The JSON Schema that the variables must fit; null if any do.")


@table(models.OutboxMessage, needs=Permission.OUTBOX_VIEW)
class OutboxMessage(Node, Timestamped):
    """A message on its way out."""

    channel: Channel = column("The way it travels.")
    to_email: EmailAddress | None = column("The e-mail address it goes to; null on other channels.")
    to_phone_e164: PhoneNumber | None = column("The phone number it goes to; null on other channels.")
    template_code: str | None = column("The code of the template that it is made from; null if of none.")
    payload: JSON | None = column(
        "What is sent: the variables of the template, or the message itself. Tokens are the sender's alone.",
        shown=lambda row: without_secret(row.template_code, row.payload),
    )
    status: DeliveryStatus = column("How far it has come.")
    provider: str | None = column("The service that carries it; null before one is chosen.")
    provider_message_id: str | None = column("What that service calls it.")
    idempotency_key: str | None = column("The sender's own key: one message a tenant is queued under it.")
    queued_at: DateTime = column("When it was queued.")
    sent_at: DateTime | None = column("When it left; null before.")
    delivered_at: DateTime | None = column("When it arrived; null if it has not, or nobody told.")
    error_code: str | None = column("Why it failed, as the provider codes it; null if it did not.")


@table(models.InboxNotification, visible=own_notifications)
class InboxNotification(Node, Timestamped):
    """A notice in the viewer's own inbox."""

    user_id: ID = column("The id of the user it is for.")
    user: User = to_one(models.InboxNotification.user_id, "The user it is for.")
    category: InboxCategory = column("What it is about.")
    title: str = column("What it says, in a line.")
    body: str | None = column("What it says, at length.")
    meta: JSON | None = column("What a client needs to lead there, such as the id of an approval.")
    is_read: bool = column("Whether the user has read it.")


@table(models.SuppressionEntry, needs=Permission.SUPPRESSION_VIEW)
class SuppressionEntry(Node, Created):
    """An address that must get no messages on one channel."""

    channel: Channel = column("The channel it is closed on.")
    normalized_value: str = column("An e-mail address in lower case, or a phone number in E.164.")
    reason: str | None = column("Why, such as `bounce` or `unsubscribed`, as whoever closed it words it.")
    occurred_at: DateTime = column("When the reason came up.")
