"""The PostgreSQL of one test run, and the databases made on it.

The run starts a private server, or uses the one whose owner `M3_OWNER_DATABASE_URL` names. Everything the
run makes there (databases, the two roles) carries the run's name and goes at its end.
"""

import secrets
from dataclasses import dataclass
from typing import Any

import asyncpg
from sqlalchemy import URL, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from db import migrate, roles


@dataclass(frozen=True)
class Urls:
    """The ways into one database, `postgresql://` each."""

    name: str
    owner: str
    gateway: str
    service: str


@dataclass(frozen=True)
class Server:
    """A server under the login of an owner who may create roles and databases and is no superuser."""

    owner_url: str
    run: str
    password: str

    @classmethod
    def of(cls, owner_url: str) -> "Server":
        """A server for a new run."""
        return cls(owner_url, f"m3t_{secrets.token_hex(4)}", secrets.token_urlsafe(12))

    @property
    def gateway_role(self) -> str:
        return f"{self.run}_gateway"

    @property
    def service_role(self) -> str:
        return f"{self.run}_service"

    def urls(self, name: str) -> Urls:
        """How to reach the database `name` of this run."""
        owner = make_url(self.owner_url).set(database=name)

        def login(role: str) -> str:
            return _text(owner.set(username=role, password=self.password))

        return Urls(name, _text(owner), login(self.gateway_role), login(self.service_role))

    async def connect(self) -> "asyncpg.Connection[Any]":
        """A connection as the owner to the database that the run found."""
        return await asyncpg.connect(self.owner_url)

    async def create_database(self, *, template: str | None = None) -> Urls:
        """A new database, empty or with all that `template` holds."""
        name = f"{self.run}_{secrets.token_hex(4)}"
        connection = await self.connect()
        try:
            await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template or "template0"}"')
        finally:
            await connection.close()
        return self.urls(name)

    async def drop_database(self, name: str) -> None:
        """Drop a database that nobody is connected to any more."""
        connection = await self.connect()
        try:
            await connection.execute(f'DROP DATABASE IF EXISTS "{name}"')
        finally:
            await connection.close()

    async def migrated(self) -> str:
        """The name of the run's migrated database, to clone; whoever comes first makes it."""
        template = f"{self.run}_template"
        connection = await self.connect()
        try:
            await connection.execute("SELECT pg_advisory_lock(hashtext($1))", template)
            if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", template):
                await self._migrate(connection, template)
        finally:
            await connection.close()
        return template

    async def _migrate(self, connection: "asyncpg.Connection[Any]", template: str) -> None:
        # Under another name until it is whole: a failed attempt must not pass for a template
        making = f"{template}_making"
        await connection.execute(f'DROP DATABASE IF EXISTS "{making}"')
        await connection.execute(f'CREATE DATABASE "{making}" TEMPLATE template0')
        url = self.urls(making).owner
        await migrate.upgrade(url, gateway_role=self.gateway_role, service_role=self.service_role)
        for role in (self.gateway_role, self.service_role):
            await roles.set_password(url, role, self.password)
        await connection.execute(f'ALTER DATABASE "{making}" RENAME TO "{template}"')

    async def clean_up(self) -> None:
        """Drop what the run made."""
        connection = await self.connect()
        try:
            mine = "SELECT datname FROM pg_database WHERE starts_with(datname, $1)"
            for (name,) in await connection.fetch(mine, f"{self.run}_"):
                await connection.execute(f'DROP DATABASE "{name}"')
            for role in (self.gateway_role, self.service_role):
                await connection.execute(f'DROP ROLE IF EXISTS "{role}"')
        finally:
            await connection.close()


def _text(url: URL) -> str:
    return url.render_as_string(hide_password=False)


def seeing_all(owner_url: str) -> AsyncEngine:
    """A database under its owner's login, with maintenance on: every tenant is there."""
    return create_async_engine(
        owner_url.replace("postgresql://", "postgresql+asyncpg://", 1),
        isolation_level="AUTOCOMMIT",
        connect_args={"server_settings": {"app.maintenance": "on"}},
    )
