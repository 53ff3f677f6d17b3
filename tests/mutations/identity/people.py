"""People with passwords, and what they do with them."""

from dataclasses import dataclass
from functools import cache
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import (
    OutboxMessage,
    Plan,
    PlanFeature,
    Role,
    RolePermission,
    Session,
    Tenant,
    TenantSubscription,
    User,
    UserRole,
)
from graph.auth.passwords import Passwords
from tests.client import Client, session_of
from tests.factories import insert, make_tenant, make_user
from tests.mutations.scene import Scene

PASSWORD: Final = "correct horse"
TOKENS: Final = "accessToken refreshToken expiresAt"
ME: Final = "{ viewer { user { id } } }"


@cache
def hashed() -> str:
    """The hash of PASSWORD."""
    passwords = Passwords(threads=1)
    try:
        return passwords.hash_now(PASSWORD)
    finally:
        passwords.close()


@dataclass
class Person(Scene):
    """Somebody who acts: a user with a session, or nobody yet."""

    id: UUID
    email: str
    slug: str

    async def colleague(self, *permissions: str, **values: Any) -> "Person":
        """Another user of the tenant, with a role that holds `permissions`."""
        return await join(Client(self.client.app), self.owner, self.tenant, self.slug, *permissions, **values)

    def signed_out(self) -> "Person":
        """The same person without a token."""
        return Person(
            self.owner, Client(self.client.app), self.tenant, id=self.id, email=self.email, slug=self.slug
        )

    def having(self, token: str) -> "Person":
        """The same person with another access token."""
        client = Client(self.client.app, token, self.tenant, self.id)
        return Person(self.owner, client, self.tenant, id=self.id, email=self.email, slug=self.slug)

    async def sign_in(self, password: str = PASSWORD) -> dict[str, Any]:
        """The tokens of a new session."""
        given = {"tenantSlug": self.slug, "email": self.email, "password": password}
        return await self.signed_out().call("signIn", TOKENS, input=given)

    async def refresh(self, token: str) -> dict[str, Any]:
        """What refreshing with a token answers, the errors by their codes."""
        answer = await self.signed_out().ask(
            "refreshSession", f"{TOKENS} errors {{ code field }}", input={"refreshToken": token}
        )
        assert "errors" not in answer, answer["errors"]
        done: dict[str, Any] = answer["data"]["refreshSession"]
        done["errors"] = [error["code"] for error in done["errors"]]
        return done

    async def alive(self) -> bool:
        """Whether the person's access token is taken."""
        answer = await self.client.ask(ME)
        if "errors" not in answer:
            return True
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["UNAUTHENTICATED"]
        return False

    async def sessions(self) -> list[bool]:
        """Whether each session is good, oldest first."""
        return [row["revoked_at"] is None for row in await self.rows(Session, user_id=self.id)]

    async def letter(self, template: str) -> dict[str, Any]:
        """The one letter of the outbox."""
        (row,) = await self.rows(OutboxMessage, template_code=template)
        return row

    async def change(self, **values: Any) -> None:
        """Change the user behind everybody's back."""
        await self.owner.execute(update(User).where(User.id == self.id).values(**values))

    async def role(self, *permissions: str, parent: Any = None, of: "Person | None" = None) -> str:
        """A role, held by `of`."""
        row = await self.insert(Role, parent_role_id=parent)
        for permission in permissions:
            await self.insert(RolePermission, role_id=row["id"], permission=permission)
        if of is not None:
            await self.insert(UserRole, user_id=of.id, role_id=row["id"])
        return str(row["id"])

    async def roles(self) -> list[str]:
        """The ids of the roles that the person holds."""
        return [str(row["role_id"]) for row in await self.rows(UserRole, user_id=self.id)]

    async def permissions(self, role: str) -> set[str]:
        """What a role gives by itself."""
        return {row["permission"] for row in await self.rows(RolePermission, role_id=UUID(role))}


async def tenant_with(anyone: Client, owner: AsyncConnection, *permissions: str) -> Person:
    """Somebody in a new tenant, with a role that holds `permissions`."""
    slug = f"tenant-{uuid4()}"
    tenant = await make_tenant(owner, slug=slug)
    return await join(anyone, owner, tenant, slug, *permissions)


async def join(
    anyone: Client, owner: AsyncConnection, tenant: UUID, slug: str, *permissions: str, **values: Any
) -> Person:
    """A new user of a tenant, with a session."""
    values = {"email": f"Person-{uuid4()}@example.com", "password_hash": hashed()} | values
    user = await make_user(owner, tenant, *permissions, **values)
    client = await session_of(anyone, owner, tenant, user)
    return Person(owner, client, tenant, id=user, email=values["email"], slug=slug)


async def subscribe(person: Person, **limits: int) -> None:
    """Put the tenant on a plan with limits, `users_max` for `users.max`."""
    plan = await insert(person.owner, Plan)
    for name, limit in limits.items():
        feature = {"feature_code": name.replace("_", "."), "limit_value": limit}
        await insert(person.owner, PlanFeature, plan_id=plan["id"], **feature)
    await person.insert(TenantSubscription, plan_id=plan["id"])


async def tenant_row(person: Person) -> dict[str, Any]:
    """The tenant's own row."""
    table = Tenant.__table__
    found = await person.owner.execute(table.select().where(table.c.id == person.tenant))
    return dict(found.mappings().one())
