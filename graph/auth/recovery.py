"""Passwords after the first sign-in: changed, forgotten and set again, and an invited person's first.

No connection is held while a password is hashed, so each change is made on the condition that the account
is still what it was when it was read.
"""

from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import exists, func, insert, literal, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import AuditLog, OutboxMessage, User, UserProfile
from db.session import Scope
from graph.auth import letters
from graph.auth.accounts import Account, account_of, account_with, tenant_of
from graph.auth.attempts import AccessRefused
from graph.auth.letters import Letter, LetterToken
from graph.auth.passwords import check_new
from graph.auth.sessions import end_sessions, good
from graph.auth.signin import SignedIn, open_session
from graph.auth.trail import Client, record
from graph.auth.viewer import Viewer
from graph.context import Services

_NOBODY = "nobody@invalid"


async def change_password(services: Services, viewer: Viewer, current: str, new: str, client: Client) -> None:
    """Give the viewer another password and end their other sessions.

    AccessRefused if `current` is not theirs, PasswordUnusable if `new` cannot be taken.
    """
    check_new(new)
    account = await account_with(services.database, viewer.tenant_id, viewer.user_id)
    stored = None if account is None else account.password_hash
    genuine = await services.passwords.verify(stored, current)
    if account is None or not genuine:
        raise AccessRefused("This is not your password.", "currentPassword")
    hashed = await services.passwords.hash(new)
    async with services.database.write(Scope(viewer.tenant_id, viewer.user_id)) as connection:
        going_on = exists().where(*good(viewer.tenant_id, viewer.session_id))
        if not await _set(connection, account, hashed, going_on):
            raise AccessRefused("Your account has changed meanwhile. Sign in again.")
        ended = await end_sessions(connection, viewer.tenant_id, viewer.user_id, but=viewer.session_id)
        await _written(connection, client, account, "user.change_password", ended)


async def request_reset(services: Services, tenant_slug: str, email: str, client: Client) -> None:
    """Send the person a letter with which to set a password, if there is such a person.

    The same statements run if there is none, and nobody waits for the disk, so that neither the answer nor
    its time tells. An invited person whose invitation is lost gets in this way too.
    """
    db = services.database
    tenant_id = await tenant_of(db, tenant_slug) or uuid4()
    found = await account_of(db, tenant_id, email)
    account = found or Account(tenant_id, uuid4(), _NOBODY, None, "")
    keys = services.keys.current
    row = letters.message(Letter.PASSWORD_RESET, keys, account, tenant_slug=tenant_slug)
    entry = {
        "tenant_id": account.tenant_id,
        "action": "user.request_password_reset",
        "entity_type": "user",
        "entity_id": account.user_id,
        "ip_address": client.address,
        "user_agent": client.program,
    }
    async with db.write(Scope(tenant_id=tenant_id)) as connection:
        await connection.execute(text("SET LOCAL synchronous_commit TO off"))
        for model, values in ((OutboxMessage, row), (AuditLog, entry)):
            columns = model.__table__.c
            given = [literal(value, columns[name].type) for name, value in values.items()]
            source = select(*given).where(*account.unchanged)
            await connection.execute(insert(model).from_select(list(values), source))


async def reset_password(services: Services, token: LetterToken, new: str, client: Client) -> None:
    """Set the password of the user whom a letter was sent to, and end their sessions.

    AccessRefused if the token is not good, or no longer; PasswordUnusable if `new` cannot be taken.
    """
    check_new(new)
    account = await _addressee(services, token)
    hashed = await services.passwords.hash(new)
    async with services.database.write(Scope(account.tenant_id, account.user_id)) as connection:
        if not await _set(connection, account, hashed):
            raise expired()
        ended = await end_sessions(connection, account.tenant_id, account.user_id)
        await _written(connection, client, account, "user.reset_password", ended)


async def accept_invitation(
    services: Services, token: LetterToken, password: str, profile: dict[str, Any], client: Client
) -> SignedIn:
    """Give an invited user their password, and what `profile` says of them, and sign them in.

    AccessRefused if the token is not good, or no longer; PasswordUnusable if `password` cannot be taken.
    """
    check_new(password)
    account = await _addressee(services, token)
    hashed = await services.passwords.hash(password)
    tenant_id, user_id = account.tenant_id, account.user_id
    async with services.database.write(Scope(tenant_id, user_id)) as connection:
        if not await _set(connection, account, hashed, last_login_at=func.now()):
            raise expired()
        if profile:
            row = insert_profile(tenant_id, user_id, profile)
            await connection.execute(row)
        await record(connection, client, tenant_id, user_id, "user.accept_invite", user_id, profile or None)
        return await open_session(connection, services, tenant_id, user_id, client)


def insert_profile(tenant_id: UUID, user_id: UUID, profile: dict[str, Any]) -> Any:
    """The statement that makes a user's profile, or changes it."""
    row = upsert(UserProfile).values(tenant_id=tenant_id, user_id=user_id, **profile)
    return row.on_conflict_do_update(index_elements=["user_id"], set_=profile)


async def _addressee(services: Services, token: LetterToken) -> Account:
    """The account that a token was given out to, or AccessRefused."""
    account = await account_with(services.database, token.tenant_id, token.user_id)
    if account is None or not account.active or not token.genuine(services.keys.current, account):
        raise expired()
    return account


async def _set(connection: AsyncConnection, account: Account, hashed: str, *also: Any, **values: Any) -> bool:
    """Set the account's password if it is still as it was read; whether it is."""
    changed = await connection.execute(
        update(User)
        .where(*account.unchanged, *also)
        .values(password_hash=hashed, **values)
        .returning(User.id)
    )
    return changed.one_or_none() is not None


async def _written(
    connection: AsyncConnection, client: Client, account: Account, action: str, ended: int
) -> None:
    user_id, after = account.user_id, {"ended_sessions": ended}
    await record(connection, client, account.tenant_id, user_id, action, user_id, after)


def expired() -> AccessRefused:
    """What is said of a token that is not good, or no longer."""
    return AccessRefused("The link is no longer good. Ask for a new one.", "token")
