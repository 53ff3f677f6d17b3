"""Reading and writing sessions: one transaction on one connection, confined to one tenant.

    async with database.read(Scope(tenant_id=tenant, user_id=user)) as connection:
        rows = await connection.execute(select(Deal.id).where(Deal.tenant_id == tenant))

The transaction begins and its scope is set in one round trip, by a real `SET LOCAL`: whatever ends the
transaction ends the scope, also behind a pooler that hands the connection to somebody else.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast
from uuid import UUID

import asyncpg
import orjson
from asyncpg.exceptions import InternalClientError
from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

SERVER_SETTINGS: Final[Mapping[str, str]] = {
    "application_name": "m3core-gateway",
    "statement_timeout": "10s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "30s",
    # A query goes on for nobody when its client is gone; the server would not look by itself
    "client_connection_check_interval": "1s",
    "timezone": "UTC",
}
"""What each connection asks for when it opens. A pooler must let these through or set them itself."""

CONNECT_TIMEOUT: Final = 5.0
"""Seconds to wait for the server to open a connection, or to begin on one."""

POOL_TIMEOUT: Final = 30.0
"""Seconds to wait for a connection of the pool: a burst that wants one row is worked off one by one."""

# What the driver raises; InternalClientError when the server hung up just before a statement
_DRIVER_ERRORS: Final = (OSError, asyncpg.InterfaceError, InternalClientError, asyncpg.PostgresError)
_CONNECT_ERRORS: Final = (SQLAlchemyError, *_DRIVER_ERRORS)
# Connection trouble (08), too many connections, server shutting down, crashed or starting up
_UNAVAILABLE: Final = ("08", "53300", "57P01", "57P02", "57P03")

if TYPE_CHECKING:
    Driver = asyncpg.Connection[asyncpg.Record]


class DatabaseUnavailable(Exception):  # a state of the world, named as the client's error code
    """The database cannot be reached, or went away during the transaction."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Whom a transaction is for: row security shows the tenant's rows and no others.

    `tenant_slug` alone shows the one row of `tenants` that sign-in needs, `user_id` names the actor that
    triggers write down.
    """

    tenant_id: UUID | None = None
    user_id: UUID | None = None
    tenant_slug: str | None = None


class Database:
    """The gateway's database: a pool of connections under the gateway's login."""

    def __init__(
        self, url: str, *, pool_size: int = 10, server_settings: Mapping[str, str] = SERVER_SETTINGS
    ) -> None:
        """Take a `postgresql://` URL; nothing is connected before the first session."""
        self.engine = create_async_engine(
            make_url(url).set(drivername="postgresql+asyncpg"),
            isolation_level="AUTOCOMMIT",  # BEGIN and COMMIT are ours
            json_serializer=_json,
            hide_parameters=True,  # an error's text goes to the log, hashes and addresses do not
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=POOL_TIMEOUT,
            pool_use_lifo=True,
            connect_args={"server_settings": dict(server_settings), "timeout": CONNECT_TIMEOUT},
        )
        self._attempts = pool_size + 1

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

    async def close(self) -> None:
        """Close the pool's connections."""
        await self.engine.dispose()

    @contextlib.asynccontextmanager
    async def _transaction(self, begin: str, scope: Scope) -> AsyncIterator[AsyncConnection]:
        connection, driver = await self._begin(begin + _set_local(scope))
        try:
            try:
                yield connection
            except Exception:
                if not driver.is_closed():
                    await driver.execute("ROLLBACK")
                raise
            # After a failed statement COMMIT rolls back, and calls that a success
            if await driver.execute("COMMIT") != "COMMIT":
                raise RuntimeError("a statement had failed: the transaction was rolled back")
        except BaseException as error:
            unavailable = _is_unavailable(error, driver)
            if unavailable or driver.is_in_transaction() or not isinstance(error, Exception):
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
            except _DRIVER_ERRORS as error:
                if not _is_dead(error, driver):
                    raise
                if not was_pooled:
                    raise DatabaseUnavailable(str(error)) from error
            finally:
                if not begun:
                    await _discard(connection)
                    await asyncio.shield(connection.close())
        raise DatabaseUnavailable("every connection of the pool was dead")


def _json(value: object) -> str:
    """JSON as it is written; a fragment of it passes as it was read, times and ids as their text."""
    text: str = orjson.dumps(value, default=str).decode()
    return text


def _set_local(scope: Scope) -> str:
    values = {
        "app.tenant_id": scope.tenant_id,
        "app.user_id": scope.user_id,
        "app.tenant_slug": scope.tenant_slug,
    }
    return "".join(f"; SET LOCAL {name} = {_quoted(str(v))}" for name, v in values.items() if v is not None)


def _quoted(value: str) -> str:
    """An SQL literal; SET takes no parameters."""
    if "\0" in value:
        raise ValueError("text with a NUL character cannot be stored or compared")
    return "'" + value.replace("'", "''") + "'"


def _is_dead(error: BaseException, driver: "Driver") -> bool:
    """Whether `error`, raised by the driver itself, is about the connection and not about the statement."""
    if isinstance(error, asyncpg.PostgresError):
        return str(error.sqlstate).startswith(_UNAVAILABLE)
    return driver.is_closed() or isinstance(error, OSError | InternalClientError)


def _is_unavailable(error: BaseException, driver: "Driver") -> bool:
    if isinstance(error, DBAPIError):
        state = str(getattr(error.orig, "sqlstate", None))
        return error.connection_invalidated or driver.is_closed() or state.startswith(_UNAVAILABLE)
    # An OSError may be anybody's: the block's own timeouts and files raise it too
    return isinstance(error, _DRIVER_ERRORS) and not isinstance(error, OSError) and _is_dead(error, driver)


async def _discard(connection: AsyncConnection) -> None:
    """Close the connection for good; there is nothing to do about an error on the way."""
    with contextlib.suppress(Exception):
        await connection.invalidate()
