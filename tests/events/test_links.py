"""How links end: what the log says of it, and how long the server waits for who says nothing."""

import asyncio
import threading

import asyncpg
from structlog.testing import capture_logs

from graph.events.link import Link
from graph.events.sequencer import ELECT
from tests.events.inbox import PATIENCE
from tests.server import Urls


async def end(url: str, pid: int) -> None:
    """End a session, and wait until it has ended."""
    connection = await asyncpg.connect(url)
    assert await connection.fetchval("SELECT pg_terminate_backend($1, 10000)", pid)
    await connection.close()


async def test_what_the_server_ended_between_two_statements_is_no_fault_of_ours(urls: Urls) -> None:
    again = asyncio.Event()
    pids: list[int] = []

    async def work(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        pids.append(await connection.fetchval("SELECT pg_backend_pid()"))
        if len(pids) > 1:
            again.set()
            await asyncio.Event().wait()
        # This loop does nothing meanwhile, as on a machine that is short of CPU
        ending = threading.Thread(target=lambda: asyncio.run(end(urls.gateway, pids[0])))
        ending.start()
        ending.join(PATIENCE)
        # It hears why, and not yet that this was all
        for _ in range(2):
            await asyncio.sleep(0)
        await connection.fetchval("SELECT pg_backend_pid()")

    link = Link(urls.gateway, "test", work)
    with capture_logs() as logged:
        await link.start()
        async with asyncio.timeout(PATIENCE):
            await again.wait()
        await link.stop()
    lost = {"event": "events.link_lost", "link": "test", "log_level": "warning"}
    assert logged == [{**lost, "reason": "the server ended the session"}]
    assert pids[0] != pids[1]


async def test_a_fault_of_the_work_is_told_as_such_and_the_work_goes_on(urls: Urls) -> None:
    failed, done = asyncio.Event(), asyncio.Event()
    fault = LookupError("once")

    async def work(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        if not failed.is_set():
            failed.set()
            raise fault
        done.set()

    link = Link(urls.gateway, "test", work)
    with capture_logs() as logged:
        await link.start()
        async with asyncio.timeout(PATIENCE):
            await done.wait()
        await link.stop()
    assert logged == [
        {"event": "events.link_failed", "link": "test", "log_level": "error", "exc_info": fault}
    ]


async def test_silence_is_cut_short_for_the_sequencer_alone(scratch_database: Urls) -> None:
    elected, candidate = [await asyncpg.connect(scratch_database.gateway) for _ in range(2)]
    before = await candidate.fetchval("SHOW idle_session_timeout")
    assert await elected.fetchval(ELECT) is True
    assert await candidate.fetchval(ELECT) is False
    assert await elected.fetchval("SHOW idle_session_timeout") == "5s"
    assert await candidate.fetchval("SHOW idle_session_timeout") == before
    for connection in (elected, candidate):
        await connection.close()
