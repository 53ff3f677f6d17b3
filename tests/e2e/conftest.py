"""The gateway as a program over a database with the demo, and the programs that talk to it."""

import asyncio
import json
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from db import demo
from graph.auth import keys
from tests.cli.program import line_with, started
from tests.e2e import programs
from tests.e2e.programs import Node
from tests.server import Server, Urls


@pytest.fixture(scope="session")
def node() -> Node:
    """Node with the packages of `node/`."""
    return Node.found()


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The browser's program."""
    return programs.chromium()


@pytest.fixture(scope="session")
async def demo_database(server: Server, migrated: str) -> Urls:
    """A database of this worker's with the two demo tenants; `db.demo.PASSWORD` opens every account."""
    urls = await server.create_database(template=migrated)
    await demo.load_demo(urls.owner)
    return urls


@pytest.fixture(scope="session")
async def gateway(demo_database: Urls, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The address, `http://127.0.0.1:…`, of `m3 serve` over the demo."""
    async with serving(demo_database.gateway, tmp_path_factory.mktemp("gateway")) as address:
        yield address


@asynccontextmanager
async def serving(database_url: str, folder: Path, **settings: Any) -> AsyncIterator[str]:
    """The address of an `m3 serve` of one's own, by `settings` without their prefix."""
    keys.generate(folder / "keys.json")
    given = {"database_url": database_url, "keys_file": folder / "keys.json", "port": 0, **settings}
    async with started("serve", **given) as process:
        port = json.loads(await line_with(process.stderr, '"serving"'))["port"]
        reading = asyncio.create_task(_drain(process))
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            reading.cancel()
            with suppress(asyncio.CancelledError):
                await reading


async def _drain(process: Process) -> None:
    """Read the log away: a full pipe would stop the server."""
    assert process.stderr is not None
    while await process.stderr.read(65536):
        pass
