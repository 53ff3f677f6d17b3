"""Campaigns, what each recipient got of them, and telephone sales."""

from datetime import datetime, timedelta
from random import Random
from typing import Final, NamedTuple

from db.demo.crm import Market
from db.demo.identity import Staff
from db.demo.outline import Outline
from db.demo.sheet import Row, Sheet
from db.demo.words import CALL_NOTES, CAMPAIGN_NAMES
from db.enums import CampaignStatus, CampaignType, DeliveryStatus, RecipientType
from db.models import Campaign, CampaignSend, TelemarketingCall

PROVIDERS: Final = {"email": "brevo", "sms": "infobip", "whatsapp": "infobip", "inapp": "m3core"}
STATUSES: Final = (
    CampaignStatus.SENT,
    CampaignStatus.SENT,
    CampaignStatus.SENDING,
    CampaignStatus.SENT,
    CampaignStatus.SCHEDULED,
    CampaignStatus.DRAFT,
    CampaignStatus.SENT,
    CampaignStatus.CANCELLED,
    CampaignStatus.SCHEDULED,
)
REACHED: Final = (
    DeliveryStatus.OPENED,
    DeliveryStatus.DELIVERED,
    DeliveryStatus.CLICKED,
    DeliveryStatus.DELIVERED,
    DeliveryStatus.SENT,
    DeliveryStatus.OPENED,
    DeliveryStatus.FAILED,
    DeliveryStatus.DELIVERED,
    DeliveryStatus.SUPPRESSED,
)
"""How far the messages of a finished campaign came."""
STEPS: Final = ("sent_at", "delivered_at", "opened_at", "clicked_at")
WAITING: Final = frozenset({DeliveryStatus.PENDING, DeliveryStatus.QUEUED, DeliveryStatus.CANCELLED})
TAKEN: Final[dict[str, int]] = {
    DeliveryStatus.SENT: 1,
    DeliveryStatus.DELIVERED: 2,
    DeliveryStatus.OPENED: 3,
    DeliveryStatus.CLICKED: 4,
}
"""How many of the steps lie behind a message; none behind any other."""
SENT: Final = frozenset({CampaignStatus.SENT, CampaignStatus.SENDING})
ADDRESSED: Final = SENT | {CampaignStatus.CANCELLED}


class Mailing(NamedTuple):
    """A campaign, and when it was sent or will be."""

    number: int
    name: str
    channel: CampaignType
    status: CampaignStatus
    moment: datetime


def build(sheet: Sheet, outline: Outline, staff: Staff, market: Market) -> None:
    """Write all three tables."""
    dice = sheet.dice("marketing")
    types = tuple(CampaignType)
    for n, (name, status) in enumerate(zip(CAMPAIGN_NAMES, STATUSES, strict=True)):
        moment = {
            CampaignStatus.SENDING: sheet.ago(0.1),
            CampaignStatus.SCHEDULED: sheet.at(-4 - n, 10),
        }.get(status, sheet.at(20 + n * 12, 10))
        mailing = Mailing(n, name, types[n % len(types)], status, moment)
        _campaign(sheet, staff, mailing)
        if status in ADDRESSED:
            for place in range(outline.sends):
                _send(sheet, dice, staff, market, mailing, place, total=outline.sends)
    for n in range(outline.calls):
        _call(sheet, dice, staff, market, n)


def journey(dice: Random, queued: datetime, status: str) -> Row:
    """When a message took each step up to its status; None for those that it has not taken."""
    moments: Row = dict.fromkeys(STEPS)
    moment = queued
    for step in STEPS[: TAKEN.get(status, 0)]:
        moment += timedelta(seconds=dice.uniform(1, 900))
        moments[step] = moment
    return moments


def _campaign(sheet: Sheet, staff: Staff, mailing: Mailing) -> None:
    sheet.add(
        Campaign,
        mailing.number,
        name=mailing.name,
        type=mailing.channel,
        status=mailing.status,
        scheduled_at=None if mailing.status == CampaignStatus.DRAFT else mailing.moment,
        sent_at=mailing.moment if mailing.status in SENT else None,
        completed_at=mailing.moment + timedelta(hours=2) if mailing.status == CampaignStatus.SENT else None,
        created_by_user_id=staff.marketing,
        created_at=min(mailing.moment, sheet.now) - timedelta(days=6 + mailing.number),
    )


def _send(
    sheet: Sheet, dice: Random, staff: Staff, market: Market, mailing: Mailing, place: int, *, total: int
) -> None:
    """One message. Of the campaign that is under way, the second half waits."""
    recipients = {
        RecipientType.CONTACT: [client.id for client in market.clients],
        RecipientType.LEAD: market.leads,
        RecipientType.USER: staff.everyone,
    }
    kind = RecipientType.LEAD if place % 4 == 3 else RecipientType.CONTACT
    if mailing.channel == CampaignType.INAPP:
        kind = RecipientType.USER
    status = REACHED[(mailing.number + place) % len(REACHED)]
    if mailing.status == CampaignStatus.CANCELLED:
        status = DeliveryStatus.CANCELLED
    elif mailing.status == CampaignStatus.SENDING and place >= total // 2:
        status = DeliveryStatus.PENDING if place % 3 else DeliveryStatus.QUEUED
    handed_over = status not in WAITING
    provider = PROVIDERS[mailing.channel]
    queued = mailing.moment + timedelta(seconds=place)
    sheet.add(
        CampaignSend,
        f"{mailing.number}/{place}",
        campaign_id=sheet.id_of(Campaign, mailing.number),
        recipient_id=recipients[kind][place * 3 % len(recipients[kind])],
        recipient_type=kind,
        channel=mailing.channel,
        status=status,
        provider=provider if handed_over else None,
        provider_message_id=f"{provider}-{mailing.number:02}-{place:04}" if handed_over else None,
        queued_at=queued if status != DeliveryStatus.PENDING else None,
        error_message="550 5.1.1 mailbox unavailable" if status == DeliveryStatus.FAILED else None,
        created_at=queued,
        **journey(dice, queued, status),
    )


def _call(sheet: Sheet, dice: Random, staff: Staff, market: Market, n: int) -> None:
    client = market.clients[n * 5 % len(market.clients)]
    days_ago = 45 - n % 50 if n % 50 != 45 else 1
    made = days_ago > 0
    scheduled = sheet.at(days_ago, 9 + n % 8, n % 6 * 10)
    outcome, notes = CALL_NOTES[n % len(CALL_NOTES)]
    talked = dice.randint(40, 900) if outcome not in ("no_answer", "wrong_number") else 0
    started = scheduled + timedelta(seconds=dice.randint(0, 240))
    sheet.add(
        TelemarketingCall,
        n,
        campaign_id=sheet.id_of(Campaign, n % len(STATUSES)) if n % 3 else None,
        agent_user_id=staff.sellers[n % len(staff.sellers)],
        contact_id=client.id,
        lead_id=market.leads[n % len(market.leads)] if n % 2 else None,
        phone_number=client.phone,
        scheduled_at=scheduled,
        started_at=started if made else None,
        ended_at=started + timedelta(seconds=talked + 15) if made else None,
        outcome_code=outcome if made else None,
        notes=notes if made else None,
        recording_url=f"https://recordings.demo.test/{sheet.slug}/{n:04}.mp3" if made and talked else None,
        talk_time_sec=talked if made else None,
        provider_session_id=f"call-{n:05}" if made else None,
        created_at=sheet.ago(max(days_ago, 0) + 2 + dice.random()),
    )
