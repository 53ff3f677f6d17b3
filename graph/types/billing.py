"""Plans, what a tenant subscribed to, used and owes, as they are shown."""

from __future__ import annotations

from strawberry import ID

from db import models
from db.enums import InvoiceStatus, SubscriptionStatus
from graph.connection import Connection
from graph.node import Node, Timestamped
from graph.permissions import Permission
from graph.relations import to_many, to_one
from graph.scalars import JSON, BigInt, CurrencyCode, Date, DateTime, Decimal
from graph.tables import column, table


@table(models.Plan)
class Plan(Node, Timestamped):
    """What M3Core offers, the same for all tenants."""

    code: str = column("Its code, unique.")
    name: str = column("What it is called.")
    tier: int = column("How much it offers; higher is more.")
    is_active: bool = column("Whether it can be chosen now.")
    features: Connection[PlanFeature] = to_many(models.PlanFeature.plan_id, "What it allows, newest first.")


@table(models.PlanFeature)
class PlanFeature(Node, Timestamped):
    """Something that a plan allows, and how much of it."""

    plan_id: ID = column("The id of the plan.")
    plan: Plan = to_one(models.PlanFeature.plan_id, "The plan.")
    feature_code: str = column("What is allowed, such as `users.max`; unique in the plan.")
    limit_value: Decimal | None = column("How much of it; null if there is no limit.")


@table(models.TenantSubscription)
class TenantSubscription(Timestamped):
    """The plan that the tenant is on."""

    plan_id: ID | None = column("The id of the plan; null before one is chosen.")
    plan: Plan | None = to_one(models.TenantSubscription.plan_id, "The plan; null before one is chosen.")
    status: SubscriptionStatus = column("How it stands.")
    started_at: DateTime = column("When it began.")
    renews_at: DateTime | None = column("When it is next renewed; null if it is not.")
    provider: str | None = column("The billing provider that owns it; null if none does.")
    provider_customer_id: str | None = column("What the provider calls the tenant.")
    provider_sub_id: str | None = column("What the provider calls the subscription.")


@table(models.UsageCounter, needs=Permission.BILLING_VIEW)
class UsageCounter(Node, Timestamped):
    """How much of one thing the tenant used in a period."""

    metric_code: str = column("What is counted, such as `messages.monthly`; one counter a period.")
    value: Decimal = column("How much was used so far.")
    period_start: Date = column("The first day of the period.")
    period_end: Date = column("The last day of the period.")
    last_increment_at: DateTime | None = column("When it last grew; null if it never did.")


@table(models.Invoice, needs=Permission.BILLING_VIEW)
class Invoice(Node, Timestamped):
    """What the tenant owes for a period."""

    period_start: Date = column("The first day of the period.")
    period_end: Date = column("The last day of the period.")
    total_amount: BigInt = column("What is owed in all, in the currency's minor unit.")
    currency: CurrencyCode = column("The currency of all its amounts.")
    status: InvoiceStatus = column("How it stands.")
    provider_invoice_id: str | None = column("What the billing provider calls it; null if none has it.")
    lines: Connection[InvoiceLine] | None = to_many(
        models.InvoiceLine.invoice_id, "Its positions, newest first."
    )


@table(models.InvoiceLine, needs=Permission.BILLING_VIEW)
class InvoiceLine(Node, Timestamped):
    """One position of an invoice."""

    invoice_id: ID = column("The id of the invoice.")
    invoice: Invoice | None = to_one(models.InvoiceLine.invoice_id, "The invoice.")
    product_code: str = column("What is charged for, as M3Core codes it.")
    description: str | None = column("What is charged for, in words.")
    quantity: Decimal = column("How many are charged for.")
    unit_amount: BigInt = column("The price of one, in the minor unit of the invoice's currency.")
    amount: BigInt = column("The price of all, in the minor unit of the invoice's currency.")
    metadata: JSON | None = column("What else the billing service noted.")


@table(models.BillingWebhookLog, needs=Permission.PLATFORM_VIEW)
class BillingWebhookLog(Node, Timestamped):
    """A call by a billing provider, whichever tenant it concerns. For M3Core's operators alone."""

    provider: str = column("Who called, such as `stripe`.")
    event_type: str | None = column("What happened, in the provider's words.")
    raw: JSON | None = column("What the call carried, as it came.")
    received_at: DateTime = column("When it came.")
    processed: bool = column("Whether it has been dealt with.")
    error_message: str | None = column("Why dealing with it failed; null if it did not.")
