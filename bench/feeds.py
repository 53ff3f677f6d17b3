"""How long an event takes from its commit to whoever waits for it: `python -m bench.feeds`.

WRITERS connections commit notices in transactions that take up to a tenth of a second, READERS feeds wait for
them; sequencer and hub are in one process with the feeds. What a transport adds is not in it: `make storm`.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

import asyncpg

from bench.server import TENANT, USER, database
from db.session import Database
from graph.events import Event
from graph.events.hub import Hub
from graph.events.sequencer import Sequencer

WRITERS: Final = 16
READERS: Final = 200
SECONDS: Final = 30

_ADD: Final = (
    "INSERT INTO notifications_inbox (tenant_id, user_id, category, title, id) "
    "VALUES ($1, $2, 'tasks', 'Call', $3)"
)


async def write(url: str, committed: dict[UUID, float]) -> None:
    """Commit one notice after the other, for SECONDS."""
    connection = await asyncpg.connect(url, server_settings={"app.maintenance": "on"})
    ends = time.perf_counter() + SECONDS
    while time.perf_counter() < ends:
        async with connection.transaction():
            id = uuid4()
            await connection.execute(_ADD, TENANT, USER, id)
            await asyncio.sleep(random.uniform(0, 0.1))  # noqa: S311
        committed[id] = time.perf_counter()
    await connection.close()


async def read(feed: AsyncIterator[Event], received: list[tuple[UUID, float]]) -> None:
    """Note when each event comes."""
    async for event in feed:
        received.append((event.entity_id, time.perf_counter()))  # noqa: PERF401  # as they come


async def follow(hub: Hub, received: list[tuple[UUID, float]]) -> None:
    """One reader."""
    async with hub.feed(TENANT, "notification", after=None, user_id=USER) as feed:
        await read(feed, received)


async def main() -> None:
    """Print the percentiles."""
    async with database() as started:
        pool = Database(started.gateway_url)
        hub, sequencer = Hub(started.gateway_url, pool), Sequencer(started.gateway_url, timedelta(hours=1))
        await hub.start()
        await sequencer.start()
        committed: dict[UUID, float] = {}
        received: list[tuple[UUID, float]] = []
        readers = [asyncio.create_task(follow(hub, received)) for _ in range(READERS)]
        await asyncio.gather(*(write(started.owner_url, committed) for _ in range(WRITERS)))
        while len(received) < READERS * len(committed):  # noqa: ASYNC110  # nobody tells of it
            await asyncio.sleep(0.05)
        await sequencer.stop()
        await hub.stop()
        await asyncio.gather(*readers)
        await pool.close()
    took = sorted(at - committed[id] for id, at in received)
    shares = {f"p{share}": 1000 * took[len(took) * share // 100] for share in (50, 95, 99)}
    print(
        f"{WRITERS} writers, {READERS} feeds, {SECONDS} s: {len(committed)} commits, {len(took)} deliveries"
    )
    print("commit to feed: " + ", ".join(f"{name} {value:.1f} ms" for name, value in shares.items()))


if __name__ == "__main__":
    asyncio.run(main())
