"""One snapshot an operation: every read of a query sees the same moment, on one connection."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from db.session import Database, DatabaseUnavailable, Scope
from graph.errors import Timeout, Unavailable

# A statement cancelled, as past its time, and a lock that was not to be had in time
_TIMED_OUT = ("57014", "55P03")


def told(error: Exception) -> Exception:
    """What a client is told of an error of the database: Unavailable, Timeout, or the error itself."""
    if isinstance(error, DatabaseUnavailable):
        return Unavailable()
    if isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in _TIMED_OUT:
        return Timeout()
    return error


class Snapshot:
    """A read-only, repeatable-read transaction confined to one tenant, opened at the first read.

    Resolvers run side by side but a connection takes one statement at a time, hence the lock; a second
    connection for the same operation would deadlock the pool under load.
    """

    def __init__(self, database: Database, scope: Scope) -> None:
        self._database = database
        self._scope = scope
        self._lock = asyncio.Lock()
        self._stack = AsyncExitStack()
        self._connection: AsyncConnection | None = None
        self._over: Exception | None = None

    async def execute(self, statement: sa.Executable, parameters: Any = None) -> sa.CursorResult[Any]:
        """The result of a statement; Unavailable or Timeout where the database does not answer."""
        async with self._lock:
            # A failed statement ends the transaction: what comes after fails for the same reason.
            if self._over is not None:
                raise self._over
            try:
                if self._connection is None:
                    self._connection = await self._stack.enter_async_context(self._database.read(self._scope))
                return await self._connection.execute(statement, parameters)
            except Exception as error:
                self._over = await self._abandon(error)
                raise self._over from None

    async def fetch(self, statement: sa.Executable) -> Sequence[sa.Row[Any]]:
        """The rows of a statement."""
        return (await self.execute(statement)).all()

    async def _abandon(self, error: Exception) -> Exception:
        """Roll back and give the connection up; the error that the client is told of."""
        try:
            await self._stack.__aexit__(type(error), error, error.__traceback__)
        except Exception as final:  # the session says here what the error amounts to
            error = final
        return told(error)

    async def close(self) -> None:
        """End the transaction and give the connection back."""
        async with self._lock:
            if self._over is None:
                # A batch that outlives its operation must not take a connection that nobody gives back.
                self._over = Unavailable()
                try:
                    await self._stack.aclose()
                except DatabaseUnavailable:
                    raise Unavailable from None
