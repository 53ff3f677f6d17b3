"""Who is asking and what they may do, read in one statement.

Every operation begins with it, or with the question whether they still stand: `graph/auth/standing.py`.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Protocol
from uuid import UUID

from sqlalchemy import CursorResult, Executable, Select, Uuid, and_, bindparam, exists, func, select

from db.compiled import compile_statement
from db.enums import UserStatus
from db.gateway import platform_grants
from db.models import Role, RolePermission, Session, User, UserRole
from db.seed import EVERYTHING
from graph.errors import Unauthenticated
from graph.permissions import Permission

PLATFORM: Final = frozenset(p for p in Permission if p.value.startswith("platform."))
OF_TENANTS: Final = frozenset(Permission) - PLATFORM


@dataclass(frozen=True, slots=True)
class Viewer:
    """A signed-in user with the permissions they hold at this moment."""

    tenant_id: UUID
    user_id: UUID
    session_id: UUID
    permissions: frozenset[Permission]

    def has(self, permission: Permission) -> bool:
        """Whether the viewer holds `permission`."""
        return permission in self.permissions


NOBODYS_SESSION: Final = UUID(int=0)
"""The session of a viewer who is not signed in: their work is done for them, as they asked for it."""


Fetch = Callable[..., Awaitable[Any]]
"""The rows of SQL as text with its parameters."""


class Executor(Protocol):
    """A connection, or what stands for one, within a transaction confined to the tenant."""

    async def execute(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]:
        """The result of a statement."""


async def load_viewer(
    connection: Executor, tenant_id: UUID, user_id: UUID, session_id: UUID
) -> Viewer | None:
    """The viewer of a session, in one statement.

    None if the session is not this user's, has ended or expired, or the user is not active. The
    connection's transaction is confined to the tenant.
    """
    rows = (await connection.execute(VIEWER, _given(tenant_id, user_id, session_id))).all()
    return _viewer(rows, tenant_id, user_id, session_id)


async def read_viewer(
    fetch: Fetch, tenant_id: UUID, user_id: UUID, session_id: UUID
) -> tuple[Viewer, list[str], bool] | None:
    """The same, by a connection of the driver's, with what it rests on: the entries and the grant."""
    rows = await fetch(_SQL.sql, *_SQL.parameters(_given(tenant_id, user_id, session_id)))
    viewer = _viewer(rows, tenant_id, user_id, session_id)
    return None if viewer is None else (viewer, *rows[0])


def signed_in(viewer: Viewer | None) -> Viewer:
    """The viewer, or Unauthenticated."""
    if viewer is None:
        raise Unauthenticated("The session has ended. Sign in again.")
    return viewer


def _given(tenant_id: UUID, user_id: UUID, session_id: UUID) -> dict[str, UUID]:
    return {"tenant": tenant_id, "user": user_id, "session": session_id}


async def load_absent_viewer(connection: Executor, tenant_id: UUID, user_id: UUID) -> Viewer | None:
    """The viewer for what a user has asked to be done later, with the permissions that they hold now.

    None if the user is not active any more.
    """
    rows = (await connection.execute(_ABSENT, {"tenant": tenant_id, "user": user_id})).all()
    return _viewer(rows, tenant_id, user_id, NOBODYS_SESSION)


def _viewer(rows: Sequence[Any], tenant_id: UUID, user_id: UUID, session_id: UUID) -> Viewer | None:
    """The viewer whose entries and grant the only row has, if there is one."""
    if not rows:
        return None
    ((entries, platform),) = rows
    return Viewer(tenant_id, user_id, session_id, effective(entries, platform=platform))


def effective(stored: Iterable[str], *, platform: bool) -> frozenset[Permission]:
    """The permissions that the entries of roles amount to.

    What is not in the vocabulary is ignored, and so is `platform.*`: a tenant's people write their own
    roles, so that only `platform`, the operator's grant, gives it.
    """
    return _effective(frozenset(stored), platform)


@lru_cache(maxsize=1024)
def _effective(entries: frozenset[str], platform: bool) -> frozenset[Permission]:
    # The same set for the same rights: the plans of the engine are found by it.
    held = OF_TENANTS if EVERYTHING in entries else {p for p in OF_TENANTS if p.value in entries}
    return frozenset(held | PLATFORM) if platform else frozenset(held)


_TENANT, _USER, _SESSION = (bindparam(name, type_=Uuid) for name in ("tenant", "user", "session"))


def _holdings() -> Select[Any]:
    """The entries of an active user's roles, and whether they have the operator's grant."""
    tenant, user = _TENANT, _USER
    roles = (
        select(UserRole.role_id)
        .where(UserRole.tenant_id == tenant, UserRole.user_id == user)
        .cte("held", recursive=True)
    )
    # UNION, not UNION ALL: a ring of parents ends where it meets a role that is already there.
    held = roles.union(
        select(Role.parent_role_id)
        .join(roles, roles.c.role_id == Role.id)
        .where(Role.tenant_id == tenant, Role.parent_role_id.is_not(None))
    )
    permissions = (
        select(RolePermission.permission)
        .distinct()
        .join(held, held.c.role_id == RolePermission.role_id)
        .where(RolePermission.tenant_id == tenant)
        .order_by(RolePermission.permission)  # as in gateway.standing
    )
    granted = exists().where(platform_grants.c.tenant_id == tenant, platform_grants.c.user_id == user)
    return (
        select(func.array(permissions.scalar_subquery()).label("permissions"), granted.label("platform"))
        .select_from(User)
        .where(User.tenant_id == tenant, User.id == user, User.status == UserStatus.ACTIVE)
    )


_ABSENT: Final = _holdings()
VIEWER: Final = _ABSENT.join(Session, and_(Session.tenant_id == _TENANT, Session.user_id == User.id)).where(
    Session.id == _SESSION, Session.revoked_at.is_(None), Session.expires_at > func.now()
)
_SQL: Final = compile_statement(VIEWER)
