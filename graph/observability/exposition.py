"""The metrics as text: of this process, or of all processes that share its port.

Whoever scrapes a port that several processes listen on reaches one of them at random. So each shows its own
metrics at a socket in a common folder, `M3_METRICS_DIR`, and the one that is asked joins what all of them
show, with the label `worker`: counters stay exact, gauges are of this moment, and nothing is written to disk.
The number of a worker is the lowest that is free in the folder, so the number of series stays what it is when
processes are started anew.
"""

import asyncio
import contextlib
import fcntl
import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import IO, Final

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

PATIENCE: Final = 2.0
"""Seconds that a worker has to show its metrics; one that takes longer is missing from the answer."""

_SAMPLE: Final = re.compile(rb"^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{)?", re.MULTILINE)

log = structlog.get_logger(__name__)


class Exposition:
    """What `/metrics` answers."""

    def __init__(self, registry: CollectorRegistry, folder: Path | None) -> None:
        self._registry, self._folder = registry, folder
        self._server: asyncio.Server | None = None
        self._claim: IO[str] | None = None

    async def start(self) -> None:
        """Show the metrics to the other processes of the folder, if there is one."""
        if self._folder is None:
            return
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        number, self._claim = _lowest(self._folder)
        path = self._folder / f"{number}.sock"
        path.unlink(missing_ok=True)  # of a process that was killed
        self._server = await asyncio.start_unix_server(self._show, path)

    async def stop(self) -> None:
        """Leave the folder."""
        if self._server is not None and self._claim is not None:
            self._server.close()
            Path(self._claim.name).with_suffix(".sock").unlink(missing_ok=True)
            self._claim.close()
            self._server = self._claim = None

    async def text(self) -> tuple[bytes, str]:
        """The metrics, and their media type."""
        if self._folder is None:
            # In a thread: some thousand lines would stop all requests for milliseconds
            return await asyncio.to_thread(generate_latest, self._registry), CONTENT_TYPE_LATEST
        sockets = sorted(self._folder.glob("*.sock"))
        shown = await asyncio.gather(*map(_ask, sockets))
        parts = {path.stem: text for path, text in zip(sockets, shown, strict=True) if text is not None}
        return await asyncio.to_thread(join, parts), CONTENT_TYPE_LATEST

    async def _show(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            writer.write(await asyncio.to_thread(generate_latest, self._registry))
            await writer.drain()
        writer.close()


def join(parts: dict[str, bytes]) -> bytes:
    """The expositions of several workers as one, where the samples of a metric stand together."""
    families: dict[bytes, list[bytes]] = {}
    for worker, text in parts.items():
        for heading, samples in _families(text):
            families.setdefault(heading, []).append(_labelled(samples, worker.encode()))
    return b"".join(heading + b"".join(samples) for heading, samples in families.items())


def _families(text: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Each metric's two lines of heading, and its samples."""
    for family in re.split(rb"(?m)^(?=# HELP )", text):
        help_line, _, rest = family.partition(b"\n")
        type_line, _, samples = rest.partition(b"\n")
        if samples:
            yield help_line + b"\n" + type_line + b"\n", samples


def _labelled(samples: bytes, worker: bytes) -> bytes:
    def add(match: re.Match[bytes]) -> bytes:
        return match[1] + b'{worker="' + worker + (b'",' if match[2] else b'"}')

    return _SAMPLE.sub(add, samples)


def _lowest(folder: Path) -> tuple[int, IO[str]]:
    """The lowest number that no living process has in the folder, and the lock that keeps it ours."""
    for number in count():
        lock = (folder / f"{number}.lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
        else:
            return number, lock
    raise AssertionError("numbers do not end")


async def _ask(path: Path) -> bytes | None:
    try:
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_unix_connection(path)
            try:
                return await reader.read()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        # Gone without taking its socket along, or too busy; the next one of its number takes it over
        log.warning("metrics.worker_missing", worker=path.stem)
        return None
