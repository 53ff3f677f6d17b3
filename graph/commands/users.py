"""`m3 user`: what an operator does to one user, as the owner and within the user's tenant."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from db.gateway import platform_grants
from db.models import AuditLog, Session, User
from db.session import Database, Scope
from graph.auth.passwords import Passwords, PasswordUnusable, check_new
from graph.auth.signin import tenant_of
from graph.commands.report import CommandFailed
from graph.settings import Settings


class _Found(NamedTuple):
    connection: AsyncConnection
    tenant_id: UUID
    user_id: UUID


async def set_password(settings: Settings, tenant: str, email: str, password: str) -> int:
    """Gives the user a password and ends their sessions, whose number is the result."""
    hashed = hash_new(password)
    async with _user(settings, tenant, email) as (connection, tenant_id, user_id):
        mine = (User.tenant_id == tenant_id, User.id == user_id)
        await connection.execute(update(User).where(*mine).values(password_hash=hashed))
        ended = await connection.execute(
            update(Session)
            .where(Session.tenant_id == tenant_id, Session.user_id == user_id, Session.revoked_at.is_(None))
            .values(revoked_at=func.now())
        )
        await _audit(connection, tenant_id, user_id, "user.set_password")
        return ended.rowcount


async def grant_platform(settings: Settings, tenant: str, email: str, *, revoke: bool) -> bool:
    """Gives the user `platform.*` or takes it away; whether that changed anything."""
    key = platform_grants.c
    async with _user(settings, tenant, email) as (connection, tenant_id, user_id):
        if revoke:
            change: Any = delete(platform_grants).where(key.tenant_id == tenant_id, key.user_id == user_id)
        else:
            change = upsert(platform_grants).values(tenant_id=tenant_id, user_id=user_id)
            change = change.on_conflict_do_nothing()
        changed = bool((await connection.execute(change)).rowcount)
        if changed:
            action = "user.revoke_platform" if revoke else "user.grant_platform"
            await _audit(connection, tenant_id, user_id, action)
        return changed


def hash_new(password: str) -> str:
    """The hash of a password that somebody is given; `CommandFailed` if it is not good enough."""
    try:
        check_new(password)
    except PasswordUnusable as unusable:
        raise CommandFailed(str(unusable)) from None
    passwords = Passwords(threads=1)
    try:
        return passwords.hash_now(password)
    finally:
        passwords.close()


@asynccontextmanager
async def _user(settings: Settings, tenant: str, email: str) -> AsyncIterator[_Found]:
    """A transaction within the tenant, and the user in it; `CommandFailed` if either is not there."""
    database = Database(settings.owner_url, pool_size=1)
    try:
        tenant_id = await tenant_of(database, tenant)
        if tenant_id is None:
            raise CommandFailed(f"there is no tenant {tenant}")
        async with database.write(Scope(tenant_id=tenant_id)) as connection:
            wanted = (User.tenant_id == tenant_id, User.email_norm == func.lower(email.strip()))
            user_id = await connection.scalar(select(User.id).where(*wanted).with_for_update())
            if user_id is None:
                raise CommandFailed(f"tenant {tenant} has no user {email}")
            yield _Found(connection, tenant_id, user_id)
    finally:
        await database.close()


async def _audit(connection: AsyncConnection, tenant_id: UUID, user_id: UUID, action: str) -> None:
    await connection.execute(
        insert(AuditLog).values(
            tenant_id=tenant_id, action=action, entity_type="user", entity_id=user_id, user_agent="m3"
        )
    )
