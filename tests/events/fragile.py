"""A server that may be crashed, and who has the sequencer's lock on one."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from db import embedded
from db.embedded import EmbeddedServer
from tests.server import Server, Urls

HOLDER = """
SELECT a.pid, a.client_port FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND a.datname = current_database()
  AND l.objid = hashtext('m3core.sequencer')::bigint & 4294967295
"""
"""The server's process in whose session the lock is, and the port of its client."""


@asynccontextmanager
async def private_server() -> AsyncIterator[tuple[EmbeddedServer, Urls]]:
    """A server to restart, and the logins of its one database."""
    folder = Path(tempfile.mkdtemp(prefix="m3-test-"))
    server = embedded.start(folder, durable=False)
    try:
        run = Server.of(server.owner_url)
        yield server, run.urls(await run.migrated())
    finally:
        server.destroy()
        shutil.rmtree(folder)


async def crash(server: EmbeddedServer) -> None:
    """What a power cut does, but for the files: no goodbye to anybody, and recovery at the start."""
    restart = ("pg_ctl", "-D", str(server.cluster), "-m", "immediate", "-w", "-t", "120")
    log = str(server.cluster / "server.log")
    await asyncio.to_thread(embedded._run, server.data_dir, *restart, "-l", log, "restart")
