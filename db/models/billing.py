"""Plans, what a tenant subscribed to, used and owes."""

from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db.base import (
    CASCADE,
    Base,
    Currency,
    Json,
    Money,
    TenantOwned,
    Timestamp,
    Timestamped,
    UuidKey,
    one_of,
    refers_to,
)
from db.enums import InvoiceStatus, SubscriptionStatus


class Plan(UuidKey, Timestamped, Base):
    """What M3Core offers, the same for all tenants."""

    __tablename__ = "plans"
    __ordered_by__ = ("tier",)

    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    tier: Mapped[int]
    is_active: Mapped[bool] = mapped_column(server_default=text("TRUE"))


class PlanFeature(UuidKey, Timestamped, Base):
    """A limit of a plan; none where ``limit_value`` is NULL."""

    __tablename__ = "plan_features"
    __listed_by__ = ("plan_id",)
    __table_args__ = (UniqueConstraint("plan_id", "feature_code"),)

    plan_id: Mapped[UUID] = mapped_column(ForeignKey("plans.id", ondelete=CASCADE))
    feature_code: Mapped[str]
    limit_value: Mapped[Decimal | None]


class TenantSubscription(Timestamped, Base):
    """The plan that a tenant is on."""

    __tablename__ = "tenant_subscription"
    __table_args__ = (Index("tenant_subscription_plan_id_ix", "plan_id"),)

    tenant_id: Mapped[UUID] = mapped_column(
        ForeignKey("tenants.id", ondelete=CASCADE), primary_key=True, info={"hidden": True}
    )
    plan_id: Mapped[UUID | None] = mapped_column(ForeignKey("plans.id"))
    status: Mapped[str] = one_of(SubscriptionStatus, SubscriptionStatus.TRIAL)
    started_at: Mapped[Timestamp] = mapped_column(server_default=text("now()"))
    renews_at: Mapped[Timestamp | None]
    provider: Mapped[str | None]
    provider_customer_id: Mapped[str | None]
    provider_sub_id: Mapped[str | None]


class UsageCounter(UuidKey, TenantOwned, Timestamped, Base):
    """How much of one thing a tenant used in a period."""

    __tablename__ = "usage_counters"
    __ordered_by__ = ("period_start",)
    __table_args__ = (UniqueConstraint("tenant_id", "metric_code", "period_start"),)

    metric_code: Mapped[str]
    value: Mapped[Decimal] = mapped_column(server_default=text("0"))
    period_start: Mapped[date]
    period_end: Mapped[date]
    last_increment_at: Mapped[Timestamp | None]


class Invoice(UuidKey, TenantOwned, Timestamped, Base):
    """What a tenant owes for a period."""

    __tablename__ = "invoices"
    __ordered_by__ = ("period_start", "updated_at")

    period_start: Mapped[date]
    period_end: Mapped[date]
    total_amount: Mapped[Money] = mapped_column(server_default=text("0"))
    currency: Mapped[Currency] = mapped_column(server_default=text("'USD'"))
    status: Mapped[str] = one_of(InvoiceStatus, InvoiceStatus.DRAFT)
    provider_invoice_id: Mapped[str | None]


class InvoiceLine(UuidKey, TenantOwned, Timestamped, Base):
    """One position of an invoice; it may change while the invoice is a draft."""

    __tablename__ = "invoice_lines"
    __listed_by__ = ("invoice_id",)

    invoice_id: Mapped[UUID] = refers_to("invoices", CASCADE)
    product_code: Mapped[str]
    description: Mapped[str | None]
    quantity: Mapped[Decimal] = mapped_column(server_default=text("1"))
    unit_amount: Mapped[Money]
    amount: Mapped[Money]
    # Declarative keeps the attribute name "metadata" for itself.
    metadata_: Mapped[Json | None] = mapped_column("metadata")


class BillingWebhookLog(UuidKey, Timestamped, Base):
    """A call by a billing provider, before anybody knows which tenant it concerns."""

    __tablename__ = "billing_webhook_logs"

    provider: Mapped[str]
    event_type: Mapped[str | None]
    raw: Mapped[Json]
    received_at: Mapped[Timestamp] = mapped_column(server_default=text("now()"))
    processed: Mapped[bool] = mapped_column(server_default=text("FALSE"))
    error_message: Mapped[str | None]


__all__ = [
    "BillingWebhookLog",
    "Invoice",
    "InvoiceLine",
    "Plan",
    "PlanFeature",
    "TenantSubscription",
    "UsageCounter",
]
