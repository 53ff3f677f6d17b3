"""`m3 dev`: from nothing to a demo that people sign in to, and back to nothing that runs."""

import asyncio
import json
import re
import signal
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from db import embedded
from db.embedded import EmbeddedServer
from tests.cli.program import PATIENCE, line_with, started
from tests.server import Server, Urls

ACCOUNTS = [
    ("demo", "admin@demo.test"),
    ("demo", "sales@demo.test"),
    ("demo", "inventory@demo.test"),
    ("other", "admin@other.test"),
]
SIGN_IN = """mutation ($input: SignInInput!) {
  signIn(input: $input) { accessToken viewer { user { id email } tenant { slug } } errors { message } }
}"""


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("dev") / "data"


def cluster(data_dir: Path) -> Path:
    """Where the private server keeps its data."""
    return Path(json.loads((data_dir / "postgres.json").read_text())["cluster"])


@asynccontextmanager
async def running(
    data_dir: Path, **settings: str
) -> AsyncIterator[tuple[Process, str, list[tuple[str, str]]]]:
    """The program when it serves: itself, its address and the accounts that it printed."""
    async with started("dev", data_dir=data_dir, port=0, **settings) as process:
        line = await line_with(process.stdout, "/graphql")
        assert "GraphiQL" in line
        found = re.search(r"http://\S+(?=/graphql)", line)
        assert found is not None
        assert "demo-password" in await line_with(process.stdout, "Accounts")
        accounts = []
        for _ in ACCOUNTS:
            _, slug, email, _ = (await line_with(process.stdout, "tenant")).split()
            accounts.append((slug, email))
        await line_with(process.stdout, "Ctrl-C stops all of it")
        yield process, found[0], accounts


async def end(process: Process, number: signal.Signals, data_dir: Path) -> None:
    """Stops the program by a signal; nothing of it is left."""
    process.send_signal(number)
    _, err = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert process.returncode == 0
    assert b"Traceback" not in err
    if (data_dir / "postgres.json").exists():
        assert not (cluster(data_dir) / "postmaster.pid").exists()


async def sign_in(client: httpx.AsyncClient, slug: str, email: str) -> Any:
    given = {"tenantSlug": slug, "email": email, "password": "demo-password"}
    answer = await client.post("/graphql", json={"query": SIGN_IN, "variables": {"input": given}})
    return answer.json()["data"]["signIn"]


async def test_it_serves_the_demo_and_leaves_nothing_running(data_dir: Path) -> None:
    async with running(data_dir) as (process, base, accounts):
        assert accounts == ACCOUNTS
        async with httpx.AsyncClient(base_url=base, trust_env=False, timeout=PATIENCE) as client:
            users = {}
            for slug, email in accounts:
                signed_in = await sign_in(client, slug, email)
                assert signed_in["errors"] == []
                assert signed_in["viewer"]["tenant"] == {"slug": slug}
                users[email] = signed_in["viewer"]["user"]["id"]
            page = await client.get("/graphql", headers={"Accept": "text/html"})
            assert "graphiql" in page.text.lower()

        async with started("dev", data_dir=data_dir, port=0) as second:
            _, err = await asyncio.wait_for(second.communicate(), PATIENCE)
            assert err.decode() == f"m3: m3 dev is running in {data_dir} already\n"
            assert second.returncode == 1
        await end(process, signal.SIGINT, data_dir)

    async with running(data_dir) as (process, base, _):
        async with httpx.AsyncClient(base_url=base, trust_env=False, timeout=PATIENCE) as client:
            for slug, email in ACCOUNTS:
                assert (await sign_in(client, slug, email))["viewer"]["user"]["id"] == users[email]
        await end(process, signal.SIGTERM, data_dir)


async def test_a_server_that_a_crash_left_running_is_taken_over(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "elsewhere", None)  # `m3 dev` runs the wheel's
    left: EmbeddedServer = await asyncio.to_thread(embedded.start, data_dir)
    try:
        async with running(data_dir) as (process, _, _):
            await end(process, signal.SIGINT, data_dir)
    finally:
        await asyncio.to_thread(left.destroy)


async def test_what_comes_before_serving_can_be_stopped_too(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    async with started("dev", data_dir=data_dir, port=0) as process:
        await line_with(process.stdout, "Starting PostgreSQL")
        process.send_signal(signal.SIGTERM)
        _, err = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert process.returncode == 0
    assert b"Traceback" not in err
    assert not (cluster(data_dir) / "postmaster.pid").exists()


async def test_a_server_that_the_settings_name_is_used(
    tmp_path: Path, server: Server, empty_database: Urls
) -> None:
    data_dir = tmp_path / "data"
    settings = {
        "owner_database_url": empty_database.owner,
        "gateway_role": server.gateway_role,
        "service_role": server.service_role,
    }
    async with running(data_dir, **settings) as (process, base, _):
        async with httpx.AsyncClient(base_url=base, trust_env=False, timeout=PATIENCE) as client:
            assert (await sign_in(client, *ACCOUNTS[0]))["viewer"]["user"]["email"] == "admin@demo.test"
        await end(process, signal.SIGTERM, data_dir)
    assert sorted(path.name for path in data_dir.iterdir()) == ["dev.lock", "keys.json"]
    owner = await server.connect()
    await owner.execute(f'DROP ROLE "{server.gateway_role}_dev"')
    await owner.close()
