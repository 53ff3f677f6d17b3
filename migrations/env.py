"""How alembic runs the migrations: all in one transaction, one runner at a time.

`db.migrate` hands its connection over in the attributes. Alembic's own command line (for
`alembic revision --autogenerate`) has none and takes the owner's login from the settings.
"""

import asyncio

from alembic import context
from sqlalchemy import Connection, text

from db import migrate


def run(connection: Connection) -> None:
    """Run what alembic was asked for on `connection`, which has no transaction open."""
    context.configure(connection=connection, **migrate.COMPARISON)
    with context.begin_transaction():
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('m3core.migrations'))"))
        connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {migrate.SCHEMA}"))
        # Row security confines the owner too: without this a migration's UPDATE would touch no row.
        connection.execute(text("SET LOCAL app.maintenance = 'on'"))
        context.run_migrations()


async def run_alone() -> None:
    """Run with a connection of our own, as the owner named in the settings."""
    from graph import settings

    async with migrate.connect(settings.load().owner_url) as connection:
        await connection.run_sync(run)


handed_over: Connection | None = context.config.attributes.get("connection")
if handed_over is None:
    asyncio.run(run_alone())
else:
    run(handed_over)
