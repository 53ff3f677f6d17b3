"""How sockets and streams end, and what is left of them: nothing."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import websockets
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db.models import Company, InboxNotification, Session, User
from graph.auth import keys
from graph.auth.tokens import AccessTokens
from graph.context import Context
from graph.http.body import GraphQLRequest
from graph.http.messages import CloseCode
from graph.http.operations import Caller, Operations
from tests.client import Client, session_of, signed_in
from tests.factories import Row, insert, make_tenant
from tests.server import Urls
from tests.subscriptions.following import TRANSPORTS, WEBSOCKET, here, streaming, until
from tests.subscriptions.gateway import Gateway, connected, served
from tests.subscriptions.test_notifications import TITLES, notify

BLOCKED = sa.text("SELECT count(*) FROM pg_stat_activity WHERE :mine = ANY (pg_blocking_pids(pid))")
RENAME = 'mutation ($id: ID!) { updateCompany(id: $id, input: { name: "After" }) { company { name } } }'


@asynccontextmanager
async def locked(engine: AsyncEngine, company: Row) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """The row locked during the block; what is yielded waits until somebody waits for it."""
    async with engine.connect() as other:
        await other.execute(sa.text("BEGIN"))
        await other.execute(sa.select(Company.id).where(Company.id == company["id"]).with_for_update())
        mine = (await other.execute(sa.text("SELECT pg_backend_pid()"))).scalar_one()

        async def blocking() -> None:
            async with asyncio.timeout(20):
                while not (await other.execute(BLOCKED, {"mine": mine})).scalar_one():
                    pass

        yield blocking
        await other.execute(sa.text("COMMIT"))


def ending(how: str, user_id: object) -> Any:
    """The statement that ends the sessions of a user."""
    match how:
        case "revoked":
            return sa.update(Session).values(revoked_at=sa.func.now()).where(Session.user_id == user_id)
        case "deleted":
            return sa.delete(Session).where(Session.user_id == user_id)
    return sa.update(User).values(status="suspended").where(User.id == user_id)


@pytest.mark.parametrize("how", ["revoked", "deleted", "suspended"])
async def test_the_session_ends(gateway: Gateway, admin: Client, owner: AsyncConnection, how: str) -> None:
    after = await here(admin)
    async with (
        connected(gateway) as busy,
        connected(gateway) as idle,
        streaming(gateway, admin.token, TITLES, variables={"after": after}) as stream,
    ):
        for peer in (busy, idle):
            await peer.init(admin.token)
        await busy.subscribe("1", TITLES, variables={"after": after})
        await notify(owner, admin)
        await stream.event()
        assert (await busy.receive())["type"] == "next"
        await owner.execute(ending(how, admin.user_id))
        assert await busy.closed() == CloseCode.FORBIDDEN
        assert await idle.closed() == CloseCode.FORBIDDEN
        assert await asyncio.wait_for(stream.frame(), 20) is None  # and no `complete`


async def test_another_session_of_the_user_goes_on(
    gateway: Gateway, admin: Client, owner: AsyncConnection
) -> None:
    assert admin.tenant_id is not None
    assert admin.user_id is not None
    other = await session_of(gateway.anyone, owner, admin.tenant_id, admin.user_id)
    after = await here(admin)
    async with connected(gateway) as peer, connected(gateway) as ended:
        await peer.init(admin.token)
        await ended.init(other.token)
        await other.read("mutation { signOut { errors { code } } }")
        assert await ended.closed() == CloseCode.FORBIDDEN
        await peer.subscribe("1", TITLES, variables={"after": after})
        await notify(owner, admin)
        assert (await peer.receive())["type"] == "next"


async def test_the_token_expires(gateway: Gateway, admin: Client) -> None:
    assert admin.token is not None
    claims = admin.services.tokens.verify(admin.token)
    settings = admin.services.settings.model_copy(update={"access_token_ttl": 3})
    tokens = AccessTokens(admin.services.keys, settings)
    token, _ = tokens.issue(claims.tenant_id, claims.user_id, claims.session_id)
    async with connected(gateway) as peer, streaming(gateway, token, TITLES) as stream:
        await peer.init(token)
        await peer.subscribe("1", TITLES)
        assert await peer.closed() == CloseCode.FORBIDDEN
        assert await asyncio.wait_for(stream.frame(), 20) is None


async def test_a_stream_ends_with_the_key_of_its_token(
    urls: Urls, tmp_path: Path, owner: AsyncConnection
) -> None:
    async with served(urls.gateway, tmp_path) as gateway:
        admin = await signed_in(gateway.anyone, owner, await make_tenant(owner), "*")
        tokens, token, after = admin.services.tokens, admin.token, await here(admin)
        async with streaming(gateway, token, TITLES, variables={"after": after}) as stream:
            await notify(owner, admin)
            await stream.event()
            keys.rotate(tmp_path / "keys.json", keep=timedelta(0))
            await until(lambda: not tokens.holds(token))
            await notify(owner, admin)
            assert await asyncio.wait_for(stream.frame(), 20) is None


@pytest.mark.parametrize("over", TRANSPORTS)
async def test_a_client_that_leaves_leaves_nothing_behind(gateway: Gateway, admin: Client, over: str) -> None:
    services = gateway.app.state.services

    def shown() -> list[float | None]:
        """What the metrics say: connections, and subscriptions."""
        value = services.metrics.registry.get_sample_value
        return [value("m3_sockets"), value("m3_subscriptions")]

    await until(lambda: len(services.live) == 0)
    if over == WEBSOCKET:
        async with connected(gateway) as peer:
            await peer.init(admin.token)
            for name in "abc":
                await peer.subscribe(name, TITLES)
            await until(lambda: shown() == [1, 3])
            assert len(services.live) == 1
            peer.socket.transport.abort()
    else:
        async with streaming(gateway, admin.token, TITLES):
            await until(lambda: shown() == [1, 1])
            assert len(services.live) == 1
    await until(lambda: len(services.live) == 0)
    await until(lambda: not services.hub._feeds and not services.hub._watchers)
    await until(lambda: not services.live._passing)
    assert shown() == [0, 0]


@pytest.mark.parametrize("ends", ["complete", "close", "abort"])
async def test_a_mutation_that_has_begun_is_carried_out(
    gateway: Gateway, admin: Client, owner: AsyncConnection, owner_engine: AsyncEngine, ends: str
) -> None:
    services = gateway.app.state.services
    company = await insert(owner, Company, tenant_id=admin.tenant_id, name="Before")
    async with locked(owner_engine, company) as blocking, connected(gateway) as peer:
        await peer.init(admin.token)
        await peer.subscribe("1", RENAME, variables={"id": str(company["id"])})
        await blocking()
        if ends == "complete":
            await peer.send("complete", id="1")
            assert "data" in await peer.answer("1", "{ __typename }")  # the id is free, nothing else comes
        else:
            if ends == "close":
                await peer.socket.close()
            else:
                peer.socket.transport.abort()
            await until(lambda: len(services.live) == 0)
    await until(lambda: not services.live._lasting)
    name = sa.select(Company.name).where(Company.id == company["id"])
    assert (await owner.execute(name)).scalar_one() == "After"


async def test_a_query_is_given_up_with_its_socket(
    gateway: Gateway, admin: Client, owner_engine: AsyncEngine
) -> None:
    services = gateway.app.state.services
    async with owner_engine.connect() as other, connected(gateway) as peer:
        await peer.init(admin.token)
        await other.execute(sa.text("BEGIN"))
        await other.execute(sa.text("LOCK TABLE companies IN ACCESS EXCLUSIVE MODE"))
        await peer.subscribe("1", "{ companies { totalCount } }")
        await until(lambda: len(services.live._passing) > 0)
        await peer.socket.close()
        await until(lambda: not services.live._passing)
        await other.execute(sa.text("COMMIT"))
    assert "errors" not in await admin.ask("{ companies { totalCount } }")


@pytest.fixture
async def passing(urls: Urls, tmp_path: Path) -> Any:
    """A gateway of the test's own, to stop."""
    async with served(urls.gateway, tmp_path) as gateway:
        yield gateway


async def test_stopping_answers_what_runs_and_closes_for_a_restart(
    passing: Gateway, owner: AsyncConnection, owner_engine: AsyncEngine
) -> None:
    admin = await signed_in(passing.anyone, owner, await make_tenant(owner), "*")
    company = await insert(owner, Company, tenant_id=admin.tenant_id)
    after = await here(admin)
    async with (
        connected(passing) as busy,
        connected(passing) as idle,
        streaming(passing, admin.token, TITLES, variables={"after": after}) as stream,
    ):
        for peer in (busy, idle):
            await peer.init(admin.token)
            await peer.subscribe("feed", TITLES, variables={"after": after})
        await notify(owner, admin)
        for peer in (busy, idle):
            assert (await peer.receive())["id"] == "feed"
        await stream.event()
        async with locked(owner_engine, company) as blocking:
            await busy.subscribe("1", RENAME, variables={"id": str(company["id"])})
            await blocking()
            passing.stop()
            assert await stream.frame() is None  # and no `complete`
            assert await idle.closed() == CloseCode.RESTART
            await busy.subscribe("2", "{ __typename }")  # too late
        answer = await busy.receive()
        assert (answer["type"], answer["id"]) == ("next", "1")
        assert answer["payload"]["data"] == {"updateCompany": {"company": {"name": "After"}}}
        assert await busy.receive() == {"type": "complete", "id": "1"}
        assert await busy.closed() == CloseCode.RESTART


async def test_a_stream_that_begins_while_the_server_stops_ends(
    gateway: Gateway, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway.app.state.services.live, "draining", True)
    async with streaming(gateway, admin.token, TITLES) as stream:
        assert stream.response.status_code == 200
        assert await asyncio.wait_for(stream.frame(), 20) is None


async def test_nothing_begins_once_the_socket_drains(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def drained(asked: GraphQLRequest, _: Context) -> GraphQLRequest:
        operations.drain()
        return asked

    async def send(message: str) -> None:
        raise AssertionError(message)

    monkeypatch.setattr("graph.http.operations.trusted", drained)
    closed: list[CloseCode] = []
    caller = Caller(gateway.app.state.services, None, None)
    operations = Operations(caller, send, lambda code, _: closed.append(code))
    await operations.start("1", GraphQLRequest("{ __typename }", None, None, None))
    assert not operations._running
    assert closed == [CloseCode.RESTART]


async def test_what_goes_wrong_before_an_operation_ends_no_other(
    gateway: Gateway, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(asked: GraphQLRequest, _: Context) -> GraphQLRequest:
        if asked.document_id is not None:
            raise RuntimeError
        return asked

    monkeypatch.setattr("graph.http.operations.trusted", fail)
    async with connected(gateway) as peer:
        await peer.init(admin.token)
        await peer.send("subscribe", id="1", payload={"documentId": "a"})
        answer = await peer.receive()
        assert (answer["type"], answer["id"]) == ("error", "1")
        assert answer["payload"][0]["extensions"]["code"] == "INTERNAL"
        assert await peer.answer("1", "{ __typename }") == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize("over", TRANSPORTS)
async def test_a_client_that_stops_reading_is_given_up(
    gateway: Gateway, admin: Client, owner: AsyncConnection, monkeypatch: pytest.MonkeyPatch, over: str
) -> None:
    services = gateway.app.state.services
    monkeypatch.setattr("graph.http.socket.SEND_SECONDS", 0.2)
    monkeypatch.setattr("graph.http.sse.SEND_SECONDS", 0.2)
    after = await here(admin)
    values = {"tenant_id": admin.tenant_id, "user_id": admin.user_id, "category": "system", "title": "long"}
    await owner.execute(sa.insert(InboxNotification), [{**values, "body": "x" * 100_000}] * 200)
    query = TITLES.replace("title", "title body")
    await until(lambda: len(services.live) == 0)
    if over == WEBSOCKET:
        async with connected(gateway, max_queue=1, max_size=None) as peer:
            await peer.init(admin.token)
            await peer.subscribe("1", query, variables={"after": after})
            await until(lambda: len(services.live) == 1)
            await until(lambda: len(services.live) == 0)  # it has given up on us
            codes = set()
            with contextlib.suppress(websockets.ConnectionClosed):
                while True:
                    await peer.socket.recv()
            codes.add(peer.socket.close_code)
        assert codes <= {CloseCode.TRY_AGAIN, 1006}  # after both of which clients come back
    else:
        async with streaming(gateway, admin.token, query, variables={"after": after}):
            await until(lambda: len(services.live) == 1)
            await until(lambda: len(services.live) == 0)
    await until(lambda: not services.hub._feeds)
