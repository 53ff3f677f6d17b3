"""Bringing a database to a revision of `migrations/`, and telling where it stands.

All functions take the owner's URL, `postgresql://user:password@host:port/database`.
"""

import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, make_url
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

import db.models  # noqa: F401  # fills Base.metadata
from db.base import Base
from db.scope import preparing

SCHEMA: Final = "gateway"
"""Where alembic_version is, so that `public` holds the 43 tables and nothing else."""

COMPARISON: Final[dict[str, Any]] = {
    "target_metadata": Base.metadata,
    "version_table_schema": SCHEMA,
    "compare_type": True,
    "compare_server_default": True,
}
"""How alembic looks at a database, the same for running and for comparing."""

_MIGRATIONS = Path(__file__).parent.parent / "migrations"


async def upgrade(
    url: str, revision: str = "head", *, gateway_role: str = "m3_gateway", service_role: str = "m3_service"
) -> None:
    """Bring the database up to `revision`; the roles are created where they do not exist."""
    await _run(url, command.upgrade, revision, gateway_role=gateway_role, service_role=service_role)


async def downgrade(
    url: str, revision: str, *, gateway_role: str = "m3_gateway", service_role: str = "m3_service"
) -> None:
    """Take the database down to `revision`; `base` removes every table, with its rows."""
    await _run(url, command.downgrade, revision, gateway_role=gateway_role, service_role=service_role)


async def current(url: str) -> str | None:
    """The revision that the database is at, None where no migration has run."""

    def read(connection: Connection) -> str | None:
        return _context(connection).get_current_revision()

    async with connect(url) as connection:
        return await connection.run_sync(read)


def revisions() -> list[str]:
    """All revisions, the oldest first."""
    scripts = ScriptDirectory.from_config(_config()).walk_revisions()
    return [script.revision for script in scripts][::-1]


def head() -> str:
    """The newest revision."""
    return revisions()[-1]


async def differences(url: str) -> list[Any]:
    """What alembic finds different between the models and the database; empty when they agree.

    It sees tables, columns, types, defaults, keys and indexes, but no checks, policies, triggers or grants.
    """

    def compare(connection: Connection) -> list[Any]:
        return list(compare_metadata(_context(connection), Base.metadata))

    async with connect(url) as connection:
        return await connection.run_sync(compare)


@contextlib.asynccontextmanager
async def connect(url: str) -> AsyncIterator[AsyncConnection]:
    """A connection of its own to `url`, closed at the end."""
    engine = create_async_engine(
        make_url(url).set(drivername="postgresql+asyncpg"), poolclass=NullPool, connect_args=preparing(0)
    )
    try:
        async with engine.connect() as connection:
            yield connection
    finally:
        await engine.dispose()


def _config(**attributes: Any) -> Config:
    config = Config(attributes=attributes)
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return config


def _context(connection: Connection) -> MigrationContext:
    return MigrationContext.configure(connection, opts=COMPARISON)


async def _run(url: str, act: Callable[[Config, str], None], revision: str, **attributes: str) -> None:
    async with connect(url) as connection:
        await connection.run_sync(lambda sync: act(_config(connection=sync, **attributes), revision))
