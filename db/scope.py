"""Whom a transaction is for, and what is wrong when there is none."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from uuid import UUID

import asyncpg
from asyncpg.exceptions import InternalClientError

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
"""Seconds to wait for a connection, from the pool or from the server."""

COMMIT_TIMEOUT: Final = 30.0
"""Seconds to wait for COMMIT to be answered. Then nobody knows whether it was done."""

STATEMENT_CACHE: Final = 1000
"""Statements that a connection keeps prepared. 0 behind a pooler that does not keep them apart by client."""

MAX_PREPARED: Final = 100
"""The same where SQLAlchemy composes the statements: those of mutations are few."""

# What the driver raises; InternalClientError when the server hung up just before a statement
DRIVER_ERRORS: Final = (OSError, asyncpg.InterfaceError, InternalClientError, asyncpg.PostgresError)
# Connection trouble (08), too many connections, server shutting down, crashed or starting up
UNAVAILABLE_STATES: Final = ("08", "53300", "57P01", "57P02", "57P03")

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


class PoolUsage(NamedTuple):
    """How busy a pool of connections is."""

    size: int
    """Connections that it may open."""
    opened: int
    in_use: int
    waiting: int
    """Transactions that wait for a connection, or for it to be opened."""


def preparing(statement_cache: int) -> dict[str, Any]:
    """What SQLAlchemy's connections are told so that they keep at most so many statements prepared."""
    if statement_cache > 0:
        return {"prepared_statement_cache_size": min(statement_cache, MAX_PREPARED)}
    return {
        "statement_cache_size": 0,
        "prepared_statement_cache_size": 0,
        # Unnamed: a name would still be there when the pooler gives the connection to somebody else
        "prepared_statement_name_func": str,
    }


def set_local(scope: Scope) -> str:
    """What follows BEGIN in its round trip, so that the transaction is the scope's from the start."""
    values = {
        "app.tenant_id": scope.tenant_id,
        "app.user_id": scope.user_id,
        "app.tenant_slug": scope.tenant_slug,
    }
    return "".join(f"; SET LOCAL {name} = {quoted(str(v))}" for name, v in values.items() if v is not None)


def quoted(value: str) -> str:
    """An SQL literal, for what takes no parameters."""
    if "\0" in value:
        raise ValueError("text with a NUL character cannot be stored or compared")
    # E'…', so that a server with standard_conforming_strings off reads a backslash as we do.
    return "E'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def is_dead(error: BaseException, driver: "Driver") -> bool:
    """Whether `error`, raised by the driver itself, is about the connection and not about the statement."""
    if isinstance(error, asyncpg.PostgresError):
        return str(error.sqlstate).startswith(UNAVAILABLE_STATES)
    return driver.is_closed() or isinstance(error, OSError | InternalClientError)
