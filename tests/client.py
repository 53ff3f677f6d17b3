"""A client of the gateway for tests: GraphQL over HTTP against the application in this process."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.applications import Starlette

from db.models import Session
from graph.app import create_app
from graph.auth import keys
from graph.context import Services
from graph.settings import Settings
from tests.factories import insert, make_user

COST = re.compile(rb',"extensions":\{"cost":(\{[^{}]*\})\}\}$')


def uncosted(body: bytes) -> bytes:
    """An answer without what it costs, which depends on who asked for what before."""
    return COST.sub(b"}", body)


class _Uncosted(httpx.ASGITransport):
    """Answers without what they cost."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        body = await response.aread()
        if not COST.search(body):
            return response
        headers = {name: value for name, value in response.headers.items() if name != "content-length"}
        return httpx.Response(response.status_code, headers=headers, content=uncosted(body))


@dataclass
class Client:
    """Whoever holds `token`; without one, nobody."""

    app: Starlette
    token: str | None = None
    tenant_id: UUID | None = None
    user_id: UUID | None = None

    @property
    def services(self) -> Services:
        services: Services = self.app.state.services
        return services

    async def post(
        self, query: str, variables: dict[str, Any] | None = None, **headers: str
    ) -> httpx.Response:
        """The HTTP response to an operation."""
        if self.token is not None:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        async with self.http() as http:
            return await http.post("/graphql", json={"query": query, "variables": variables}, headers=headers)

    async def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The whole answer, errors and all."""
        answer: dict[str, Any] = (await self.post(query, variables)).json()
        return answer

    async def read(self, query: str, **variables: Any) -> dict[str, Any]:
        """The data of an answer without errors."""
        answer = await self.ask(query, **variables)
        assert "errors" not in answer, answer["errors"]
        data: dict[str, Any] = answer["data"]
        return data

    async def codes(self, query: str, **variables: Any) -> list[str]:
        """The codes of the answer's errors, in their order."""
        return [
            error["extensions"]["code"] for error in (await self.ask(query, **variables)).get("errors", [])
        ]

    def http(self, *, costed: bool = False) -> httpx.AsyncClient:
        """A bare HTTP client of the application; its answers have `extensions.cost` only if `costed`."""
        transport = (httpx.ASGITransport if costed else _Uncosted)(self.app)
        return httpx.AsyncClient(transport=transport, base_url="http://gateway.test")


@asynccontextmanager
async def running(database_url: str, folder: Path, **settings: Any) -> AsyncIterator[Client]:
    """The application over a database, and a client that is not signed in; patient, and whatever it costs."""
    patient = {"cost_per_user": 0, "cost_per_tenant": 0, "cost_per_address": 0, "operation_seconds": 60}
    settings = patient | settings
    keys_file = folder / "keys.json"
    if not keys_file.exists():
        keys.generate(keys_file)
    app = create_app(Settings(database_url=SecretStr(database_url), keys_file=keys_file, **settings))
    async with app.router.lifespan_context(app):
        yield Client(app)


async def signed_in(anyone: Client, owner: AsyncConnection, tenant_id: UUID, *permissions: str) -> Client:
    """A client for a new user of the tenant, with a role that holds `permissions` (`*` for all)."""
    user_id = await make_user(owner, tenant_id, *permissions)
    return await session_of(anyone, owner, tenant_id, user_id)


async def session_of(anyone: Client, owner: AsyncConnection, tenant_id: UUID, user_id: UUID) -> Client:
    """A client with a session of an existing user."""
    session = await insert(
        owner,
        Session,
        tenant_id=tenant_id,
        user_id=user_id,
        refresh_token_hash=uuid4().hex,
        expires_at=datetime.now(UTC) + timedelta(days=1),
    )
    token, _ = anyone.services.tokens.issue(tenant_id, user_id, session["id"])
    return Client(anyone.app, token, tenant_id, user_id)
