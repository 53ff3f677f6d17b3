"""Tenants, the people in them, what they may do and what they did."""

from typing import Any
from uuid import UUID

from sqlalchemy import Index, PrimaryKeyConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db.base import (
    CASCADE,
    SET_NULL,
    Base,
    Created,
    Email,
    Ip,
    Json,
    TenantOwned,
    Timestamp,
    Timestamped,
    UuidKey,
    normalised,
    one_of,
    refers_to,
)
from db.enums import UserStatus


class Tenant(UuidKey, Timestamped, Base):
    """A company that uses M3Core, and the wall around its data."""

    __tablename__ = "tenants"

    name: Mapped[str]
    slug: Mapped[str] = mapped_column(unique=True)
    locale: Mapped[str | None] = mapped_column(server_default=text("'en'"))
    timezone: Mapped[str | None] = mapped_column(server_default=text("'Africa/Cairo'"))


class User(UuidKey, TenantOwned, Timestamped, Base):
    """A person who signs in to one tenant."""

    __tablename__ = "users"
    __ordered_by__ = ("last_login_at", "updated_at")
    __table_args__ = (Index("users_email_per_tenant_uq", "tenant_id", "email", unique=True),)

    email: Mapped[Email] = mapped_column(info={"norm": "email_norm"})
    password_hash: Mapped[str | None] = mapped_column(info={"hidden": True})
    status: Mapped[str] = one_of(UserStatus, UserStatus.ACTIVE)
    last_login_at: Mapped[Timestamp | None]
    email_norm: Mapped[str | None] = normalised("email::text")


class UserProfile(TenantOwned, Timestamped, Base):
    """What a user tells about themselves."""

    __tablename__ = "user_profiles"

    user_id: Mapped[UUID] = refers_to("users", CASCADE, primary_key=True)
    full_name: Mapped[str | None] = mapped_column(info={"norm": "full_name_norm"})
    phone_e164: Mapped[str | None]
    phone_verified_at: Mapped[Timestamp | None]
    locale: Mapped[str | None]
    timezone: Mapped[str | None]
    full_name_norm: Mapped[str | None] = normalised("full_name")


class Role(UuidKey, TenantOwned, Timestamped, Base):
    """A named set of permissions, with those of its parents."""

    __tablename__ = "roles"
    __listed_by__ = ("parent_role_id",)
    __ordered_by__ = ("code", "name")
    __table_args__ = (Index("roles_code_uq", "tenant_id", "code", unique=True),)

    code: Mapped[str]
    name: Mapped[str]
    parent_role_id: Mapped[UUID | None] = refers_to("roles", SET_NULL)


class RolePermission(TenantOwned, Created, Base):
    """One permission of a role."""

    __tablename__ = "role_permissions"
    __listed_by__ = ("role_id",)

    role_id: Mapped[UUID] = refers_to("roles", CASCADE, primary_key=True)
    permission: Mapped[str] = mapped_column(primary_key=True)


class Group(UuidKey, TenantOwned, Timestamped, Base):
    """Users who work together."""

    __tablename__ = "groups"
    __ordered_by__ = ("name",)

    name: Mapped[str]
    description: Mapped[str | None]


class GroupMember(TenantOwned, Created, Base):
    """A user's place in a group."""

    __tablename__ = "group_members"
    __listed_by__ = ("group_id", "user_id")
    __table_args__ = (Index("group_members_tenant_user_ix", "tenant_id", "user_id"),)

    group_id: Mapped[UUID] = refers_to("groups", CASCADE, primary_key=True)
    user_id: Mapped[UUID] = refers_to("users", CASCADE, primary_key=True)


class UserRole(TenantOwned, Created, Base):
    """A role that a user holds."""

    __tablename__ = "user_roles"
    __listed_by__ = ("user_id", "role_id")

    user_id: Mapped[UUID] = refers_to("users", CASCADE, primary_key=True)
    role_id: Mapped[UUID] = refers_to("roles", CASCADE, primary_key=True)


class Session(UuidKey, TenantOwned, Timestamped, Base):
    """A sign-in that may be refreshed until it expires or is revoked."""

    __tablename__ = "sessions"
    __listed_by__ = ("user_id",)

    user_id: Mapped[UUID] = refers_to("users", CASCADE)
    refresh_token_hash: Mapped[str] = mapped_column(info={"hidden": True})
    ip: Mapped[Ip | None]
    user_agent: Mapped[str | None]
    revoked_at: Mapped[Timestamp | None]
    expires_at: Mapped[Timestamp]
    last_used_at: Mapped[Timestamp | None]
    generation: Mapped[int] = mapped_column(server_default=text("1"), info={"hidden": True})


Index("sessions_user_created_ix", Session.user_id, Session.created_at.desc())
Index("sessions_refresh_token_hash_uq", Session.refresh_token_hash, unique=True)


class AuditLog(TenantOwned, Base):
    """Who did what to which row; partitioned by month and never changed."""

    __tablename__ = "audit_logs"
    __listed_by__ = ("user_id", "entity_id")
    __table_args__: Any = (
        PrimaryKeyConstraint("tenant_id", "id", "created_at"),
        {"postgresql_partition_by": "RANGE (created_at)"},
    )

    id: Mapped[UUID] = mapped_column(server_default=text("gen_random_uuid()"), sort_order=-20)
    user_id: Mapped[UUID | None]
    action: Mapped[str]
    entity_type: Mapped[str]
    entity_id: Mapped[UUID | None]
    before_data: Mapped[Json | None]
    after_data: Mapped[Json | None]
    ip_address: Mapped[Ip | None]
    user_agent: Mapped[str | None]
    created_at: Mapped[Timestamp] = mapped_column(server_default=text("now()"), sort_order=100)


Index("audit_logs_tenant_time_ix", AuditLog.tenant_id, AuditLog.created_at.desc())

__all__ = [
    "AuditLog",
    "Group",
    "GroupMember",
    "Role",
    "RolePermission",
    "Session",
    "Tenant",
    "User",
    "UserProfile",
    "UserRole",
]
