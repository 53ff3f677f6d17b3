"""Nothing is lost and nothing told twice, whatever fails, in the one order for all.

A short storm each; `--storm 60` makes it a minute, and `-s` shows how long events took.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import asyncpg
import psutil
import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from db.embedded import EmbeddedServer
from db.models import Session
from graph.auth import keys
from graph.auth.keys import KeyFile
from graph.auth.tokens import AccessTokens
from graph.settings import Settings
from tests.crash.load import serving
from tests.events.fragile import HOLDER, crash, private_server
from tests.events.storm import Person, Storm
from tests.factories import insert, make_tenant, make_user
from tests.server import Urls

GATEWAYS = 2
SUBSCRIBERS = 200
PEOPLE = 40


class Site:
    """A server of its own, two gateways on it, and the people of a tenant."""

    def __init__(self, server: EmbeddedServer, urls: Urls, keys_file: Path, stack: AsyncExitStack) -> None:
        self.server, self.urls, self.keys_file, self._stack = server, urls, keys_file, stack
        self.processes: dict[str, psutil.Process] = {}
        self.gateways: list[str] = []

    async def serve(self) -> None:
        """Start another gateway."""
        process, url = await self._stack.enter_async_context(serving(self.urls.gateway, self.keys_file))
        self.processes[url] = psutil.Process(process.pid)
        self.gateways.append(url)

    async def storm(self) -> Storm:
        """A storm over a new tenant."""
        tokens = AccessTokens(KeyFile(self.keys_file), Settings(keys_file=self.keys_file))
        engine = create_async_engine(
            self.urls.owner.replace("postgresql://", "postgresql+asyncpg://", 1),
            isolation_level="AUTOCOMMIT",
            connect_args={"server_settings": {"app.maintenance": "on"}},
        )
        async with engine.connect() as owner:
            tenant, people = await make_tenant(owner), []
            for _ in range(PEOPLE):
                user = await make_user(owner, tenant, "*")
                expires = datetime.now(UTC) + timedelta(days=1)
                values = {"refresh_token_hash": uuid4().hex, "expires_at": expires}
                session = await insert(owner, Session, tenant_id=tenant, user_id=user, **values)
                people.append(Person(user, tokens.issue(tenant, user, session["id"])[0]))
        await engine.dispose()
        return Storm(self.urls, tenant, people, self.gateways)

    async def nothing(self) -> None:
        """All goes well."""

    async def kill(self) -> None:
        """`kill -9` of the gateway whose sequencer works; another gateway comes in its place."""
        owner = await asyncpg.connect(self.urls.owner, server_settings={"app.maintenance": "on"})
        (holder,) = await owner.fetch(HOLDER)
        await owner.close()
        for url, process in self.processes.items():
            if holder["client_port"] in {it.laddr.port for it in process.net_connections("tcp")}:
                self.gateways.remove(url)
                process.kill()
        assert len(self.gateways) == GATEWAYS - 1
        await self.serve()

    async def restart(self) -> None:
        """`pg_ctl restart -m immediate`."""
        await crash(self.server)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    keys.generate(tmp_path / "keys.json")
    async with private_server() as (server, urls), AsyncExitStack() as stack:
        site = Site(server, urls, tmp_path / "keys.json", stack)
        for _ in range(GATEWAYS):
            await site.serve()
        yield site


@pytest.mark.parametrize("fault", [Site.nothing, Site.kill, Site.restart])
async def test_every_log_is_the_databases(
    fault: Callable[[Site], Awaitable[None]], site: Site, pytestconfig: pytest.Config
) -> None:
    storm = await site.storm()
    await storm.subscribe(SUBSCRIBERS)
    await storm.rage(pytestconfig.getoption("storm"), lambda: fault(site))
    for subscriber, expected in zip(storm.subscribers, await storm.expected(), strict=True):
        assert subscriber.log == expected
    told = sum(len(subscriber.log) for subscriber in storm.subscribers)
    assert told > SUBSCRIBERS
    delays = storm.delays() or [0.0]
    p50, p95, p99 = (1000 * delays[int(len(delays) * share)] for share in (0.50, 0.95, 0.99))
    print(
        f"\n{told} events told, {len(delays)} of them to who was there; "
        f"commit to client p50 {p50:.0f}, p95 {p95:.0f}, p99 {p99:.0f} ms"
    )
