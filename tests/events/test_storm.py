"""Nothing is lost and nothing told twice, whatever fails, in the one order for all.

A short storm each, as fast as it goes. `make storm` makes it a minute with 200 subscribers, at a rate that
leaves the machine some air, and shows how long events took.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import asyncpg
import psutil
import pytest

from db.embedded import EmbeddedServer
from db.models import Session
from graph.auth import keys
from graph.auth.keys import KeyFile
from graph.auth.tokens import AccessTokens
from graph.settings import Settings
from tests.crash.load import serving
from tests.events.fragile import HOLDER, crash, private_server
from tests.events.pace import Pace
from tests.events.storm import COMMITS, PATIENCE, Person, Storm
from tests.factories import insert, make_tenant, make_user
from tests.server import Urls, seeing_all

GATEWAYS = 2
PEOPLE = 20


class Site:
    """A server of its own, two gateways on it, and the people of a tenant."""

    def __init__(self, server: EmbeddedServer, urls: Urls, keys_file: Path, stack: AsyncExitStack) -> None:
        self.server, self.urls, self.keys_file, self._stack = server, urls, keys_file, stack
        self.processes: dict[str, psutil.Process] = {}
        self.gateways: list[str] = []

    async def serve(self) -> None:
        """Start another gateway."""
        process, url = await self._stack.enter_async_context(serving(self.urls.gateway, self.keys_file))
        self._stack.push_async_callback(_ended, asyncio.create_task(self._listen(process)))
        self.processes[url] = psutil.Process(process.pid)
        self.gateways.append(url)

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        """Read the log, or the process would wait until somebody does; show what it says of faults."""
        assert process.stderr is not None
        async for line in process.stderr:
            if b".failed" in line:
                print(line.decode())

    async def storm(self, rate: float) -> Storm:
        """A storm over a new tenant, of `rate` events a second; see `Pace`."""
        tokens = AccessTokens(KeyFile(self.keys_file), Settings(keys_file=self.keys_file))
        engine = seeing_all(self.urls.owner)
        async with engine.connect() as owner:
            tenant, people = await make_tenant(owner), []
            for _ in range(PEOPLE):
                user = await make_user(owner, tenant, "*")
                expires = datetime.now(UTC) + timedelta(days=1)
                values = {"refresh_token_hash": uuid4().hex, "expires_at": expires}
                session = await insert(owner, Session, tenant_id=tenant, user_id=user, **values)
                people.append(Person(user, tokens.issue(tenant, user, session["id"])[0]))
        await engine.dispose()
        return Storm(self.urls, tenant, people, self.gateways, Pace(rate))

    async def nothing(self) -> None:
        """All goes well."""

    async def kill(self) -> None:
        """`kill -9` of the gateway whose sequencer works; another gateway comes in its place."""
        owner = await asyncpg.connect(self.urls.owner, server_settings={"app.maintenance": "on"})
        async with asyncio.timeout(PATIENCE):
            while len(self.gateways) == GATEWAYS:
                with contextlib.suppress(psutil.Error):
                    backend = psutil.Process(await owner.fetchval(HOLDER) or 0)
                    clients = {it.raddr.port for it in backend.net_connections("tcp") if it.raddr}
                    for url, process in self.processes.items():
                        if clients & {it.laddr.port for it in process.net_connections("tcp")}:
                            self.gateways.remove(url)
                            process.kill()
        await owner.close()
        await self.serve()

    async def restart(self) -> None:
        """`pg_ctl restart -m immediate`."""
        await crash(self.server)


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


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
    storm = await site.storm(pytestconfig.getoption("rate"))
    await storm.subscribe(pytestconfig.getoption("subscribers"))
    await storm.rage(pytestconfig.getoption("storm"), lambda: fault(site))
    for subscriber, expected in zip(storm.subscribers, await storm.expected(), strict=True):
        assert subscriber.log == expected
    told = sum(len(subscriber.log) for subscriber in storm.subscribers)
    assert told > COMMITS
    print(_summary(await storm.events(), storm.seconds, told, storm.delays() or [0.0]))


def _summary(events: int, seconds: float, told: int, delays: list[float]) -> str:
    p50, p95, p99 = (1000 * delays[int(len(delays) * share)] for share in (0.50, 0.95, 0.99))
    return (
        f"\n{events} events in {seconds:.0f} s, {events / seconds:.0f} a second; told {told} times, "
        f"{told / seconds:.0f} a second, {len(delays)} of them measured: "
        f"commit to client p50 {p50:.0f}, p95 {p95:.0f}, p99 {p99:.0f} ms"
    )
