"""What providers reported to a tenant, as it is shown."""

from __future__ import annotations

from db import models
from graph.node import Node, Timestamped
from graph.permissions import Permission
from graph.scalars import JSON, DateTime
from graph.tables import column, table


@table(models.IntegrationWebhookLog, needs=Permission.INTEGRATIONS_VIEW)
class IntegrationWebhookLog(Node, Timestamped):
    """A call by a provider."""

    provider: str = column("Who called, such as `brevo`.")
    event_type: str | None = column("What happened, in the provider's words.")
    raw: JSON | None = column("What the call carried, as it came.")
    received_at: DateTime = column("When it came.")
    processed: bool = column("Whether it has been dealt with.")
