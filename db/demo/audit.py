"""Who did what, as the audit log tells it."""

from typing import Final

from db.demo.crm import Market, Sale
from db.demo.identity import AGENTS, Staff
from db.demo.inventory import Offer
from db.demo.outline import Outline
from db.demo.sheet import Row, Sheet
from db.enums import DealStatus
from db.models import AuditLog

ADDRESSES: Final = ("192.0.2.17", "198.51.100.8", "2001:db8:41::7")


def build(sheet: Sheet, outline: Outline, staff: Staff, market: Market, offers: list[Offer]) -> None:
    """Write the log: deals that were won or lost, prices that rose, exports of contacts."""
    ended = [sale for sale in market.sales if sale.status != DealStatus.OPEN]
    for n in range(outline.log_entries):
        sheet.add(
            AuditLog,
            n,
            **_entry(staff, ended, offers, n),
            ip_address=ADDRESSES[n % len(ADDRESSES)],
            user_agent=AGENTS[n % len(AGENTS)],
            created_at=sheet.ago(n * 0.7 + 0.03),
        )


def _entry(staff: Staff, ended: list[Sale], offers: list[Offer], n: int) -> Row:
    sale, offer = ended[n % len(ended)], offers[n % len(offers)]
    if n % 3 == 0:
        return {
            "user_id": sale.seller,
            "action": "deal.update",
            "entity_type": "deal",
            "entity_id": sale.id,
            "before_data": {"status": DealStatus.OPEN, "name": sale.name},
            "after_data": {"status": sale.status, "name": sale.name},
        }
    if n % 3 == 1:
        return {
            "user_id": staff.inventory,
            "action": "unit.price",
            "entity_type": "unit",
            "entity_id": offer.id,
            "before_data": {"price_minor": str(offer.prices[0])},
            "after_data": {"price_minor": str(offer.prices[-1])},
        }
    return {
        "user_id": staff.admin,
        "action": "contacts.export",
        "entity_type": "contact",
        "entity_id": None,
        "before_data": None,
        "after_data": {"rows": 25 + n},
    }
