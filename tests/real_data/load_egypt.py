"""The Egyptian listings as a tenant's inventory: 19,360 units in 1,521 projects.

A project is a compound in one city of one governorate (the same name occurs in several). Nobody is named
as its developer, so compounds whose names begin with the same two words (`Mountain View …`) count as one
developer's; streets and names of their own have none. A maid's room becomes a component of its unit. The
payment method has no column here and is left out.

An import writes many rows at the same instant: a thousand at a time, and the thousands one microsecond
apart, so that a cursor which loses precision or ties shows it.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import ComponentTypeCode, Developer, Project, Unit, UnitComponent, UnitTypeCode
from tests.real_data.source import Line, id_of, insert_all, read

IMPORTED_AT: Final = datetime(2026, 1, 15, 9, 30, 0, 123456, tzinfo=UTC)
BATCH: Final = 1000
MAID_ROOM: Final = "ROOM_MAID"
ROADS: Final = frozenset({"St.", "St", "Road", "Axis", "Square"})


def read_listings() -> list[Line]:
    """The listings; the test is skipped where they are not there."""
    return read("egypt-listings", "listings.csv")


def place(listing: Line) -> tuple[str, str, str]:
    """What tells one project from another."""
    return listing["compound"], listing["governorate"], listing["city"]


def developers(listings: Iterable[Line]) -> dict[str, str]:
    """The developer of each compound that has one."""
    heads = {
        compound: " ".join(words[:2])
        for compound in dict.fromkeys(listing["compound"] for listing in listings)
        if len(words := compound.split()) > 1 and words[-1] not in ROADS
    }
    shared = Counter(heads.values())
    return {compound: head for compound, head in heads.items() if shared[head] > 1}


def type_code(listing: Line) -> str:
    """The code of the listing's type, such as `TWIN_HOUSE`."""
    return listing["type"].upper().replace(" ", "_")


def price_minor(listing: Line) -> int:
    """The price in piastres; the file has whole pounds."""
    return int(listing["price"]) * 100


def created_at(number: int) -> datetime:
    """When the listing on line `number`, from 0, was imported."""
    return IMPORTED_AT + timedelta(microseconds=number // BATCH)


async def load_egypt(connection: AsyncConnection, tenant_id: UUID, listings: list[Line]) -> None:
    """Fill the tenant."""
    own: dict[str, Any] = {"tenant_id": tenant_id}
    builder = developers(listings)

    def developer(name: str) -> UUID:
        return id_of(tenant_id, Developer, name)

    names = dict.fromkeys(builder.values())
    await insert_all(connection, Developer, [own | {"id": developer(n), "name": n} for n in names])
    projects = [
        own
        | {
            "id": id_of(tenant_id, Project, *where),
            "name": where[0],
            "developer_id": developer(builder[where[0]]) if where[0] in builder else None,
            "location": {"governorate": where[1], "city": where[2]},
        }
        for where in dict.fromkeys(map(place, listings))
    ]
    await insert_all(connection, Project, projects)
    types = {type_code(listing): listing["type"] for listing in listings}
    codes = [own | {"code": code, "label": label} for code, label in types.items()]
    await insert_all(connection, UnitTypeCode, codes)
    await insert_all(connection, ComponentTypeCode, [own | {"code": MAID_ROOM, "label": "Maid's room"}])
    units = [own | _unit(tenant_id, number, listing) for number, listing in enumerate(listings)]
    await insert_all(connection, Unit, units)
    rooms = [
        own | {"unit_id": unit["id"], "component_type_code": MAID_ROOM, "created_at": unit["created_at"]}
        for unit, listing in zip(units, listings, strict=True)
        if listing["maid_room"] == "1"
    ]
    await insert_all(connection, UnitComponent, rooms)


def _unit(tenant_id: UUID, number: int, listing: Line) -> dict[str, Any]:
    return {
        "id": id_of(tenant_id, Unit, number),
        "project_id": id_of(tenant_id, Project, *place(listing)),
        "code": f"EG-{number:05}",
        "unit_type_code": type_code(listing),
        "size_sqm": Decimal(listing["size"]),
        "bedrooms": int(Decimal(listing["bedrooms"])),
        "bathrooms": int(Decimal(listing["bathrooms"])),
        "price_minor": price_minor(listing),
        "currency": "EGP",
        "created_at": created_at(number),
    }
