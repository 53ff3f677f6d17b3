"""A connection of one's own to PostgreSQL, past any pooler, that is made anew whenever it is lost."""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Final

import asyncpg
import structlog
from asyncpg.exceptions import InternalClientError

from db.scope import CONNECT_TIMEOUT, DRIVER_ERRORS, SERVER_SETTINGS

DEADLINE: Final = 5.0
"""Seconds that the server may take over one statement here; then the link is taken for dead."""

APPLICATION: Final = "m3core-events"
"""How these connections call themselves in `pg_stat_activity`."""

# A session that the server hears nothing of is over: its process may be frozen, or the network between them
# gone without a word. Each says something every second, unless its process gets no CPU: who has locked
# something, which others wait for, is given less time (`sequencer.py`).
_SETTINGS: Final[Mapping[str, str]] = {
    **SERVER_SETTINGS,
    "application_name": APPLICATION,
    "idle_session_timeout": "60s",
    "tcp_user_timeout": "5s",
    "tcp_keepalives_idle": "2",
    "tcp_keepalives_interval": "1",
    "tcp_keepalives_count": "2",
}
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0

log = structlog.get_logger(__name__)

if TYPE_CHECKING:
    Driver = asyncpg.Connection[asyncpg.Record]


async def is_direct(url: str) -> bool:
    """Whether `url` leads to PostgreSQL itself: a pooler gives its clients process numbers of its own."""
    connection = await asyncpg.connect(url, timeout=CONNECT_TIMEOUT)
    try:
        pid: int = await connection.fetchval("SELECT pg_backend_pid()", timeout=DEADLINE)
        return pid == connection.get_server_pid()
    finally:
        await connection.close(timeout=CONNECT_TIMEOUT)


class Link:
    """`work`, done over a connection from `start` to `stop`; when it fails, again over a new one."""

    def __init__(self, url: str, name: str, work: Callable[["Driver"], Awaitable[None]]) -> None:
        self._url = url
        self._name = name
        self._work = work
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin; whether the database can be reached shows later."""
        self._task = asyncio.create_task(self._run(), name=self._name)

    async def stop(self) -> None:
        """End the work and close the connection."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _run(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            try:
                connection = await asyncpg.connect(
                    self._url, timeout=CONNECT_TIMEOUT, server_settings=dict(_SETTINGS)
                )
                pause = _FIRST_PAUSE
                try:
                    await self._work(connection)
                finally:
                    # A dead link does not answer; that of a cancelled statement has to be cut short
                    with contextlib.suppress(Exception):
                        await connection.close(timeout=1.0)
            except DRIVER_ERRORS as error:
                log.warning("events.link_lost", link=self._name, reason=_reason(error))
            except Exception as error:  # whatever it is, there is nobody else to go on
                log.error("events.link_failed", link=self._name, exc_info=error)
            # Not all at once: every process has lost the database at the same moment
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311
            pause = min(2 * pause, _LONGEST_PAUSE)


def _reason(error: Exception) -> str:
    # What the server says when it ends an idle session the driver takes for a fault of its own, and forgets
    if isinstance(error, InternalClientError):
        return "the server ended the session"
    return f"{type(error).__name__}: {error}"
