"""What `docker/compose.yaml` describes, started from packages: PostgreSQL, PgBouncer and two gateways.

The roles are made by `docker/roles.sql` and PgBouncer reads `docker/pgbouncer.ini`, so both are tried here.
"""

import asyncio
import configparser
import contextlib
import getpass
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import asyncpg
from sqlalchemy import make_url

from db import embedded, migrate
from graph.auth import keys
from tests.cli.program import PATIENCE, line_with, started
from tests.e2e.programs import lacking

DOCKER: Final = Path(__file__).parents[2] / "docker"
KEEPS_STATEMENTS_APART: Final = (1, 21)
"""The version of PgBouncer from which prepared statements may be used in transaction mode."""


@dataclass(frozen=True)
class Topology:
    """Everything that runs; addresses of the gateways, URLs of the logins."""

    gateways: tuple[str, str]
    owner_url: str
    pooled_url: str
    superuser_url: str
    keys_file: Path


@contextlib.contextmanager
def workplace() -> Iterator[Path]:
    """A folder that PgBouncer can look into: it does not run as root, and pytest's are closed."""
    folder = Path(tempfile.mkdtemp(prefix="m3-topology-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextlib.contextmanager
def postgres(folder: Path) -> Iterator[embedded.EmbeddedServer]:
    """A server that is gone afterwards."""
    server = embedded.start(folder, durable=False)
    try:
        yield server
    finally:
        server.destroy()


@contextlib.asynccontextmanager
async def topology() -> AsyncIterator[Topology]:
    """The whole of it while the block runs."""
    program = pgbouncer()
    with workplace() as folder, postgres(folder / "server") as server:
        passwords = {name: secrets.token_hex(8) for name in ("owner_password", "gateway_password")}
        make_roles(server.superuser_url, passwords)
        direct = make_url(server.owner_url)
        owner = direct.set(username="m3_owner", password=passwords["owner_password"])
        owner_url = owner.render_as_string(hide_password=False)
        await migrate.upgrade(owner_url)
        keys.generate(folder / "keys.json")
        with pooler(program, folder, server.port, passwords["gateway_password"]) as port:
            pooled = owner.set(username="m3_gateway", password=passwords["gateway_password"], port=port)
            pooled_url = pooled.render_as_string(hide_password=False)
            await _answers(pooled_url)
            settings = {
                "database_url": pooled_url,
                "listen_database_url": pooled.set(port=server.port).render_as_string(hide_password=False),
                "keys_file": folder / "keys.json",
                "port": 0,
                "pool_size": 10,
                "statement_cache": 1000 if version(program) >= KEEPS_STATEMENTS_APART else 0,
            }
            async with _gateway(settings) as one, _gateway(settings) as other:
                yield Topology(
                    (one, other), owner_url, pooled_url, server.superuser_url, folder / "keys.json"
                )


def pgbouncer() -> Path:
    """The program, where it is installed."""
    found = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        lacking("no PgBouncer here")
    return Path(found)


def version(program: Path) -> tuple[int, int]:
    """The version, of which the first two numbers matter."""
    said = subprocess.run([program, "--version"], check=True, capture_output=True, text=True).stdout
    found = re.search(r"PgBouncer (\d+)\.(\d+)", said)
    assert found is not None, said
    return int(found[1]), int(found[2])


def make_roles(superuser_url: str, passwords: dict[str, str]) -> None:
    """Run `docker/roles.sql` as the image of PostgreSQL does."""
    given = [f"--set={name}={value}" for name, value in {"ON_ERROR_STOP": "1", **passwords}.items()]
    psql = [str(embedded.program("psql")), "--no-psqlrc", "--quiet", *given]
    subprocess.run([*psql, f"--file={DOCKER / 'roles.sql'}", superuser_url], check=True, timeout=PATIENCE)


@contextlib.contextmanager
def pooler(program: Path, folder: Path, server_port: int, password: str) -> Iterator[int]:
    """PgBouncer by `docker/pgbouncer.ini`, with addresses of this machine; the port that it listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (folder / "userlist.txt").write_text(f'"m3_gateway" "{password}"\n')
    config = configparser.ConfigParser(delimiters=("=",), inline_comment_prefixes=None, interpolation=None)
    config.read(DOCKER / "pgbouncer.ini")
    config["databases"]["m3core"] = f"host=127.0.0.1 port={server_port} dbname=m3core"
    here = {"listen_addr": "127.0.0.1", "listen_port": port, "auth_file": folder / "userlist.txt"}
    config["pgbouncer"].update({name: str(value) for name, value in here.items()})
    if version(program) < KEEPS_STATEMENTS_APART:
        del config["pgbouncer"]["max_prepared_statements"]
    with (folder / "pgbouncer.ini").open("w") as file:
        config.write(file)
    # It refuses to run as root
    user = ("--user", "nobody") if getpass.getuser() == "root" else ()
    with (folder / "pgbouncer.log").open("wb") as log:
        process = subprocess.Popen([program, *user, folder / "pgbouncer.ini"], stdout=log, stderr=log)
    try:
        yield port
    finally:
        process.terminate()
        process.wait(PATIENCE)


async def _answers(url: str) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            with contextlib.suppress(OSError):
                connection = await asyncpg.connect(url, statement_cache_size=0)
                await connection.close()
                return
            await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def _gateway(settings: dict[str, Any]) -> AsyncIterator[str]:
    async with started("serve", **settings) as process:
        serving = json.loads(await line_with(process.stderr, '"serving"'))
        # Nobody reads on: a full pipe would stop the gateway
        copying = asyncio.create_task(_copy(process.stderr))
        try:
            yield f"http://127.0.0.1:{serving['port']}"
        finally:
            copying.cancel()


async def _copy(stream: asyncio.StreamReader | None) -> None:
    assert stream is not None
    while chunk := await stream.read(65536):
        sys.stderr.buffer.write(chunk)
