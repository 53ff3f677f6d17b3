"""The demo: two estate agents to look around in, the same every time.

`demo` is an agency in Cairo with three accounts, `other` a small one on the Red Sea: signed in to one,
nothing of the other is to be seen. Their rows touch all 43 tables, in Arabic and in English; firms, people,
addresses and numbers are invented. To read on: `outline` says who and how much, `places` and `names` what
things are called, `sheet` how a row gets its id, and each other module writes one domain.
"""

from datetime import UTC, datetime
from typing import Final

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.demo import (
    approvals,
    audit,
    billing,
    crm,
    identity,
    integrations,
    inventory,
    maps,
    marketing,
    notifications,
    prices,
)
from db.demo.outline import DEMO, OTHER, Outline
from db.demo.sheet import Sheet
from db.models import Tenant
from db.session import SERVER_SETTINGS, Database, Scope

PASSWORD: Final = identity.PASSWORD
"""Of every account."""

_LOCK: Final = text("SELECT pg_advisory_xact_lock(hashtext('m3core demo'))")


async def load_demo(owner_url: str) -> None:
    """Load what is missing of the two tenants; one that is there stays as it is.

    Each goes in whole or not at all, and two processes at once do not get into each other's way.
    """
    now = datetime.now(UTC)
    # A second loader waits for the first, however slow the machine
    settings = {**SERVER_SETTINGS, "statement_timeout": "2min", "lock_timeout": "2min"}
    database = Database(owner_url, pool_size=1, server_settings=settings)
    try:
        for outline in (DEMO, OTHER):
            sheet = Sheet(outline.slug, now)
            staff = identity.staff_of(sheet, outline)
            scope = Scope(tenant_id=sheet.tenant_id, user_id=staff.inventory, tenant_slug=outline.slug)
            async with database.write(scope) as connection:
                await connection.execute(_LOCK)
                if not await connection.scalar(select(Tenant.id).where(Tenant.slug == outline.slug)):
                    await _load(connection, outline, sheet, staff)
    finally:
        await database.close()


async def _load(connection: AsyncConnection, outline: Outline, sheet: Sheet, staff: identity.Staff) -> None:
    plans = await billing.build_global(connection, Sheet("", sheet.now))
    identity.build(sheet, outline)
    offers = inventory.build(sheet, outline)
    maps.build(sheet, outline, staff, offers)
    market = crm.build(sheet, outline, staff, offers)
    marketing.build(sheet, outline, staff, market)
    notifications.build(sheet, outline, staff, market)
    approvals.build(sheet, staff, market, offers)
    billing.build(sheet, outline, plans)
    integrations.build(sheet, outline, market)
    audit.build(sheet, outline, staff, market, offers)
    await sheet.write(connection)
    await maps.hang(connection, sheet, outline)
    await prices.rise(connection, sheet, offers)
