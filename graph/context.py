"""What an operation carries: who asks, the snapshot they read, and the loaders over it."""

import asyncio
import contextlib
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from uuid import UUID

import strawberry
from graphql import GraphQLError

from db.session import Database, Scope
from graph.admission.buckets import Buckets
from graph.admission.cost import Cost
from graph.admission.documents import Document
from graph.admission.trusted import TrustedDocuments
from graph.auth.attempts import Attempts, Kind
from graph.auth.keys import KeyFile
from graph.auth.passwords import Passwords
from graph.auth.standing import Viewers, ViewersReading
from graph.auth.tokens import AccessTokens, Claims, InvalidToken
from graph.auth.trail import Client
from graph.auth.viewer import Viewer, load_viewer, signed_in
from graph.errors import GatewayError, Timeout, Unauthenticated, Unavailable, cause_of
from graph.events.hub import Hub
from graph.http.live import Live
from graph.loaders import Loaders
from graph.observability.exposition import Exposition
from graph.observability.health import Readiness
from graph.observability.metrics import Metrics
from graph.observability.operation import Operation
from graph.observability.tracing import Tracing
from graph.scalars import phone_region
from graph.settings import Settings
from graph.size import check_size
from graph.snapshot import Change, Snapshot
from graph.writing.idempotency import Answered, IdempotencyKey, claim, keep
from graph.writing.turns import Turns
from graph.writing.work import Work


@dataclass(frozen=True)
class Services:
    """What lives as long as the process."""

    database: Database
    keys: KeyFile
    tokens: AccessTokens
    passwords: Passwords
    settings: Settings
    hub: Hub
    attempts: Attempts = field(default_factory=Attempts)
    turns: Turns = field(default_factory=Turns)
    viewers: Viewers = field(default_factory=Viewers)
    metrics: Metrics = field(default_factory=Metrics)
    tracing: Tracing | None = None

    @cached_property
    def live(self) -> Live:
        """What is open. Deliveries leave half of the pool for requests."""
        return Live(max(1, self.settings.pool_size // 2))

    @cached_property
    def exposition(self) -> Exposition:
        """The metrics as they are read."""
        return Exposition(self.metrics.registry, self.settings.metrics_dir)

    @cached_property
    def buckets(self) -> Buckets:
        """What may be asked for in a minute."""
        return Buckets(self.settings)

    @cached_property
    def documents(self) -> TrustedDocuments:
        """The trusted documents, and who may send others."""
        return TrustedDocuments(self.database, self.settings.documents)

    @cached_property
    def readiness(self) -> Readiness:
        """Whether this process should be sent requests."""
        return Readiness(self.database, self.hub)


@dataclass
class Context:
    """One operation. `token` is the bearer token as it came, verified when the first field needs it."""

    services: Services
    token: str | None = None
    operation_name: str | None = None
    ip: str | None = None
    user_agent: str | None = None
    request_id: str = ""
    trace: Mapping[str, str] = field(default_factory=dict)
    """The headers by which a trace goes on here: `traceparent`, and what comes with it."""
    operation: Operation = field(default_factory=Operation)
    """What its operators see of it."""
    cost: Cost = field(default_factory=Cost)
    """What it costs, as far as it has run."""
    deadline: float | None = None
    """When a query is given up, by the clock of the event loop."""
    document: Document | None = None
    """The document of the request, where it is parsed and validated already."""
    idempotency: IdempotencyKey | None = None
    verified: Claims | None = None
    """What stands for a token where one was verified before: when a socket was opened, for a stream."""
    last_event_id: str | None = None
    """The cursor that a subscription goes on from, whatever its `after` says: the stream had come so far."""
    work: Work = field(init=False)
    """The work of the root mutation that is running; there is none elsewhere."""
    size: int = field(default=0, init=False)
    """Bytes of what the root mutations so far have answered."""
    answered: Answered | None = field(default=None, init=False)
    """The answer that the idempotency key of the root mutation has: nothing is to be done then."""

    _viewer: Viewer | None = field(default=None, init=False)
    _snapshot: Snapshot | None = field(default=None, init=False)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    def __post_init__(self) -> None:
        # Scalars are parsed without a context, in the task that has just made this one.
        phone_region.set(self.services.settings.default_region)

    @property
    def client(self) -> Client:
        """From where the request comes."""
        return Client(self.ip, self.user_agent)

    @property
    def viewer(self) -> Viewer:
        """Who asks; below a root field, which has authenticated them."""
        if self._viewer is None:
            raise Unauthenticated
        return self._viewer

    @property
    def tenant_id(self) -> UUID | None:
        """The tenant of who asks, once they are known."""
        return None if self._viewer is None else self._viewer.tenant_id

    @property
    def snapshot(self) -> Snapshot:
        """The one snapshot of this operation."""
        if self._snapshot is None:
            raise Unauthenticated
        return self._snapshot

    @cached_property
    def loaders(self) -> Loaders:
        """The loaders of this operation."""
        return Loaders(self.snapshot, self.viewer, self.cost)

    @property
    def cursor_key(self) -> bytes:
        """What cursors are signed with."""
        return self.services.keys.current.derive("cursor")

    @property
    def may_introspect(self) -> bool:
        """Whether this client may see the schema: `M3_INTROSPECTION`."""
        allowed = self.services.settings.introspection
        if allowed == "members":
            with contextlib.suppress(Unauthenticated):
                return self.claims() is not None
        return allowed == "everybody"

    def known(self, viewer: Viewer) -> None:
        """Who asks, as read in this moment: what runs on from here need not ask again."""
        self._viewer = viewer
        scope = Scope(tenant_id=viewer.tenant_id, user_id=viewer.user_id)
        self._snapshot = Snapshot(self.services.database, scope, self.deadline)

    def start_clock(self) -> None:
        """Give what is read from now on `M3_OPERATION_SECONDS`."""
        self.deadline = asyncio.get_running_loop().time() + self.services.settings.operation_seconds

    async def authenticate(self) -> Viewer:
        """The viewer: the token verified, then session, user and permissions read in one statement."""
        async with self._lock:
            if self._viewer is None:
                claims = self.claims()
                await self._become(claims.tenant_id, claims.user_id, claims.session_id)
            return self.viewer

    async def _become(self, tenant_id: UUID, user_id: UUID, session_id: UUID) -> None:
        scope = Scope(tenant_id=tenant_id, user_id=user_id)
        self._snapshot = Snapshot(self.services.database, scope, self.deadline)
        self._viewer = signed_in(await load_viewer(self._snapshot, tenant_id, user_id, session_id))

    def claims(self) -> Claims:
        """What the token says; Unauthenticated without a good one."""
        if self.verified is not None:
            return self.verified
        if self.token is None:
            raise Unauthenticated
        try:
            return self.services.tokens.verify(self.token)
        except InvalidToken:
            raise Unauthenticated("The token is not valid. Sign in again.") from None

    def attempts(self, kind: Kind, *account: object) -> AbstractAsyncContextManager[None]:
        """An attempt from this client's address; see `Attempts.of`."""
        return self.services.attempts.of(kind, account=account, address=self.client.address)

    def reading(self) -> ViewersReading:
        """The viewer as of now, and what fetches rows for them by SQL, in a snapshot of its own.

        Raises Unauthenticated, Unavailable and Timeout.
        """
        return ViewersReading(self.services.database, self.services.viewers, self.claims(), self.deadline)

    async def identify(self) -> Viewer:
        """The viewer as of now, for an operation that takes its time: nothing stays open."""
        await self.forget()
        async with self.reading() as (viewer, _):
            pass
        return viewer

    async def become(self, token: str | None) -> None:
        """Go on as the session of `token`: what was read before it is not read on."""
        self.token, self.verified = token, None
        await self.forget()

    async def forget(self) -> None:
        """End the snapshot, and let go of all that was read in it."""
        await self.close()
        self._viewer = self._snapshot = None
        self.__dict__.pop("loaders", None)

    async def begin(self) -> None:
        """Open the transaction of a root mutation, or open it anew, unless its key is `answered`."""
        await self.close()
        self.__dict__.pop("loaders", None)
        claims = self.claims()
        change = Change(self.services.database, Scope(tenant_id=claims.tenant_id, user_id=claims.user_id))
        self._snapshot = change
        viewer = await load_viewer(change, claims.tenant_id, claims.user_id, claims.session_id)
        self._viewer = signed_in(viewer)
        self.work = Work(self._viewer, change, self.client.address, self.client.program)
        if self.idempotency is not None:
            self.answered = await claim(change, self._viewer, self.idempotency)
            if self.answered is not None:
                await change.rollback()

    def settle(self) -> None:
        """Let the payload be read with the rights that the work ended with: it may have waited for others."""
        self._viewer = self.work.viewer
        self.__dict__.pop("loaders", None)

    def turn(self) -> AbstractAsyncContextManager[None]:
        """The turn of a root mutation among those that have its idempotency key, if it has one."""
        if self.idempotency is None:
            return contextlib.nullcontext()
        claims = self.claims()
        return self.services.turns.of((claims.tenant_id, claims.user_id, self.idempotency.key))

    async def finish(self, data: Any, errors: list[GraphQLError]) -> None:
        """End the transaction of a root mutation whose payload has been read: commit what was done.

        `errors` are those of the payload. What a client may not see does not matter to what was done;
        what could not be read does, and is raised. TooComplex where there is too much to tell.
        """
        places = [error.path for error in errors]
        self.size = await check_size({"data": data, "errors": places}, self.size)
        work = self.work
        if not (work.done and work.keep):
            await work.transaction.rollback()
            return
        for error in errors:
            cause = cause_of(error)
            if not isinstance(cause, GatewayError) or isinstance(cause, Timeout | Unavailable):
                raise cause or error
        if self.idempotency is not None:
            await keep(work.transaction, work.viewer, self.idempotency, data, errors)
        await work.transaction.commit()

    async def undo(self) -> None:
        """Undo the transaction of a root mutation that failed."""
        if isinstance(self._snapshot, Change):
            await self._snapshot.rollback()

    async def close(self) -> None:
        """End the snapshot; whoever made the context calls it, whatever happened."""
        if self._snapshot is not None:
            await self._snapshot.close()


Info = strawberry.Info[Context, None]
