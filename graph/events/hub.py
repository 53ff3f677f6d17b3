"""The hub of a process: it follows the log of events and hands them to whoever subscribed.

Who is to have an event is found by what it is about: an event of topic, user and entity has four addresses,
with and without the user and the entity, and each subscriber is registered under the one it asked for.
Events that nobody waits for cost four look-ups, and no others wake anybody.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import asyncpg
import structlog

from db.scope import Scope
from db.session import Database, DatabaseUnavailable
from graph.errors import CursorExpired, Unavailable
from graph.events.event import Event
from graph.events.feed import Feed
from graph.events.link import DEADLINE, Link
from graph.limits import FEED_PAGE, FEED_QUEUE, SLOW_CONSUMER_SECONDS

POLL_SECONDS: Final = 1.0
"""How often the log is read whatever happens; this also finds out that the link is dead."""

_CHANNEL: Final = "m3_events"
_PAGE: Final = 1000
_NOBODY: Final = UUID(int=0)
"""Stands for the user of events that have none: of a role, whoever has it."""

_BOUNDS: Final = "SELECT oldest, newest, waiting FROM gateway.event_bounds()"
_FOLLOW: Final = "SELECT * FROM gateway.events_after($1, $2)"
_MISSED: Final = """
SELECT l.seq, l.at, l.tenant_id, l.topic, l.action, l.entity_id, l.user_id FROM gateway.event_log l
WHERE l.tenant_id = $1 AND l.topic = $2 AND l.seq > $3 AND ($4::uuid IS NULL OR l.entity_id = $4)
"""
_MISSED_IN_TENANT: Final = _MISSED + "ORDER BY l.seq LIMIT $5"
_MISSED_BY_USER: Final = _MISSED + "AND l.user_id = $6 ORDER BY l.seq LIMIT $5"

log = structlog.get_logger(__name__)

Address = tuple[UUID, str, UUID | None, UUID | None]
"""Tenant, topic, and the user and the entity where they matter."""

if TYPE_CHECKING:
    Driver = asyncpg.Connection[asyncpg.Record]


class Hub:
    """Follows the log from `start` to `stop`, over a connection of its own that it makes anew when lost."""

    def __init__(
        self,
        url: str,
        database: Database,
        *,
        queue: int = FEED_QUEUE,
        patience: float = SLOW_CONSUMER_SECONDS,
        deadline: float = DEADLINE,
    ) -> None:
        """`url` leads to PostgreSQL itself, past any pooler; `database` reads what a feed has missed.

        A feed keeps `queue` events for a reader who is busy, and gives it `patience` seconds to catch up. A
        look-up of what it has missed has `deadline` seconds; then it is tried again.
        """
        self._link = Link(url, "hub", self._follow)
        self._database = database
        self._queue = queue
        self._patience = patience
        self._deadline = deadline
        self._hint = asyncio.Event()
        self._ready = asyncio.Event()
        self._newest = 0
        self._read_at = time.monotonic()
        self.outbox_age = 0.0
        """Seconds that the oldest event had waited for its place in the log when that was last looked at."""
        self.event_age = 0.0
        """Seconds between the last event that was handed out and its handing out."""
        self._addressees: dict[Address, set[Callable[[Event], None]]] = {}
        self._feeds: set[Feed] = set()
        self._watchers: set[Callable[[Event | None], None]] = set()

    @property
    def silence(self) -> float:
        """Seconds since the log was last read: about one at most, unless the link is down."""
        return time.monotonic() - self._read_at

    @property
    def subscriptions(self) -> int:
        """How many feeds there are."""
        return len(self._feeds)

    async def start(self) -> None:
        """Begin to follow; returns at once, whether the database can be reached or not."""
        self._read_at = time.monotonic()
        await self._link.start()

    async def stop(self) -> None:
        """End all feeds and close the connection."""
        await self._link.stop()
        for feed in self._feeds:
            feed.fail(StopAsyncIteration())

    @asynccontextmanager
    async def feed(
        self,
        tenant_id: UUID,
        topic: str,
        *,
        after: int | None,
        user_id: UUID | None = None,
        entity_id: UUID | None = None,
    ) -> AsyncIterator[Feed]:
        """The tenant's events of a topic behind `after`, or from now on; of a user or an entity, if given.

        Entering raises CursorExpired where what came behind `after` is forgotten, and Unavailable while the
        database cannot be reached. The iterator raises CursorExpired too, if that happens later, and
        SlowConsumer when its reader has been behind for too long; it ends when the hub stops.
        """

        async def missed(seen: int) -> tuple[Sequence[Event], bool]:
            return await self._missed(tenant_id, topic, seen, user_id, entity_id)

        try:
            async with asyncio.timeout(DEADLINE):
                await self._ready.wait()
        except TimeoutError:
            raise Unavailable from None
        # Nothing is awaited between the reading of the place and the registration: all behind it is put
        seen = self._newest if after is None else after
        feed = Feed(missed, seen, lost=seen != self._newest, room=self._queue, patience=self._patience)
        with self._registered(feed.put, (tenant_id, topic, user_id, entity_id)):
            self._feeds.add(feed)
            try:
                if seen != self._newest:
                    await _first_page(feed)
                yield feed
            finally:
                self._feeds.discard(feed)

    @contextmanager
    def revocations(
        self, tenant_id: UUID, user_id: UUID, session_id: UUID, told: Callable[[Event | None], None]
    ) -> Iterator[None]:
        """Within the block `told` is called when the session, the user or their rights change.

        The event is of topic `session` (revoked or deleted), `user` (any change of status) or `rights` (also
        of a role that the user may not have). None means that something may have been missed. What follows
        from it is read from the database: `load_viewer`. `told` must not block or raise.
        """
        addresses: tuple[Address, ...] = (
            (tenant_id, "session", None, session_id),
            (tenant_id, "user", user_id, None),
            (tenant_id, "rights", user_id, None),
            (tenant_id, "rights", _NOBODY, None),
        )
        with self._registered(told, *addresses):
            self._watchers.add(told)
            try:
                yield
            finally:
                self._watchers.discard(told)

    @contextmanager
    def _registered(self, told: Callable[[Event], None], *addresses: Address) -> Iterator[None]:
        for address in addresses:
            self._addressees.setdefault(address, set()).add(told)
        try:
            yield
        finally:
            for address in addresses:
                here = self._addressees[address]
                here.discard(told)
                if not here:
                    del self._addressees[address]

    async def _missed(
        self, tenant_id: UUID, topic: str, seen: int, user_id: UUID | None, entity_id: UUID | None
    ) -> tuple[Sequence[Event], bool]:
        sql, given = _MISSED_IN_TENANT, [tenant_id, topic, seen, entity_id, FEED_PAGE]
        if user_id is not None:
            sql, given = _MISSED_BY_USER, [*given, user_id]
        try:
            async with self._database.readers.snapshot(Scope(tenant_id=tenant_id)) as connection:
                bounds = await connection.fetchrow(_BOUNDS, timeout=self._deadline)
                rows = await connection.fetch(sql, *given, timeout=self._deadline)
        except asyncpg.QueryCanceledError as error:  # it took too long, as it may when everybody comes back
            raise DatabaseUnavailable(str(error)) from error
        # A place that the log has not reached is of a log that was lost, with what followed in it
        if bounds is None or not bounds["oldest"] - 1 <= seen <= bounds["newest"]:
            raise CursorExpired
        return [_event(row) for row in rows], len(rows) == FEED_PAGE

    async def _follow(self, connection: "Driver") -> None:
        async with asyncio.timeout(DEADLINE):
            await connection.add_listener(_CHANNEL, self._hinted)
        connection.add_termination_listener(lambda _: self._hint.set())
        clock = asyncio.get_running_loop().time
        bounds_at = clock()
        while True:
            self._hint.clear()
            if clock() >= bounds_at:
                await self._read_bounds(connection)
                bounds_at = clock() + POLL_SECONDS
            await self._read_events(connection)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await self._hint.wait()

    def _hinted(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        # Anybody who may log in to the database can send one: it is only ever a reason to read the log
        if payload != str(self._newest):
            self._hint.set()

    async def _read_bounds(self, connection: "Driver") -> None:
        row = await connection.fetchrow(_BOUNDS, timeout=DEADLINE)
        assert row is not None
        self.outbox_age = row["waiting"] or 0.0
        if not self._ready.is_set():
            self._newest = row["newest"]
            self._ready.set()
        elif not row["oldest"] - 1 <= self._newest <= row["newest"]:
            log.error("events.gap", read=self._newest, oldest=row["oldest"], newest=row["newest"])
            self._newest = row["newest"]
            for feed in self._feeds:
                feed.fail(CursorExpired())
            for told in tuple(self._watchers):
                _tell(told, None)

    async def _read_events(self, connection: "Driver") -> None:
        rows = None
        while rows is None or len(rows) == _PAGE:
            rows = await connection.fetch(_FOLLOW, self._newest, _PAGE, timeout=DEADLINE)
            for row in rows:
                self._hand_out(row)
            # Together with the handing out, as whoever subscribes must find it: nothing is awaited between
            if rows:
                self._newest = rows[-1]["seq"]
                self.event_age = max(0.0, (datetime.now(UTC) - rows[-1]["at"]).total_seconds())
            self._read_at = time.monotonic()

    def _hand_out(self, row: asyncpg.Record) -> None:
        tenant_id, topic = row["tenant_id"], row["topic"]
        event: Event | None = None
        for user_id in (None, row["user_id"] or _NOBODY):
            for entity_id in (None, row["entity_id"]):
                addressees = self._addressees.get((tenant_id, topic, user_id, entity_id))
                if addressees:
                    event = event or _event(row)
                    for told in tuple(addressees):
                        _tell(told, event)


async def _first_page(feed: Feed) -> None:
    try:
        await feed.catch_up()
    except DatabaseUnavailable:
        raise Unavailable from None


def _tell(told: Callable[[Event], None] | Callable[[Event | None], None], event: Any) -> None:
    """Whatever one of them does, the others are told too."""
    try:
        told(event)
    except Exception as error:
        log.error("events.not_told", exc_info=error)


def _event(row: asyncpg.Record) -> Event:
    """The driver's ids are of a class of their own, which not all that take a UUID take."""
    user_id = row["user_id"]
    return Event(
        row["seq"],
        row["at"],
        UUID(int=row["tenant_id"].int),
        row["topic"],
        row["action"],
        UUID(int=row["entity_id"].int),
        None if user_id is None else UUID(int=user_id.int),
    )
