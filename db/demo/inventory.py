"""Developers, projects, and units with their rooms."""

import math
from decimal import Decimal
from random import Random
from typing import Final, NamedTuple
from uuid import UUID

from db.demo import names
from db.demo.outline import Outline
from db.demo.places import COMMERCIAL, DEVELOPERS, KINDS, OWN_KINDS, OWN_ROOMS, ROOMS, Site
from db.demo.sheet import Sheet
from db.enums import UnitStatus
from db.models import ComponentTypeCode, Developer, Project, Unit, UnitComponent, UnitTypeCode

STATUSES: Final = (
    UnitStatus.AVAILABLE,
    UnitStatus.SOLD,
    UnitStatus.AVAILABLE,
    UnitStatus.RESERVED,
    UnitStatus.AVAILABLE,
    UnitStatus.AVAILABLE,
    UnitStatus.SOLD,
    UnitStatus.AVAILABLE,
    UnitStatus.AVAILABLE,
    UnitStatus.WITHDRAWN,
)


class Offer(NamedTuple):
    """A unit, as those who sell it see it."""

    id: UUID
    code: str
    kind: str
    size: int
    site: Site
    status: str
    prices: tuple[int, ...]
    """In piastres: the first one, and what each rise made of it."""
    rooms: tuple[tuple[UUID, str], ...]
    """The parts, each with its type."""


def build(sheet: Sheet, outline: Outline) -> list[Offer]:
    """Write the whole inventory; the result is its units, project by project."""
    _codes(sheet)
    number = names.phones(1)
    for key in dict.fromkeys(site.developer for site in outline.sites):
        firm = DEVELOPERS[key]
        sheet.add(
            Developer,
            key,
            name=firm.name,
            website=f"https://www.{firm.domain}.test",
            phone=next(number),
            email=f"sales@{firm.domain}.test",
            address=firm.address,
            logo_url=f"https://cdn.{firm.domain}.test/logo.svg",
            created_at=sheet.ago(500),
        )
    dice = sheet.dice("inventory")
    offers: list[Offer] = []
    for site in outline.sites:
        _project(sheet, site)
        offers += [_unit(sheet, dice, site, n) for n in range(outline.units_a_site)]
    return offers


def _codes(sheet: Sheet) -> None:
    for code in OWN_KINDS:
        label = f"{KINDS[code].english} / {KINDS[code].arabic}"
        sheet.add(UnitTypeCode, code, code=code, label=label, created_at=sheet.ago(520))
    for code, label in OWN_ROOMS.items():
        sheet.add(ComponentTypeCode, code, code=code, label=label, created_at=sheet.ago(520))


def _project(sheet: Sheet, site: Site) -> None:
    begun, ended = (sheet.month(-months)[0] for months in site.months)
    sheet.add(
        Project,
        site.code,
        developer_id=sheet.id_of(Developer, site.developer),
        name=site.name,
        location={
            "lat": site.lat,
            "lng": site.lng,
            "city": site.city,
            "governorate": site.governorate,
            "country": "EG",
        },
        status=site.status,
        start_date=begun,
        end_date=ended,
        description=site.description,
        created_at=sheet.ago(480 - len(site.name)),
    )


def _unit(sheet: Sheet, dice: Random, site: Site, n: int) -> Offer:
    kind = site.kinds[n % len(site.kinds)]
    about = KINDS[kind]
    code = f"{site.code}-{'ABCD'[n // 8 % 4]}{n % 8 + 1:02}"
    floor = dice.randint(*about.floors)
    size = dice.randint(*about.size)
    width = round(math.sqrt(size) * 0.85, 2)
    # A price list goes in steps of ten thousand pounds, and a rise is of four to nine per cent.
    prices = [_pounds(size * site.pounds * dice.uniform(0.92, 1.12) * (1 + floor / 100))]
    for _ in range(n % 4):
        prices.append(_pounds(prices[-1] * dice.uniform(1.04, 1.09)))
    status = STATUSES[n % len(STATUSES)] if site.status != "planning" else UnitStatus.AVAILABLE
    created = sheet.ago(400 - n - dice.random())
    unit_id = sheet.add(
        Unit,
        code,
        project_id=sheet.id_of(Project, site.code),
        code=code,
        floor=floor,
        unit_type_code=kind,
        size_sqm=Decimal(size),
        bedrooms=about.bedrooms,
        bathrooms=about.bathrooms,
        view=site.view[n % len(site.view)],
        price_minor=prices[0] * 100,
        currency="EGP",
        status=status,
        virtual_tour_url=f"https://tours.demo.test/{code.lower()}" if n % 3 == 0 else None,
        length_m=metres(size / width),
        width_m=metres(width),
        height_m=Decimal("3.10") if kind in COMMERCIAL else Decimal("2.80"),
        created_at=created,
    )
    rooms = tuple(_rooms(sheet, dice, code, kind, unit_id))
    return Offer(unit_id, code, kind, size, site, status, tuple(price * 100 for price in prices), rooms)


def _rooms(sheet: Sheet, dice: Random, unit: str, kind: str, unit_id: UUID) -> list[tuple[UUID, str]]:
    about = KINDS[kind]
    types = ["RECEPTION"] + ["ROOM_BED"] * about.bedrooms + ["ROOM_BATH"] * about.bathrooms
    if kind not in COMMERCIAL:
        types += ["KITCHEN_STD", "GARDEN" if about.floors == (0, 0) else "BALCONY_STD"]
    arabic = dice.random() < 0.4
    rooms: list[tuple[UUID, str]] = []
    for order, code in enumerate(types):
        room = ROOMS[code]
        which = f" {types[:order].count(code) + 1}" if types.count(code) > 1 else ""
        stretch = dice.uniform(0.9, 1.2)
        length_m, width_m = metres(room.length * stretch), metres(room.width * stretch)
        room_id = sheet.add(
            UnitComponent,
            f"{unit}/{order}",
            unit_id=unit_id,
            component_type_code=code,
            name=(room.arabic if arabic else room.english) + which,
            length_m=length_m,
            width_m=width_m,
            height_m=None if code == "GARDEN" else Decimal("2.80"),
            area_sqm=metres(float(length_m * width_m)),
            sort_order=order,
            created_at=sheet.ago(380 - order),
        )
        rooms.append((room_id, code))
    return rooms


def metres(value: float) -> Decimal:
    """A length or an area, as the database keeps it."""
    return Decimal(f"{value:.2f}")


def _pounds(value: float) -> int:
    return round(value / 10_000) * 10_000
