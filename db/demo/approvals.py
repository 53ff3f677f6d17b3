"""Requests in each state, with what was done about them."""

from datetime import timedelta
from typing import Final, NamedTuple
from uuid import UUID

from db.demo.crm import Market, Sale
from db.demo.identity import Staff
from db.demo.inventory import Offer
from db.demo.marketing import STATUSES
from db.demo.sheet import Row, Sheet
from db.demo.words import REJECTIONS
from db.enums import (
    ApprovalAction,
    ApprovalDomain,
    ApprovalState,
    CampaignStatus,
    CampaignType,
    DealStatus,
)
from db.models import Approval, ApprovalStep, Campaign, MessageTemplate

STEPS: Final = {
    ApprovalState.PENDING: (ApprovalAction.SUBMITTED,),
    ApprovalState.APPROVED: (ApprovalAction.SUBMITTED, ApprovalAction.APPROVED),
    ApprovalState.REJECTED: (ApprovalAction.SUBMITTED, ApprovalAction.ESCALATED, ApprovalAction.REJECTED),
    ApprovalState.CANCELLED: (ApprovalAction.SUBMITTED, ApprovalAction.CANCELLED),
    ApprovalState.APPLIED: (ApprovalAction.SUBMITTED, ApprovalAction.APPROVED, ApprovalAction.APPLIED),
}
DRAFT: Final = STATUSES.index(CampaignStatus.DRAFT)
"""The number of the campaign that is a draft; it goes by SMS."""
ASKED_BY_REQUESTER: Final = frozenset({ApprovalAction.SUBMITTED, ApprovalAction.CANCELLED})


class Subject(NamedTuple):
    """What a request is about, and who asks."""

    domain: ApprovalDomain
    entity: str
    id: UUID
    before: Row
    wanted: Row
    requester: UUID


def build(sheet: Sheet, staff: Staff, market: Market, offers: list[Offer]) -> None:
    """Three requests in each state, as the gateway writes them: those that are pending can be agreed to."""
    going_on = [sale for sale in market.sales if sale.status == DealStatus.OPEN]
    mine = sorted(going_on, key=lambda sale: sale.seller != staff.sellers[0])
    moves, prices = [_move(sale) for sale in mine], [_price(offer, staff) for offer in offers]
    for n, (state, steps) in enumerate(STEPS.items()):
        for kind, subject in enumerate((moves[n], prices[n], _launch(sheet, staff, n))):
            _approval(sheet, staff, f"{state}/{kind}", subject, state, steps, days=2.0 + n * 9 + kind)


def _move(sale: Sale) -> Subject:
    here, there = ({"stageId": str(stage)} for stage in (sale.stage, sale.next_stage))
    return Subject(ApprovalDomain.DEAL_STAGE_MOVE, "deal", sale.id, here, there, sale.seller)


def _price(offer: Offer, staff: Staff) -> Subject:
    before, wanted = (
        {"priceMinor": str(price), "currency": "EGP"}
        for price in (offer.prices[-1], offer.prices[-1] * 21 // 20)
    )
    return Subject(ApprovalDomain.UNIT_PRICE_CHANGE, "unit", offer.id, before, wanted, staff.inventory)


def _launch(sheet: Sheet, staff: Staff, n: int) -> Subject:
    code = "visit_reminder"
    before = {"type": CampaignType.SMS, "templateId": str(sheet.id_of(MessageTemplate, f"{code}/en"))}
    variables = {"project": "Zayed Park", "date": "12 March", "time": "16:00"}
    wanted = {"templateCode": code, "locale": "en", "audience": {"contacts": {}}, "variables": variables}
    # The campaign that is a draft waits for its approval
    campaign = sheet.id_of(Campaign, DRAFT if n == 0 else n - 1)
    return Subject(ApprovalDomain.CAMPAIGN_LAUNCH, "campaign", campaign, before, wanted, staff.marketing)


def _approval(
    sheet: Sheet,
    staff: Staff,
    key: str,
    subject: Subject,
    state: ApprovalState,
    steps: tuple[ApprovalAction, ...],
    days: float,
) -> None:
    asked = sheet.ago(days)
    before, wanted = subject.before, subject.wanted
    if state == ApprovalState.APPLIED and wanted.keys() == before.keys():
        before, wanted = wanted, before  # so that the row is what was asked for
    levels = 2 if ApprovalAction.ESCALATED in steps else 1
    approval_id = sheet.add(
        Approval,
        key,
        domain=subject.domain,
        subject_entity=subject.entity,
        subject_id=subject.id,
        payload={**wanted, "from": before},
        state=state,
        level=levels,
        required_levels=levels,
        requested_by=subject.requester,
        sla_due_at=asked + timedelta(days=3),
        created_at=asked,
        updated_at=asked + timedelta(hours=5 * (len(steps) - 1)),
    )
    for n, action in enumerate(steps):
        sheet.add(
            ApprovalStep,
            f"{key}/{n}",
            approval_id=approval_id,
            actor_user_id=subject.requester if action in ASKED_BY_REQUESTER else staff.admin,
            action=action,
            note=REJECTIONS[len(key) % len(REJECTIONS)] if action == ApprovalAction.REJECTED else None,
            created_at=asked + timedelta(hours=5 * n),
        )
