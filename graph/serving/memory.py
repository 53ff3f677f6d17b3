"""Memory is given back when a crowd of connections is gone.

What ends is free but stays with the process: what refers to each other waits for the garbage collector, and
glibc keeps what is free for the next that ask.
"""

import asyncio
import ctypes
import gc
from collections.abc import Callable, Sized
from typing import Final

CROWD: Final = 1000
"""Connections that are worth it: they take some 10 kB each, and to give back takes some 10 ms."""

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
        gc.collect()
        if _trim is not None:
            await asyncio.to_thread(_trim, 0)
