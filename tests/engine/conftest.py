"""The demo, odd rows among its own, and both engines over it."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

import pytest
from graphql import GraphQLObjectType
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.demo import load_demo
from db.models import Deal, Tenant, User
from graph.engine.answer import Engine
from graph.limits import MAX_NODES
from graph.schema import schema
from graph.tables import TABLES
from tests.client import COST, Client, running, session_of, uncosted
from tests.engine.values import Known
from tests.factories import make_user
from tests.server import Server, seeing_all

ODD: Final = (
    "UPDATE activities SET due_at = 'infinity' WHERE subject IS NOT NULL AND random() < 0.02",
    "UPDATE activities SET due_at = '0044-03-15 BC' WHERE random() < 0.02",
    "UPDATE activities SET due_at = date_trunc('second', due_at) WHERE random() < 0.3 AND isfinite(due_at)",
    "UPDATE deals SET expected_close_at = 'infinity' WHERE random() < 0.05",
    "UPDATE deals SET tags = '{a,NULL,b}' WHERE random() < 0.1",
    "UPDATE contacts SET tags = '{{a,b},{c,NULL}}' WHERE random() < 0.1",
    "UPDATE deals SET currency = 'eg' WHERE random() < 0.05",
    "UPDATE leads SET attributes = 'null' WHERE random() < 0.1",
    "UPDATE leads SET attributes = '{\"n\": 123456789012345678901234567890.10}' WHERE random() < 0.1",
    "UPDATE usage_counters SET value = 'NaN' WHERE random() < 0.2",
    "UPDATE units SET size_sqm = NULL WHERE random() < 0.1",
    "UPDATE sessions SET ip = '::ffff:192.0.2.1' WHERE random() < 0.3",
    "UPDATE contacts SET email = NULL, phone_e164 = 'at home' WHERE random() < 0.05",
)
"""What other services may have stored."""
LASTING: Final[dict[str, Any]] = {"access_token_ttl": 86_400}
"""`make fuzz` asks for longer than a token is good for otherwise."""


@dataclass
class Person:
    """Somebody of the demo, asking through both engines."""

    name: str
    token: str
    known: Known


@dataclass
class Pair:
    """The application twice over one database, with the same keys."""

    planned: Client
    stock: Client
    people: list[Person]
    answered: list[bool]
    """For each operation that the planned application was asked, whether the engine answered it itself."""

    async def ask(self, client: Client, person: Person, body: dict[str, Any]) -> str:
        """The response's text, without its cost: what is actually read differs between the engines."""
        sent: list[bytes] = []
        given = [{"type": "http.request", "body": json.dumps(body).encode(), "more_body": False}]

        async def receive() -> Any:
            return given.pop()

        async def send(message: Any) -> None:
            sent.append(message.get("body", b""))

        headers = [
            (b"content-type", b"application/json"),
            (b"authorization", f"Bearer {person.token}".encode()),
        ]
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/graphql",
            "query_string": b"",
            "headers": headers,
        }
        await client.app(scope, receive, send)
        answer = b"".join(sent)
        cost = COST.search(answer)
        if cost is not None:
            spent = json.loads(cost[1])
            assert 1 <= spent["actual"] <= spent["requested"] <= MAX_NODES + 1
        return uncosted(answer).decode()


@pytest.fixture(scope="session")
async def pair(
    server: Server, migrated: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Pair]:
    urls = await server.create_database(template=migrated)
    await load_demo(urls.owner)
    folder = tmp_path_factory.mktemp("engines")
    engine = seeing_all(urls.owner)
    async with (
        running(urls.gateway, folder, engine="planned", **LASTING) as planned,
        running(urls.gateway, folder, engine="stock", **LASTING) as stock,
    ):
        async with engine.connect() as owner:
            await make_odd(owner)
            people = await people_of(planned, owner)
        await engine.dispose()
        answered: list[bool] = []
        original = Engine.answer

        async def answer(self: Engine, *args: Any) -> bytes | None:
            found = await original(self, *args)
            answered.append(found is not None)
            return found

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(Engine, "answer", answer)
            yield Pair(planned, stock, people, answered)
    await server.drop_database(urls.name)


async def make_odd(owner: AsyncConnection) -> None:
    """Store what no client of the gateway could."""
    await owner.execute(text("SELECT setseed(0.5)"))
    for statement in ODD:
        await owner.execute(text(statement))


async def people_of(client: Client, owner: AsyncConnection) -> list[Person]:
    """Who asks: an administrator, a salesperson, somebody with hardly a right."""
    tenant = await owner.scalar(select(Tenant.id).where(Tenant.slug == "demo"))
    assert tenant is not None
    someone = await make_user(owner, tenant, "deals.view")
    ids = await ids_of(owner)
    times = [str(at.isoformat()) for at in await owner.scalars(select(Deal.created_at).limit(20))]
    of_demo = select(User.id).where(User.tenant_id == tenant)
    admin = await owner.scalar(of_demo.where(User.email == "admin@demo.test"))
    sales = await owner.scalar(of_demo.where(User.email == "sales@demo.test"))
    people = []
    for name, user in (
        ("admin", admin),
        ("sales", sales),
        ("someone", someone),
    ):
        assert user is not None
        session = await session_of(client, owner, tenant, user)
        assert session.token is not None
        people.append(Person(name, session.token, Known(ids, times)))
    return people


async def ids_of(owner: AsyncConnection) -> dict[str, list[str]]:
    """Ids of each type that has some, a few of them another tenant's."""
    found = {}
    for shown in TABLES.values():
        kind = schema._schema.get_type(shown.name)
        if "id" in shown.table.c and isinstance(kind, GraphQLObjectType):
            rows = await owner.scalars(select(shown.table.c.id).order_by(shown.table.c.id).limit(40))
            found[shown.name] = [str(row) for row in rows]
    return found
