"""Requests in each state, with what was done about them."""

from datetime import timedelta
from typing import Final, NamedTuple
from uuid import UUID

from db.demo.crm import Market
from db.demo.identity import Staff
from db.demo.inventory import Offer
from db.demo.sheet import Row, Sheet
from db.demo.words import REJECTIONS
from db.enums import ApprovalAction, ApprovalState
from db.models import Approval, ApprovalStep, Campaign

STEPS: Final = {
    ApprovalState.PENDING: (ApprovalAction.SUBMITTED,),
    ApprovalState.APPROVED: (ApprovalAction.SUBMITTED, ApprovalAction.APPROVED),
    ApprovalState.REJECTED: (ApprovalAction.SUBMITTED, ApprovalAction.ESCALATED, ApprovalAction.REJECTED),
    ApprovalState.CANCELLED: (ApprovalAction.SUBMITTED, ApprovalAction.CANCELLED),
    ApprovalState.APPLIED: (ApprovalAction.SUBMITTED, ApprovalAction.APPROVED, ApprovalAction.APPLIED),
}
ASKED_BY_REQUESTER: Final = frozenset({ApprovalAction.SUBMITTED, ApprovalAction.CANCELLED})


class Subject(NamedTuple):
    """What a request is about, and who asks."""

    domain: str
    entity: str
    id: UUID
    payload: Row
    requester: UUID


def build(sheet: Sheet, staff: Staff, market: Market, offers: list[Offer]) -> None:
    """Three requests in each state: a discount on a deal, a unit's price, a campaign's launch."""
    subjects = [
        [
            Subject("deal.discount", "deal", sale.id, {"percent": 5, "reason": "دفع نقدي"}, sale.seller)
            for sale in market.sales
        ],
        [
            Subject("unit.price", "unit", offer.id, {"price_minor": str(offer.prices[-1])}, staff.inventory)
            for offer in offers
        ],
        [
            Subject(
                "campaign.launch", "campaign", sheet.id_of(Campaign, n), {"recipients": 60}, staff.marketing
            )
            for n in range(5)
        ],
    ]
    for n, (state, steps) in enumerate(STEPS.items()):
        for kind, choice in enumerate(subjects):
            _approval(sheet, staff, f"{state}/{kind}", choice[n], state, steps, days=2.0 + n * 9 + kind)


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
    levels = 2 if ApprovalAction.ESCALATED in steps else 1
    approval_id = sheet.add(
        Approval,
        key,
        domain=subject.domain,
        subject_entity=subject.entity,
        subject_id=subject.id,
        payload=subject.payload,
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
