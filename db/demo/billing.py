"""The plans of M3Core, and what a tenant subscribed to, used and owes."""

from decimal import Decimal
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.demo.outline import Outline
from db.demo.sheet import Sheet
from db.enums import InvoiceStatus
from db.models import (
    BillingWebhookLog,
    Invoice,
    InvoiceLine,
    Plan,
    PlanFeature,
    TenantSubscription,
    UsageCounter,
)

FEATURES: Final = ("users", "units", "messages_per_month", "storage_gb", "api_calls_per_day")

# Name, tier, and the limits in the order of FEATURES; None is without limit
PLANS: Final = {
    "starter": ("Starter", 1, (5, 200, 1_000, 5, 5_000)),
    "growth": ("Growth", 2, (25, 2_000, 20_000, 50, 100_000)),
    "enterprise": ("Enterprise", 3, (None, None, 250_000, Decimal("512.5"), None)),
}
USAGE: Final[dict[str, int | Decimal]] = {
    "users": 11,
    "units": 420,
    "messages": 6_200,
    "storage_gb": Decimal("14.75"),
}

# Product, description, and its price in US cents
PRODUCTS: Final = (
    ("plan", "The plan, one month", 14_900),
    ("extra_users", "Additional users", 900),
    ("sms_pack", "رسائل نصية، باقة ألف رسالة", 2_500),
)
INVOICES: Final = (
    InvoiceStatus.DRAFT,
    InvoiceStatus.OPEN,
    InvoiceStatus.PAID,
    InvoiceStatus.PAID,
    InvoiceStatus.VOID,
    InvoiceStatus.PAID,
    InvoiceStatus.PAID,
    InvoiceStatus.PAID,
)
"""From this month's back."""

# Event, and what went wrong when it was processed
EVENTS: Final = (
    ("invoice.created", None),
    ("invoice.paid", None),
    ("customer.subscription.updated", None),
    ("charge.failed", "no tenant has the customer cus_unknown"),
)


async def build_global(connection: AsyncConnection, sheet: Sheet) -> dict[str, UUID]:
    """Write plans, their features and the billing provider's calls, where there are no plans yet.

    The result is the id of each plan by its code.
    """
    plans = await _plans(connection)
    if plans:
        return plans
    for code, (name, tier, limits) in PLANS.items():
        plan_id = sheet.add(Plan, code, code=code, name=name, tier=tier, created_at=sheet.ago(700))
        for feature, limit in zip(FEATURES, limits, strict=True):
            sheet.add(
                PlanFeature,
                f"{code}/{feature}",
                plan_id=plan_id,
                feature_code=feature,
                limit_value=limit,
                created_at=sheet.ago(700),
            )
    for n in range(24):
        event, error = EVENTS[n % len(EVENTS)]
        moment = sheet.ago(n * 6.5 + 0.2)
        sheet.add(
            BillingWebhookLog,
            n,
            provider="stripe",
            event_type=event,
            raw={"id": f"evt_{n:06}", "type": event, "data": {"object": {"currency": "usd"}}},
            received_at=moment,
            processed=error is None and n > 1,
            error_message=error,
            created_at=moment,
        )
    await sheet.write(connection)
    return await _plans(connection)


def build(sheet: Sheet, outline: Outline, plans: dict[str, UUID]) -> None:
    """Write the tenant's subscription, six months of usage and its invoices."""
    sheet.link(
        TenantSubscription,
        plan_id=plans.get(outline.plan),
        status=outline.subscription,
        started_at=sheet.ago(430),
        renews_at=sheet.ago(-16),
        provider="stripe",
        provider_customer_id=f"cus_{sheet.slug}",
        provider_sub_id=f"sub_{sheet.slug}",
        created_at=sheet.ago(430),
    )
    for metric, value in USAGE.items():
        for back in range(6):
            first, last = sheet.month(back)
            sheet.add(
                UsageCounter,
                f"{metric}/{back}",
                metric_code=metric,
                value=Decimal(value) * (10 - back) / 10,
                period_start=first,
                period_end=last,
                last_increment_at=min(sheet.now, sheet.clock(last, 22)),
                created_at=sheet.clock(first, 0),
            )
    for back, status in enumerate(INVOICES):
        _invoice(sheet, back, status)


def _invoice(sheet: Sheet, back: int, status: str) -> None:
    first, last = sheet.month(back)
    created = min(sheet.now, sheet.clock(last, 23))
    amounts = [(product, 1 if n == 0 else (back + n) % 4) for n, product in enumerate(PRODUCTS)]
    invoice_id = sheet.add(
        Invoice,
        back,
        period_start=first,
        period_end=last,
        total_amount=sum(price * quantity for (_, _, price), quantity in amounts),
        currency="USD",
        status=status,
        provider_invoice_id=None if status == InvoiceStatus.DRAFT else f"in_{sheet.slug}_{back:03}",
        created_at=created,
    )
    for (product, description, price), quantity in amounts:
        sheet.add(
            InvoiceLine,
            f"{back}/{product}",
            invoice_id=invoice_id,
            product_code=product,
            description=description,
            quantity=Decimal(quantity),
            unit_amount=price,
            amount=price * quantity,
            metadata={"period": first.isoformat()},
            created_at=created,
        )


async def _plans(connection: AsyncConnection) -> dict[str, UUID]:
    found = await connection.execute(select(Plan.code, Plan.id))
    return {row.code: row.id for row in found}
