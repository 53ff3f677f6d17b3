"""Root fields of notifications; the inbox is the viewer's."""

from __future__ import annotations

import strawberry

from db import models
from graph.connection import Connection
from graph.roots import many, one
from graph.types.notifications import MessageTemplate, OutboxMessage, SuppressionEntry


@strawberry.type
class NotificationsQuery:
    """Templates, messages on their way out, addresses that get none."""

    message_template: MessageTemplate | None = one(models.MessageTemplate, "A template by its id.")
    message_templates: Connection[MessageTemplate] | None = many(
        models.MessageTemplate, "The tenant's templates, newest first."
    )
    outbox_message: OutboxMessage | None = one(models.OutboxMessage, "A message on its way out by its id.")
    outbox_messages: Connection[OutboxMessage] | None = many(
        models.OutboxMessage, "The tenant's messages on their way out, newest first."
    )
    suppression_entry: SuppressionEntry | None = one(
        models.SuppressionEntry, "An address that gets no messages, by its entry's id."
    )
    suppression_entries: Connection[SuppressionEntry] | None = many(
        models.SuppressionEntry, "The addresses that get no messages, newest first."
    )
