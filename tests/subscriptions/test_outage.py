"""Feeds while the database cannot be reached: nothing is told, and nothing is lost."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from graph.engine.rows import show
from graph.errors import Timeout, Unavailable
from graph.http.messages import CloseCode
from graph.snapshot import Reading, Snapshot
from tests.client import Client, signed_in
from tests.factories import make_tenant
from tests.graph.proxy import Proxy
from tests.server import Urls
from tests.subscriptions.following import TRANSPORTS, following, here, streaming
from tests.subscriptions.gateway import Gateway, connected, served
from tests.subscriptions.test_notifications import FEED, TITLES, notify, told


@pytest.mark.parametrize("over", TRANSPORTS)
async def test_a_feed_outlives_an_outage(
    urls: Urls, owner: AsyncConnection, tmp_path: Path, over: str
) -> None:
    async with Proxy.to(urls.gateway) as proxy, served(proxy.url, tmp_path) as gateway:
        admin = await signed_in(gateway.anyone, owner, await make_tenant(owner), "*")
        after = await here(admin)
        async with (
            following(gateway, admin, TITLES, over, after=after) as next_event,
            connected(gateway) as peer,
        ):
            await peer.init(admin.token)
            await notify(owner, admin, "before")
            assert told(await next_event())["notification"]["title"] == "before"
            await proxy.cut()
            await peer.subscribe("late", TITLES, variables={"after": after})
            await notify(owner, admin, "during")
            await proxy.open()
            await notify(owner, admin, "after")
            titles = [told(await next_event())["notification"]["title"] for _ in range(2)]
            assert titles == ["during", "after"]
            late = [told((await peer.receive())["payload"])["notification"]["title"] for _ in range(3)]
            assert late == ["before", *titles]


@pytest.mark.parametrize("over", TRANSPORTS)
async def test_what_cannot_be_read_is_read_again(
    gateway: Gateway, admin: Client, owner: AsyncConnection, monkeypatch: pytest.MonkeyPatch, over: str
) -> None:
    failures = 0

    enter = Reading.__aenter__

    async def fail_twice(reading: Reading) -> Any:
        nonlocal failures
        failures += 1
        if failures <= 2:
            raise Unavailable
        return await enter(reading)

    after = await here(admin)
    async with following(gateway, admin, TITLES, over, after=after) as next_event:
        await notify(owner, admin, "first")
        assert told(await next_event())["notification"]["title"] == "first"
        monkeypatch.setattr(Reading, "__aenter__", fail_twice)
        await notify(owner, admin, "second")
        assert told(await next_event())["notification"]["title"] == "second"
    assert failures >= 3


@pytest.mark.parametrize("over", TRANSPORTS)
async def test_an_event_that_takes_too_long_fails_no_other(
    gateway: Gateway, admin: Client, owner: AsyncConnection, monkeypatch: pytest.MonkeyPatch, over: str
) -> None:
    after = await here(admin)
    ids = [await notify(owner, admin, title) for title in ("first", "slow", "last")]
    execute, slow = Snapshot.execute, set[Snapshot]()

    async def execute_slowly(self: Snapshot, statement: Any, parameters: Any = None) -> Any:
        if self in slow and self._over is None:
            self._over = await self._abandon(TimeoutError())
        result = await execute(self, statement, parameters)
        if ids[1] in str(statement.compile().params):
            slow.add(self)
        return result

    async def show_slowly(plan: Any, events: list[Any], *given: Any, **options: Any) -> Any:
        if any(str(event.entity_id) == ids[1] for event in events):
            raise Timeout
        return await show(plan, events, *given, **options)

    monkeypatch.setattr(Snapshot, "execute", execute_slowly)
    monkeypatch.setattr("graph.subscriptions.telling.show", show_slowly)
    async with following(gateway, admin, FEED, over, after=after) as next_event:
        first, late, last = [await next_event() for _ in ids]
    assert [told(payload)["notification"]["id"] for payload in (first, last)] == [ids[0], ids[2]]
    assert {error["extensions"]["code"] for error in late["errors"]} == {"TIMEOUT"}


async def test_a_session_that_is_over_at_a_delivery_ends_the_connection(
    gateway: Gateway, admin: Client, owner: AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nobody(*_: Any) -> None:
        return None

    after = await here(admin)
    async with (
        connected(gateway) as peer,
        streaming(gateway, admin.token, TITLES, variables={"after": after}) as stream,
    ):
        await peer.init(admin.token)
        await peer.subscribe("1", TITLES, variables={"after": after})
        await notify(owner, admin)
        await stream.event()
        assert (await peer.receive())["type"] == "next"
        monkeypatch.setattr("graph.auth.standing.STANDS", "never")
        monkeypatch.setattr("graph.auth.standing.read_viewer", nobody)
        await notify(owner, admin)
        assert await peer.closed() == CloseCode.FORBIDDEN
        assert await asyncio.wait_for(stream.frame(), 20) is None  # and no `complete`
