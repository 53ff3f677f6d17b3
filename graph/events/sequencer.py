"""The sequencer: one process among all moves events from the outbox to the log, in their one order."""

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import asyncpg
import structlog

from graph.events.link import DEADLINE, Link

CANDIDATE_SECONDS: Final = 0.5
"""How often those who are not the sequencer try to become it."""

FORGET_SECONDS: Final = 10.0
"""How often what is past its retention goes."""

_BATCH: Final = 1000
# The beat is the server's: a busy event loop here does not delay anybody's events. A round takes half a
# second, so that a sequencer without a process behind it does not live on for longer.
_ROUND: Final = f"""
DO $$
DECLARE
  moved integer;
BEGIN
  FOR beat IN 1..30 LOOP
    moved := gateway.sequence_events({_BATCH});
    COMMIT;
    IF moved < {_BATCH} THEN
      PERFORM pg_sleep(0.015);
    END IF;
  END LOOP;
END $$
"""
# In one statement with the lock: whoever is frozen behind it would keep it for as long
ELECT: Final = """
SELECT CASE WHEN pg_try_advisory_lock(hashtext('m3core.sequencer'))
  THEN set_config('idle_session_timeout', '5s', false) IS NOT NULL ELSE false END
"""
"""Whether the session is the sequencer's from now on; it is then over when nothing is heard of it for 5 s."""
_FORGET: Final = f"SELECT gateway.forget_events($1, {_BATCH})"

log = structlog.get_logger(__name__)

if TYPE_CHECKING:
    Driver = asyncpg.Connection[asyncpg.Record]


class Sequencer:
    """A candidate from `start` to `stop`; the one that holds the lock of a session does the work.

    The lock saves work, no more: `gateway.sequence_events` is right also where two run at once.
    """

    def __init__(self, url: str, retention: timedelta) -> None:
        """`url` leads to PostgreSQL itself, past any pooler; what is older than `retention` is forgotten."""
        self._link = Link(url, "sequencer", self._work)
        self._retention = retention

    async def start(self) -> None:
        """Become a candidate; returns at once, whether the database can be reached or not."""
        await self._link.start()

    async def stop(self) -> None:
        """Leave the work to another."""
        await self._link.stop()

    async def _work(self, connection: "Driver") -> None:
        while not await connection.fetchval(ELECT, timeout=DEADLINE):  # noqa: ASYNC110  # another process
            await asyncio.sleep(CANDIDATE_SECONDS)
        log.info("events.sequencing")
        clock = asyncio.get_running_loop().time
        forget_at = clock()
        while True:
            await connection.execute(_ROUND, timeout=DEADLINE)
            if clock() >= forget_at:
                forgotten = await connection.fetchval(_FORGET, self._retention, timeout=DEADLINE)
                forget_at = clock() + (0 if forgotten == _BATCH else FORGET_SECONDS)
