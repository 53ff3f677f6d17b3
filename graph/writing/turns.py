"""Turns: of what has the same key, one at a time, the others waiting without a connection.

async with turns.of((tenant_id, user_id, key)):
    ...
"""

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from graph.errors import Timeout
from graph.limits import LAUNCH_SECONDS


@dataclass
class _Turn:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    wanted: int = 0


class Turns:
    """The turns of one process; of a key that nobody wants, nothing is kept."""

    def __init__(self) -> None:
        self._turns: dict[Hashable, _Turn] = {}

    def __len__(self) -> int:
        """How many keys are in use."""
        return len(self._turns)

    @asynccontextmanager
    async def of(self, key: Hashable) -> AsyncIterator[None]:
        """The turn for `key`, first come, first served; Timeout where it does not come soon."""
        turn = self._turns.setdefault(key, _Turn())
        turn.wanted += 1
        try:
            try:
                async with asyncio.timeout(LAUNCH_SECONDS):
                    await turn.lock.acquire()
            except TimeoutError:
                raise Timeout from None
            try:
                yield
            finally:
                turn.lock.release()
        finally:
            turn.wanted -= 1
            if not turn.wanted:
                del self._turns[key]
