"""Idle subscriptions in one process: `python -m bench.subscriptions [SOCKETS]`, 10,000 if nothing is said.

Each socket follows the inbox of one of `USERS` users. Measured are the memory of a socket that waits, the
time until all of them have an event that was written at once for every user, and the time from a restart
of the server until all have connected again and been told what they had missed. The server has one core to
itself where there are two.
"""

import asyncio
import os
import resource
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg

from bench.server import TENANT, Database, Process, database, gateway
from bench.sockets import Subscriber
from graph.auth.keys import KeyFile
from graph.auth.tokens import AccessTokens
from graph.events.cursor import event_cursor
from graph.settings import Settings

SOCKETS: Final = 10_000
USERS: Final = 1_000
FIRST: Final = 100
"""The number that is the first user's id."""
CONNECTING: Final = 250
"""Connections that are being opened at a time."""
IDLE_SECONDS: Final = 60
"""Long enough for each socket to be pinged twice."""

_QUERY: Final = (
    "subscription ($after: Cursor) "
    "{ notificationAdded(after: $after) { cursor action notification { id title isRead } } }"
)
_NOTIFY: Final = """
INSERT INTO notifications_inbox (tenant_id, user_id, category, title)
SELECT tenant_id, id, 'system', 'Hello' FROM users WHERE starts_with(email::text, 'follower')
"""


@dataclass
class Follower:
    """A user's token, and where their sockets have come to."""

    token: str
    cursor: str


def memory(pid: int) -> int:
    """The resident memory of a process, in bytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise ProcessLookupError(pid)


async def followers(given: Database, owner: "asyncpg.Connection[asyncpg.Record]") -> list[Follower]:
    """The users, signed in."""
    await owner.execute(
        f"""
        INSERT INTO users (id, tenant_id, email)
        SELECT lpad(to_hex(n + {FIRST}), 32, '0')::uuid, '{TENANT}', 'follower' || n || '@bench.test'
        FROM generate_series(0, {USERS - 1}) n;
        INSERT INTO sessions (id, tenant_id, user_id, refresh_token_hash, expires_at)
        SELECT id, tenant_id, id, id::text, now() + interval '1 day' FROM users
        WHERE starts_with(email::text, 'follower');
        """
    )
    keys = KeyFile(given.keys_file)
    tokens = AccessTokens(keys, Settings(keys_file=given.keys_file, access_token_ttl=86400))
    cursor = event_cursor(keys.current.derive("event-cursor"), TENANT, await newest(owner))
    ids = [UUID(int=FIRST + number) for number in range(USERS)]
    return [Follower(tokens.issue(TENANT, id, id)[0], cursor) for id in ids]


async def newest(owner: "asyncpg.Connection[asyncpg.Record]") -> int:
    """The last event that has its place in the order."""
    return int(await owner.fetchval("SELECT newest FROM gateway.event_bounds()"))


async def connect(process: Process, users: list[Follower], count: int) -> list[Subscriber]:
    """So many sockets, each until it has been told its first event."""
    at = urlsplit(process.url)
    host, port = at.hostname, at.port
    assert host is not None
    assert port is not None
    turn = asyncio.Semaphore(CONNECTING)
    loop = asyncio.get_running_loop()

    async def one(number: int) -> Subscriber:
        user = users[number % len(users)]
        async with turn:
            subscriber = Subscriber(at.netloc, user.token, _QUERY, user.cursor)
            await loop.create_connection(lambda: subscriber, host, port)
            await subscriber.first
        return subscriber

    return await asyncio.gather(*(one(number) for number in range(count)))


async def told(sockets: list[Subscriber], count: int) -> None:
    """Wait until every socket has been told so many events."""
    while any(socket.told < count for socket in sockets):  # noqa: ASYNC110  # 10,000 events to wait for
        await asyncio.sleep(0.02)


class Watch:
    """Seconds since it was made, and those of them that the server computed."""

    def __init__(self, pid: int) -> None:
        self._pid, self._began, self._used = pid, time.perf_counter(), computed(pid)

    def __str__(self) -> str:
        used = computed(self._pid) - self._used
        return f"{time.perf_counter() - self._began:.1f} s ({used:.1f} s of the server's CPU)"


def computed(pid: int) -> float:
    """Seconds that a process has computed."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def measure(count: int) -> None:
    """All of it, printed as it comes."""
    async with database() as given:
        owner = await asyncpg.connect(given.owner_url, server_settings={"app.maintenance": "on"})
        try:
            users = await followers(given, owner)
            await owner.execute(_NOTIFY)
            async with gateway(given, pinned=True) as process:
                for socket in await connect(process, users, 200):
                    socket.drop()
                await asyncio.sleep(3)
                before, watch = memory(process.pid), Watch(process.pid)
                sockets = await connect(process, users, count)
                print(f"connected, initialised, subscribed and told one event: {count} in {watch}")
                await asyncio.sleep(5)
                print(f"memory of a socket: {(memory(process.pid) - before) / count / 1000:.1f} kB")
                await asyncio.sleep(IDLE_SECONDS)
                print(f"after {IDLE_SECONDS} s: {(memory(process.pid) - before) / count / 1000:.1f} kB")
                print(f"closed by then: {sum(socket.closed is not None for socket in sockets)}")
                watch = Watch(process.pid)
                await owner.execute(_NOTIFY)
                await told(sockets, 2)
                print(f"one event for each user, told on {count} sockets: {watch}")
                for number, user in enumerate(users):
                    user.cursor = sockets[number].cursor
                await owner.execute(_NOTIFY)
                await told(sockets, 3)
                began = time.perf_counter()
            await asyncio.gather(*(socket.end for socket in sockets))
            codes = {socket.closed for socket in sockets}
            print(f"drained in {time.perf_counter() - began:.1f} s, all closed with {codes}")
            async with gateway(given, pinned=True) as process:
                watch = Watch(process.pid)
                again = await connect(process, users, count)
                print(f"all back, each told the one event that it had missed: {watch}")
                await asyncio.sleep(3)
                print(f"told twice: {sum(socket.told > 1 for socket in again)}")
        finally:
            await owner.close()


def main() -> None:
    """The one command."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else SOCKETS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + 1000
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))
    asyncio.run(measure(count))


if __name__ == "__main__":
    main()
