"""Templates, messages on their way, inboxes, and addresses that want no more messages."""

from typing import Final

from db.demo.crm import Market
from db.demo.identity import Staff
from db.demo.marketing import PROVIDERS, REACHED, journey
from db.demo.outline import Outline
from db.demo.sheet import Sheet
from db.demo.words import NOTICES, RETIRED, TEMPLATES
from db.enums import Channel, DeliveryStatus, TemplateStatus
from db.models import Deal, InboxNotification, MessageTemplate, OutboxMessage, SuppressionEntry

REASONS: Final = ("unsubscribed", "hard_bounce", "complaint", "طلب العميل عدم المراسلة")


def build(sheet: Sheet, outline: Outline, staff: Staff, market: Market) -> None:
    """Write all four tables."""
    _templates(sheet)
    _outbox(sheet, outline, market)
    _inboxes(sheet, outline, staff)
    _suppressed(sheet, market)


def _templates(sheet: Sheet) -> None:
    for n, (code, template) in enumerate(TEMPLATES.items()):
        for locale, (subject, body) in (("en", template.english), ("ar", template.arabic)):
            direction = "rtl" if locale == "ar" else "ltr"
            html = f'<p dir="{direction}">{body}</p>' if template.channel == Channel.EMAIL else None
            status = TemplateStatus.RETIRED if code in RETIRED else TemplateStatus.APPROVED
            if (code, locale) == ("launch", "ar"):
                status = TemplateStatus.DRAFT
            sheet.add(
                MessageTemplate,
                f"{code}/{locale}",
                code=code,
                channel=template.channel,
                locale=locale,
                version_status=status,
                subject=subject,
                html_body=html,
                text_body=body,
                variables_schema={
                    "type": "object",
                    "properties": {name: {"type": "string"} for name in template.variables},
                    "required": list(template.variables),
                },
                created_at=sheet.ago(300 - n),
            )


def _outbox(sheet: Sheet, outline: Outline, market: Market) -> None:
    dice = sheet.dice("outbox")
    outgoing = [
        (code, template)
        for code, template in TEMPLATES.items()
        if template.channel != Channel.INAPP and code not in RETIRED
    ]
    for n in range(outline.messages):
        code, template = outgoing[n % len(outgoing)]
        sale = market.sales[n * 7 % len(market.sales)]
        by_email = template.channel == Channel.EMAIL
        waiting = n % 10 == 0
        status: str = DeliveryStatus.PENDING if waiting else REACHED[n % len(REACHED)]
        queued = sheet.ago(dice.uniform(0, 0.5) if waiting else dice.uniform(0.5, 90))
        steps = journey(dice, queued, status)
        sheet.add(
            OutboxMessage,
            n,
            channel=template.channel,
            to_email=sale.client.email if by_email else None,
            to_phone_e164=None if by_email else sale.client.phone,
            template_code=code,
            payload={
                "locale": "en" if sale.client.name.isascii() else "ar",
                "variables": {"name": sale.client.name, "unit": sale.offer.code},
            },
            status=status,
            provider=None if waiting else PROVIDERS[template.channel],
            provider_message_id=None if waiting else f"{PROVIDERS[template.channel]}-{n:06}",
            idempotency_key=f"{code}:{n}",
            queued_at=queued,
            sent_at=steps["sent_at"],
            delivered_at=steps["delivered_at"],
            error_code="mailbox_unavailable" if status == DeliveryStatus.FAILED else None,
            created_at=queued,
        )


def _inboxes(sheet: Sheet, outline: Outline, staff: Staff) -> None:
    """Twelve notices to everybody with an account, three to the others; the newest are unread."""
    for colleague in outline.staff:
        notices = 12 if colleague in outline.accounts else 3
        for n in range(notices):
            notice = NOTICES[n % len(NOTICES)]
            title, body = notice.arabic if colleague.locale == "ar" else notice.english
            sheet.add(
                InboxNotification,
                f"{colleague.login}/{n}",
                user_id=staff.ids[colleague.login],
                category=notice.category,
                title=title,
                body=body,
                meta={"entity": "deal", "id": str(sheet.id_of(Deal, n))},
                is_read=n >= notices // 3,
                created_at=sheet.ago(n * 1.7 + 0.05),
            )


def _suppressed(sheet: Sheet, market: Market) -> None:
    for n, client in enumerate(market.clients[4::15]):
        channel = (Channel.EMAIL, Channel.SMS, Channel.WHATSAPP)[n % 3]
        moment = sheet.ago(n * 9 + 3)
        sheet.add(
            SuppressionEntry,
            n,
            channel=channel,
            normalized_value=client.email if channel == Channel.EMAIL else client.phone,
            reason=REASONS[n % len(REASONS)],
            occurred_at=moment,
            created_at=moment,
        )
