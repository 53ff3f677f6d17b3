"""What is open in this process: sockets, event streams, and the mutations that they have begun."""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Protocol


class Open(Protocol):
    """A connection that stays open until somebody ends it."""

    def drain(self) -> None:
        """Take nothing new, answer what is running, end by yourself."""

    def abandon(self) -> None:
        """End now."""


class Live:
    """The registry of open connections, and the turn in which they read from the database."""

    def __init__(self, readers: int) -> None:
        """At most `readers` deliveries read at a time: the rest of the pool is for requests."""
        self.turn = asyncio.Semaphore(readers)
        self.draining = False
        self._open: set[Open] = set()
        self._lasting: set[asyncio.Task[None]] = set()
        self._passing: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        """How many connections are open."""
        return len(self._open)

    @contextmanager
    def held(self, connection: Open) -> Iterator[None]:
        """For as long as the connection is open."""
        self._open.add(connection)
        if self.draining:
            connection.drain()
        try:
            yield
        finally:
            self._open.discard(connection)
            self._changed.set()

    def start(self, work: Coroutine[Any, Any, None], *, lasting: bool) -> asyncio.Task[None]:
        """A task, kept until it is done. A `lasting` one is waited for, whether its client is or not."""
        task = asyncio.create_task(work)
        kept = self._lasting if lasting else self._passing
        kept.add(task)
        task.add_done_callback(kept.discard)
        if lasting:
            task.add_done_callback(lambda _: self._changed.set())
        return task

    async def drain(self, seconds: float) -> None:
        """Let what is open come to its end, for so many seconds at most; then end what is left."""
        self.draining = True
        for connection in list(self._open):
            connection.drain()
        try:
            async with asyncio.timeout(seconds):
                await self._empty()
        except TimeoutError:
            for connection in list(self._open):
                connection.abandon()

    async def _empty(self) -> None:
        while self._open or self._lasting:
            self._changed.clear()
            await self._changed.wait()
