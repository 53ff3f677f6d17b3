"""A database that goes away is UNAVAILABLE, and when it is back the gateway goes on by itself."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from db import models
from db.session import Database, Scope
from graph.events.link import APPLICATION
from tests.client import Client, running, signed_in
from tests.factories import insert, make_tenant, make_user
from tests.graph.proxy import Proxy
from tests.server import Server, Urls, seeing_all

POOL = 3
READ = "{ viewer { user { id } } deals { totalCount nodes { company { name } } } plans { totalCount } }"
SIGN_IN = """mutation ($slug: String!) {
    signIn(input: { tenantSlug: $slug, email: "a@outage.test", password: "correct horse" }) {
        accessToken errors { code }
    }
}"""


@dataclass
class Site:
    """The application over a database of its own that can be taken from it, and a user signed in."""

    client: Client
    server: Server
    urls: Urls
    proxy: Proxy
    elsewhere: "asyncpg.Connection[Any]"
    """The gateway's login on another database: it may end its own connections, the owner may not."""

    async def connections(self) -> list[asyncpg.Record]:
        """What the connections of the gateway's pools do, as the server sees it."""
        seen = await self.elsewhere.fetch(
            "SELECT pid, state, wait_event_type FROM pg_stat_activity"
            " WHERE datname = $1 AND usename = current_user AND application_name <> $2",
            self.urls.name,
            APPLICATION,
        )
        return list(seen)

    async def terminate(self) -> None:
        """End the gateway's connections on the server, as its shutdown does."""
        for connection in await self.connections():
            await self.elsewhere.fetchval("SELECT pg_terminate_backend($1, 10000)", connection["pid"])
        assert await self.connections() == []

    async def cut(self) -> None:
        """End the gateway's connections in the network."""
        await self.proxy.cut()
        await self.proxy.open()

    async def admit(self, *, nobody: bool) -> None:
        owner = await self.server.connect()
        try:
            allow = "false" if nobody else "true"
            await owner.execute(f'ALTER DATABASE "{self.urls.name}" ALLOW_CONNECTIONS {allow}')
        finally:
            await owner.close()

    async def works(self) -> None:
        """Everybody is answered in full, also more people at once than there are connections."""
        for data in await asyncio.gather(*(self.client.read(READ) for _ in range(2 * POOL))):
            assert data["deals"]["totalCount"] == 1
            assert data["deals"]["nodes"][0]["company"]["name"] == "Delta"
        assert (await self.client.read(SIGN_IN, slug="outage"))["signIn"]["errors"] == []

    async def fails(self) -> None:
        """Everybody is told that the database is away, and nothing else."""
        answers = await asyncio.gather(*(self.client.post(READ) for _ in range(2 * POOL)))
        for response in answers:
            assert response.status_code == 503
            answer = response.json()
            assert list(answer) == ["errors"]
            assert [error["extensions"] for error in answer["errors"]] == [{"code": "UNAVAILABLE"}]
            assert self.urls.name not in response.text
        assert await self.client.codes(SIGN_IN, slug="outage") == ["UNAVAILABLE"]
        async with self.client.http() as http:
            assert (await http.get("/healthz")).status_code == 200


@pytest.fixture
async def site(
    request: pytest.FixtureRequest,
    server: Server,
    scratch_database: Urls,
    urls: Urls,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Site]:
    engine = getattr(request, "param", "planned")
    elsewhere = await asyncpg.connect(urls.gateway)
    folder = tmp_path_factory.mktemp("outage")
    async with (
        Proxy.to(scratch_database.gateway) as proxy,
        running(proxy.url, folder, pool_size=POOL, engine=engine) as anyone,
    ):
        async with as_owner(scratch_database) as owner:
            tenant = await make_tenant(owner, slug="outage")
            hashed = await anyone.services.passwords.hash("correct horse")
            await make_user(owner, tenant, email="a@outage.test", password_hash=hashed)
            company = await insert(owner, models.Company, tenant_id=tenant, name="Delta")
            await insert(owner, models.Deal, tenant_id=tenant, company_id=company["id"])
            client = await signed_in(anyone, owner, tenant, "*")
        yield Site(client, server, scratch_database, proxy, elsewhere)
    await elsewhere.close()


@asynccontextmanager
async def as_owner(urls: Urls) -> AsyncIterator[Any]:
    engine = seeing_all(urls.owner)
    try:
        async with engine.connect() as connection:
            yield connection
    finally:
        await engine.dispose()


Loss = Callable[[Site], Awaitable[None]]
every_engine = pytest.mark.parametrize("site", ["planned", "stock"], indirect=True)
every_loss = pytest.mark.parametrize("lose", [Site.terminate, Site.cut])


async def fill_pool(site: Site) -> None:
    """Open as many connections as the two pools hold, and leave them idle."""
    database = site.client.services.database
    async with AsyncExitStack() as stack:
        for _ in range(POOL):
            await stack.enter_async_context(database.read(Scope()))
            await stack.enter_async_context(database.readers.snapshot(Scope()))
    assert [connection["state"] for connection in await site.connections()] == ["idle"] * 2 * POOL


async def test_a_server_that_takes_no_connections_is_unavailable_until_it_does(site: Site) -> None:
    await site.works()
    await site.admit(nobody=True)
    await site.terminate()
    try:
        await site.fails()
        await site.fails()
    finally:
        await site.admit(nobody=False)
    await site.works()


@every_engine
async def test_a_server_that_cannot_be_reached_is_unavailable_until_it_can(site: Site) -> None:
    await site.works()
    await site.proxy.cut()
    await site.fails()
    await site.fails()
    await site.proxy.open()
    await site.works()


@every_loss
async def test_connections_lost_while_idle_are_replaced_without_a_word(site: Site, lose: Loss) -> None:
    for _ in range(2):
        await fill_pool(site)
        await lose(site)
        await site.works()


@every_engine
@every_loss
async def test_a_connection_lost_amid_a_query_is_unavailable_once(site: Site, lose: Loss) -> None:
    await fill_pool(site)
    async with as_owner(site.urls) as owner:
        await owner.execute(sa.text("BEGIN"))
        await owner.execute(sa.text("LOCK TABLE deals IN ACCESS EXCLUSIVE MODE"))
        asked = [asyncio.create_task(site.client.ask(READ)) for _ in range(POOL)]
        async with asyncio.timeout(5):
            while sum(it["wait_event_type"] == "Lock" for it in await site.connections()) < POOL:
                assert not any(task.done() for task in asked)
        await lose(site)
        for answer in await asyncio.gather(*asked):
            assert "data" not in answer
            assert {error["extensions"]["code"] for error in answer["errors"]} == {"UNAVAILABLE"}
        await owner.execute(sa.text("ROLLBACK"))
    await site.works()


async def test_a_write_that_is_lost_amid_it_has_done_nothing(site: Site) -> None:
    await site.works()
    tenant = UUID(str(site.client.tenant_id))
    count = sa.text("SELECT count(*) FROM sessions WHERE tenant_id = :tenant").bindparams(tenant=tenant)
    async with as_owner(site.urls) as owner:
        before = await owner.scalar(count)
        await owner.execute(sa.text("BEGIN"))
        await owner.execute(sa.text("LOCK TABLE audit_logs IN ACCESS EXCLUSIVE MODE"))
        signing_in = asyncio.create_task(site.client.codes(SIGN_IN, slug="outage"))
        async with asyncio.timeout(5):
            while not any(it["wait_event_type"] == "Lock" for it in await site.connections()):
                assert not signing_in.done()
        await site.terminate()
        assert await signing_in == ["UNAVAILABLE"]
        await owner.execute(sa.text("ROLLBACK"))
        assert await owner.scalar(count) == before
    await site.works()


@every_engine
@pytest.mark.parametrize("setting", ["statement_timeout", "lock_timeout"])
async def test_a_statement_past_its_time_is_a_timeout(site: Site, setting: str) -> None:
    services = site.client.services
    impatient = Database(site.urls.gateway, pool_size=1, server_settings={setting: "200ms"})
    site.client.app.state.services = replace(services, database=impatient)
    try:
        async with as_owner(site.urls) as owner:
            for table, query in (("deals", READ), ("audit_logs", SIGN_IN)):
                await owner.execute(sa.text("BEGIN"))
                await owner.execute(sa.text(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"))
                assert set(await site.client.codes(query, slug="outage")) == {"TIMEOUT"}
                await owner.execute(sa.text("ROLLBACK"))
    finally:
        site.client.app.state.services = services
        await impatient.close()
    await site.works()


async def test_the_log_of_a_failed_statement_has_no_values_of_it(site: Site) -> None:
    async with as_owner(site.urls) as owner:
        await owner.execute(sa.text(f'REVOKE INSERT ON sessions FROM "{site.server.gateway_role}"'))
    with capture_logs() as logged:
        assert await site.client.codes(SIGN_IN, slug="outage") == ["INTERNAL"]
    (line,) = [line for line in logged if line["event"] == "field.failed"]
    assert "INSERT INTO sessions" in str(line["exc_info"])
    assert re.search("[0-9a-f]{64}", str(line["exc_info"])) is None, "the hash of a refresh token"
