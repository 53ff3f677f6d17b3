"""Root fields of billing; the subscription is the tenant's."""

from __future__ import annotations

import strawberry

from db import models
from graph.connection import Connection
from graph.roots import many, one
from graph.types.billing import BillingWebhookLog, Invoice, Plan, UsageCounter


@strawberry.type
class BillingQuery:
    """Plans, usage, invoices, and what billing providers reported."""

    plan: Plan | None = one(models.Plan, "A plan by its id.")
    plans: Connection[Plan] | None = many(models.Plan, "The plans that M3Core offers, newest first.")
    usage_counter: UsageCounter | None = one(models.UsageCounter, "A usage counter by its id.")
    usage_counters: Connection[UsageCounter] | None = many(
        models.UsageCounter, "What the tenant used, newest first."
    )
    invoice: Invoice | None = one(models.Invoice, "An invoice by its id.")
    invoices: Connection[Invoice] | None = many(models.Invoice, "The tenant's invoices, newest first.")
    billing_webhook_logs: Connection[BillingWebhookLog] | None = many(
        models.BillingWebhookLog, "The calls by billing providers, of all tenants, newest first."
    )
