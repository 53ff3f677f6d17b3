"""Whether this process should be sent requests: what `/readyz` answers."""

import asyncio
from functools import cache
from time import monotonic
from typing import Final

import structlog
from sqlalchemy import text

from db import migrate
from db.session import Database, DatabaseUnavailable, Scope
from graph.events.hub import Hub
from graph.limits import EVENTS_LATE_SECONDS, READY_SECONDS

_REVISION: Final = text("SELECT version_num FROM gateway.alembic_version")
_head: Final = cache(migrate.head)

log = structlog.get_logger(__name__)


class Readiness:
    """Asks the database at most once a second, however many probes there are."""

    def __init__(self, database: Database, hub: Hub) -> None:
        self._database, self._hub = database, hub
        self._asking = asyncio.Lock()
        self._found: list[str] = []
        self._until = 0.0

    async def reasons(self) -> list[str]:
        """Why the process is not ready; empty if it is."""
        async with self._asking:
            if monotonic() >= self._until:
                reasons = (await self._database_fails(), self._events_fail())
                self._tell([reason for reason in reasons if reason is not None])
                self._until = monotonic() + READY_SECONDS
            return self._found

    def _tell(self, found: list[str]) -> None:
        if found != self._found:
            log.warning("readiness", reasons=found)
        self._found = found

    def _events_fail(self) -> str | None:
        return "events late" if self._hub.silence > EVENTS_LATE_SECONDS else None

    async def _database_fails(self) -> str | None:
        needed = await asyncio.to_thread(_head)  # which reads the migrations, the first time
        try:
            async with asyncio.timeout(READY_SECONDS), self._database.read(Scope()) as connection:
                revision = (await connection.execute(_REVISION)).scalar_one_or_none()
        except TimeoutError:
            return "database too slow, or all connections in use"
        except DatabaseUnavailable:
            return "database unavailable"
        except Exception:
            log.exception("readiness.failed")
            return "database unusable"
        # Revisions are numbered; a newer one is an upgrade that is being rolled out.
        return None if revision is not None and revision >= needed else "migrations behind"
