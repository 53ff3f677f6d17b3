"""What providers reported to a tenant."""

from typing import Final

from db.demo.crm import Market
from db.demo.outline import Outline
from db.demo.sheet import Sheet
from db.models import IntegrationWebhookLog

# Provider, event, and what it tells besides whom it is about
EVENTS: Final = (
    ("brevo", "delivered", {"ip": "192.0.2.44"}),
    ("infobip", "DELIVERY_REPORT", {"price": {"pricePerMessage": 0.02, "currency": "EUR"}}),
    ("brevo", "opened", {"userAgent": "Thunderbird"}),
    ("infobip", "INBOUND_MESSAGE", {"text": "أريد معرفة أسعار الوحدات"}),
    ("brevo", "hard_bounce", {"reason": "550 5.1.1 mailbox unavailable"}),
    ("oauth", "token_revoked", {"account": "calendar"}),
)


def build(sheet: Sheet, outline: Outline, market: Market) -> None:
    """Write the log of some weeks; what came last is not processed yet."""
    for n in range(outline.log_entries):
        provider, event, told = EVENTS[n % len(EVENTS)]
        client = market.clients[n * 3 % len(market.clients)]
        moment = sheet.ago(n * 0.4 + 0.01)
        sheet.add(
            IntegrationWebhookLog,
            n,
            provider=provider,
            event_type=event,
            raw={"messageId": f"{provider}-{n:06}", "to": client.email, **told},
            received_at=moment,
            processed=n >= 8,
            created_at=moment,
        )
