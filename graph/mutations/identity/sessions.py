"""Signing in, going on, and signing out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import strawberry
from strawberry import ID

from db import models
from graph.auth import refresh
from graph.auth.attempts import REFRESH, SIGN_IN, AccessRefused
from graph.auth.rights import hold, within
from graph.auth.sessions import end_sessions, refresh_session
from graph.auth.signin import Credentials, SignedIn, sign_in
from graph.context import Context, Info
from graph.mutations.identity.access import access
from graph.permissions import Permission
from graph.scalars import DateTime
from graph.types.identity import Session, ViewerType
from graph.writing.editing import Editing
from graph.writing.mutation import Payload, mutation, payload, written
from graph.writing.work import Work, id_of


@strawberry.input(description="What a person gives to sign in.")
class SignInInput:
    """The credentials of a user."""

    tenant_slug: str = strawberry.field(description="The short name of the tenant.")
    email: str = strawberry.field(description="The user's e-mail address; capitals do not matter.")
    password: str = strawberry.field(description="The user's password.")


@strawberry.input(description="What a new access token is had for.")
class RefreshSessionInput:
    """A refresh token."""

    refresh_token: str = strawberry.field(
        description=(
            "The newest refresh token of the session. It is good for one use; within 30 seconds another use "
            "gets the same answer, and later ends the session, since two have it then."
        )
    )


@strawberry.input(description="Which session to end.")
class RevokeSessionInput:
    """A session."""

    id: ID = strawberry.field(description="The id of one's own session, or with `users.manage` of any.")


@payload("The tokens of a session, or why there are none.")
class SignInPayload(Payload):
    """Either everything but `errors`, or `errors`."""

    access_token: str | None = strawberry.field(
        default=None, description="Goes into `Authorization: Bearer …`, until `expiresAt`."
    )
    refresh_token: str | None = strawberry.field(
        default=None, description="What the next tokens are had for. Keep it secret: it is shown once."
    )
    expires_at: DateTime | None = strawberry.field(default=None, description="When the access token expires.")

    @strawberry.field(description="Who is signed in now.")
    async def viewer(self, info: Info) -> ViewerType | None:
        """The user of the session, read only where it is asked for."""
        return None if self.access_token is None else ViewerType.of(await info.context.authenticate())

    @classmethod
    async def entering(cls, context: Context, done: SignedIn) -> SignInPayload:
        """The payload for a session, which the rest of the request goes on as."""
        await context.become(done.access_token)
        return cls.of(
            None,
            access_token=done.access_token,
            refresh_token=done.refresh_token,
            expires_at=DateTime(done.expires_at),
        )


@payload("What became of a session.")
class SessionPayload(Payload):
    """A session."""

    session: Session | None = written(models.Session, "The session, as it now is.")


@payload("What became of several sessions.")
class SessionsPayload(Payload):
    """Sessions, by their number."""

    ended: int | None = strawberry.field(default=None, description="How many sessions were ended.")


sessions = Editing(
    models.Session,
    SessionPayload,
    "",
    create=Permission.USERS_MANAGE,
    update=Permission.USERS_MANAGE,
    delete=Permission.USERS_MANAGE,
)


async def end(work: Work, id: str, action: str) -> Session:
    """End the session, unless it has ended already; written down as `session.action`."""
    session: Session = await sessions.locked(work, id, None, "id")
    if session.revoked_at is None:
        session = await sessions.change(work, session, {"revoked_at": datetime.now(UTC)}, action)
    return session


@strawberry.type
class SessionMutation:
    """Sessions."""

    @access("Sign a user in with their password. Too many wrong ones are `RATE_LIMITED`.")
    async def sign_in(
        self,
        info: Info,
        input: Annotated[SignInInput, strawberry.argument(description="The credentials of a user.")],
    ) -> SignInPayload | None:
        """Takes no token; one that comes along is set aside."""
        context = info.context
        credentials = Credentials(input.tenant_slug, input.email, input.password)
        async with context.attempts(SIGN_IN, input.tenant_slug, input.email):
            done = await sign_in(context.services, credentials, context.client)
        return await SignInPayload.entering(context, done)

    @access("Go on with a session: a new access token, and the next refresh token.")
    async def refresh_session(
        self,
        info: Info,
        input: Annotated[RefreshSessionInput, strawberry.argument(description="The refresh token.")],
    ) -> SignInPayload | None:
        """Takes no access token; one that comes along is set aside."""
        context = info.context
        token = refresh.read(input.refresh_token, context.services.keys.current)
        async with context.attempts(REFRESH, *(() if token is None else (token.session_id,))):
            if token is None:
                raise AccessRefused("The session has ended. Sign in again.", "refreshToken")
            done = await refresh_session(context.services, token, context.client)
        return await SignInPayload.entering(context, done)

    @mutation("End the session that the request is made in.")
    async def sign_out(self, info: Info) -> SessionPayload | None:
        """The access token is refused from the next request on."""
        work = info.context.work
        return SessionPayload.of(await end(work, str(work.viewer.session_id), "sign_out"))

    @mutation("End all sessions of the viewer, this one too.")
    async def sign_out_everywhere(self, info: Info) -> SessionsPayload | None:
        """Their access tokens are refused from the next request on."""
        work = info.context.work
        ended = await end_sessions(work.transaction, work.viewer.tenant_id, work.viewer.user_id)
        await work.note("user.sign_out_everywhere", work.viewer.user_id, {"ended_sessions": ended})
        return SessionsPayload.of(None, ended=ended)

    @mutation("End a session of the viewer, or with `users.manage` of anybody. Ending it twice is no error.")
    async def revoke_session(
        self,
        info: Info,
        input: Annotated[RevokeSessionInput, strawberry.argument(description="Which session.")],
    ) -> SessionPayload | None:
        """The session of a user who holds more than the viewer is not theirs to end."""
        work = info.context.work
        session = await work.read(sessions.shown, id_of(input.id, "id"))
        if session is not None and session.user_id != work.viewer.user_id:
            await hold(work, Permission.USERS_MANAGE)
            await within(work, session.user_id)
        return SessionPayload.of(await end(work, input.id, "revoke"))
