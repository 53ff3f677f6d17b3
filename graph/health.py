"""Whether this process should be sent requests: what `/readyz` answers."""

import asyncio
from collections.abc import Callable
from functools import cache
from time import monotonic
from typing import Final

import structlog
from sqlalchemy import text

from db import migrate
from db.session import Database, DatabaseUnavailable, Scope
from graph.limits import READY_SECONDS

_REVISION: Final = text("SELECT version_num FROM gateway.alembic_version")
_head: Final = cache(migrate.head)

log = structlog.get_logger(__name__)


class Readiness:
    """Asks the database at most once a second, however many probes there are."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._checks: list[Callable[[], str | None]] = []
        self._asking = asyncio.Lock()
        self._found: list[str] = []
        self._until = 0.0

    def add(self, check: Callable[[], str | None]) -> None:
        """Ask `check` too, which answers at once with the reason why not, or None.

        The reason is public: a few words that name nothing secret.
        """
        self._checks.append(check)

    async def reasons(self) -> list[str]:
        """Why the process is not ready; empty if it is."""
        async with self._asking:
            if monotonic() >= self._until:
                found = [reason for check in self._checks if (reason := check())]
                database = await self._database_fails()
                self._tell([*([database] if database else []), *found])
                self._until = monotonic() + READY_SECONDS
            return self._found

    def _tell(self, found: list[str]) -> None:
        if found != self._found:
            log.warning("readiness", reasons=found)
        self._found = found

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
