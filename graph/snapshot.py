"""The transaction of an operation: a snapshot for a query, a change for each root mutation."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from types import TracebackType
from typing import Any

import asyncpg
import sqlalchemy as sa
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from db.readers import Beginning, beginning
from db.session import Database, DatabaseUnavailable, Scope
from graph.auth.viewer import Fetch
from graph.errors import Overtaken, Timeout, Unavailable

_TOO_LONG = ("57014", "55P03")  # a statement, or its waiting for a lock, ran past its time
_TIMED_OUT = (asyncpg.QueryCanceledError, asyncpg.LockNotAvailableError)
_OVERTAKEN = ("40P01", "40001")  # a deadlock, or a conflict of serializable transactions


class _Savepoint:
    """A point in a transaction to go back to."""

    def __init__(self, name: str) -> None:
        self.set, self._back, self.release = (
            sa.text(f"{verb} {name}") for verb in ("SAVEPOINT", "ROLLBACK TO SAVEPOINT", "RELEASE SAVEPOINT")
        )
        # Back there it still stands, and the next would be nested in it.
        self.undo = (self._back, self.release)


_ATTEMPT = _Savepoint("attempt")
_APART = _Savepoint("apart")


class Snapshot:
    """A read-only, repeatable-read transaction confined to one tenant, opened at the first read.

    Resolvers run side by side but a connection takes one statement at a time, hence the lock; a second
    connection for the same operation would deadlock the pool under load.
    """

    def __init__(self, database: Database, scope: Scope, deadline: float | None = None) -> None:
        """A `deadline`, by the clock of the event loop, cancels the statement that runs then."""
        self._database = database
        self._scope = scope
        self._deadline = deadline
        self._lock = asyncio.Lock()
        self._stack = AsyncExitStack()
        self._connection: AsyncConnection | None = None
        self._over: Exception | None = None

    async def execute(self, statement: sa.Executable, parameters: Any = None) -> sa.CursorResult[Any]:
        """The result of a statement; Unavailable or Timeout where the database does not answer."""
        return await self._run(lambda connection: connection.execute(statement, parameters))

    async def fetch_sql(self, sql: str, *parameters: Any) -> Sequence[sa.Row[Any]]:
        """The rows of a statement that is SQL already, its parameters `$1 …`; otherwise as `execute`."""
        return (await self._run(lambda connection: connection.exec_driver_sql(sql, parameters))).all()

    async def _run(
        self, statement: Callable[[AsyncConnection], Awaitable[sa.CursorResult[Any]]]
    ) -> sa.CursorResult[Any]:
        async with self._lock:
            # A failed statement ends the transaction: what comes after fails for the same reason.
            if self._over is not None:
                raise self._over
            try:
                async with asyncio.timeout_at(self._deadline):
                    if self._connection is None:
                        self._connection = await self._stack.enter_async_context(self._begin())
                    return await statement(self._connection)
            except asyncio.CancelledError as error:
                # Half-way through a statement the connection is good for nothing more
                self._over = Unavailable()
                await self._stack.__aexit__(type(error), error, error.__traceback__)
                raise
            except Exception as error:
                if self._survives(error):
                    raise
                raise await self._abandon(error) from None

    def _survives(self, error: Exception) -> bool:
        """Whether the transaction goes on after `error`."""
        return False

    def _begin(self) -> AbstractAsyncContextManager[AsyncConnection]:
        return self._database.read(self._scope)

    async def fetch(self, statement: sa.Executable) -> Sequence[sa.Row[Any]]:
        """The rows of a statement."""
        return (await self.execute(statement)).all()

    async def _abandon(self, error: Exception) -> Exception:
        """Roll back and give the connection up; the error that the client is told of."""
        self._over = Unavailable()  # for whoever comes next, if this is cancelled
        try:
            await self._stack.__aexit__(type(error), error, error.__traceback__)
        except Exception as final:  # the session says here what the error amounts to
            error = final
        self._over = told(error)
        return self._over

    async def close(self) -> None:
        """End the transaction and give the connection back, also where this is cancelled."""
        if self._lock.locked():
            # A batch outlives its operation. Who gives up waiting for it must not leave the connection to
            # the garbage collector, which ends nested generators in no order.
            await asyncio.shield(self._close())
        else:
            await self._close()

    async def _close(self) -> None:
        async with self._lock:
            if self._over is None:
                await self._end()

    async def _end(self) -> None:
        # A batch that outlives its operation must not take a connection that nobody gives back.
        self._over = Unavailable()
        try:
            await self._stack.aclose()
        except Exception as error:
            raise told(error) from None


class Reading:
    """A snapshot for statements that are SQL already: what fetches the rows of one.

    Raises Unavailable where nothing could be read and Timeout where it took too long; that the end of the
    transaction was lost does not matter, all that was read stands.
    """

    __slots__ = ("_clock", "_connection", "_deadline", "transaction")

    def __init__(self, database: Database, begin: Beginning, deadline: float | None) -> None:
        """`begin` is what it begins with: `beginning`. A `deadline` is that of a Snapshot."""
        self.transaction = database.readers.begun(begin, deadline)
        self._deadline, self._clock = deadline, asyncio.get_running_loop().time

    async def __aenter__(self) -> Fetch:
        try:
            self._connection = await self.transaction.__aenter__()
        except DatabaseUnavailable as error:
            raise Unavailable from error
        except (TimeoutError, *_TIMED_OUT):
            raise Timeout from None
        return self.fetch

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            await self.transaction.__aexit__(kind, error, traceback)
        except DatabaseUnavailable as lost:
            if error is not None:
                raise Unavailable from lost
        except _TIMED_OUT:
            raise Timeout from None
        if isinstance(error, DatabaseUnavailable):
            raise Unavailable from error
        if isinstance(error, _TIMED_OUT):
            raise Timeout from None

    async def fetch(self, sql: str, *parameters: Any) -> Any:
        """The rows of a statement, which is cancelled at the deadline."""
        if self._deadline is None:
            return await self._connection.fetch(sql, *parameters)
        left = self._deadline - self._clock()
        try:
            if left > 0:
                return await self._connection.fetch(sql, *parameters, timeout=left)
        except TimeoutError:
            pass  # the driver has told the server
        raise Timeout


def reading(database: Database, scope: Scope, deadline: float | None) -> Reading:
    """The snapshot of a scope."""
    return Reading(database, beginning(scope), deadline)


class Change(Snapshot):
    """A writing transaction: all that a root mutation does, and the reading of its payload."""

    _apart = False

    def _begin(self) -> AbstractAsyncContextManager[AsyncConnection]:
        return self._database.write(self._scope)

    def _survives(self, error: Exception) -> bool:
        return self._apart and isinstance(error, IntegrityError | DataError)

    @asynccontextmanager
    async def apart(self) -> AsyncIterator[None]:
        """What the block does is undone, and nothing else, if it raises; also what the database refused.

        Blocks are not nested.
        """
        await self.execute(_APART.set)
        self._apart = True
        try:
            yield
        except Exception:
            self._apart = False
            if self._over is None:
                for step in _APART.undo:
                    await self.execute(step)
            raise
        self._apart = False
        await self.execute(_APART.release)

    async def attempt(self, *steps: tuple[sa.Executable, Any]) -> list[sa.CursorResult[Any]]:
        """The results of statements, each with its parameters; all of them are done, or none.

        What the database's checks refuse leaves the transaction as it was before the first.
        """
        async with self._lock:
            if self._over is not None or self._connection is None:
                raise self._over or Unavailable()
            connection = self._connection
            try:
                await connection.execute(_ATTEMPT.set)
                try:
                    results = [await connection.execute(*step) for step in steps]
                except (IntegrityError, DataError):
                    for step in _ATTEMPT.undo:
                        await connection.execute(step)
                    raise
                await connection.execute(_ATTEMPT.release)
            except (IntegrityError, DataError):
                raise
            except Exception as error:
                raise await self._abandon(error) from None
            return results

    async def commit(self) -> None:
        """Make it so, or raise: PostgreSQL answers COMMIT without an error after a failed statement."""
        async with self._lock:
            if self._over is not None:
                raise self._over
            await self._end()

    async def rollback(self) -> None:
        """Undo all of it."""
        async with self._lock:
            if self._over is None:
                await self._abandon(_Undone())


def told(error: Exception) -> Exception:
    """What a client is told of an error of the database: Unavailable, Timeout, or it itself."""
    if isinstance(error, DatabaseUnavailable):
        return Unavailable()
    if isinstance(error, TimeoutError):
        return Timeout()
    # BEGIN and COMMIT go past SQLAlchemy: what is wrong with them is the driver's own
    state = getattr(error.orig if isinstance(error, DBAPIError) else error, "sqlstate", None)
    if state in _TOO_LONG:
        return Timeout()
    return Overtaken() if state in _OVERTAKEN else error


class _Undone(Exception):
    """Why a transaction is rolled back where nothing went wrong."""
