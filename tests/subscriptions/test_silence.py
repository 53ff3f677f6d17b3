"""A database that stops answering in the middle of a transaction: what waits for it ends, or goes on."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from graph.http.messages import CloseCode
from tests.client import Client, signed_in
from tests.factories import make_tenant
from tests.graph.proxy import Mute
from tests.server import Urls
from tests.subscriptions.following import TRANSPORTS, following, here
from tests.subscriptions.gateway import Gateway, connected, served
from tests.subscriptions.test_ends import ending
from tests.subscriptions.test_notifications import TITLES, notify, told


@pytest.fixture
async def mute(urls: Urls) -> AsyncIterator[Mute]:
    async with Mute.to(urls.gateway) as mute:
        yield mute


@pytest.fixture
async def behind(
    mute: Mute, urls: Urls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Gateway]:
    """A gateway that reads by way of `mute`, hears of events directly, and is soon tired of waiting."""
    monkeypatch.setattr("db.session.CONNECT_TIMEOUT", 0.5)
    async with served(mute.url, tmp_path, listen_database_url=urls.gateway, operation_seconds=1) as gateway:
        yield gateway


@pytest.fixture
async def member(behind: Gateway, owner: AsyncConnection) -> Client:
    return await signed_in(behind.anyone, owner, await make_tenant(owner), "*")


@pytest.mark.parametrize("over", TRANSPORTS)
async def test_a_delivery_is_made_again(
    mute: Mute, behind: Gateway, member: Client, owner: AsyncConnection, over: str
) -> None:
    async with following(behind, member, TITLES, over, after=await here(member)) as next_event:
        for title in ("before", "during", "after"):
            mute.armed = title == "during"
            await notify(owner, member, title)
            assert told(await next_event())["notification"]["title"] == title
    assert not mute.armed


async def test_who_signs_in_is_sent_away(mute: Mute, behind: Gateway, member: Client) -> None:
    async with connected(behind) as peer:
        mute.armed = True
        await peer.send("connection_init", payload={"Authorization": f"Bearer {member.token}"})
        assert await peer.closed() == CloseCode.TRY_AGAIN


async def test_the_end_of_a_session_is_seen_all_the_same(
    mute: Mute, behind: Gateway, member: Client, owner: AsyncConnection
) -> None:
    async with connected(behind) as peer:
        await peer.init(member.token)
        mute.armed = True
        await owner.execute(ending("revoked", member.user_id))
        assert await peer.closed() == CloseCode.FORBIDDEN
    assert not mute.armed
