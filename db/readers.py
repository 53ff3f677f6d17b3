"""Snapshots for statements that are SQL already: the driver's own connections, without what SQLAlchemy adds.

    async with readers.snapshot(Scope(tenant_id=tenant, user_id=user)) as connection:
        rows = await connection.fetch(sql, *parameters)

Checking a connection out, BEGIN and COMMIT are most of what a small query costs. Through SQLAlchemy's pool
they take four times as much; through the driver's own, with its tasks, proxies and the reset of what no
transaction here leaves behind, twice.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

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

ASK_TIMEOUT: Final = 6.0
"""Seconds for a beginning that asks: more than `lock_timeout`, or waiting for a lock would pass for death."""

EAGER: Final = 3
"""Connections that are used at once; more only for who has waited. A few serve a load of small queries with a
third less of the database's CPU than ten: what each has in memory is in the processor's cache more often."""

MAX_HANDED: Final = 100
"""How often a connection is handed over in a row: a pooler gets it back between two transactions alone."""

_BEGIN: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


class Beginning(NamedTuple):
    """What a snapshot begins with, in one round trip."""

    sql: str
    asks: str | None = None
    """The statement that it ends with, if any, as the observer is told of it: without the values in it."""


def beginning(scope: Scope, last: str = "", asks: str | None = None) -> Beginning:
    """The beginning of a scope's snapshot; `last` is a statement whose answer is told."""
    return Beginning(_BEGIN + set_local(scope) + (f"; {last}" if last else ""), asks)


class _Telling:
    """Tells the observer of a statement, for the length of the block."""

    __slots__ = ("_began", "_observer")

    def __init__(self, text: str | None) -> None:
        self._observer = None if text is None else observer.get()
        self._began = None if self._observer is None or text is None else self._observer.began(text)

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._observer is not None:
            self._observer.ended(self._began, error)


class _Connection(asyncpg.Connection):
    handed = 0
    """How often it was handed over in a row."""

    async def fetch(self, query: str, *args: Any, **options: Any) -> Any:
        """The rows of a statement, of which the observer is told."""
        with _Telling(query):
            return await super().fetch(query, *args, **options)


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
        self._size = pool_size
        self._gate = Gate(pool_size, spare=max(0, pool_size - EAGER))
        self._idle: list[_Connection] = []
        # Of transactions that are over but for COMMIT, which goes with the BEGIN of somebody who was called
        self._open: list[_Connection] = []
        self._closed = False
        self.loggers: list[Callable[[Any], Any]] = []
        """Told of each statement, as asyncpg's `add_query_logger` has it."""

    def snapshot(self, scope: Scope) -> "ReadTransaction":
        """A connection in a read-only transaction in which every statement sees the same snapshot."""
        return self.begun(beginning(scope))

    def begun(self, begin: Beginning, deadline: float | None = None) -> "ReadTransaction":
        """The same, as `begin` has it; a `deadline`, by the clock of the event loop, ends what it asks."""
        return ReadTransaction(self, begin, deadline)

    async def begin(self, begin: Beginning, deadline: float | None) -> tuple["_Connection", str]:
        """Check a connection out and begin: the connection, and what the server says to the last statement.

        One that died in the pool is replaced without a word. TimeoutError at the deadline.
        """
        if not self._gate.try_enter():
            try:
                await self._gate.wait()
            except BaseException:
                while len(self._open) > self._gate.called:
                    self._open.pop().terminate()
                raise
        began = False
        try:
            found = await self._begin(begin, deadline)
            began = True
            return found
        finally:
            if not began:
                self._gate.leave()

    async def _begin(self, begin: Beginning, deadline: float | None) -> tuple["_Connection", str]:
        for _ in range(self._size + 1):
            seconds = CONNECT_TIMEOUT if begin.asks is None else ASK_TIMEOUT
            if deadline is not None:
                seconds = min(seconds, deadline - asyncio.get_running_loop().time())
                if seconds <= 0:
                    raise TimeoutError
            try:
                if self._open:
                    connection, commit = self._open.pop(), "COMMIT; "
                else:
                    connection = self._idle.pop() if self._idle else await asyncpg.connect(**self._arguments)
                    commit = ""
            except (TimeoutError, *DRIVER_ERRORS) as error:
                raise DatabaseUnavailable(str(error)) from error
            begun = False
            try:
                for logger in self.loggers:
                    connection.add_query_logger(logger)
                with _Telling(begin.asks):
                    said = await connection.execute(commit + begin.sql, timeout=seconds)
                begun = True
                return connection, said
            except DRIVER_ERRORS as error:
                if not is_dead(error, connection):
                    raise
            finally:
                if not begun:
                    connection.terminate()
        raise DatabaseUnavailable("every connection of the pool was dead")

    async def end(self, connection: "_Connection", error: BaseException | None) -> None:
        """Commit, or roll back after an `error`, and give the connection back."""
        ended, to = False, self._idle
        try:
            if error is None and self._gate.waiting and connection.handed < MAX_HANDED:
                connection.handed += 1
                ended, to = True, self._open
            elif error is None:
                connection.handed = 0
                try:
                    await connection.execute("COMMIT", timeout=CONNECT_TIMEOUT)
                    ended = True
                except Exception as failed:
                    ended = await _rolled_back(connection, failed)
                    raise
            elif isinstance(error, Exception):
                ended = await _rolled_back(connection, error)
        finally:
            for logger in self.loggers:
                connection.remove_query_logger(logger)
            # Broken, or cancelled half-way, its next user would get what is left of this one
            if ended and not self._closed:
                to.append(connection)
            else:
                connection.terminate()
            self._gate.leave()

    def usage(self) -> PoolUsage:
        """How busy the pool is."""
        in_use = self._size - self._gate.free
        return PoolUsage(self._size, len(self._idle) + in_use, in_use, self._gate.waiting)

    async def close(self) -> None:
        """Close the connections; those in use as soon as they are given back."""
        self._closed = True
        while self._idle:
            await self._idle.pop().close()


class ReadTransaction:
    """A read-only transaction, from entering to leaving: a connection, in use by this one alone."""

    __slots__ = ("_begin", "_connection", "_deadline", "_readers", "said")

    said: str
    """What the server said to the last statement that it began with: `SELECT 1`."""

    def __init__(self, readers: Readers, begin: Beginning, deadline: float | None) -> None:
        self._readers, self._begin, self._deadline = readers, begin, deadline

    async def __aenter__(self) -> "Driver":
        self._connection, self.said = await self._readers.begin(self._begin, self._deadline)
        return self._connection

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._readers.end(self._connection, error)


async def _rolled_back(connection: "Driver", error: Exception) -> bool:
    """Whether `error` could be rolled back; DatabaseUnavailable where it is the connection that died."""
    if is_dead(error, connection):
        raise DatabaseUnavailable(str(error)) from error
    with contextlib.suppress(*DRIVER_ERRORS):
        await connection.execute("ROLLBACK", timeout=CONNECT_TIMEOUT)
        return True
    return False
