"""`m3 serve --workers`: several gateways on one listening socket, and one process that keeps them running.

Each worker is an `m3 serve` of its own that is handed the socket. The kernel gives a connection to whichever
accepts it first, and nobody's connection is refused while another worker is made anew.
"""

import asyncio
import os
import signal
import socket
import sys
import threading
from collections.abc import Mapping
from typing import Final

import structlog

FIRST_PAUSE: Final = 0.1
LONGEST_PAUSE: Final = 10.0
"""Seconds before a worker is replaced that died, or could not be started; the longer, the more often so."""

log = structlog.get_logger(__name__)


async def supervise(
    listener: socket.socket, number: int, seconds: float, variables: Mapping[str, str]
) -> None:
    """Keep `number` workers running until SIGINT or SIGTERM, then end them all within `seconds`.

    They get `variables` beside the environment.
    """
    ending = asyncio.Event()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signal_number, ending.set)
    async with asyncio.TaskGroup() as group:
        for _ in range(number):
            group.create_task(_keep(listener.fileno(), ending, seconds, variables))


async def _keep(handle: int, ending: asyncio.Event, seconds: float, variables: Mapping[str, str]) -> None:
    clock = asyncio.get_running_loop().time
    pause = FIRST_PAUSE
    ended = asyncio.create_task(ending.wait())
    while not ended.done():
        began = clock()
        try:
            worker = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "graph.cli", "serve", "--listener", str(handle)),
                pass_fds=[handle],
                env={**os.environ, **variables},
                stdin=asyncio.subprocess.PIPE,
            )
        except OSError as error:  # no memory or no handles left, of which the others may well have theirs
            log.error("worker.not_started", error=str(error))
            pause = min(2 * pause, LONGEST_PAUSE)
            await asyncio.wait({ended}, timeout=pause)
            continue
        exited = asyncio.create_task(worker.wait())
        await asyncio.wait({exited, ended}, return_when=asyncio.FIRST_COMPLETED)
        if exited.done():
            log.error("worker.died", worker=worker.pid, code=worker.returncode)
            pause = FIRST_PAUSE if clock() - began > LONGEST_PAUSE else min(2 * pause, LONGEST_PAUSE)
            await asyncio.wait({ended}, timeout=pause)
        else:
            await _end(worker, exited, seconds)


async def _end(worker: asyncio.subprocess.Process, exited: asyncio.Task[int], seconds: float) -> None:
    worker.terminate()
    await asyncio.wait({exited}, timeout=seconds)
    if not exited.done():
        log.error("worker.killed", worker=worker.pid)
        worker.kill()
        await exited


def inherit(handle: int) -> socket.socket:
    """The socket that a worker is handed. The worker ends with whoever started it, however that one ends."""

    def wait() -> None:
        while os.read(sys.stdin.fileno(), 1024):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()
    return socket.socket(fileno=handle)
