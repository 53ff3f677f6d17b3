"""Signing in: one price and one answer for every refusal.

Whatever is wrong (tenant, e-mail, password, status, or that there is no password), the same statements
run, one password hash is worked through, and nothing is written. No connection is held meanwhile.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import structlog
from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.enums import UserStatus
from db.models import AuditLog, Session, Tenant, User
from db.session import Database, Scope
from graph.auth import refresh
from graph.auth.refresh import RefreshToken
from graph.context import Services

MAX_USER_AGENT = 512

log = structlog.get_logger(__name__)


class SignInRefused(Exception):
    """These credentials open nothing; which part is wrong is not said."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a person gives to sign in."""

    tenant_slug: str
    email: str
    password: str


@dataclass(frozen=True, slots=True)
class Client:
    """From where a request comes, as sessions and the audit log keep it."""

    ip: str | None = None
    user_agent: str | None = None


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session and the tokens for it; the refresh token exists nowhere else."""

    tenant_id: UUID
    user_id: UUID
    session_id: UUID
    access_token: str
    refresh_token: str
    expires_at: datetime
    """When the access token expires."""


class _Account(NamedTuple):
    id: UUID
    password_hash: str | None
    status: str


async def sign_in(services: Services, credentials: Credentials, client: Client) -> SignedIn:
    """Opens a session for the person whose credentials these are.

    `SignInRefused` if they are nobody's; `DatabaseUnavailable` passes through.
    """
    db, passwords = services.database, services.passwords
    tenant_id = await tenant_of(db, credentials.tenant_slug)
    # For an unknown tenant the same statement runs for one that does not exist.
    tenant_id = tenant_id or uuid4()
    account = await _account(db, tenant_id, credentials.email)
    stored = account.password_hash if account else None
    genuine = await passwords.verify(stored, credentials.password)
    if account is None or stored is None or not genuine or account.status != UserStatus.ACTIVE:
        raise _refused(credentials, client)

    renewed = stored
    if passwords.needs_rehash(stored):
        renewed = await passwords.hash(credentials.password)
    session_id = uuid4()
    refresh_token = RefreshToken(tenant_id, session_id, 1).text(services.keys.current)
    session = {
        "id": session_id,
        "tenant_id": tenant_id,
        "user_id": account.id,
        "refresh_token_hash": refresh.digest(refresh_token),
        "expires_at": datetime.now(UTC) + timedelta(seconds=services.settings.session_ttl),
    }
    async with db.write(Scope(tenant_id=tenant_id, user_id=account.id)) as connection:
        # Suspended, or given another password, while this one was being verified: then not.
        if not await _touch(connection, tenant_id, account, renewed):
            raise _refused(credentials, client)
        await _record(connection, session, client)
    access_token, expires_at = services.tokens.issue(tenant_id, account.id, session_id)
    return SignedIn(tenant_id, account.id, session_id, access_token, refresh_token, expires_at)


async def tenant_of(db: Database, slug: str) -> UUID | None:
    """The id of the tenant that people sign in to by `slug`."""
    slug = _storable(slug)
    async with db.read(Scope(tenant_slug=slug)) as connection:
        found = await connection.execute(select(Tenant.id).where(Tenant.slug == slug))
        return found.scalar_one_or_none()


async def _account(db: Database, tenant_id: UUID, email: str) -> _Account | None:
    wanted = select(User.id, User.password_hash, User.status).where(
        User.tenant_id == tenant_id,
        # lower() of PostgreSQL, as the column has it: Python's differs for some letters.
        User.email_norm == func.lower(_storable(email.strip())),
    )
    async with db.read(Scope(tenant_id=tenant_id)) as connection:
        row = (await connection.execute(wanted)).one_or_none()
        return None if row is None else _Account(*row)


async def _touch(connection: AsyncConnection, tenant_id: UUID, account: _Account, renewed: str) -> bool:
    touched = await connection.execute(
        update(User)
        .where(
            User.tenant_id == tenant_id,
            User.id == account.id,
            User.status == UserStatus.ACTIVE,
            User.password_hash == account.password_hash,
        )
        .values(last_login_at=func.now(), password_hash=renewed)
        .returning(User.id)
    )
    return touched.one_or_none() is not None


async def _record(connection: AsyncConnection, session: dict[str, Any], client: Client) -> None:
    ip, user_agent = _address(client.ip), _agent(client.user_agent)
    await connection.execute(insert(Session).values(**session, ip=ip, user_agent=user_agent))
    await connection.execute(
        insert(AuditLog).values(
            tenant_id=session["tenant_id"],
            user_id=session["user_id"],
            action="session.sign_in",
            entity_type="session",
            entity_id=session["id"],
            after_data={"user_id": str(session["user_id"]), "expires_at": session["expires_at"].isoformat()},
            ip_address=ip,
            user_agent=user_agent,
        )
    )


def _refused(credentials: Credentials, client: Client) -> SignInRefused:
    # Not in audit_logs: an unknown tenant has none, and a write for the others would tell them apart.
    log.info("sign_in.refused", tenant=credentials.tenant_slug[:64], ip=_address(client.ip))
    return SignInRefused("Tenant, e-mail or password is wrong, or the user may not sign in.")


def _storable(text: str) -> str:
    """The text, or one that no row holds where PostgreSQL would refuse it for what is in it."""
    try:
        return "" if "\0" in text else text.encode().decode()
    except UnicodeEncodeError:
        return ""


def _address(ip: str | None) -> str | None:
    try:
        return None if ip is None else str(ip_address(ip))
    except ValueError:
        return None


def _agent(user_agent: str | None) -> str | None:
    if user_agent is None:
        return None
    return user_agent.encode(errors="replace").decode().replace("\0", "")[:MAX_USER_AGENT]
