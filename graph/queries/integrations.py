"""Root fields of integrations."""

from __future__ import annotations

import strawberry

from db import models
from graph.connection import Connection
from graph.roots import many, one
from graph.types.integrations import IntegrationWebhookLog


@strawberry.type
class IntegrationsQuery:
    """What providers reported."""

    integration_webhook_log: IntegrationWebhookLog | None = one(
        models.IntegrationWebhookLog, "A provider's call by its id."
    )
    integration_webhook_logs: Connection[IntegrationWebhookLog] | None = many(
        models.IntegrationWebhookLog, "The calls by the tenant's providers, newest first."
    )
