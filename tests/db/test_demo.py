"""The demo: rows everywhere, the same each time, and accounts that sign in."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import DateTime, Row, Table, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from db import demo, seed
from db.base import Base
from db.enums import SubscriptionStatus
from db.models import MessageTemplate, Project, RolePermission, Tenant, User
from db.session import Database, Scope
from graph.auth import keys
from graph.auth.keys import KeyFile
from graph.auth.passwords import Passwords
from graph.auth.signin import Client, Credentials, sign_in
from graph.auth.tokens import AccessTokens
from graph.auth.viewer import effective, load_viewer
from graph.context import Services
from graph.events.hub import Hub
from graph.permissions import Permission
from graph.settings import Settings
from tests.factories import make_tenant
from tests.server import Server, Urls, seeing_all

TABLES = Base.metadata.sorted_tables
SIZES = {
    "activities": 500,
    "campaign_sends": 360,
    "companies": 60,
    "contacts": 250,
    "deal_pipelines": 2,
    "deals": 300,
    "developers": 6,
    "leads": 300,
    "projects": 15,
    "units": 420,
}
ACCOUNTS = {
    ("demo", "admin@demo.test"): seed.ADMIN,
    ("demo", "sales@demo.test"): seed.SALES_EXEC,
    ("demo", "inventory@demo.test"): seed.INVENTORY_MGR,
    ("other", "admin@other.test"): seed.ADMIN,
}
EMAILS = sorted(email for _, email in ACCOUNTS)


@contextlib.asynccontextmanager
async def connected(urls: Urls) -> AsyncIterator[AsyncConnection]:
    """A connection of the owner's that sees all tenants."""
    engine = seeing_all(urls.owner)
    async with engine.connect() as connection:
        yield connection
    await engine.dispose()


@pytest.fixture(scope="module")
async def loaded(server: Server, migrated: str) -> AsyncIterator[Urls]:
    """A database with the demo, for all tests of this file."""
    urls = await server.create_database(template=migrated)
    await demo.load_demo(urls.owner)
    yield urls
    await server.drop_database(urls.name)


@pytest.fixture
async def rows(loaded: Urls) -> AsyncIterator[AsyncConnection]:
    """The way to its rows."""
    async with connected(loaded) as connection:
        yield connection


@pytest.fixture
async def services(loaded: Urls, tmp_path: Path) -> AsyncIterator[Services]:
    keys.generate(tmp_path / "keys.json")
    settings = Settings(keys_file=tmp_path / "keys.json", database_url=SecretStr("postgresql://unused"))
    file, passwords, database = KeyFile(settings.keys_file), Passwords(threads=1), Database(loaded.gateway)
    hub = Hub("postgresql://unused", database)
    yield Services(database, file, AccessTokens(file, settings), passwords, settings, hub)
    passwords.close()
    await database.close()


async def contents(connection: AsyncConnection) -> dict[str, list[str]]:
    """Every row of every table, as text."""
    found = {}
    for table in TABLES:
        found[table.name] = sorted(str(row) for row in await connection.execute(table.select()))
    return found


async def keys_of(connection: AsyncConnection) -> dict[str, set[Row[Any]]]:
    """The primary keys of all tenants' rows, by table."""
    found = {}
    for table in TABLES:
        # The time in the keys of the partitioned tables is relative to loading
        columns = [column for column in table.primary_key if not isinstance(column.type, DateTime)]
        of_tenants = select(*columns)
        if "tenant_id" in table.c:
            of_tenants = of_tenants.where(table.c.tenant_id.is_not(None))
        found[table.name] = set(await connection.execute(of_tenants))
    return found


async def sizes(connection: AsyncConnection, slug: str) -> dict[str, int]:
    """How many rows a tenant has in each table; the tables that belong to none are counted whole."""
    tenant = await connection.scalar(select(Tenant.id).where(Tenant.slug == slug))
    found = {}
    for table in TABLES:
        rows = select(func.count()).select_from(table)
        if "tenant_id" in table.c:
            rows = rows.where(table.c.tenant_id == tenant)
        found[table.name] = (await connection.execute(rows)).scalar_one()
    return found


async def fetch(connection: AsyncConnection, sql: str) -> list[Any]:
    return list(await connection.execute(text(sql)))


@pytest.mark.parametrize("slug", ["demo", "other"])
async def test_each_tenant_has_rows_in_all_43_tables(rows: AsyncConnection, slug: str) -> None:
    found = await sizes(rows, slug)
    assert len(found) == 43
    assert [name for name, count in found.items() if count == 0] == []


async def test_it_is_as_large_as_its_outline(rows: AsyncConnection) -> None:
    found = await sizes(rows, "demo")
    assert {name: found[name] for name in SIZES} == SIZES


async def test_loading_again_changes_nothing(loaded: Urls, rows: AsyncConnection) -> None:
    before = await contents(rows)
    await demo.load_demo(loaded.owner)
    assert await contents(rows) == before


async def test_two_loaders_at_once_make_the_ids_of_any_other_database(
    rows: AsyncConnection, scratch_database: Urls
) -> None:
    await asyncio.gather(demo.load_demo(scratch_database.owner), demo.load_demo(scratch_database.owner))
    async with connected(scratch_database) as connection:
        here, there = await keys_of(rows), await keys_of(connection)
    for name in ("sessions", "audit_logs"):  # other tests of this file may have signed in by now
        assert there.pop(name) <= here.pop(name)
    assert there == here


async def test_what_fails_half_way_leaves_nothing(
    scratch_database: Urls, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError("half-way")

    monkeypatch.setattr(demo.prices, "rise", fail)
    async with connected(scratch_database) as connection:
        before = await contents(connection)
        with pytest.raises(RuntimeError, match="half-way"):
            await demo.load_demo(scratch_database.owner)
        assert await contents(connection) == before


async def test_tenants_that_are_there_stay_as_they_are(scratch_database: Urls) -> None:
    async with connected(scratch_database) as connection:
        for slug in ("demo", "other"):
            await make_tenant(connection, slug=slug)
        before = await contents(connection)
        await demo.load_demo(scratch_database.owner)
        assert await contents(connection) == before


@pytest.mark.parametrize(("slug", "email"), ACCOUNTS)
async def test_the_accounts_sign_in_with_the_rights_of_their_role(
    services: Services, slug: str, email: str
) -> None:
    done = await sign_in(services, Credentials(slug, email, "demo-password"), Client())
    async with services.database.read(Scope(tenant_id=done.tenant_id)) as connection:
        viewer = await load_viewer(connection, done.tenant_id, done.user_id, done.session_id)
    assert viewer is not None
    assert viewer.permissions == effective(ACCOUNTS[slug, email].permissions, platform=False)
    assert viewer.permissions


async def test_nobody_else_can_sign_in(rows: AsyncConnection) -> None:
    found = await rows.execute(select(User.email).where(User.password_hash.is_not(None)))
    assert sorted(found.scalars()) == EMAILS


async def test_a_sales_lead_has_the_rights_of_a_seller_too(services: Services, rows: AsyncConnection) -> None:
    ((tenant, user, session),) = await fetch(
        rows,
        "SELECT u.tenant_id, u.id, s.id FROM users u JOIN sessions s ON s.user_id = u.id"
        " WHERE u.email = 'nour.mansour@demo.test' AND s.revoked_at IS NULL",
    )
    async with services.database.read(Scope(tenant_id=tenant)) as connection:
        viewer = await load_viewer(connection, tenant, user, session)
    assert viewer is not None
    assert viewer.permissions > effective(seed.SALES_EXEC.permissions, platform=False)
    assert viewer.has(Permission.DEALS_DELETE)


async def test_every_stored_permission_is_one(rows: AsyncConnection) -> None:
    stored = set((await rows.execute(select(RolePermission.permission))).scalars())
    assert stored - {permission.value for permission in Permission} == {seed.EVERYTHING}


async def test_arabic_text_survives(rows: AsyncConnection) -> None:
    subject = await rows.scalar(
        select(MessageTemplate.subject)
        .join(Tenant, Tenant.id == MessageTemplate.tenant_id)
        .where(MessageTemplate.code == "welcome", MessageTemplate.locale == "ar", Tenant.slug == "demo")
    )
    assert subject == "أهلًا بك يا {{name}}"
    project = select(Project.name, Project.name_norm).where(Project.name.contains("النخيل"))
    assert list(await rows.execute(project)) == [("واحة النخيل", "واحة النخيل")]


BILINGUAL = (
    "activities.subject campaigns.name companies.name contacts.full_name deals.name developers.name"
    " notifications_inbox.title projects.description telemarketing_calls.notes unit_components.name"
    " user_profiles.full_name"
)


@pytest.mark.parametrize("column", BILINGUAL.split())
async def test_both_languages_are_spoken(rows: AsyncConnection, column: str) -> None:
    name, _, field = column.partition(".")
    values = (await rows.execute(select(Base.metadata.tables[name].c[field]))).scalars()
    arabic = [any("ء" <= letter <= "ي" for letter in value) for value in values if value]
    assert min(arabic.count(True), arabic.count(False)) >= 2


async def test_every_value_of_every_closed_list_occurs(rows: AsyncConnection) -> None:
    seen: dict[type[StrEnum], set[str]] = {}
    for column in (column for table in TABLES for column in table.c if "enum" in column.info):
        found = await rows.execute(select(column).distinct())
        seen.setdefault(column.info["enum"], set()).update(found.scalars())
    # Two tenants have no more than two subscriptions
    assert seen.pop(SubscriptionStatus) == {"active", "trial"}
    assert seen == {values: {member.value for member in values} for values in seen}


async def test_prices_rose_through_the_trigger(rows: AsyncConnection) -> None:
    histories = await fetch(
        rows,
        "SELECT u.price_minor, array_agg(h.price_minor ORDER BY effective_at),"
        " bool_and(changed_by_user_id IS NOT NULL), min(effective_at) = u.created_at"
        " FROM units u JOIN unit_price_history h ON h.unit_id = u.id GROUP BY u.id",
    )
    assert len(histories) == 444
    assert {len(prices) for _, prices, _, _ in histories} == {1, 2, 3, 4}
    for price, prices, by_somebody, from_the_first in histories:
        assert (prices, price) == (sorted(set(prices)), prices[-1])
        assert by_somebody
        assert from_the_first


async def test_maps_are_drawn_where_the_projects_are(rows: AsyncConnection) -> None:
    drawn = await fetch(
        rows,
        "SELECT p.location, s.geom_geojson, p.map_overlay_id FROM map_shapes s"
        " JOIN map_overlays o ON o.id = s.overlay_id JOIN projects p ON p.id = o.project_id",
    )
    assert len(drawn) > 200
    for location, shape, overlay in drawn:
        assert location.keys() == {"lat", "lng", "city", "governorate", "country"}
        (ring,) = shape["coordinates"]
        assert (shape["type"], len(ring), ring[0]) == ("Polygon", 5, ring[-1])
        assert all(abs(lng - location["lng"]) < 0.01 > abs(lat - location["lat"]) for lng, lat in ring)
        assert overlay is not None


async def test_the_demo_looks_alive(rows: AsyncConnection) -> None:
    work = "SELECT due_at > now(), count(*) FROM activities WHERE status = 'open' GROUP BY 1"
    counts = {row[0]: row[1] for row in await fetch(rows, work)}
    assert min(counts[True], counts[False]) >= 10
    inboxes = await fetch(
        rows,
        "SELECT u.email::text, count(*) FILTER (WHERE is_read), count(*) FILTER (WHERE NOT is_read)"
        " FROM users u JOIN notifications_inbox n ON n.user_id = u.id"
        " WHERE u.password_hash IS NOT NULL GROUP BY u.email",
    )
    assert sorted(inboxes) == [(email, 8, 4) for email in EMAILS]


@pytest.mark.parametrize("table", TABLES, ids=str)
async def test_no_row_changed_before_it_was_made_or_after_today(rows: AsyncConnection, table: Table) -> None:
    changed = table.c.get("updated_at", table.c.created_at)
    wrong = select(func.count()).where((changed < table.c.created_at) | (changed > func.now()))
    assert await rows.scalar(wrong) == 0
