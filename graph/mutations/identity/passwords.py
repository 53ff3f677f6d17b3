"""Passwords: changed, forgotten, set again, and an invited person's first."""

from __future__ import annotations

from typing import Annotated, Any

import strawberry

from db import models
from graph.auth import letters
from graph.auth.attempts import LETTER, RESET, SIGN_IN
from graph.auth.letters import Letter, LetterToken
from graph.auth.recovery import accept_invitation, change_password, expired, request_reset, reset_password
from graph.context import Info
from graph.mutations.identity.access import access
from graph.mutations.identity.sessions import SignInPayload
from graph.writing.mutation import Payload, payload
from graph.writing.values import Draft
from graph.writing.work import Refused


@strawberry.input(description="A password and its successor.")
class ChangePasswordInput:
    """Two passwords."""

    current_password: str = strawberry.field(description="The viewer's password.")
    new_password: str = strawberry.field(description="The password from now on, at least 8 characters.")


@strawberry.input(description="Who has forgotten their password.")
class RequestPasswordResetInput:
    """An account."""

    tenant_slug: str = strawberry.field(description="The short name of the tenant.")
    email: str = strawberry.field(description="The user's e-mail address; capitals do not matter.")


@strawberry.input(description="A new password, and the right to set it.")
class ResetPasswordInput:
    """A token and a password."""

    token: str = strawberry.field(description="The token of the letter, good for an hour and one use.")
    new_password: str = strawberry.field(description="The password from now on, at least 8 characters.")


@strawberry.input(description="What an invited person gives to get in.")
class AcceptInviteInput:
    """A token and a password."""

    token: str = strawberry.field(description="The token of the invitation, good for 7 days and one use.")
    password: str = strawberry.field(description="The password from now on, at least 8 characters.")
    full_name: str | None = strawberry.field(
        default=strawberry.UNSET, description="The person's name, where the invitation has it wrong or not."
    )


@payload("What became of a password.")
class PasswordPayload(Payload):
    """Nothing but `errors`: a password is not shown."""


def letter_token(letter: Letter, text: str) -> LetterToken:
    """What the text of a token says; AccessRefused if it cannot be one."""
    token = letters.read(letter, text)
    if token is None:
        raise expired()
    return token


@strawberry.type
class PasswordMutation:
    """Passwords."""

    @access("Give oneself another password. All other sessions end.", unusable="newPassword")
    async def change_password(
        self,
        info: Info,
        input: Annotated[ChangePasswordInput, strawberry.argument(description="The old and the new one.")],
    ) -> PasswordPayload | None:
        """Wrong passwords count as they do at sign-in."""
        context = info.context
        viewer = await context.identify()
        async with context.attempts(SIGN_IN, viewer.tenant_id, viewer.user_id):
            await change_password(
                context.services, viewer, input.current_password, input.new_password, context.client
            )
        return PasswordPayload.of(None)

    @access("Ask for a letter with which to set a new password. The answer is the same for any address.")
    async def request_password_reset(
        self,
        info: Info,
        input: Annotated[RequestPasswordResetInput, strawberry.argument(description="Whose password.")],
    ) -> PasswordPayload | None:
        """The letter goes into the outbox, its token for the sender alone."""
        context = info.context
        account = (input.tenant_slug, input.email)
        context.services.attempts.count(RESET, account=account, address=context.client.address)
        await request_reset(context.services, input.tenant_slug, input.email, context.client)
        return PasswordPayload.of(None)

    @access("Set a forgotten password by the token of a letter. All sessions end.", unusable="newPassword")
    async def reset_password(
        self,
        info: Info,
        input: Annotated[ResetPasswordInput, strawberry.argument(description="The token and the password.")],
    ) -> PasswordPayload | None:
        """Whoever did it signs in afterwards."""
        context = info.context
        async with context.attempts(LETTER):
            token = letter_token(Letter.PASSWORD_RESET, input.token)
            await reset_password(context.services, token, input.new_password, context.client)
        return PasswordPayload.of(None)

    @access("Accept an invitation: set one's password, and be signed in.")
    async def accept_invite(
        self,
        info: Info,
        input: Annotated[AcceptInviteInput, strawberry.argument(description="The token and the password.")],
    ) -> SignInPayload | None:
        """Takes no access token; one that comes along is set aside."""
        context = info.context
        try:
            profile = given_profile(full_name=input.full_name)
        except Refused as refused:
            return SignInPayload.refused(refused)
        async with context.attempts(LETTER):
            token = letter_token(Letter.USER_INVITATION, input.token)
            done = await accept_invitation(context.services, token, input.password, profile, context.client)
        return await SignInPayload.entering(context, done)


def given_profile(**given: Any) -> dict[str, Any]:
    """What an input says of a person, as `user_profiles` stores it; Refused if it cannot."""
    columns: Any = models.UserProfile.__table__.c
    draft = Draft()
    for column, value in given.items():
        if value is not strawberry.UNSET and value is not None:
            draft.take({column: columns[column]}, {column: value})
    if draft.errors:
        raise Refused(*draft.errors)
    return draft.values
