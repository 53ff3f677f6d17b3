"""Sessions after sign-in: a refresh token for the next, and the end.

A token names its generation. The newest is exchanged for its successor in one statement that holds only if
it still is the newest. The one before it gets the same successor for a short while, since two tabs may
have sent it at once. Any older one has been used by two, of whom one is a thief: the session ends.
"""

from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, exists, func, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from db.enums import UserStatus
from db.models import Session, User
from db.session import Scope
from graph import limits
from graph.auth import refresh
from graph.auth.attempts import AccessRefused
from graph.auth.refresh import RefreshToken
from graph.auth.signin import SignedIn, signed_in
from graph.auth.trail import Client, record
from graph.auth.viewer import Executor
from graph.context import Services

log = structlog.get_logger(__name__)


class _Found(NamedTuple):
    user_id: UUID
    generation: int
    refresh_token_hash: str
    fresh: bool | None
    """Whether the newest token was given out within the grace."""


async def refresh_session(services: Services, token: RefreshToken, client: Client) -> SignedIn:
    """The session of a genuine refresh token, with its next tokens.

    AccessRefused if the session has ended, or ends now; DatabaseUnavailable passes through.
    """
    keys = services.keys.current
    async with services.database.write(Scope(tenant_id=token.tenant_id)) as connection:
        successor = RefreshToken(token.tenant_id, token.session_id, token.generation + 1).text(keys)
        user_id = await _rotate(
            connection, token, refresh.digest(token.text(keys)), refresh.digest(successor)
        )
        if user_id is not None:
            after = {"user_id": str(user_id)}
            action, session_id = "session.refresh", token.session_id
            await record(connection, client, token.tenant_id, user_id, action, session_id, after)
        else:
            user_id = await _second_use(connection, token, successor, client)
    # Outside: what has ended is to stay so.
    if user_id is None:
        log.info("refresh.refused", tenant_id=str(token.tenant_id), ip=client.address)
        raise AccessRefused("The session has ended. Sign in again.", "refreshToken")
    return signed_in(services, token.tenant_id, user_id, token.session_id, successor)


async def end_sessions(
    connection: Executor, tenant_id: UUID, user_id: UUID, *, but: UUID | None = None
) -> int:
    """End the user's sessions, `but` one if it is given; how many there were."""
    mine = (Session.tenant_id == tenant_id, Session.user_id == user_id, Session.revoked_at.is_(None))
    others = () if but is None else (Session.id != but,)
    ended = await connection.execute(update(Session).where(*mine, *others).values(revoked_at=func.now()))
    return ended.rowcount


def good(tenant_id: UUID, session_id: UUID) -> tuple[ColumnElement[bool], ...]:
    """The conditions for a session to be one that its user may go on with."""
    owner = aliased(User)  # so that it is not taken for the users of a statement around it
    return (
        Session.tenant_id == tenant_id,
        Session.id == session_id,
        Session.revoked_at.is_(None),
        Session.expires_at > func.now(),
        exists().where(
            owner.tenant_id == tenant_id, owner.id == Session.user_id, owner.status == UserStatus.ACTIVE
        ),
    )


async def _rotate(
    connection: AsyncConnection, token: RefreshToken, hashed: str, successor: str
) -> UUID | None:
    """Exchange the newest token for its successor; whose it is, or nothing if it is not the newest."""
    rotated = await connection.execute(
        update(Session)
        .where(
            *good(token.tenant_id, token.session_id),
            Session.generation == token.generation,
            Session.refresh_token_hash == hashed,
        )
        .values(
            generation=token.generation + 1,
            refresh_token_hash=successor,
            last_used_at=func.clock_timestamp(),
        )
        .returning(Session.user_id)
    )
    return rotated.scalar_one_or_none()


async def _second_use(
    connection: AsyncConnection, token: RefreshToken, successor: str, client: Client
) -> UUID | None:
    """Whose session it is if the token was the newest a moment ago; if it is older, the session ends."""
    grace = func.clock_timestamp() - literal(timedelta(seconds=limits.REFRESH_GRACE_SECONDS))
    wanted: Any = select(
        Session.user_id,
        Session.generation,
        Session.refresh_token_hash,
        (Session.last_used_at > grace).label("fresh"),
    ).where(*good(token.tenant_id, token.session_id))
    row = (await connection.execute(wanted)).one_or_none()
    if row is None:
        return None
    found = _Found(*row)
    if found.fresh and found.refresh_token_hash == refresh.digest(successor):
        return found.user_id
    if token.generation < found.generation:
        ended = await connection.execute(
            update(Session)
            .where(*good(token.tenant_id, token.session_id), Session.generation > token.generation)
            .values(revoked_at=func.now())
            .returning(Session.id)
        )
        if ended.one_or_none() is not None:
            # By nobody known: either of the two who have the token.
            session_id, after = token.session_id, {"user_id": str(found.user_id)}
            await record(connection, client, token.tenant_id, None, "session.reuse", session_id, after)
    return None
