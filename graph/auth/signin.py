"""Signing in: one price and one answer for every refusal.

Whatever is wrong (tenant, e-mail, password, status, or that there is no password), the same statements
run, one password hash is worked through, and nothing is written. No connection is held meanwhile.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import structlog
from sqlalchemy import func, insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Session, User
from db.session import Scope
from graph.auth import refresh
from graph.auth.accounts import account_of, tenant_of
from graph.auth.attempts import AccessRefused
from graph.auth.refresh import RefreshToken
from graph.auth.trail import Client, record
from graph.context import Services

__all__ = [
    "Client",
    "Credentials",
    "SignInRefused",
    "SignedIn",
    "open_session",
    "sign_in",
    "signed_in",
    "tenant_of",
]

log = structlog.get_logger(__name__)


class SignInRefused(AccessRefused):
    """These credentials open nothing; which part is wrong is not said."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a person gives to sign in."""

    tenant_slug: str
    email: str
    password: str


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session and the tokens for it; the refresh token exists nowhere else."""

    tenant_id: UUID
    user_id: UUID
    session_id: UUID
    access_token: str
    refresh_token: str
    expires_at: datetime
    """When the access token expires."""


async def sign_in(services: Services, credentials: Credentials, client: Client) -> SignedIn:
    """Opens a session for the person whose credentials these are.

    `SignInRefused` if they are nobody's; `DatabaseUnavailable` passes through.
    """
    db, passwords = services.database, services.passwords
    known = await tenant_of(db, credentials.tenant_slug)
    # For an unknown tenant the same statement runs for one that does not exist.
    tenant_id = known or uuid4()
    for _ in range(2):
        account = await account_of(db, tenant_id, credentials.email)
        stored = account.password_hash if account else None
        genuine = await passwords.verify(stored, credentials.password)
        if account is None or stored is None or not genuine or not account.active:
            break
        renewed, renews = stored, passwords.needs_rehash(stored)
        if renews:
            renewed = await passwords.hash(credentials.password)
        async with db.write(Scope(tenant_id=tenant_id, user_id=account.user_id)) as connection:
            # Suspended, or given another password, while this one was being verified: then not.
            touched = await connection.execute(
                update(User)
                .where(*account.unchanged)
                .values(last_login_at=func.now(), password_hash=renewed)
                .returning(User.id)
            )
            if touched.one_or_none() is not None:
                return await open_session(connection, services, tenant_id, account.user_id, client)
        if not renews:
            break
        # Another sign-in may have renewed the hash of the same password: look once more.
    raise _refused(known, client)


async def open_session(
    connection: AsyncConnection, services: Services, tenant_id: UUID, user_id: UUID, client: Client
) -> SignedIn:
    """A new session of a user who has just proved who they are, good when the transaction commits."""
    session_id = uuid4()
    refresh_token = RefreshToken(tenant_id, session_id, 1).text(services.keys.current)
    expires_at = datetime.now(UTC) + timedelta(seconds=services.settings.session_ttl)
    await connection.execute(
        insert(Session).values(
            id=session_id,
            tenant_id=tenant_id,
            user_id=user_id,
            refresh_token_hash=refresh.digest(refresh_token),
            expires_at=expires_at,
            ip=client.address,
            user_agent=client.program,
        )
    )
    after = {"user_id": str(user_id), "expires_at": expires_at.isoformat()}
    await record(connection, client, tenant_id, user_id, "session.sign_in", session_id, after)
    return signed_in(services, tenant_id, user_id, session_id, refresh_token)


def signed_in(
    services: Services, tenant_id: UUID, user_id: UUID, session_id: UUID, refresh_token: str
) -> SignedIn:
    """The session with a new access token."""
    access_token, expires_at = services.tokens.issue(tenant_id, user_id, session_id)
    return SignedIn(tenant_id, user_id, session_id, access_token, refresh_token, expires_at)


def _refused(known: UUID | None, client: Client) -> SignInRefused:
    # Not in audit_logs: an unknown tenant has none, and a write for the others would tell them apart.
    # Nor does the log have what was typed: people take the field of the slug for that of the password.
    log.info("sign_in.refused", tenant_id=known and str(known), ip=client.address)
    return SignInRefused("Tenant, e-mail or password is wrong, or the user may not sign in.")
