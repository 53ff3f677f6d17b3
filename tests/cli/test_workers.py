"""`m3 serve --workers`: several processes, of which one may die, and all of which end together."""

import asyncio
import contextlib
import json
import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from graph.auth import keys
from graph.commands.workers import _keep
from tests.cli.program import PATIENCE, line_with, started
from tests.server import Urls


@asynccontextmanager
async def workers(urls: Urls, folder: Path, number: int) -> AsyncIterator[tuple[psutil.Process, str]]:
    """The process above the workers, once all of them serve, and where they listen."""
    keys.generate(folder / "keys.json")
    settings = {"database_url": urls.gateway, "keys_file": folder / "keys.json", "port": 0}
    async with started("serve", "--workers", str(number), **settings) as process:
        ports = {json.loads(await line_with(process.stderr, '"serving"'))["port"] for _ in range(number)}
        assert len(ports) == 1
        above = psutil.Process(process.pid)
        below = above.children()
        yield above, f"http://127.0.0.1:{ports.pop()}"
        with contextlib.suppress(psutil.NoSuchProcess):
            if above.children():  # else it is at its end, where a signal meets a loop that is half closed
                above.terminate()
        out, err = await asyncio.wait_for(process.communicate(), PATIENCE)
        assert b"Traceback" not in out + err
        assert [worker for worker in below if worker.is_running()] == []


async def answers(base_url: str) -> None:
    async with httpx.AsyncClient(base_url=base_url, trust_env=False, timeout=PATIENCE) as client:
        answer = await client.post("/graphql", json={"query": "{ viewer { user { id } } }"})
        assert answer.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_a_worker_that_dies_is_replaced_and_nobody_is_refused(urls: Urls, tmp_path: Path) -> None:
    async with workers(urls, tmp_path, 2) as (above, base_url):
        before = above.children()
        assert len(before) == 2
        for worker in before:
            worker.kill()
            await answers(base_url)
        async with asyncio.timeout(PATIENCE):
            while len(set(above.children()) - set(before)) < 2:  # noqa: ASYNC110  # nobody tells of it
                await asyncio.sleep(0.05)
        await answers(base_url)


async def test_a_worker_that_cannot_be_started_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    ending, attempts = asyncio.Event(), 0

    async def no_room(*_: object, **__: object) -> None:
        nonlocal attempts
        attempts += 1
        if attempts == 3:
            ending.set()
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr("graph.commands.workers.FIRST_PAUSE", 0.01)
    monkeypatch.setattr("asyncio.create_subprocess_exec", no_room)
    await _keep(0, ending, 1, {})
    assert attempts == 3


async def test_whichever_is_asked_shows_the_metrics_of_all(urls: Urls, tmp_path: Path) -> None:
    async with (
        workers(urls, tmp_path, 2) as (_, base_url),
        httpx.AsyncClient(base_url=base_url, trust_env=False, timeout=PATIENCE) as client,
    ):

        async def shown() -> list[str]:
            text = (await client.get("/metrics")).text
            return re.findall(r'(?m)^m3_sockets{worker="(\d)"} 0.0$', text)

        async with asyncio.timeout(PATIENCE):
            while len(await shown()) < 2:  # noqa: ASYNC110  # the second may still be starting
                await asyncio.sleep(0.05)
        for _ in range(3):
            assert await shown() == ["0", "1"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_all_of_them_end_when_they_are_told_to(
    urls: Urls, tmp_path: Path, number: signal.Signals
) -> None:
    async with workers(urls, tmp_path, 2) as (above, _):
        below = above.children()
        above.send_signal(number)
        gone, alive = await asyncio.to_thread(psutil.wait_procs, below, PATIENCE)
        assert (len(gone), alive) == (2, [])


async def test_they_do_not_outlive_the_process_above(urls: Urls, tmp_path: Path) -> None:
    async with workers(urls, tmp_path, 2) as (above, _):
        below = above.children()
        above.kill()
        gone, alive = await asyncio.to_thread(psutil.wait_procs, below, PATIENCE)
        assert (len(gone), alive) == (2, [])
