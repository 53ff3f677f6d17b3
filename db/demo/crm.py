"""Companies, contacts, leads, deals on the units of the inventory, and the work done on them."""

from random import Random
from typing import Final, NamedTuple
from uuid import UUID

from db.demo import names
from db.demo.identity import Staff
from db.demo.inventory import Offer
from db.demo.outline import Outline
from db.demo.places import COMMERCIAL, KINDS
from db.demo.sheet import Sheet
from db.demo.words import LEAD_NOTES, TITLES, WORK
from db.enums import ActivityStatus, DealStatus, UnitStatus
from db.models import Activity, Company, Contact, Deal, DealPipeline, DealStage, Lead

PIPELINES: Final = {
    "homes": ("Homes / بيع وحدات سكنية", ("new", "qualified", "viewing", "offer", "reservation", "contract")),
    "commercial": (
        "Offices and shops / إداري وتجاري",
        ("enquiry", "site_visit", "negotiation", "lease", "signed"),
    ),
}
LEAD_STATUSES: Final = ("new", "contacted", "qualified", "new", "nurturing", "unqualified", "converted")
SOURCES: Final = ("website", "facebook", "referral", "walk_in", "cold_call", "exhibition", "broker")
TAGS: Final = ("vip", "investor", "cash", "instalments", "مستثمر", "مصري بالخارج", "first-home", "عميل سابق")

UNIT_AFTER: Final = {
    DealStatus.WON: (UnitStatus.SOLD,),
    DealStatus.OPEN: (UnitStatus.RESERVED, UnitStatus.AVAILABLE),
    DealStatus.LOST: (UnitStatus.AVAILABLE, UnitStatus.WITHDRAWN, UnitStatus.SOLD),
}
"""What may have become of the unit that a deal is about."""


class Client(NamedTuple):
    """A contact."""

    id: UUID
    name: str
    email: str
    phone: str
    company_id: UUID | None


class Sale(NamedTuple):
    """A deal."""

    id: UUID
    name: str
    status: str
    client: Client
    seller: UUID
    offer: Offer
    days: float
    """How many days ago it began."""
    stage: UUID
    next_stage: UUID
    """Where it goes from there; the same where that is the last."""


class Market(NamedTuple):
    """Those one sells to, and the sales."""

    clients: list[Client]
    leads: list[UUID]
    sales: list[Sale]


def build(sheet: Sheet, outline: Outline, staff: Staff, offers: list[Offer]) -> Market:
    """Write all seven tables."""
    dice = sheet.dice("crm")
    clients = _clients(sheet, dice, outline)
    leads = [_lead(sheet, dice, staff, clients, n) for n in range(outline.leads)]
    _pipelines(sheet)
    sales = _sales(sheet, dice, outline, staff, clients, offers)
    for n in range(outline.activities):
        _activity(sheet, dice, sales, n)
    return Market(clients, leads, sales)


def _clients(sheet: Sheet, dice: Random, outline: Outline) -> list[Client]:
    employers: list[tuple[UUID | None, str]] = []
    for n, (name, industry, city, domain) in enumerate(outline.companies):
        employer = sheet.add(
            Company,
            domain,
            name=name,
            industry_code=industry,
            city=city,
            country="EG",
            website=f"https://www.{domain}.test",
            created_at=sheet.ago(450 - n * 6 - dice.random()),
        )
        employers.append((employer, domain))

    clients: list[Client] = []
    number = names.phones(2)
    for n, person in enumerate(names.people(dice, outline.contacts)):
        # Three of five buy for a company; one of twelve has left no address
        company_id, domain = employers[n % len(employers)] if n % 5 < 3 else (None, "post")
        email = f"{person.local_part}@{domain}.test"
        client = Client(
            sheet.id_of(Contact, n), person.arabic if n % 2 else person.latin, email, next(number), company_id
        )
        sheet.add(
            Contact,
            n,
            company_id=company_id,
            full_name=client.name,
            email=None if n % 12 == 11 else email,
            phone_e164=client.phone,
            role_title_code=TITLES[n % len(TITLES)] if company_id else None,
            tags=sorted(dice.sample(TAGS, n % 3)),
            created_at=sheet.ago(dice.uniform(1, 420)),
        )
        clients.append(client)
    return clients


def _lead(sheet: Sheet, dice: Random, staff: Staff, clients: list[Client], n: int) -> UUID:
    client = clients[n * 7 % len(clients)]
    kind = dice.choice(tuple(KINDS))
    created = dice.uniform(0.1, 180)
    return sheet.add(
        Lead,
        n,
        # A tenth came by a form that asked for no name
        contact_id=client.id if n % 10 else None,
        company_id=client.company_id if n % 10 else None,
        source_code=SOURCES[n % len(SOURCES)],
        status_code=LEAD_STATUSES[n % len(LEAD_STATUSES)],
        score=dice.randint(5, 98) if n % 8 else None,
        attributes={
            "budget": {
                "currency": "EGP",
                "from": dice.randrange(15, 40) * 100_000,
                "to": dice.randrange(40, 160) * 100_000,
            },
            "unit_type_code": kind,
            "governorate": dice.choice(("Cairo", "Giza", "Matrouh", "Suez", "Alexandria")),
            "note": LEAD_NOTES[n % len(LEAD_NOTES)],
        },
        assigned_to=staff.sellers[n % len(staff.sellers)] if n % 6 else None,
        tags=sorted(dice.sample(TAGS, n % 4 % 3)),
        created_at=sheet.ago(created),
        updated_at=sheet.ago(created * dice.random()),
    )


def _pipelines(sheet: Sheet) -> None:
    for key, (name, stages) in PIPELINES.items():
        pipeline_id = sheet.add(DealPipeline, key, name=name, created_at=sheet.ago(530))
        for order, code in enumerate(stages):
            sheet.add(
                DealStage,
                f"{key}/{code}",
                pipeline_id=pipeline_id,
                code=code,
                order_index=order,
                created_at=sheet.ago(530),
            )


def _sales(
    sheet: Sheet, dice: Random, outline: Outline, staff: Staff, clients: list[Client], offers: list[Offer]
) -> list[Sale]:
    statuses = (DealStatus.OPEN, DealStatus.WON, DealStatus.OPEN, DealStatus.LOST, DealStatus.OPEN)
    fitting = {
        status: dice.sample(units, len(units))
        for status, after in UNIT_AFTER.items()
        if (units := [offer for offer in offers if offer.status in after])
    }
    sales: list[Sale] = []
    for n in range(outline.deals):
        status = statuses[n % len(statuses)]
        # A unit is won once; when all that were sold have their buyer, the rest is still open
        if status is DealStatus.WON and not fitting[status]:
            status = DealStatus.OPEN
        units = fitting[status]
        offer = units.pop() if status is DealStatus.WON else units[n % len(units)]
        client = clients[n * 11 % len(clients)]
        days = dice.uniform(0.2, 90) if status is DealStatus.OPEN else dice.uniform(30, 360)
        sale = Sale(
            sheet.id_of(Deal, n),
            _name(offer, client),
            status,
            client,
            staff.sellers[n * 3 % len(staff.sellers)],
            offer,
            days,
            *_stages(sheet, offer, status, n),
        )
        _deal(sheet, dice, sale, n)
        sales.append(sale)
    return sales


def _stages(sheet: Sheet, offer: Offer, status: str, n: int) -> tuple[UUID, UUID]:
    pipeline = _pipeline(offer)
    _, codes = PIPELINES[pipeline]
    place = len(codes) - 1 if status == DealStatus.WON else n // 5 % (len(codes) - 1)
    here, there = codes[place], codes[min(place + 1, len(codes) - 1)]
    return sheet.id_of(DealStage, f"{pipeline}/{here}"), sheet.id_of(DealStage, f"{pipeline}/{there}")


def _pipeline(offer: Offer) -> str:
    return "commercial" if offer.kind in COMMERCIAL else "homes"


def _name(offer: Offer, client: Client) -> str:
    kind = KINDS[offer.kind]
    return f"{kind.english if client.name.isascii() else kind.arabic} {offer.code} – {client.name}"


def _deal(sheet: Sheet, dice: Random, sale: Sale, n: int) -> None:
    closes = sale.days * 0.4 if sale.status != DealStatus.OPEN else -dice.uniform(3, 75)
    sheet.add(
        Deal,
        n,
        pipeline_id=sheet.id_of(DealPipeline, _pipeline(sale.offer)),
        stage_id=sale.stage,
        contact_id=sale.client.id,
        company_id=sale.client.company_id,
        name=sale.name,
        # The last price, or what was haggled off it
        amount_minor=round(sale.offer.prices[-1] * (1 - dice.choice((0, 0, 0.02, 0.05))) / 100) * 100,
        currency="EGP",
        status=sale.status,
        expected_close_at=sheet.ago(closes).date() if n % 9 else None,
        tags=sorted(dice.sample(TAGS, n % 3)),
        owner_user_id=sale.seller if n % 14 else None,
        created_at=sheet.ago(sale.days),
        updated_at=sheet.ago(sale.days * dice.uniform(0, 0.4)),
    )


def _activity(sheet: Sheet, dice: Random, sales: list[Sale], n: int) -> None:
    sale = sales[n * 13 % len(sales)]
    kinds = tuple(WORK)
    kind = kinds[n % len(kinds)]
    english, arabic = WORK[kind][n // len(kinds) % len(WORK[kind])]
    subject, description = english if sale.client.name.isascii() else arabic
    # From three weeks ahead back to the beginning; what lies behind is mostly done
    due = dice.randint(-21, 60)
    status = ActivityStatus.OPEN
    if due > 0 and n % 7:
        status = ActivityStatus.DONE if n % 5 else ActivityStatus.CANCELLED
    created = max(due, 0) + dice.uniform(0.2, 10)
    sheet.add(
        Activity,
        n,
        type_code=kind,
        contact_id=sale.client.id,
        company_id=sale.client.company_id,
        deal_id=sale.id if n % 8 else None,
        owner_user_id=sale.seller,
        subject=subject,
        description=description,
        due_at=sheet.at(due, 8 + n % 9, n % 4 * 15) if n % 11 else None,
        status=status,
        created_at=sheet.ago(created),
        updated_at=sheet.ago(max(due, 0) * dice.random() if status != ActivityStatus.OPEN else created),
    )
