"""A feed: the events that one subscriber waits for, from the hub while it keeps up, else from the log."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from db.session import DatabaseUnavailable
from graph.events.event import Event, SlowConsumer

_RETRY_SECONDS: Final = 0.5

Read = Callable[[int], Awaitable[tuple[Sequence[Event], bool]]]
"""A page of the feed's events behind a place in the log, and whether there are more; raises CursorExpired."""


class Feed:
    """An asynchronous iterator for one reader at a time. It has no task of its own."""

    __slots__ = (
        "_behind_since",
        "_error",
        "_live",
        "_lost",
        "_missed",
        "_patience",
        "_read",
        "_room",
        "_seen",
        "_waiter",
    )

    def __init__(self, read: Read, seen: int, *, lost: bool, room: int, patience: float) -> None:
        """Tells what is behind `seen`: what is `put`, and what is in the log where some of it is `lost`."""
        self._read = read
        self._seen = seen
        self._lost = lost
        self._room = room
        self._patience = patience
        self._missed: deque[Event] = deque()
        self._live: deque[Event] = deque()
        self._behind_since: float | None = None
        self._error: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None

    def put(self, event: Event) -> None:
        """The next event. What there is no room for the reader fetches from the log."""
        if self._lost:
            return
        if len(self._live) >= self._room:
            self._forgo()
            if self._behind_since is None:
                self._behind_since = self._now()
            return
        if self._waiter is not None and not self._waiter.done():
            # Who waits has seen all before this; an older place might be forgotten by the time it is needed
            self._seen = max(self._seen, event.seq - 1)
        self._live.append(event)
        self._wake()

    def fail(self, error: Exception) -> None:
        """Let the reader have `error` as soon as it asks for the next event."""
        self._error = error
        self._wake()

    async def catch_up(self) -> None:
        """Read a page of what was lost from the log."""
        # Before the log is read: whatever is put from now on is behind the page, or on it as well
        self._lost = False
        try:
            page, more = await self._read(self._seen)
        except BaseException:
            self._forgo()
            raise
        self._missed.extend(page)
        if more:
            self._forgo()

    def __aiter__(self) -> "Feed":
        return self

    async def __anext__(self) -> Event:
        while True:
            if self._error is not None:
                raise self._error
            if self._behind_since is not None and self._now() - self._behind_since > self._patience:
                raise SlowConsumer
            if self._missed or self._live:
                for event in self.waiting(1):
                    return event
            elif self._lost:
                try:
                    await self.catch_up()
                except DatabaseUnavailable:
                    await asyncio.sleep(_RETRY_SECONDS)
            else:
                self._behind_since = None
                self._waiter = asyncio.get_running_loop().create_future()
                await self._waiter

    def waiting(self, most: int) -> list[Event]:
        """The next events, as far as they are here already."""
        found: list[Event] = []
        while len(found) < most and (self._missed or self._live):
            event = (self._missed or self._live).popleft()
            if event.seq > self._seen:
                self._seen = event.seq
                found.append(event)
        return found

    def _forgo(self) -> None:
        self._live.clear()
        self._lost = True

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
