"""Prices that rose, by updates as anybody makes them, so that the trigger keeps their history."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import BindParameter, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.demo.inventory import Offer
from db.demo.sheet import Sheet
from db.models import Unit, UnitPriceChange

RISES: Final = (190, 60, 2)
"""How many days ago prices went up; a unit takes part in the first none, one, two or three."""


async def rise(connection: AsyncConnection, sheet: Sheet, offers: list[Offer]) -> None:
    """Bring each unit's price to the last of `Offer.prices`, one rise after the other."""
    unit = update(Unit).where(Unit.tenant_id == sheet.tenant_id, Unit.id == bindparam("unit"))
    for n in range(1, len(RISES) + 1):
        raised = [{"unit": o.id, "price": o.prices[n]} for o in offers if n < len(o.prices)]
        await connection.execute(unit.values(price_minor=bindparam("price")), raised)
    await _date(connection, sheet, offers)


async def _date(connection: AsyncConnection, sheet: Sheet, offers: list[Offer]) -> None:
    """Give the history its demo ids and days: the trigger knows of neither and wrote random ones and now."""
    mine = UnitPriceChange.tenant_id == sheet.tenant_id
    columns = (
        UnitPriceChange.id,
        UnitPriceChange.unit_id,
        UnitPriceChange.price_minor,
        UnitPriceChange.effective_at,
    )
    written = {
        (row.unit_id, row.price_minor): row for row in await connection.execute(select(*columns).where(mine))
    }
    changes = []
    for place, offer in enumerate(offers):
        for n, price in enumerate(offer.prices):
            row = written[offer.id, price]
            lists_day = sheet.at(RISES[n - 1], 9) + timedelta(seconds=place)
            changes.append(
                {
                    "written": row.id,
                    "stable": sheet.id_of(UnitPriceChange, f"{offer.code}/{n}"),
                    "moment": lists_day if n else row.effective_at,
                }
            )
    moment: BindParameter[datetime] = bindparam("moment")
    await connection.execute(
        update(UnitPriceChange)
        .where(mine, UnitPriceChange.id == bindparam("written"))
        .values(id=bindparam("stable"), effective_at=moment, created_at=moment),
        changes,
    )
