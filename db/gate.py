"""The line in front of a pool: whoever cannot hope for a connection is told so soon."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator
from typing import Final

from db.scope import DatabaseUnavailable

STUCK_SECONDS: Final = 2.0
"""Seconds in which no connection came free: those that have one are waiting themselves."""

LOOKS: Final = 4
"""In how many looks that time is counted: a process that is short of CPU takes longer to look as well."""

PATIENCE_SECONDS: Final = 30.0
"""Seconds to wait while the line moves: a burst that wants one row is worked off one by one."""

MAX_WAITING: Final = 1000
"""How many wait in line; one more is refused at once."""


SPARE_SECONDS: Final = 0.01
"""Seconds after which who waits is given a spare place, if there is one."""


class Gate:
    """Lets as many in as there are `places`, first come, first served."""

    def __init__(self, places: int, *, spare: int = 0) -> None:
        """Of the places the `spare` ones are only for those who have waited a little."""
        self.free = places
        self._spare = spare
        self.called = 0
        """How many of those who waited have a place and do not know it yet."""
        self._line: deque[asyncio.Future[None]] = deque()
        self._moved = 0

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._line)

    @contextlib.asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """A place for the length of the block, or `DatabaseUnavailable`."""
        if not self.try_enter():
            await self.wait()
        try:
            yield
        finally:
            self.leave()

    def try_enter(self) -> bool:
        """Take a place if one is free; whoever has one will `leave`."""
        if self.free <= self._spare:
            return False
        self.free -= 1
        return True

    async def wait(self) -> None:
        """Stand in line for a place, or `DatabaseUnavailable`."""
        if len(self._line) >= MAX_WAITING:
            raise DatabaseUnavailable("too many wait for a connection")
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[None] = loop.create_future()
        self._line.append(turn)
        until = loop.time() + PATIENCE_SECONDS
        looks, moved = 0, self._moved
        timer: asyncio.TimerHandle

        def look() -> None:
            nonlocal looks, moved, timer
            looks, moved = (looks + 1 if moved == self._moved else 0), self._moved
            if turn.done():
                return
            if looks == LOOKS or loop.time() >= until:
                turn.set_exception(DatabaseUnavailable("no connection came free"))
            else:
                timer = loop.call_later(STUCK_SECONDS / LOOKS, look)

        def take_spare() -> None:
            nonlocal timer
            if self.free and not turn.done():
                self._line.remove(turn)
                self.free -= 1
                self._call(turn)
            else:
                timer = loop.call_later(STUCK_SECONDS / LOOKS, look)

        if self.free:
            timer = loop.call_later(SPARE_SECONDS, take_spare)
        else:
            timer = loop.call_later(STUCK_SECONDS / LOOKS, look)
        try:
            await turn
            self.called -= 1
        except BaseException:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self.called -= 1
                self.leave()  # handed over in the moment of giving up
            else:
                with contextlib.suppress(ValueError):  # it was passed over already
                    self._line.remove(turn)
            raise
        finally:
            timer.cancel()

    def leave(self) -> None:
        """Leave the place to the next."""
        self._moved += 1
        while self._line:
            turn = self._line.popleft()
            if not turn.done():  # given up a moment ago
                self._call(turn)
                return
        self.free += 1

    def _call(self, turn: "asyncio.Future[None]") -> None:
        turn.set_result(None)
        self.called += 1
