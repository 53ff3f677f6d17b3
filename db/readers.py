"""Snapshots for statements that are SQL already: the driver's own connections, without what SQLAlchemy adds.

    async with readers.snapshot(Scope(tenant_id=tenant, user_id=user)) as connection:
        rows = await connection.fetch(sql, *parameters)

Checking a connection out, BEGIN and COMMIT are most of what a small query costs. Through SQLAlchemy's pool
they take four times as much; through the driver's own, with its tasks, proxies and the reset of what no
transaction here leaves behind, twice.
"""

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import asyncpg

from db.gate import Gate
from db.observed import observer
from db.scope import (
    CONNECT_TIMEOUT,
    DRIVER_ERRORS,
    SERVER_SETTINGS,
    STATEMENT_CACHE,
    DatabaseUnavailable,
    PoolUsage,
    Scope,
    is_dead,
    set_local,
)

if TYPE_CHECKING:
    Driver = asyncpg.Connection[asyncpg.Record]

_BEGIN: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


class _Connection(asyncpg.Connection):
    async def fetch(self, query: str, *args: Any, **options: Any) -> Any:
        """The rows of a statement, of which the observer is told."""
        told = observer.get()
        if told is None:
            return await super().fetch(query, *args, **options)
        began = told.began(query)
        try:
            rows = await super().fetch(query, *args, **options)
        except BaseException as error:
            told.ended(began, error)
            raise
        told.ended(began, None)
        return rows


class Readers:
    """The connections that the engine reads by, opened as needed; the last one used goes out first."""

    def __init__(
        self,
        url: str,
        *,
        pool_size: int,
        server_settings: Mapping[str, str] = SERVER_SETTINGS,
        statement_cache: int = STATEMENT_CACHE,
    ) -> None:
        """Take a `postgresql://` URL; nothing is connected before the first snapshot."""
        self._arguments: dict[str, Any] = {
            "dsn": url,
            "connection_class": _Connection,
            "server_settings": dict(server_settings),
            "timeout": CONNECT_TIMEOUT,
            "statement_cache_size": statement_cache,
        }
        self._size, self._busy = pool_size, 0
        self._gate = Gate(pool_size)
        self._idle: list[Driver] = []
        self._closed = False
        self.loggers: list[Callable[[Any], Any]] = []
        """Told of each statement, as asyncpg's `add_query_logger` has it."""

    @contextlib.asynccontextmanager
    async def snapshot(self, scope: Scope) -> AsyncIterator["Driver"]:
        """A connection in a read-only transaction in which every statement sees the same snapshot."""
        async with self._gate.place():
            self._busy += 1
            try:
                async with self._begun(_BEGIN + set_local(scope)) as connection:
                    yield connection
            finally:
                self._busy -= 1

    @contextlib.asynccontextmanager
    async def _begun(self, sql: str) -> AsyncIterator["Driver"]:
        connection = await self._begin(sql)
        ended = False
        try:
            for logger in self.loggers:
                connection.add_query_logger(logger)
            yield connection
            await connection.execute("COMMIT", timeout=CONNECT_TIMEOUT)
            ended = True
        except Exception as error:
            if is_dead(error, connection):
                raise DatabaseUnavailable(str(error)) from error
            with contextlib.suppress(*DRIVER_ERRORS):
                await connection.execute("ROLLBACK", timeout=CONNECT_TIMEOUT)
                ended = True
            raise
        finally:
            for logger in self.loggers:
                connection.remove_query_logger(logger)
            # Broken, or cancelled half-way, its next user would get what is left of this one
            if ended and not self._closed:
                self._idle.append(connection)
            else:
                connection.terminate()

    async def _begin(self, sql: str) -> "Driver":
        """Check a connection out and begin; one that died in the pool is replaced without a word."""
        for _ in range(self._size + 1):
            try:
                connection = self._idle.pop() if self._idle else await asyncpg.connect(**self._arguments)
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
        raise DatabaseUnavailable("every connection of the pool was dead")

    def usage(self) -> PoolUsage:
        """How busy the pool is."""
        return PoolUsage(self._size, len(self._idle) + self._busy, self._busy, self._gate.waiting)

    async def close(self) -> None:
        """Close the connections; those in use as soon as they are given back."""
        self._closed = True
        while self._idle:
            await self._idle.pop().close()
