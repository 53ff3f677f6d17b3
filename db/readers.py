"""Snapshots for statements that are SQL already: the driver's own pool, without what SQLAlchemy adds.

    async with readers.snapshot(Scope(tenant_id=tenant, user_id=user)) as connection:
        rows = await connection.fetch(sql, *parameters)

Checking a connection out, BEGIN and COMMIT cost a quarter here of what they cost through SQLAlchemy's pool.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, cast

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
    def get_reset_query(self) -> str:
        """Nothing: SET LOCAL ended with the transaction, and a round trip would cost as much as a look-up."""
        return ""

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
    """The connections that the engine reads by, opened as they are needed."""

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
            "min_size": 0,
            "max_size": pool_size,
            "connection_class": _Connection,
            "server_settings": dict(server_settings),
            "timeout": CONNECT_TIMEOUT,
            "max_inactive_connection_lifetime": 300.0,
            "statement_cache_size": statement_cache,
        }
        self._attempts = pool_size + 1
        self._gate = Gate(pool_size)
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None
        self._opening = asyncio.Lock()
        self.loggers: list[Callable[[Any], Any]] = []
        """Told of each statement, as asyncpg's `add_query_logger` has it."""

    @contextlib.asynccontextmanager
    async def snapshot(self, scope: Scope) -> AsyncIterator["Driver"]:
        """A connection in a read-only transaction in which every statement sees the same snapshot."""
        async with self._gate.place(), self._begun(_BEGIN + set_local(scope)) as connection:
            yield connection

    @contextlib.asynccontextmanager
    async def _begun(self, sql: str) -> AsyncIterator["Driver"]:
        pool = self._pool or await self._open()
        connection = await self._begin(pool, sql)
        ended = False
        try:
            for logger in self.loggers:
                connection.add_query_logger(logger)
            yield connection
            await connection.execute("COMMIT")
            ended = True
        except Exception as error:
            if _is_dead(error, connection):
                raise DatabaseUnavailable(str(error)) from error
            with contextlib.suppress(*DRIVER_ERRORS):
                await connection.execute("ROLLBACK", timeout=CONNECT_TIMEOUT)
                ended = True
            raise
        finally:
            for logger in self.loggers:
                with contextlib.suppress(asyncpg.InterfaceError):
                    connection.remove_query_logger(logger)
            if not ended:
                # Broken, or cancelled half-way: its next user would get what is left of this one
                _discard(connection)
            await asyncio.shield(pool.release(cast(Any, connection)))

    async def _open(self) -> "asyncpg.Pool[asyncpg.Record]":
        async with self._opening:
            if self._pool is None:
                self._pool = await asyncpg.create_pool(**self._arguments)
            return self._pool

    async def _begin(self, pool: "asyncpg.Pool[asyncpg.Record]", sql: str) -> "Driver":
        """Check a connection out and begin; one that died in the pool is replaced without a word."""
        for _ in range(self._attempts):
            try:
                connection: Any = await pool.acquire(timeout=CONNECT_TIMEOUT)
            except (TimeoutError, *DRIVER_ERRORS) as error:
                raise DatabaseUnavailable(str(error)) from error
            begun = False
            try:
                await connection.execute(sql, timeout=CONNECT_TIMEOUT)
                begun = True
                driver: Driver = connection
                return driver
            except DRIVER_ERRORS as error:
                if not _is_dead(error, connection):
                    raise
            finally:
                if not begun:
                    _discard(connection)
                    await asyncio.shield(pool.release(connection))
        raise DatabaseUnavailable("every connection of the pool was dead")

    def usage(self) -> PoolUsage:
        """How busy the pool is."""
        size = self._arguments["max_size"]
        if self._pool is None:
            return PoolUsage(size, 0, 0, self._gate.waiting)
        opened, idle = self._pool.get_size(), self._pool.get_idle_size()
        return PoolUsage(size, opened, opened - idle, self._gate.waiting)

    async def close(self) -> None:
        """Close the connections."""
        if self._pool is not None:
            await self._pool.close()
            self._pool = None


def _is_dead(error: Exception, connection: "Driver") -> bool:
    try:
        return is_dead(error, connection)
    except asyncpg.InterfaceError:
        return True  # the pool took it back when the server closed it


def _discard(connection: "Driver") -> None:
    """Close the connection for good, unless the pool has done so."""
    with contextlib.suppress(asyncpg.InterfaceError):
        connection.terminate()
