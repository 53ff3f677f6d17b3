"""Viewers that this process has read before, and whether they still stand.

Nothing is taken for granted: each snapshot says itself, in the round trip of its BEGIN, whether the session
is good and the rights are those that were read before (`gateway.standing`). Where it says no, the viewer is
read in that snapshot.
"""

from collections import OrderedDict
from collections.abc import Iterable
from types import TracebackType
from typing import Final, NamedTuple
from uuid import UUID

from db.readers import Beginning, beginning
from db.scope import Scope, quoted
from db.session import Database
from graph.auth.tokens import Claims
from graph.auth.viewer import Fetch, Viewer, read_viewer, signed_in
from graph.limits import MAX_STANDING, VIEWERS_KEPT
from graph.snapshot import Reading


class Kept(NamedTuple):
    """A viewer as read before."""

    viewer: Viewer
    begin: Beginning
    """What a snapshot begins with that tells `STANDS` where this is the viewer in it."""


STANDS: Final = "SELECT 1"
_ASKS: Final = "SELECT WHERE gateway.standing($1, $2, $3, $4, $5)"


class Viewers:
    """The viewers that this process has read, by tenant, user and session; those used last are kept."""

    def __init__(self, most: int = VIEWERS_KEPT) -> None:
        self._most = most
        self._kept: OrderedDict[tuple[UUID, UUID, UUID], Kept] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def kept(self, tenant_id: UUID, user_id: UUID, session_id: UUID) -> Kept | None:
        """The viewer as read before: they may have lost their rights or the session since."""
        key = (tenant_id, user_id, session_id)
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        return found

    async def read(self, fetch: Fetch, tenant_id: UUID, user_id: UUID, session_id: UUID) -> Viewer | None:
        """The viewer of a session as `load_viewer` has them, by a connection of the driver's."""
        key = (tenant_id, user_id, session_id)
        found = await read_viewer(fetch, *key)
        self._kept.pop(key, None)
        if found is None:
            return None
        viewer, entries, platform = found
        standing = _standing(viewer, entries, platform)
        if len(standing) <= MAX_STANDING:
            begin = beginning(Scope(tenant_id=tenant_id), standing, _ASKS)
            self._kept[key] = Kept(viewer, begin)
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return viewer


def _standing(viewer: Viewer, entries: Iterable[str], platform: bool) -> str:
    """SQL that has one row where this is the viewer still, and none where it is not."""
    escaped = (entry.replace("\\", r"\\").replace('"', r"\"") for entry in entries)
    array = quoted("{" + ",".join(f'"{entry}"' for entry in escaped) + "}")
    ids = ", ".join(f"'{id_}'" for id_ in (viewer.tenant_id, viewer.user_id, viewer.session_id))
    return f"SELECT WHERE gateway.standing({ids}, {array}, {platform})"


class ViewersReading:
    """A snapshot with its viewer: the kept one, where the snapshot says that it stands, or as read in it."""

    __slots__ = ("_claims", "_kept", "_reading", "_viewers")

    def __init__(self, database: Database, viewers: Viewers, claims: Claims, deadline: float | None) -> None:
        self._claims, self._viewers = claims, viewers
        self._kept = viewers.kept(claims.tenant_id, claims.user_id, claims.session_id)
        begin = self._kept.begin if self._kept is not None else beginning(Scope(tenant_id=claims.tenant_id))
        self._reading = Reading(database, begin, deadline)

    async def __aenter__(self) -> tuple[Viewer, Fetch]:
        fetch = await self._reading.__aenter__()
        if self._kept is not None and self._reading.transaction.said == STANDS:
            return self._kept.viewer, fetch
        claims = self._claims
        try:
            viewer = await self._viewers.read(fetch, claims.tenant_id, claims.user_id, claims.session_id)
            return signed_in(viewer), fetch
        except BaseException as error:
            await self.__aexit__(type(error), error, error.__traceback__)
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._reading.__aexit__(kind, error, traceback)
