"""`m3 serve`: on what it starts, on what it refuses to, and how it ends."""

import asyncio
import json
import signal
import socket
from pathlib import Path

import asyncpg
import httpx
import pytest

from db import migrate
from graph.auth import keys
from tests.cli.conftest import M3
from tests.cli.program import PATIENCE, line_with, started
from tests.server import Urls


@pytest.fixture
def keys_file(tmp_path: Path) -> Path:
    path = tmp_path / "keys.json"
    keys.generate(path)
    return path


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_it_serves_until_it_is_told_to_stop(
    urls: Urls, keys_file: Path, number: signal.Signals
) -> None:
    settings = {"database_url": urls.gateway, "keys_file": keys_file, "port": 0}
    async with started("serve", **settings) as process:
        serving = json.loads(await line_with(process.stderr, '"serving"'))
        base = f"http://127.0.0.1:{serving['port']}"
        async with httpx.AsyncClient(base_url=base, trust_env=False, timeout=PATIENCE) as client:
            found = (await client.get("/.well-known/jwks.json")).json()
            assert found == keys.load(keys_file).jwks
            answer = await client.post("/graphql", json={"query": "{ viewer { user { id } } }"})
            assert answer.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        process.send_signal(number)
        out, err = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert process.returncode == (0 if number is signal.SIGINT else -signal.SIGTERM)
    assert b"Traceback" not in out + err


async def test_a_login_that_owns_tables_is_refused(m3: M3, urls: Urls, keys_file: Path) -> None:
    done = await m3("serve", database_url=urls.owner, keys_file=keys_file, port=0)
    assert done.code == 1
    assert "is not confined to its tenants" in done.err
    assert "owns 5" in done.err
    assert "m3_gateway" in done.err


async def test_a_database_behind_the_migrations_is_refused(
    m3: M3, scratch_database: Urls, keys_file: Path
) -> None:
    owner = await asyncpg.connect(scratch_database.owner)
    await owner.execute("UPDATE gateway.alembic_version SET version_num = '0001'")
    await owner.close()
    done = await m3("serve", database_url=scratch_database.gateway, keys_file=keys_file, port=0)
    assert done.code == 1
    assert done.err.splitlines()[-1] == (
        f"m3: the database is at migration 0001 and this release needs {migrate.head()}: run `m3 db upgrade`"
    )


async def test_an_empty_database_is_refused(
    m3: M3, empty_database: Urls, urls: Urls, keys_file: Path
) -> None:
    done = await m3("serve", database_url=empty_database.gateway, keys_file=keys_file, port=0)
    assert done.code == 1
    assert "is at migration none" in done.err


async def test_a_port_in_use_is_named(m3: M3, urls: Urls, keys_file: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = await m3("serve", "--port", str(port), database_url=urls.gateway, keys_file=keys_file)
    assert done.code == 1
    assert f"cannot listen on 127.0.0.1, port {port}" in done.err


async def test_missing_keys_name_their_remedy(m3: M3, urls: Urls, tmp_path: Path) -> None:
    done = await m3("serve", database_url=urls.gateway, keys_file=tmp_path / "none.json", port=0)
    assert done.code == 1
    assert "m3 keys generate" in done.err
