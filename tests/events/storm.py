"""A storm: many writers, several gateways, and subscribers who go and come back at random.

Each subscriber keeps a log of what it was told. When the writers have stopped, it must be what the database
has: everything that it was entitled to, in the one order, once.
"""

import asyncio
import contextlib
import json
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid4

import asyncpg
import httpx
import websockets
from websockets.asyncio.client import ClientConnection
from websockets.typing import Subprotocol

from tests.events.pace import Pace
from tests.server import Urls

WRITERS: Final = 16
"""A quarter of them by way of a gateway, the others by SQL of their own."""

PATIENCE: Final = 120
"""Seconds after which what a subscriber has not been told is taken to be lost."""

COMMITS: Final = 100
"""Notices that are written by SQL before the fault, and after it, at least."""

INBOX: Final = """
subscription ($after: Cursor) {
  event: notificationAdded(after: $after) { cursor action row: notification { id } }
}
"""
APPROVALS: Final = """
subscription ($after: Cursor) {
  event: approvalStateChanged(after: $after) { cursor action row: approval { id } }
}
"""
NOTIFY: Final = """
mutation ($input: NotifyUsersInput!) { notifyUsers(input: $input) { errors { code } } }
"""
_ADD: Final = (
    "INSERT INTO notifications_inbox (tenant_id, user_id, category, title, id) "
    "SELECT $1, user_id, 'tasks', 'Call', id FROM unnest($2::uuid[], $3::uuid[]) AS rows (user_id, id)"
)
_READ: Final = "UPDATE notifications_inbox SET is_read = true WHERE id = ANY ($1)"
_REQUEST: Final = (
    "INSERT INTO approvals (tenant_id, id, domain, subject_entity, subject_id, requested_by) "
    "VALUES ($1, $2, 'deal.stage.move', 'deal', $2, $3)"
)
_DECIDE: Final = "UPDATE approvals SET state = 'rejected' WHERE id = $1"
_EXPECTED: Final = (
    "SELECT upper(action) AS action, entity_id FROM gateway.event_log "
    "WHERE tenant_id = $1 AND topic = $2 AND ($3::uuid IS NULL OR user_id = $3) ORDER BY seq"
)
_COUNT: Final = "SELECT count(*) FROM gateway.event_log WHERE tenant_id = $1"
_DOWN: Final = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
)
_LOST: Final = (OSError, TimeoutError, websockets.WebSocketException, httpx.TransportError)

Told = tuple[str, UUID]
"""The action, and whose id."""

if TYPE_CHECKING:
    Raw = asyncpg.Connection[Any]


@dataclass
class Person:
    """A user, with a token."""

    user: UUID
    token: str


@dataclass
class Subscriber:
    """Somebody who follows a feed, from `after` on."""

    person: Person
    query: str
    topic: str
    after: str
    log: list[Told] = field(default_factory=list)
    received: list[tuple[UUID, float, float]] = field(default_factory=list)
    """What was added, when it was received, and since when this subscriber had been there."""
    came: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once it follows for the first time."""
    expected: int | None = None
    """How much there is to be told, once that is known."""

    @property
    def user(self) -> UUID | None:
        """Whose events these are, where they are one's own."""
        return self.person.user if self.topic == "notification" else None

    @property
    def done(self) -> bool:
        """Whether there is nothing more to come."""
        return self.expected is not None and len(self.log) >= self.expected

    async def follow(self, urls: list[str]) -> None:
        """Follow until all is told, with one of the gateways at a time, for a while each."""
        while not self.done:
            url = random.choice(urls).replace("http", "ws", 1)  # noqa: S311
            try:
                async with asyncio.timeout(PATIENCE):
                    await self._follow(url)
            except _LOST:
                pass
            await asyncio.sleep(random.uniform(0, 0.5))  # noqa: S311

    async def _follow(self, url: str) -> None:
        async with websockets.connect(
            f"{url}/graphql",
            subprotocols=[Subprotocol("graphql-transport-ws")],
            compression=None,
            ping_interval=None,
            proxy=None,
        ) as socket:
            try:
                await self._subscribe(socket)
                since = time.time()
                self.came.set()
                async with asyncio.timeout(None if self.expected else random.uniform(0.5, 10)):  # noqa: S311
                    while not self.done:
                        self._take(json.loads(await socket.recv()), since)
            finally:
                if random.random() < 0.5:  # noqa: S311  # gone without a word, as when a phone loses its network
                    socket.transport.abort()

    async def _subscribe(self, socket: ClientConnection) -> None:
        authorization = {"Authorization": f"Bearer {self.person.token}"}
        await socket.send(json.dumps({"type": "connection_init", "payload": authorization}))
        assert json.loads(await socket.recv())["type"] == "connection_ack"
        payload = {"query": self.query, "variables": {"after": self.after}}
        await socket.send(json.dumps({"type": "subscribe", "id": "feed", "payload": payload}))

    def _take(self, message: dict[str, Any], since: float) -> None:
        if message["type"] == "error":
            codes = {error["extensions"]["code"] for error in message["payload"]}
            assert codes == {"UNAVAILABLE"}, message
            raise ConnectionResetError
        assert message["type"] == "next", message
        assert "errors" not in message["payload"], message
        event = message["payload"]["data"]["event"]
        self.after = event["cursor"]
        row = UUID(event["row"]["id"])
        self.log.append((event["action"], row))
        if event["action"] == "ADDED":
            self.received.append((row, time.time(), since))


class Storm:
    """A tenant's people over some gateways, whose addresses are `gateways`: they may change.

    The writers keep to `pace`; `seconds` is how long they wrote.
    """

    def __init__(
        self, urls: Urls, tenant: UUID, people: list[Person], gateways: list[str], pace: Pace
    ) -> None:
        self.urls, self.tenant, self.people, self.gateways = urls, tenant, people, gateways
        self.pace, self.seconds = pace, 0.0
        self.subscribers: list[Subscriber] = []
        self.committed: dict[UUID, float] = {}
        self._over = False

    async def subscribe(self, number: int) -> None:
        """So many subscribers, a tenth of them to what happens to requests for approval."""
        cursors = [await self._cursor(person) for person in self.people]
        for place in range(number):
            person, after = self.people[place % len(self.people)], cursors[place % len(self.people)]
            query, topic = (APPROVALS, "approval") if place % 10 == 9 else (INBOX, "notification")
            self.subscribers.append(Subscriber(person, query, topic, after))

    async def rage(self, seconds: float, fault: Callable[[], Awaitable[None]] | None = None) -> None:
        """Write for so long and for COMMITS at least, a fault in the middle; end when all of it is told."""
        async with asyncio.TaskGroup() as group:
            for subscriber in self.subscribers:
                group.create_task(subscriber.follow(self.gateways))
            for subscriber in self.subscribers:
                await subscriber.came.wait()
            began = time.monotonic()
            writers = [
                group.create_task(self._ask() if place % 4 == 0 else self._write())
                for place in range(WRITERS)
            ]
            await self._last(seconds / 2)
            if fault is not None:
                await fault()
            await self._last(seconds / 2)
            self._over = True
            await asyncio.gather(*writers)
            self.seconds = time.monotonic() - began
            expected = await self.expected()
            for subscriber, events in zip(self.subscribers, expected, strict=True):
                subscriber.expected = len(events)

    async def _last(self, seconds: float) -> None:
        enough = len(self.committed) + COMMITS
        await asyncio.sleep(seconds)
        while len(self.committed) < enough:  # noqa: ASYNC110  # a busy machine takes longer
            await asyncio.sleep(0.1)

    async def expected(self) -> list[list[Told]]:
        """What each of the subscribers should have been told."""
        async with self._owner() as owner:
            async with asyncio.timeout(PATIENCE):
                while await owner.fetchval("SELECT EXISTS (SELECT FROM gateway.event_outbox)"):
                    pass
            wanted = [(self.tenant, it.topic, it.user) for it in self.subscribers]
            known = {
                key: [(row["action"], row["entity_id"]) for row in await owner.fetch(_EXPECTED, *key)]
                for key in set(wanted)
            }
            return [known[key] for key in wanted]

    @asynccontextmanager
    async def _owner(self) -> AsyncIterator["Raw"]:
        owner = await asyncpg.connect(self.urls.owner, server_settings={"app.maintenance": "on"})
        try:
            yield owner
        finally:
            await owner.close()

    async def events(self) -> int:
        """How many events there were, of all topics."""
        async with self._owner() as owner:
            count: int = await owner.fetchval(_COUNT, self.tenant)
            return count

    def delays(self) -> list[float]:
        """Seconds from a commit to those who were there at that moment, in order of size."""
        return sorted(
            received - self.committed[row]
            for subscriber in self.subscribers
            for row, received, since in subscriber.received
            if self.committed.get(row, 0) > since
        )

    async def _cursor(self, person: Person) -> str:
        data = await self._post(person, "{ viewer { eventCursor } }")
        cursor: str = data["data"]["viewer"]["eventCursor"]
        return cursor

    async def _post(self, person: Person, query: str, **variables: Any) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {person.token}"}
        async with httpx.AsyncClient(headers=headers, timeout=PATIENCE, trust_env=False) as http:
            url = random.choice(self.gateways)  # noqa: S311
            body = {"query": query, "variables": variables}
            answer: dict[str, Any] = (await http.post(f"{url}/graphql", json=body)).json()
            return answer

    async def _ask(self) -> None:
        """Notify people by way of a gateway."""
        while not self._over:
            await self.pace.turn(2)
            users = [str(person.user) for person in random.sample(self.people, 2)]
            given = {"category": "TASKS", "title": "Call", "userIds": users}
            with contextlib.suppress(*_LOST):
                answer = await self._post(random.choice(self.people), NOTIFY, input=given)  # noqa: S311
                codes = {error["extensions"]["code"] for error in answer.get("errors", ())}
                assert codes <= {"UNAVAILABLE"}, answer
            await asyncio.sleep(random.uniform(0, 0.4))  # noqa: S311

    async def _write(self) -> None:
        """Write by SQL: transactions that take their time, so that they commit in no order."""
        while not self._over:
            try:
                connection = await asyncpg.connect(self.urls.service, timeout=5)
            except _DOWN:
                await asyncio.sleep(0.1)
                continue
            with contextlib.suppress(*_DOWN):
                while not self._over:
                    await self.pace.turn(3)
                    await self._transaction(connection)
                    await asyncio.sleep(random.uniform(0, 0.3))  # noqa: S311
            connection.terminate()

    async def _transaction(self, connection: "Raw") -> None:
        users = [person.user for person in random.sample(self.people, 2)]
        ids = [uuid4() for _ in users]
        async with connection.transaction():
            await connection.execute(_ADD, self.tenant, users, ids)
            if random.random() < 0.1:  # noqa: S311
                await connection.execute(_REQUEST, self.tenant, ids[0], users[0])
                await connection.execute(_DECIDE, ids[0])
            await connection.execute("SELECT pg_sleep(0.1 * random())")
            await connection.execute(_READ, ids[1:])
        self.committed |= dict.fromkeys(ids, time.time())
