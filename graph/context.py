"""What an operation carries: who asks, the snapshot they read, and the loaders over it."""

import asyncio
from dataclasses import dataclass, field
from functools import cached_property
from uuid import UUID

import strawberry

from db.session import Database, Scope
from graph.auth.keys import KeyFile
from graph.auth.passwords import Passwords
from graph.auth.tokens import AccessTokens, Claims, InvalidToken
from graph.auth.viewer import Viewer, load_viewer
from graph.errors import Unauthenticated
from graph.loaders import Loaders
from graph.settings import Settings
from graph.snapshot import Snapshot


@dataclass(frozen=True)
class Services:
    """What lives as long as the process."""

    database: Database
    keys: KeyFile
    tokens: AccessTokens
    passwords: Passwords
    settings: Settings


@dataclass
class Context:
    """One operation. `token` is the bearer token as it came, verified when the first field needs it."""

    services: Services
    token: str | None = None
    operation_name: str | None = None
    ip: str | None = None
    user_agent: str | None = None
    request_id: str = ""
    _viewer: Viewer | None = field(default=None, init=False)
    _snapshot: Snapshot | None = field(default=None, init=False)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    @property
    def viewer(self) -> Viewer:
        """Who asks; below a root field, which has authenticated them."""
        if self._viewer is None:
            raise Unauthenticated
        return self._viewer

    @property
    def snapshot(self) -> Snapshot:
        """The one snapshot of this operation."""
        if self._snapshot is None:
            raise Unauthenticated
        return self._snapshot

    @cached_property
    def loaders(self) -> Loaders:
        """The loaders of this operation."""
        return Loaders(self.snapshot, self.viewer)

    @cached_property
    def cursor_key(self) -> bytes:
        """What cursors are signed with."""
        return self.services.keys.current.derive("cursor")

    async def authenticate(self) -> Viewer:
        """The viewer: the token verified, then session, user and permissions read in one statement."""
        async with self._lock:
            if self._viewer is None:
                claims = self._claims()
                await self._become(claims.tenant_id, claims.user_id, claims.session_id)
            return self.viewer

    async def _become(self, tenant_id: UUID, user_id: UUID, session_id: UUID) -> None:
        self._snapshot = Snapshot(self.services.database, Scope(tenant_id=tenant_id, user_id=user_id))
        self._viewer = await load_viewer(self._snapshot, tenant_id, user_id, session_id)
        if self._viewer is None:
            raise Unauthenticated("The session has ended. Sign in again.")

    def _claims(self) -> Claims:
        if self.token is None:
            raise Unauthenticated
        try:
            return self.services.tokens.verify(self.token)
        except InvalidToken:
            raise Unauthenticated("The token is not valid. Sign in again.") from None

    async def become(self, token: str) -> None:
        """Go on as the session of `token`: what was read before it is not read on."""
        await self.close()
        self.token = token
        self._viewer = self._snapshot = None
        self.__dict__.pop("loaders", None)

    async def close(self) -> None:
        """End the snapshot; whoever made the context calls it, whatever happened."""
        if self._snapshot is not None:
            await self._snapshot.close()


Info = strawberry.Info[Context, None]
