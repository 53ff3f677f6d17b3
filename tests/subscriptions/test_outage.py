"""Feeds while the database cannot be reached: nothing is told, and nothing is lost."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from graph.auth.viewer import load_viewer
from graph.errors import Unavailable
from tests.client import Client, signed_in
from tests.factories import make_tenant
from tests.graph.proxy import Proxy
from tests.server import Urls
from tests.subscriptions.following import TRANSPORTS, following, here
from tests.subscriptions.gateway import Gateway, connected, served
from tests.subscriptions.test_notifications import TITLES, notify, told


@pytest.mark.parametrize("over", TRANSPORTS)
async def test_a_feed_outlives_an_outage(
    urls: Urls, owner: AsyncConnection, tmp_path: Path, over: str
) -> None:
    proxy = Proxy(urls.gateway)
    await proxy.open()
    async with served(proxy.url, tmp_path) as gateway:
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
    await proxy.cut()


@pytest.mark.parametrize("over", TRANSPORTS)
async def test_what_cannot_be_read_is_read_again(
    gateway: Gateway, admin: Client, owner: AsyncConnection, monkeypatch: pytest.MonkeyPatch, over: str
) -> None:
    failures = 0

    async def fail_twice(*given: Any) -> Any:
        nonlocal failures
        failures += 1
        if failures <= 2:
            raise Unavailable
        return await load_viewer(*given)

    after = await here(admin)
    async with following(gateway, admin, TITLES, over, after=after) as next_event:
        await notify(owner, admin, "first")
        assert told(await next_event())["notification"]["title"] == "first"
        monkeypatch.setattr("graph.context.load_viewer", fail_twice)
        await notify(owner, admin, "second")
        assert told(await next_event())["notification"]["title"] == "second"
    assert failures >= 3
