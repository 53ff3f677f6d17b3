"""Reading and writing sessions: one transaction on one connection, confined to one tenant.

    async with database.read(Scope(tenant_id=tenant, user_id=user)) as connection:
        rows = await connection.execute(select(Deal.id).where(Deal.tenant_id == tenant))

The transaction begins and its scope is set in one round trip, by a real `SET LOCAL`: whatever ends the
transaction ends the scope, also behind a pooler that hands the connection to somebody else.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Final, cast

import asyncpg
import orjson
from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import QueuePool

from db.gate import Gate
from db.observed import watch
from db.readers import Readers
from db.scope import (
    COMMIT_TIMEOUT,
    CONNECT_TIMEOUT,
    DRIVER_ERRORS,
    SERVER_SETTINGS,
    STATEMENT_CACHE,
    UNAVAILABLE_STATES,
    DatabaseUnavailable,
    PoolUsage,
    Scope,
    is_dead,
    preparing,
    set_local,
)

__all__ = ["CONNECT_TIMEOUT", "SERVER_SETTINGS", "Database", "DatabaseUnavailable", "Scope"]

_CONNECT_ERRORS: Final = (SQLAlchemyError, *DRIVER_ERRORS)

if TYPE_CHECKING:
    Driver = asyncpg.Connection[asyncpg.Record]


class Database:
    """The gateway's database: a pool of connections under the gateway's login."""

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 10,
        server_settings: Mapping[str, str] = SERVER_SETTINGS,
        statement_cache: int = STATEMENT_CACHE,
    ) -> None:
        """Take a `postgresql://` URL; nothing is connected before the first session."""
        self.engine = create_async_engine(
            make_url(url).set(drivername="postgresql+asyncpg"),
            isolation_level="AUTOCOMMIT",  # BEGIN and COMMIT are ours
            json_serializer=_json,
            hide_parameters=True,  # an error's text goes to the log, hashes and addresses do not
            pool_size=pool_size,
            max_overflow=0,
            pool_use_lifo=True,
            connect_args={
                "server_settings": dict(server_settings),
                "timeout": CONNECT_TIMEOUT,
                **preparing(statement_cache),
            },
        )
        watch(self.engine)
        self._gate = Gate(pool_size)
        self._attempts = pool_size + 1
        self.readers = Readers(
            url, pool_size=pool_size, server_settings=server_settings, statement_cache=statement_cache
        )
        """The driver's own connections, as many again, for statements that are SQL already."""

    @contextlib.asynccontextmanager
    async def read(self, scope: Scope) -> AsyncIterator[AsyncConnection]:
        """A read-only transaction in which every statement sees the same snapshot."""
        async with self._transaction("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", scope) as connection:
            yield connection

    @contextlib.asynccontextmanager
    async def write(self, scope: Scope) -> AsyncIterator[AsyncConnection]:
        """A transaction that commits at the end of the block, and rolls back if the block raises."""
        async with self._transaction("BEGIN", scope) as connection:
            yield connection

    def usage(self) -> dict[str, PoolUsage]:
        """How busy the pools are: `sessions`, of SQLAlchemy, and `readers`, of the driver."""
        pool = cast(QueuePool, self.engine.pool)
        in_use = pool.checkedout()
        sessions = PoolUsage(pool.size(), pool.checkedin() + in_use, in_use, self._gate.waiting)
        return {"sessions": sessions, "readers": self.readers.usage()}

    async def close(self) -> None:
        """Close the pool's connections."""
        await self.readers.close()
        await self.engine.dispose()

    @contextlib.asynccontextmanager
    async def _transaction(self, begin: str, scope: Scope) -> AsyncIterator[AsyncConnection]:
        async with self._gate.place(), self._begun(begin + set_local(scope)) as connection:
            yield connection

    @contextlib.asynccontextmanager
    async def _begun(self, sql: str) -> AsyncIterator[AsyncConnection]:
        connection, driver = await self._begin(sql)
        try:
            try:
                yield connection
            except Exception:
                # Where it fails the connection is given up, which ends the transaction as well
                with contextlib.suppress(*DRIVER_ERRORS):
                    await driver.execute("ROLLBACK", timeout=CONNECT_TIMEOUT)
                raise
            # After a failed statement COMMIT rolls back, and calls that a success
            if await _commit(driver) != "COMMIT":
                raise RuntimeError("a statement had failed: the transaction was rolled back")
        except BaseException as error:
            unavailable = _is_unavailable(error, driver)
            if (
                unavailable
                or driver.is_closed()
                or driver.is_in_transaction()
                or not isinstance(error, Exception)
            ):
                # Broken, or cancelled half-way: the pool's next user would get what is left of it
                await _discard(connection)
            if unavailable:
                raise DatabaseUnavailable(str(error)) from error
            raise
        finally:
            await asyncio.shield(connection.close())

    async def _begin(self, sql: str) -> tuple[AsyncConnection, "Driver"]:
        """Check a connection out and begin; one that died in the pool is replaced without a word."""
        for _ in range(self._attempts):
            connection = self.engine.connect()
            try:
                await connection.start()
            except _CONNECT_ERRORS as error:
                raise DatabaseUnavailable(str(error)) from error
            begun = False
            try:
                driver = cast("Driver", (await connection.get_raw_connection()).driver_connection)
                was_pooled = connection.info.setdefault("pooled", False)
                connection.info["pooled"] = True
                await driver.execute(sql, timeout=CONNECT_TIMEOUT)
                begun = True
                return connection, driver
            except DRIVER_ERRORS as error:
                if not is_dead(error, driver):
                    raise
                if not was_pooled:
                    raise DatabaseUnavailable(str(error)) from error
            finally:
                if not begun:
                    # To its end, also when cancelled: its place in the pool would be gone for good
                    await asyncio.shield(_give_up(connection))
        raise DatabaseUnavailable("every connection of the pool was dead")


def _json(value: object) -> str:
    """JSON as it is written; a fragment of it passes as it was read, times and ids as their text."""
    text: str = orjson.dumps(value, default=str).decode()
    return text


def _is_unavailable(error: BaseException, driver: "Driver") -> bool:
    if isinstance(error, DBAPIError):
        state = str(getattr(error.orig, "sqlstate", None))
        return error.connection_invalidated or driver.is_closed() or state.startswith(UNAVAILABLE_STATES)
    # An OSError may be anybody's: the block's own timeouts and files raise it too
    return isinstance(error, DRIVER_ERRORS) and not isinstance(error, OSError) and is_dead(error, driver)


async def _commit(driver: "Driver") -> str:
    """What the server says to COMMIT."""
    try:
        return await driver.execute("COMMIT", timeout=COMMIT_TIMEOUT)
    except TimeoutError as error:
        raise DatabaseUnavailable("COMMIT was not answered") from error


async def _give_up(connection: AsyncConnection) -> None:
    """Close the connection for good, and give its place in the pool back."""
    await _discard(connection)
    await connection.close()


async def _discard(connection: AsyncConnection) -> None:
    """Close the connection for good; there is nothing to do about an error on the way."""
    with contextlib.suppress(Exception):
        await connection.invalidate()
