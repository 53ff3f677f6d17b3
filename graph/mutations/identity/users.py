"""Users, who they are, and the tenant they belong to.

Whoever holds more than the viewer is not theirs to act on, and nobody shuts themselves out.
"""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Mapping
from functools import cache, cached_property
from typing import Annotated, Any
from uuid import UUID

import sqlalchemy as sa
import strawberry
from sqlalchemy.dialects.postgresql import insert as upsert
from strawberry import ID
from strawberry.annotation import StrawberryAnnotation
from strawberry.types.arguments import StrawberryArgument

from db import models
from db.enums import UserStatus
from graph import limits
from graph.auth import letters
from graph.auth.accounts import Account
from graph.auth.letters import Letter
from graph.auth.rights import hold, keeping_a_manager, within
from graph.auth.sessions import end_sessions
from graph.context import Info
from graph.errors import UserErrorCode
from graph.mutations.identity.passwords import given_profile
from graph.mutations.identity.roles import give_role, roles_within
from graph.permissions import Permission
from graph.scalars import EmailAddress
from graph.types.identity import Tenant, User, UserProfile
from graph.writing.editing import EditField, Editing
from graph.writing.mutation import Payload, mutation, payload, written
from graph.writing.plan_limits import room_for_users
from graph.writing.states import States
from graph.writing.values import Draft
from graph.writing.work import Work, id_of, refusal

LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
"""A language tag, RFC 5646, as far as its form goes."""


@payload("What became of a user.")
class UserPayload(Payload):
    """A user."""

    user: User | None = written(models.User, "The user, as they now are.")


@payload("What became of a user's profile.")
class UserProfilePayload(Payload):
    """A profile."""

    user_profile: UserProfile | None = written(models.UserProfile, "The profile, as it now is.")


@payload("What became of the tenant.")
class TenantPayload(Payload):
    """A tenant."""

    tenant: Tenant | None = written(models.Tenant, "The tenant, as it now is.")


@cache
def time_zones() -> set[str]:
    """The names of the IANA database."""
    return zoneinfo.available_timezones()


async def place(work: Work, draft: Draft) -> None:
    """A language and a time zone that there are."""
    locale, timezone = draft.values.get("locale"), draft.values.get("timezone")
    if locale is not None and not LANGUAGE.fullmatch(locale):
        draft.invalid("locale", "This is a language tag, such as en or ar-EG.")
    if timezone is not None and timezone not in time_zones():
        draft.invalid("timezone", "This is the name of a time zone, such as Africa/Cairo.")


class UserEditing(Editing):
    """Users: found only by who may act on them, and never the viewer's own status."""

    async def locked(self, work: Work, id: str, if_updated_at: Any = None, *field: str) -> Any:
        """The user, whose rights and the viewer's stay as they are from here on."""
        await hold(work, Permission.USERS_MANAGE)
        user = await super().locked(work, id, if_updated_at, *field)
        await within(work, user.id)
        return user

    async def change(self, work: Work, before: Any, values: dict[str, Any], action: str = "update") -> Any:
        """The user with `values`; who may no longer sign in is signed out."""
        status = values.get("status")
        if status is None:
            return await super().change(work, before, values, action)
        if before.id == work.viewer.user_id:
            message = f"You cannot {action} yourself."
            raise refusal(UserErrorCode.INVALID, message, "id", row=before)
        if before.status == UserStatus.DEACTIVATED:
            await room_for_users(work, 1)
        async with keeping_a_manager(work):
            user = await super().change(work, before, values, action)
        if status != UserStatus.ACTIVE:
            await end_sessions(work.transaction, work.viewer.tenant_id, user.id)
        return user


users = UserEditing(
    models.User,
    UserPayload,
    "email",
    create=Permission.USERS_MANAGE,
    update=Permission.USERS_MANAGE,
    delete=Permission.USERS_MANAGE,
    make_room=room_for_users,
)
user_states = States(
    users,
    "status",
    {
        "suspend": ("active", "suspended"),
        "reactivate": ("suspended deactivated", "active"),
        "deactivate": ("active suspended", "deactivated"),
    },
)


async def described(work: Work, draft: Draft) -> None:
    """A new phone number is not yet proved to be theirs."""
    await place(work, draft)
    if draft.now("phone_e164") != getattr(draft.before, "phone_e164", None):
        draft.values["phone_verified_at"] = None


class ProfileEditing(Editing):
    """Profiles, by the ids of their users; one that is missing is made."""

    async def locked(self, work: Work, id: str, if_updated_at: Any = None, *field: str) -> Any:
        """The profile of a user that the viewer may act on."""
        user = await users.locked(work, id, None, *field)
        return await self.opened(work, user.id, if_updated_at)

    async def opened(self, work: Work, user_id: UUID, if_updated_at: Any = None) -> Any:
        """The profile of a user."""
        key = {"tenant_id": work.viewer.tenant_id, "user_id": user_id}
        statement = upsert(models.UserProfile).values(key).on_conflict_do_nothing()
        made = await work.execute(statement.returning(*self.shown.select(self.shown.table)))
        if (row := made.one_or_none()) is not None:
            await work.audit(f"{self.entity}.create", self.shown, after=self.shown.row(tuple(row)))
        return await super().locked(work, str(user_id), if_updated_at)


profiles = ProfileEditing(
    models.UserProfile,
    UserProfilePayload,
    "full_name phone_e164 locale timezone",
    create=Permission.USERS_MANAGE,
    update=Permission.USERS_MANAGE,
    delete=Permission.USERS_MANAGE,
    rules=described,
)


class OwnProfileField(EditField):
    """`updateMyProfile(input)`."""

    @cached_property
    def arguments(self) -> list[StrawberryArgument]:
        """`input`, as for another's profile."""
        kind = StrawberryAnnotation(profiles.input(creating=False, name="UpdateMyProfileInput"))
        return [StrawberryArgument("input", None, kind, description="What changes.")]

    async def edit(self, work: Work, *, input: Mapping[str, Any]) -> Any:  # type: ignore[override]
        """The viewer's profile, as changed."""
        draft = Draft(await profiles.opened(work, work.viewer.user_id))
        draft.take(profiles.columns(creating=False), input)
        await profiles.check(work, draft)
        return await profiles.change(work, draft.before, draft.values)


def own_profile(description: str) -> Any:
    """`updateMyProfile`, which takes no permission."""
    made = OwnProfileField(type_annotation=None, description=description)
    made.editing, made.verb = profiles, "update"
    return made


tenants = Editing(
    models.Tenant,
    TenantPayload,
    "name locale timezone",
    create=Permission.TENANT_MANAGE,
    update=Permission.TENANT_MANAGE,
    delete=Permission.TENANT_MANAGE,
    rules=place,
)


@strawberry.input(description="Who is to join, and what they may do.")
class InviteUserInput:
    """A person."""

    email: EmailAddress = strawberry.field(
        description="Where the invitation goes, and what they sign in with."
    )
    full_name: str | None = strawberry.field(default=strawberry.UNSET, description="The person's name.")
    role_ids: list[ID] | None = strawberry.field(
        default=strawberry.UNSET,
        description="The ids of roles for them, within the viewer's own rights. Takes `roles.manage`.",
    )


@strawberry.type
class UserMutation:
    """Users, their profiles and the tenant."""

    suspend_user: UserPayload | None = user_states.field(
        "suspend", "Keep a user out for a while. Their sessions end.", Permission.USERS_MANAGE
    )
    reactivate_user: UserPayload | None = user_states.field(
        "reactivate", "Let a suspended or deactivated user in again.", Permission.USERS_MANAGE
    )
    deactivate_user: UserPayload | None = user_states.field(
        "deactivate",
        "Retire a user, who no longer counts for the plan. Their sessions end.",
        Permission.USERS_MANAGE,
    )
    update_user: UserPayload | None = users.update("Change what a user signs in with.")
    update_user_profile: UserProfilePayload | None = profiles.update(
        "Change what is known of a user; `id` is the user's."
    )
    update_my_profile: UserProfilePayload | None = own_profile("Change what is known of oneself.")
    update_tenant: TenantPayload | None = tenants.update("Change the viewer's tenant.")

    @mutation(
        "Make a user and send them an invitation to set their password. It is good for 7 days; after that "
        "they ask for a password reset.",
        needs=Permission.USERS_MANAGE,
    )
    async def invite_user(
        self,
        info: Info,
        input: Annotated[InviteUserInput, strawberry.argument(description="Who is to join.")],
    ) -> UserPayload | None:
        """The token of the invitation goes into the outbox, for the sender alone."""
        work = info.context.work
        role_ids = list(dict.fromkeys(id_of(id, "roleIds") for id in input.role_ids or ()))
        if len(role_ids) > limits.MAX_ROLES_INVITED:
            raise refusal(UserErrorCode.INVALID, f"At most {limits.MAX_ROLES_INVITED}.", "roleIds")
        await hold(work, Permission.USERS_MANAGE)
        if role_ids:
            await hold(work, Permission.ROLES_MANAGE)
            await roles_within(work, role_ids, "roleIds")
        profile = given_profile(full_name=input.full_name)
        draft = Draft()
        draft.take(users.columns(creating=True), {"email": input.email})
        user = await users.insert_draft(work, draft, "invite")
        key = {"tenant_id": work.viewer.tenant_id, "user_id": user.id}
        await work.execute(sa.insert(models.UserProfile).values(**key, **profile))
        for role_id in role_ids:
            await give_role(work, user.id, role_id)
        await work.execute(sa.insert(models.OutboxMessage).values(await invitation(info, user, profile)))
        return UserPayload.of(user)


async def invitation(info: Info, user: User, profile: Mapping[str, Any]) -> dict[str, Any]:
    """The letter to an invited user, as a row of the outbox."""
    work, keys = info.context.work, info.context.services.keys.current
    slug = sa.select(models.Tenant.slug).where(models.Tenant.id == work.viewer.tenant_id)
    account = Account(work.viewer.tenant_id, UUID(str(user.id)), user.email, None, UserStatus.ACTIVE)
    tenant_slug = (await work.execute(slug)).scalar_one()
    return letters.message(Letter.USER_INVITATION, keys, account, tenant_slug=tenant_slug, **profile)
