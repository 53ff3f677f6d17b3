"""Accounts as signing in sees them: found without anybody being signed in, and changed only as found."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Text, func, literal, select

from db.enums import UserStatus
from db.models import Tenant, User
from db.session import Database, Scope


@dataclass(frozen=True, slots=True)
class Account:
    """A user at one moment."""

    tenant_id: UUID
    user_id: UUID
    email: str
    password_hash: str | None
    status: str

    @property
    def active(self) -> bool:
        """Whether the user may sign in."""
        return self.status == UserStatus.ACTIVE

    @property
    def unchanged(self) -> tuple[ColumnElement[bool], ...]:
        """The conditions for the row of an active user to be still what it was when it was read.

        A write under them is refused to whoever was overtaken: nobody then gets in by a password, or a
        token, that has meanwhile ended.
        """
        return (
            User.tenant_id == self.tenant_id,
            User.id == self.user_id,
            User.status == UserStatus.ACTIVE,
            User.email == self.email,
            User.password_hash.is_not_distinct_from(literal(self.password_hash, Text)),
        )


async def tenant_of(db: Database, slug: str) -> UUID | None:
    """The id of the tenant that people sign in to by `slug`."""
    slug = _storable(slug)
    async with db.read(Scope(tenant_slug=slug)) as connection:
        found = await connection.execute(select(Tenant.id).where(Tenant.slug == slug))
        return found.scalar_one_or_none()


async def account_of(db: Database, tenant_id: UUID, email: str) -> Account | None:
    """The account with this e-mail, whatever its capitals and the blanks around it."""
    # lower() of PostgreSQL, as the column has it: Python's differs for some letters.
    wanted = User.email_norm == func.lower(_storable(email.strip()))
    return await _account(db, tenant_id, _columns().where(User.tenant_id == tenant_id, wanted))


async def account_with(db: Database, tenant_id: UUID, user_id: UUID) -> Account | None:
    """The account of the user with this id."""
    return await _account(db, tenant_id, _columns().where(User.tenant_id == tenant_id, User.id == user_id))


def _columns() -> Select[UUID, str, str | None, str]:
    return select(User.id, User.email, User.password_hash, User.status)


async def _account(
    db: Database, tenant_id: UUID, wanted: Select[UUID, str, str | None, str]
) -> Account | None:
    async with db.read(Scope(tenant_id=tenant_id)) as connection:
        row = (await connection.execute(wanted)).one_or_none()
        return None if row is None else Account(tenant_id, row.id, row.email, row.password_hash, row.status)


def _storable(text: str) -> str:
    """The text, or one that no row holds where PostgreSQL would refuse it for what is in it."""
    try:
        return "" if "\0" in text else text.encode().decode()
    except UnicodeEncodeError:
        return ""
