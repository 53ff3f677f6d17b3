"""Snapshots for statements that are SQL already: the driver's own connections, without what SQLAlchemy adds.

    async with readers.snapshot(Scope(tenant_id=tenant, user_id=user)) as connection:
        rows = await connection.fetch(sql, *parameters)

Checking a connection out, BEGIN and COMMIT are most of what a small query costs. Through SQLAlchemy's pool
they take four times as much; through the driver's own, with its tasks, proxies and the reset of what no
transaction here leaves behind, twice.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import asyncpg

from db.scope import (
    CONNECT_TIMEOUT,
    DRIVER_ERRORS,
    SERVER_SETTINGS,
    DatabaseUnavailable,
    Scope,
    is_dead,
    set_local,
)

if TYPE_CHECKING:
    Driver = asyncpg.Connection[asyncpg.Record]

_BEGIN: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


class Readers:
    """The connections that the engine reads by, opened as needed; the last one used goes out first."""

    def __init__(
        self, url: str, *, pool_size: int, server_settings: Mapping[str, str] = SERVER_SETTINGS
    ) -> None:
        """Take a `postgresql://` URL; nothing is connected before the first snapshot."""
        self._arguments: dict[str, Any] = {
            "dsn": url,
            "server_settings": dict(server_settings),
            "timeout": CONNECT_TIMEOUT,
            "statement_cache_size": 1000,
        }
        self._size, self._opened = pool_size, 0
        self._idle: list[Driver] = []
        self._waiting: deque[asyncio.Future[Driver | None]] = deque()
        self._closed = False
        self.loggers: list[Callable[[Any], Any]] = []
        """Told of each statement, as asyncpg's `add_query_logger` has it."""

    @contextlib.asynccontextmanager
    async def snapshot(self, scope: Scope) -> AsyncIterator["Driver"]:
        """A connection in a read-only transaction in which every statement sees the same snapshot."""
        connection = await self._begin(_BEGIN + set_local(scope))
        ended = False
        try:
            for logger in self.loggers:
                connection.add_query_logger(logger)
            yield connection
            await connection.execute("COMMIT")
            ended = True
        except Exception as error:
            if is_dead(error, connection):
                raise DatabaseUnavailable(str(error)) from error
            with contextlib.suppress(*DRIVER_ERRORS):
                await connection.execute("ROLLBACK")
                ended = True
            raise
        finally:
            for logger in self.loggers:
                connection.remove_query_logger(logger)
            if not ended:
                # Broken, or cancelled half-way: its next user would get what is left of this one
                connection.terminate()
            self._give(connection)

    async def close(self) -> None:
        """Close the connections; those in use as soon as they are given back."""
        self._closed = True
        while self._idle:
            await self._idle.pop().close()
            self._opened -= 1

    async def _begin(self, sql: str) -> "Driver":
        """Check a connection out and begin; one that died in the pool is replaced without a word."""
        for _ in range(self._size + 1):
            try:
                connection = await self._take()
            except (TimeoutError, *DRIVER_ERRORS) as error:
                raise DatabaseUnavailable(str(error)) from error
            begun = False
            try:
                await connection.execute(sql, timeout=CONNECT_TIMEOUT)
                begun = True
                return connection
            except DRIVER_ERRORS as error:
                if not is_dead(error, connection):
                    raise
            finally:
                if not begun:
                    connection.terminate()
                    self._give(connection)
        raise DatabaseUnavailable("every connection of the pool was dead")

    async def _take(self) -> "Driver":
        """An idle connection, a new one, or the next that is given back."""
        while not self._idle:
            if self._opened < self._size:
                self._opened += 1
                try:
                    return await asyncpg.connect(**self._arguments)
                except BaseException:
                    self._lost()
                    raise
            turn: asyncio.Future[Driver | None] = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT):
                    given = await turn
            except BaseException:
                # What was given in that very moment goes on to the next who waits
                if not turn.cancelled() and (missed := turn.result()) is not None:
                    self._give(missed)
                elif not turn.cancelled():
                    self._call(None)
                raise
            if given is not None:
                return given
        return self._idle.pop()

    def _give(self, connection: "Driver") -> None:
        """Take a connection back, for the first who waits."""
        if self._closed:
            connection.terminate()
        if connection.is_closed():
            self._lost()
        elif not self._call(connection):
            self._idle.append(connection)

    def _lost(self) -> None:
        """Let the first who waits open a connection in place of one that is gone."""
        self._opened -= 1
        self._call(None)

    def _call(self, connection: "Driver | None") -> bool:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(connection)
                return True
        return False
