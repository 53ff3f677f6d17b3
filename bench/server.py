"""A private PostgreSQL, a tenant and a gateway process, for the time of a benchmark."""

import asyncio
import os
import secrets
import shutil
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

import asyncpg
import psutil
from sqlalchemy import make_url

from db import embedded, migrate, roles
from graph.auth import keys
from graph.auth.keys import KeyFile
from graph.auth.tokens import AccessTokens
from graph.settings import Settings

TENANT: Final = UUID(int=1)
USER: Final = UUID(int=2)
SESSION: Final = UUID(int=3)
NEIGHBOUR: Final = UUID(int=4)
"""Another tenant, whose rows are there to be left alone."""

SERVER_CORE, OTHER_CORE = 0, 1
"""The server that is measured has one core to itself; its load and PostgreSQL share the other."""


@dataclass
class Database:
    """The private PostgreSQL: its folder, the URLs of its logins, the gateway's keys and a token."""

    cluster: Path
    gateway_url: str
    owner_url: str
    superuser_url: str
    keys_file: Path
    headers: dict[str, str]


@dataclass
class Bench:
    """Where things are: the gateway's address and token, the gateway role's database URL."""

    url: str
    headers: dict[str, str]
    gateway_url: str
    owner_url: str


@asynccontextmanager
async def running() -> AsyncIterator[Bench]:
    """Start all of it; stop all of it."""
    async with database() as started, gateway(started) as process:
        yield Bench(process.url, started.headers, started.gateway_url, started.owner_url)


@asynccontextmanager
async def database() -> AsyncIterator[Database]:
    """A server of its own, migrated, with two tenants, the first with a signed-in administrator."""
    with tempfile.TemporaryDirectory(prefix="m3-bench-", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o711)  # noqa: S103  # PostgreSQL under another user has to get through
        server = embedded.start(Path(folder) / "data")
        try:
            await migrate.upgrade(server.owner_url)
            password = secrets.token_urlsafe()
            await roles.set_password(server.owner_url, "m3_gateway", password)
            url = make_url(server.owner_url).set(username="m3_gateway", password=password)
            await _tenants(server.owner_url)
            keys_file = Path(folder) / "keys.json"
            keys.generate(keys_file)
            settings = Settings(keys_file=keys_file, access_token_ttl=86400)
            token, _ = AccessTokens(KeyFile(keys_file), settings).issue(TENANT, USER, SESSION)
            yield Database(
                server.cluster,
                url.render_as_string(hide_password=False),
                server.owner_url,
                server.superuser_url,
                keys_file,
                {"Authorization": f"Bearer {token}"},
            )
        finally:
            server.destroy()


@dataclass
class Process:
    """A server process, answering at `url`."""

    pid: int
    url: str


@asynccontextmanager
async def gateway(database: Database, *, pinned: bool = False, **settings: str) -> AsyncIterator[Process]:
    """`m3 serve` on the database, with the environment variables `settings` on top."""
    port = _free_port()
    environment = {
        "M3_DATABASE_URL": database.gateway_url,
        "M3_KEYS_FILE": str(database.keys_file),
        "M3_PORT": str(port),
        "M3_LOG_LEVEL": "error",
        # Costs are counted and charged as ever, to buckets that one user's load does not empty
        "M3_COST_PER_USER": "1000000000000",
        "M3_COST_PER_TENANT": "1000000000000",
        **settings,
    }
    command = [sys.executable, "-m", "graph.cli", "serve"]
    async with process(command, environment, port, pinned=pinned) as started:
        yield started


@asynccontextmanager
async def process(
    command: Sequence[str], environment: Mapping[str, str], port: int | None = None, *, pinned: bool = False
) -> AsyncIterator[Process]:
    """A server from the moment it listens; it is told its port as `PORT`, and stopped at the end."""
    port = port or _free_port()
    started = await asyncio.create_subprocess_exec(
        *(on_core(SERVER_CORE) if pinned else ()),
        *command,
        env={**os.environ, **environment, "PORT": str(port)},
    )
    try:
        await _listening(port, started)
        yield Process(started.pid, f"http://127.0.0.1:{port}/graphql")
    finally:
        if started.returncode is None:
            started.terminate()
        await started.wait()


def on_core(core: int) -> list[str]:
    """What a command begins with to run on one core; nothing where the machine has too few, or no taskset."""
    fits = shutil.which("taskset") is not None and (os.cpu_count() or 1) > max(SERVER_CORE, OTHER_CORE)
    return ["taskset", "-c", str(core)] if fits else []


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _listening(port: int, process: asyncio.subprocess.Process) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            if process.returncode is not None:
                raise RuntimeError("the server did not start") from None
            await asyncio.sleep(0.05)
        else:
            writer.close()
            await writer.wait_closed()
            return


async def _tenants(owner_url: str) -> None:
    connection = await asyncpg.connect(owner_url, server_settings={"app.maintenance": "on"})
    try:
        await connection.execute(
            # The ids are constants of this module, not input.
            f"""
            INSERT INTO tenants (id, name, slug)
                VALUES ('{TENANT}', 'Bench', 'bench'), ('{NEIGHBOUR}', 'Neighbour', 'neighbour');
            INSERT INTO users (id, tenant_id, email) VALUES
                ('{USER}', '{TENANT}', 'bench@bench.test'),
                ('{NEIGHBOUR}', '{NEIGHBOUR}', 'bench@neighbour.test');
            INSERT INTO roles (id, tenant_id, code, name) VALUES ('{USER}', '{TENANT}', 'admin', 'Admin');
            INSERT INTO role_permissions (tenant_id, role_id, permission) VALUES ('{TENANT}', '{USER}', '*');
            INSERT INTO user_roles (tenant_id, user_id, role_id) VALUES ('{TENANT}', '{USER}', '{USER}');
            INSERT INTO sessions (id, tenant_id, user_id, refresh_token_hash, expires_at)
                VALUES ('{SESSION}', '{TENANT}', '{USER}', 'bench', now() + interval '1 day');
            """
        )
    finally:
        await connection.close()


def pin(started: Database) -> None:
    """Put PostgreSQL, with all the processes it will start, on the core of the load."""
    if on_core(OTHER_CORE):
        postmaster = psutil.Process(int((started.cluster / "postmaster.pid").read_text().split()[0]))
        for process in (postmaster, *postmaster.children()):
            process.cpu_affinity([OTHER_CORE])
