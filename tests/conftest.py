"""One PostgreSQL per run, one database per worker, and the ways into it.

A test that only reads and writes rows takes `database` and `owner` and makes its own tenant; one that
damages the catalogue takes `scratch_database`; one about migrations takes `empty_database`.
"""

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db import embedded
from db.session import Database
from tests.server import Server, Urls, seeing_all

SERVER = pytest.StashKey[Server]()
EMBEDDED = pytest.StashKey[embedded.EmbeddedServer]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("engine", "comparison of the engines")
    group.addoption("--operations", type=int, default=2000, help="how many operations")
    group.addoption("--seed", type=int, default=1, help="the first seed of those operations")
    group = parser.getgroup("server", "the server under load")
    group.addoption("--connections", type=int, default=500, help="how many connections at a time")
    group.addoption("--examples", type=int, default=30, help="how many examples of each kind of input")
    group = parser.getgroup("events", "storms of events")
    group.addoption("--storm", type=float, default=5, help="how long each storm lasts, in seconds")
    group.addoption("--rate", type=float, default=0, help="events a second that are written; 0: as they go")
    group.addoption("--subscribers", type=int, default=40, help="how many subscribers are in it")


def pytest_configure(config: pytest.Config) -> None:
    if binaries := os.environ.get("M3_POSTGRES_BIN"):
        embedded.elsewhere = Path(binaries).absolute()
        if not (embedded.elsewhere / "postgres").exists():
            raise pytest.UsageError(f"M3_POSTGRES_BIN: there is no postgres in {binaries}")
    # structlog's own default renders tracebacks with all locals, which takes minutes for one error
    structlog.configure(
        processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()]
    )
    worker = getattr(config, "workerinput", None)
    if worker is not None:
        config.stash[SERVER] = Server(**worker["m3_server"])
    elif not config.option.collectonly:
        config.stash[SERVER] = _start(config)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist where the server is."""
    node.workerinput["m3_server"] = asdict(node.config.stash[SERVER])


@pytest.hookimpl(tryfirst=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput") or SERVER not in config.stash:
        return
    if EMBEDDED in config.stash:
        private = config.stash[EMBEDDED]
        private.destroy()
        shutil.rmtree(private.data_dir)
    else:
        asyncio.run(config.stash[SERVER].clean_up())


def _start(config: pytest.Config) -> Server:
    given = os.environ.get("M3_OWNER_DATABASE_URL")
    if given is None:
        # Ended by a SIGTERM, pytest would leave the server running
        signal.signal(signal.SIGTERM, lambda *_: pytest.exit("SIGTERM", returncode=143))
        private = embedded.start(Path(tempfile.mkdtemp(prefix="m3-test-")), durable=False)
        config.stash[EMBEDDED] = private
        return Server.of(private.owner_url)
    problem = asyncio.run(_unfit(given))
    if problem:
        raise pytest.UsageError(f"M3_OWNER_DATABASE_URL: {problem}")
    return Server.of(given)


async def _unfit(url: str) -> str | None:
    try:
        connection = await asyncpg.connect(url)
    except (OSError, asyncpg.PostgresError) as error:
        return f"no connection: {error}"
    try:
        role = await connection.fetchrow("SELECT * FROM pg_roles WHERE rolname = current_user")
        assert role is not None
        if role["rolsuper"] or role["rolbypassrls"]:
            return "tests of row security mean nothing under a superuser or a role that bypasses it"
        if not (role["rolcreatedb"] and role["rolcreaterole"]):
            return "the tests make databases and roles: ALTER ROLE … CREATEDB CREATEROLE"
        return None
    finally:
        await connection.close()


@pytest.fixture(scope="session")
def server(pytestconfig: pytest.Config) -> Server:
    """The server of this run."""
    return pytestconfig.stash[SERVER]


@pytest.fixture(scope="session")
async def migrated(server: Server) -> str:
    """The name of a database with all migrations and no tenant, to clone."""
    return await server.migrated()


@pytest.fixture(scope="session")
async def urls(server: Server, migrated: str) -> Urls:
    """This worker's database; every test shares it, so each makes its own tenants."""
    return await server.create_database(template=migrated)


@pytest.fixture(scope="session")
async def database(urls: Urls) -> AsyncIterator[Database]:
    """This worker's database under the gateway's login."""
    database = Database(urls.gateway)
    yield database
    await database.close()


@pytest.fixture(scope="session")
async def owner_engine(urls: Urls) -> AsyncIterator[AsyncEngine]:
    """This worker's database under the owner's login, with maintenance on: it sees every tenant."""
    engine = seeing_all(urls.owner)
    yield engine
    await engine.dispose()


@pytest.fixture
async def owner(owner_engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection of `owner_engine`; each statement commits by itself."""
    async with owner_engine.connect() as connection:
        yield connection


@pytest.fixture
async def scratch_database(server: Server, migrated: str) -> AsyncIterator[Urls]:
    """A migrated database of the test's own, to damage."""
    urls = await server.create_database(template=migrated)
    yield urls
    await server.drop_database(urls.name)


@pytest.fixture
async def empty_database(server: Server) -> AsyncIterator[Urls]:
    """A database of the test's own without anything in it."""
    urls = await server.create_database()
    yield urls
    await server.drop_database(urls.name)
