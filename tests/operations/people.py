"""Somebody who signs in over the network, what they ask, and how they come to be."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, Self
from uuid import UUID

import httpx
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Tenant, User
from tests.server import seeing_all

PASSWORD: Final = "correct-horse-battery"

SIGN_IN: Final = """
mutation SignIn($slug: String!, $email: String!, $password: String!) {
  signIn(input: { tenantSlug: $slug, email: $email, password: $password }) {
    accessToken refreshToken errors { code }
  }
}
"""


@dataclass
class Person:
    """Who they are, and once they have signed in, their tokens."""

    tenant_id: UUID
    slug: str
    email: str
    access_token: str = ""
    refresh_token: str = ""

    @classmethod
    async def of(cls, owner: AsyncConnection, tenant_id: UUID, user_id: UUID) -> Self:
        slug = await owner.scalar(sa.select(Tenant.slug).where(Tenant.id == tenant_id))
        email = await owner.scalar(sa.select(User.email).where(User.id == user_id))
        return cls(tenant_id, str(slug), str(email))

    async def sign_in(self, http: httpx.AsyncClient, password: str = PASSWORD) -> list[str]:
        """The codes of what was wrong; without any there are tokens now."""
        data = await ask(http, SIGN_IN, slug=self.slug, email=self.email, password=password)
        payload = data["data"]["signIn"]
        self.access_token = payload["accessToken"] or ""
        self.refresh_token = payload["refreshToken"] or ""
        return [error["code"] for error in payload["errors"]]

    async def ask(self, http: httpx.AsyncClient, query: str, **variables: Any) -> dict[str, Any]:
        """The answer to what they ask."""
        return await ask(http, query, self.access_token, **variables)


async def ask(
    http: httpx.AsyncClient, query: str, token: str | None = None, **variables: Any
) -> dict[str, Any]:
    """The answer to a request, with the token if there is one."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    response = await http.post("/graphql", json={"query": query, "variables": variables}, headers=headers)
    found: dict[str, Any] = response.json()
    return found


@asynccontextmanager
async def maintenance(url: str) -> AsyncIterator[AsyncConnection]:
    """A connection of the owner's that sees every tenant."""
    engine = seeing_all(url)
    async with engine.connect() as owner:
        yield owner
    await engine.dispose()
