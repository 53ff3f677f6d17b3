"""Two tenants with real data in this worker's database, and somebody signed in to each."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from graph.permissions import Permission
from tests.client import Client, running
from tests.factories import make_tenant, make_user
from tests.real_data.load_egypt import load_egypt, read_listings
from tests.real_data.load_maven import Maven, load_maven, read_maven
from tests.real_data.source import Line
from tests.server import Urls

PASSWORD = "a password for the real data"
READER = "reader@real.test"
SIGN_IN = "mutation In($input: SignInInput!) { signIn(input: $input) { accessToken errors { message } } }"
MAVEN_ID = UUID("5b1f3c52-2a8e-4a54-9d0e-5f3f3f0c0001")
EGYPT_ID = UUID("5b1f3c52-2a8e-4a54-9d0e-5f3f3f0c0002")
# The same in both tenants: what one does not find of the other, it is not for want of a permission.
PERMISSIONS = (
    Permission.COMPANIES_VIEW,
    Permission.DEALS_VIEW,
    Permission.GROUPS_VIEW,
    Permission.INVENTORY_VIEW,
    Permission.USERS_VIEW,
)


@dataclass(frozen=True)
class MavenTenant:
    """The sales tenant: its files, and a client of somebody in it."""

    id: UUID
    files: Maven
    client: Client


@dataclass(frozen=True)
class EgyptTenant:
    """The inventory tenant: its listings, and a client of somebody in it."""

    id: UUID
    listings: list[Line]
    client: Client


@pytest.fixture(scope="session")
async def anyone(urls: Urls, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    """A client of the gateway over this worker's database that has not signed in."""
    async with running(urls.gateway, tmp_path_factory.mktemp("real-data")) as client:
        yield client


@pytest.fixture(scope="session")
async def importer(urls: Urls) -> AsyncIterator[AsyncEngine]:
    """The login of the other services: importers write without going through the gateway."""
    engine = create_async_engine(urls.service.replace("postgresql://", "postgresql+asyncpg://", 1))
    yield engine
    await engine.dispose()


@pytest.fixture(scope="session")
async def maven(importer: AsyncEngine, owner_engine: AsyncEngine, anyone: Client) -> MavenTenant:
    """The tenant that holds the Maven CRM set; loaded once, and only read."""
    files = read_maven()
    async with owner_engine.connect() as owner:
        await make_tenant(owner, id=MAVEN_ID, slug="maven")
        async with importer.begin() as connection:
            await load_maven(connection, MAVEN_ID, files)
        await _analyze(owner, "companies", "deals", "users", "user_profiles")
        return MavenTenant(MAVEN_ID, files, await _reader(owner, anyone, MAVEN_ID, "maven"))


@pytest.fixture(scope="session")
async def egypt(importer: AsyncEngine, owner_engine: AsyncEngine, anyone: Client) -> EgyptTenant:
    """The tenant that holds the Egyptian listings; loaded once, and only read."""
    listings = read_listings()
    async with owner_engine.connect() as owner:
        await make_tenant(owner, id=EGYPT_ID, slug="egypt")
        async with importer.begin() as connection:
            await load_egypt(connection, EGYPT_ID, listings)
        await _analyze(owner, "developers", "projects", "units", "unit_components", "unit_price_history")
        return EgyptTenant(EGYPT_ID, listings, await _reader(owner, anyone, EGYPT_ID, "egypt"))


async def _reader(owner: AsyncConnection, anyone: Client, tenant_id: UUID, slug: str) -> Client:
    """A client for a new user of the tenant, who has signed in and may read what was loaded."""
    hashed = await anyone.services.passwords.hash(PASSWORD)
    rights = [permission.value for permission in PERMISSIONS]
    user_id = await make_user(owner, tenant_id, *rights, email=READER, password_hash=hashed)
    given = {"tenantSlug": slug, "email": READER, "password": PASSWORD}
    payload = (await anyone.read(SIGN_IN, input=given))["signIn"]
    assert payload["errors"] == []
    return replace(anyone, token=payload["accessToken"], tenant_id=tenant_id, user_id=user_id)


async def _analyze(owner: AsyncConnection, *tables: str) -> None:
    # Autovacuum would do so at some point of the run: plans, and time, would be a matter of luck
    for table in tables:
        await owner.execute(text(f"ANALYZE {table}"))
