"""Tenants, users, their rights and what they did, as they are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
import strawberry
from strawberry import ID

from db import models
from db.enums import UserStatus
from graph.auth import viewer as auth
from graph.auth.tickets import ticket
from graph.connection import Connection
from graph.context import Info
from graph.events.cursor import NEWEST_EVENT, event_cursor
from graph.node import Created, Node, Timestamped
from graph.permissions import Permission
from graph.relations import to_many, to_one
from graph.scalars import JSON, Cursor, DateTime, EmailAddress, IPAddress, PhoneNumber
from graph.tables import column, table

if TYPE_CHECKING:
    from graph.types.billing import TenantSubscription
    from graph.types.crm import Activity, Deal, Lead
    from graph.types.notifications import InboxNotification

USERS = Permission.USERS_VIEW


def own_sessions(viewer: auth.Viewer, source: sa.FromClause) -> sa.ColumnElement[bool] | None:
    """Own sessions, or everybody's for who manages users."""
    return None if viewer.has(Permission.USERS_MANAGE) else source.c.user_id == viewer.user_id


@table(models.Tenant)
class Tenant(Node, Timestamped):
    """A company that uses M3Core, and whose rows nobody else sees."""

    name: str = column("What the company is called.")
    slug: str = column("Its short name, which people give when they sign in.")
    locale: str | None = column("The language it works in, a BCP 47 tag.")
    timezone: str | None = column("The time zone it works in, a name of the IANA database.")
    subscription: TenantSubscription | None = to_one(models.TenantSubscription.tenant_id, "Its plan.")


@table(models.User)
class User(Node):
    """Who signs in. Colleagues see id, e-mail and name; the rest takes `users.view` or is one's own."""

    email: EmailAddress = column("What the user signs in with, unique in the tenant.")
    status: UserStatus | None = column("Whether the user may sign in.", needs=USERS, own="id")
    last_login_at: DateTime | None = column("When the user last signed in.", needs=USERS, own="id")
    created_at: DateTime | None = column("When the user was made.", needs=USERS, own="id")
    updated_at: DateTime | None = column("When the user was last changed.", needs=USERS, own="id")
    profile: UserProfile | None = to_one(models.UserProfile.user_id, "Name, phone, language.")
    roles: Connection[UserRole] | None = to_many(models.UserRole.user_id, "The roles the user holds.")
    groups: Connection[GroupMember] | None = to_many(
        models.GroupMember.user_id, "The groups the user is a member of."
    )
    sessions: Connection[Session] | None = to_many(
        models.Session.user_id, "Where the user is signed in.", needs=Permission.USERS_MANAGE, own="id"
    )
    deals: Connection[Deal] | None = to_many(models.Deal.owner_user_id, "The user's deals.")
    leads: Connection[Lead] | None = to_many(models.Lead.assigned_to, "The leads that the user follows up.")
    activities: Connection[Activity] | None = to_many(models.Activity.owner_user_id, "The user's work.")


@table(models.UserProfile)
class UserProfile:
    """Who a user is. Colleagues see the name; the rest takes `users.view` or is one's own."""

    user_id: ID = column("The id of the user.")
    user: User = to_one(models.UserProfile.user_id, "The user.")
    full_name: str | None = column("The user's name.")
    phone_e164: PhoneNumber | None = column("The user's phone number.", needs=USERS, own="user_id")
    phone_verified_at: DateTime | None = column(
        "When the user proved that the number is theirs.", needs=USERS, own="user_id"
    )
    locale: str | None = column("The user's language, a BCP 47 tag.", needs=USERS, own="user_id")
    timezone: str | None = column("The user's time zone, an IANA name.", needs=USERS, own="user_id")
    created_at: DateTime | None = column("When the profile was made.", needs=USERS, own="user_id")
    updated_at: DateTime | None = column("When the profile was last changed.", needs=USERS, own="user_id")


@table(models.Role, needs=Permission.ROLES_VIEW)
class Role(Node, Timestamped):
    """A set of permissions that users are given. It includes those of its parent, to any depth."""

    code: str = column("Its code, unique in the tenant.")
    name: str = column("What it is called.")
    parent_role_id: ID | None = column("The id of the role whose permissions it includes.")
    parent_role: Role | None = to_one(models.Role.parent_role_id, "The role whose permissions it includes.")
    children: Connection[Role] | None = to_many(models.Role.parent_role_id, "The roles that include it.")
    permissions: Connection[RolePermission] | None = to_many(
        models.RolePermission.role_id, "What it allows by itself, its parent apart."
    )
    users: Connection[UserRole] | None = to_many(models.UserRole.role_id, "Who holds it.")


@table(models.RolePermission, needs=Permission.ROLES_VIEW)
class RolePermission(Created):
    """A permission that a role gives."""

    role_id: ID = column("The id of the role.")
    role: Role | None = to_one(models.RolePermission.role_id, "The role.")
    permission: str = column("`resource.action`; `*` stands for all but `platform.*`; others are ignored.")


@table(models.Group, needs=Permission.GROUPS_VIEW)
class Group(Node, Timestamped):
    """Users who work together."""

    name: str = column("What it is called.")
    description: str | None = column("What it is for.")
    members: Connection[GroupMember] | None = to_many(models.GroupMember.group_id, "Who is in it.")


@table(models.GroupMember, needs=Permission.GROUPS_VIEW)
class GroupMember(Created):
    """A user's membership in a group."""

    group_id: ID = column("The id of the group.")
    group: Group | None = to_one(models.GroupMember.group_id, "The group.")
    user_id: ID = column("The id of the member.")
    user: User = to_one(models.GroupMember.user_id, "The member.")


@table(models.UserRole, needs=Permission.ROLES_VIEW)
class UserRole(Created):
    """A role that a user holds."""

    user_id: ID = column("The id of the user.")
    user: User = to_one(models.UserRole.user_id, "The user.")
    role_id: ID = column("The id of the role.")
    role: Role | None = to_one(models.UserRole.role_id, "The role.")


@table(models.Session, visible=own_sessions)
class Session(Node, Timestamped):
    """A place where a user is signed in: one's own, or anybody's with `users.manage`."""

    user_id: ID = column("The id of the user.")
    user: User = to_one(models.Session.user_id, "The user.")
    ip: IPAddress | None = column("The address that the user signed in from.")
    user_agent: str | None = column("The program that the user signed in with, as it named itself.")
    expires_at: DateTime = column("When it ends by itself.")
    last_used_at: DateTime | None = column("When it was last refreshed.")
    revoked_at: DateTime | None = column("When it was ended; null while it is good.")


@table(models.AuditLog, needs=Permission.AUDIT_VIEW)
class AuditLog(Node, Created):
    """What somebody did. Never changed, and kept when the user or the row is gone."""

    user_id: ID | None = column("The id of the user who did it; null if no user did.")
    user: User | None = to_one(models.AuditLog.user_id, "The user, if still there.", target=models.User)
    action: str = column("What was done, such as `deal.update`.")
    entity_type: str = column("What kind of row it was done to, such as `deal`.")
    entity_id: ID | None = column("The id of that row.")
    before_data: JSON | None = column("The row before, without secrets.")
    after_data: JSON | None = column("The row after, without secrets.")
    ip_address: IPAddress | None = column("The address it was asked from.")
    user_agent: str | None = column("The program it was asked with, as it named itself.")


@strawberry.type(name="Viewer", description="Who is signed in: their user, tenant, rights and inbox.")
class ViewerType:
    """The user behind the token; `id` is theirs."""

    id: strawberry.Private[object]
    tenant_id: strawberry.Private[object]
    permissions: list[Permission] = strawberry.field(
        description="What the viewer may do: of their roles and of those roles' parents."
    )
    user: User = to_one(models.User.id, "The viewer's user.")
    tenant: Tenant = to_one(models.Tenant.id, "The viewer's tenant.", local="tenant_id")
    sessions: Connection[Session] = to_many(models.Session.user_id, "Where the viewer is signed in.")
    inbox: Connection[InboxNotification] = to_many(
        models.InboxNotification.user_id, "The viewer's notifications, newest first."
    )

    @strawberry.field(
        description="What a browser's `EventSource`, which cannot send a header, opens the stream of a "
        "subscription with: `ticket` in the URL of `GET /graphql`. Good for nothing else, and for as long as "
        "the access token."
    )
    def stream_ticket(self, info: Info) -> str:
        """Made of what is known of the token."""
        return ticket(info.context.services.keys.current.derive("stream-ticket"), info.context.claims())

    @strawberry.field(
        description="Where a feed goes on for who has read the lists in the same operation: what they do not "
        "show yet comes behind it. What had only just changed when they were read may be told once more."
    )
    async def event_cursor(self, info: Info) -> Cursor:
        """Of the snapshot; docs/events.md says why nothing falls between."""
        newest: int = (await info.context.snapshot.execute(NEWEST_EVENT)).scalar_one()
        key = info.context.services.keys.current.derive("event-cursor")
        return Cursor(event_cursor(key, info.context.viewer.tenant_id, newest))

    @classmethod
    def of(cls, viewer: auth.Viewer) -> ViewerType:
        """What the schema shows of `viewer`."""
        permissions = sorted(viewer.permissions, key=lambda permission: permission.name)
        return cls(id=viewer.user_id, tenant_id=viewer.tenant_id, permissions=permissions)
