"""A tenant with one user, and the way in."""

from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import AuditLog, Session, User
from graph.auth.signin import Client, Credentials, SignedIn, sign_in
from graph.context import Services
from tests.factories import make_tenant, make_user

PASSWORD = "correct horse"
CLIENT = Client("192.0.2.7", "curl/8")


class Door:
    """A tenant with one user, and the way in."""

    def __init__(self, services: Services, owner: AsyncConnection) -> None:
        self.services, self.owner = services, owner
        self.slug = self.email = ""
        self.tenant: UUID
        self.user: UUID

    async def fill(self) -> "Door":
        self.slug = f"door-{uuid4()}"
        self.email = f"Ahmed@{self.slug}.test"
        self.tenant = await make_tenant(self.owner, slug=self.slug)
        hashed = await self.services.passwords.hash(PASSWORD)
        self.user = await make_user(self.owner, self.tenant, email=self.email, password_hash=hashed)
        return self

    async def change(self, **values: Any) -> None:
        await self.owner.execute(update(User).where(User.id == self.user).values(**values))

    async def knock(self, slug: str = "", email: str = "", password: str = PASSWORD) -> SignedIn:
        return await sign_in(
            self.services, Credentials(slug or self.slug, email or self.email, password), CLIENT
        )

    async def count(self, table: type[Session] | type[AuditLog]) -> int:
        found = await self.owner.scalar(
            select(func.count()).select_from(table).where(table.tenant_id == self.tenant)
        )
        return int(found or 0)

    async def one(self, table: type[Session] | type[AuditLog] | type[User]) -> Any:
        rows = await self.owner.execute(select(table.__table__).where(table.tenant_id == self.tenant))
        return rows.one()
