"""Signing in."""

from __future__ import annotations

from typing import Annotated

import strawberry
from sqlalchemy.exc import DBAPIError

from db.session import DatabaseUnavailable
from graph.auth.signin import Client, Credentials, SignInRefused, sign_in
from graph.context import Info
from graph.errors import UserError, UserErrorCode
from graph.scalars import DateTime
from graph.snapshot import told
from graph.types.identity import ViewerType


@strawberry.input(description="What a person gives to sign in.")
class SignInInput:
    """The credentials of a user."""

    tenant_slug: str = strawberry.field(description="The short name of the tenant.")
    email: str = strawberry.field(description="The user's e-mail address; capitals do not matter.")
    password: str = strawberry.field(description="The user's password.")


@strawberry.type(description="The tokens of a new session, or why there is none.")
class SignInPayload:
    """Either everything but `errors`, or `errors`."""

    access_token: str | None = strawberry.field(
        default=None, description="Goes into `Authorization: Bearer …`, until `expiresAt`."
    )
    refresh_token: str | None = strawberry.field(
        default=None, description="What a new access token is had for. Keep it secret: it is shown once."
    )
    expires_at: DateTime | None = strawberry.field(default=None, description="When the access token expires.")
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why nobody was signed in. It does not say which part was wrong."
    )

    @strawberry.field(description="Who is signed in now.")
    async def viewer(self, info: Info) -> ViewerType | None:
        """The user of the new session, read only where it is asked for."""
        return None if self.access_token is None else ViewerType.of(await info.context.authenticate())


@strawberry.type
class IdentityMutation:
    """Sessions."""

    @strawberry.mutation(description="Signs a user in with their password.")
    async def sign_in(
        self,
        info: Info,
        input: Annotated[SignInInput, strawberry.argument(description="The credentials of a user.")],
    ) -> SignInPayload | None:
        """Takes no token; one that comes along is set aside."""
        context = info.context
        credentials = Credentials(input.tenant_slug, input.email, input.password)
        try:
            done = await sign_in(context.services, credentials, Client(context.ip, context.user_agent))
        except SignInRefused as refused:
            return SignInPayload(
                errors=[UserError(code=UserErrorCode.INVALID, field=None, message=str(refused))]
            )
        except (DatabaseUnavailable, DBAPIError) as error:
            raise told(error) from None
        await context.become(done.access_token)
        return SignInPayload(
            access_token=done.access_token,
            refresh_token=done.refresh_token,
            expires_at=DateTime(done.expires_at),
        )
