"""What events cost whoever writes: `python -m bench.events`.

WRITERS connections insert notices and commit each, in a loop within the server, so that nothing but the
server is measured; in turn with the trigger and without it, and with a sequencer that moves what it writes.
The ratio is how many times as many rows are written without.
"""

import asyncio
import statistics
from datetime import timedelta
from typing import Final

import asyncpg

from bench.server import TENANT, USER, Database, database
from graph.events.sequencer import Sequencer

WRITERS: Final = 16
SECONDS: Final = 5
ROUNDS: Final = 5

_WRITE: Final = f"""
DO $$
DECLARE
  ends timestamptz := clock_timestamp() + interval '{SECONDS} seconds';
BEGIN
  WHILE clock_timestamp() < ends LOOP
    INSERT INTO notifications_inbox (tenant_id, user_id, category, title, body)
    VALUES ('{TENANT}', '{USER}', 'tasks', 'Call back', 'The client would like to see the flat again.');
    COMMIT;
  END LOOP;
END $$
"""


async def rate(connections: "list[asyncpg.Connection[asyncpg.Record]]") -> float:
    """Rows that all writers commit in a second."""
    owner = connections[0]
    await owner.execute("TRUNCATE notifications_inbox")
    await asyncio.gather(*(connection.execute(_WRITE, timeout=60) for connection in connections))
    return int(await owner.fetchval("SELECT count(*) FROM notifications_inbox")) / SECONDS


async def compare(on: Database, synchronous_commit: str) -> None:
    """Print a line: rows per second without and with the trigger, and the ratio."""
    settings = {"app.maintenance": "on", "synchronous_commit": synchronous_commit}
    connections = [await asyncpg.connect(on.owner_url, server_settings=settings) for _ in range(WRITERS)]
    rates: dict[str, list[float]] = {"DISABLE": [], "ENABLE": []}
    for _ in range(ROUNDS):
        for state, measured in rates.items():
            await connections[0].execute(f"ALTER TABLE notifications_inbox {state} TRIGGER tell_added")
            measured.append(await rate(connections))
    without, with_trigger = (statistics.median(measured) for measured in rates.values())
    print(f"{synchronous_commit:20}{without:12.0f}{with_trigger:12.0f}{without / with_trigger:8.2f}")
    for connection in connections:
        await connection.close()


async def main() -> None:
    """Print a line for writers that wait for the disk and one for those that do not."""
    async with database() as started:
        sequencer = Sequencer(started.gateway_url, timedelta(hours=1))
        await sequencer.start()
        print(f"{WRITERS} writers, medians of {ROUNDS} rounds of {SECONDS} s\n")
        print(f"{'synchronous_commit':20}{'without/s':>12}{'with/s':>12}{'ratio':>8}")
        for setting in ("on", "off"):
            await compare(started, setting)
        await sequencer.stop()


if __name__ == "__main__":
    asyncio.run(main())
