"""A private PostgreSQL, a tenant and a gateway process, for the time of a benchmark."""

import asyncio
import os
import secrets
import socket
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import asyncpg
import httpx
from sqlalchemy import make_url

from db import embedded, migrate, roles
from graph.auth import keys
from graph.auth.keys import KeyFile
from graph.auth.tokens import AccessTokens
from graph.settings import Settings

TENANT = UUID(int=1)
USER = UUID(int=2)
SESSION = UUID(int=3)


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
    with tempfile.TemporaryDirectory(prefix="m3-bench-", ignore_cleanup_errors=True) as folder:
        server = embedded.start(Path(folder) / "data")
        try:
            await migrate.upgrade(server.owner_url)
            password = secrets.token_urlsafe()
            await roles.set_password(server.owner_url, "m3_gateway", password)
            url = make_url(server.owner_url).set(username="m3_gateway", password=password)
            gateway_url = url.render_as_string(hide_password=False)
            await _tenant(server.owner_url)
            keys_file = Path(folder) / "keys.json"
            keys.generate(keys_file)
            token, _ = AccessTokens(KeyFile(keys_file), Settings(keys_file=keys_file)).issue(
                TENANT, USER, SESSION
            )
            async with _gateway(gateway_url, keys_file) as address:
                yield Bench(address, {"Authorization": f"Bearer {token}"}, gateway_url, server.owner_url)
        finally:
            server.destroy()


@asynccontextmanager
async def _gateway(database_url: str, keys_file: Path) -> AsyncIterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "M3_DATABASE_URL": database_url,
        "M3_KEYS_FILE": str(keys_file),
        "M3_PORT": str(port),
        "M3_LOG_LEVEL": "error",
    }
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("m3")), "serve", env=environment
    )
    try:
        await _answering(f"http://127.0.0.1:{port}/healthz", process)
        yield f"http://127.0.0.1:{port}/graphql"
    finally:
        process.terminate()
        await process.wait()


async def _answering(url: str, process: asyncio.subprocess.Process) -> None:
    async with httpx.AsyncClient() as http:
        while True:
            try:
                if (await http.get(url)).is_success:
                    return
            except httpx.TransportError:
                if process.returncode is not None:
                    raise RuntimeError("the gateway did not start") from None
                await asyncio.sleep(0.05)


async def _tenant(owner_url: str) -> None:
    connection = await asyncpg.connect(owner_url, server_settings={"app.maintenance": "on"})
    try:
        await connection.execute(
            # The ids are constants of this module, not input.
            f"""
            INSERT INTO tenants (id, name, slug) VALUES ('{TENANT}', 'Bench', 'bench');
            INSERT INTO users (id, tenant_id, email) VALUES ('{USER}', '{TENANT}', 'bench@bench.test');
            INSERT INTO roles (id, tenant_id, code, name) VALUES ('{USER}', '{TENANT}', 'admin', 'Admin');
            INSERT INTO role_permissions (tenant_id, role_id, permission) VALUES ('{TENANT}', '{USER}', '*');
            INSERT INTO user_roles (tenant_id, user_id, role_id) VALUES ('{TENANT}', '{USER}', '{USER}');
            INSERT INTO sessions (id, tenant_id, user_id, refresh_token_hash, expires_at)
                VALUES ('{SESSION}', '{TENANT}', '{USER}', 'bench', now() + interval '1 day');
            """
        )
    finally:
        await connection.close()
