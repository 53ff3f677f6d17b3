"""Memory is given back when a crowd of connections is gone.

What ends is free but stays with the process: what refers to each other waits for the garbage collector, glibc
keeps what is free for the next that ask, and of Python's arenas of 1 MB each stays in which anything is left.
So what a cache or a free list holds of the crowd is let go of too, which is next to nothing by itself.
"""

import asyncio
import contextvars
import ctypes
import gc
import sys
from collections.abc import Callable, Sized
from typing import Final

CROWD: Final = 1000
"""Connections that are worth it: they take some 10 kB each, and to give back takes some 20 ms."""

FREE: Final = 256
"""The most objects of a type in a free list: uvloop keeps 250, asyncio 255."""

_trim: Final[Callable[[int], int] | None] = getattr(ctypes.CDLL(None), "malloc_trim", None)
"""glibc's; other C libraries have none."""


class Memory:
    """The memory of a process that has `connections`."""

    def __init__(self, connections: Sized) -> None:
        self._connections, self._most, self._gone = connections, 0, False

    async def look(self) -> None:
        """To be called every second; gives back once a crowd was gone already the last time."""
        now = len(self._connections)
        self._most = max(self._most, now)
        gone = self._most >= CROWD and now <= self._most // 4
        if gone and self._gone:
            self._most, gone = now, False
            await self.give_back()
        self._gone = gone

    async def give_back(self) -> None:
        """Do it now."""
        await _renew()
        sys._clear_type_cache()  # which has the name of each attribute that was looked for
        gc.collect()  # which empties Python's own free lists
        if _trim is not None:
            # In no thread: it holds glibc's lock, and all who allocate would wait for it
            _trim(0)


async def _renew() -> None:
    """Put new objects in the free lists of asyncio and uvloop, in place of the crowd's.

    A free list gives what it has before anything is allocated, and takes what is freed until it is full: so
    twice as many are taken as it can have, and those that were allocated last are freed first.
    """
    loop, context = asyncio.get_running_loop(), contextvars.Context()
    awaited = loop.create_future()
    timers = [loop.call_later(1, awaited.done, context=context) for _ in range(2 * FREE)]
    for timer in timers:
        timer.cancel()
    handles = [loop.call_soon(awaited.done, context=context) for _ in range(2 * FREE)]
    waiting = [awaited.__await__() for _ in range(2 * FREE)]
    await asyncio.sleep(0)  # the loop has run the handles and forgotten them
    for kept in (timers, handles, waiting):
        while kept:
            kept.pop()
