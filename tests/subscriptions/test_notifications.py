"""The feed of the inbox, over both transports."""

import asyncio
import gc
import itertools
import weakref
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import InboxNotification
from graph.events.cursor import event_cursor
from graph.execution import DOCUMENTS
from graph.limits import MAX_DELIVERY, MAX_EVENT_NODES, MAX_NODES
from tests.client import Client, session_of, signed_in
from tests.factories import insert, make_tenant, make_user
from tests.statements import statements
from tests.subscriptions.following import (
    SSE,
    TRANSPORTS,
    WEBSOCKET,
    Payload,
    following,
    here,
    streaming,
    until,
)
from tests.subscriptions.gateway import Gateway, Peer, connected

FEED = """
    subscription Inbox($after: Cursor) {
        notificationAdded(after: $after) {
            cursor
            at
            action
            notification { id title isRead user { id email } }
        }
    }
"""
TITLES = (
    "subscription ($after: Cursor) { notificationAdded(after: $after) { cursor notification { title } } }"
)


async def notify(owner: AsyncConnection, to: Client, title: str = "Hello", **values: Any) -> str:
    row = {"tenant_id": to.tenant_id, "user_id": to.user_id, "title": title, **values}
    return str((await insert(owner, InboxNotification, **row))["id"])


def is_gone(held: weakref.ref[Any]) -> bool:
    gc.collect()
    return held() is None


def told(payload: Payload) -> Payload:
    assert list(payload) == ["data"], payload
    event: Payload = payload["data"]["notificationAdded"]
    return event


@pytest.fixture
async def colleague(admin: Client, gateway: Gateway, owner: AsyncConnection) -> Client:
    assert admin.tenant_id is not None
    return await signed_in(gateway.anyone, owner, admin.tenant_id)


@pytest.mark.parametrize("over", TRANSPORTS)
async def test_what_happens_in_the_inbox_is_told_in_order(
    gateway: Gateway, admin: Client, owner: AsyncConnection, over: str
) -> None:
    after = await here(admin)
    async with following(gateway, admin, FEED, over, after=after) as next_event:
        ids = [await notify(owner, admin, f"No {number}") for number in range(3)]
        events = [told(await next_event()) for _ in ids]
        for id in ids[:2]:
            await admin.read(
                "mutation ($id: ID!) { markNotificationRead(input: { id: $id }) { errors { code } } }", id=id
            )
        events += [told(await next_event()) for _ in range(2)]
    assert [(event["action"], event["notification"]["id"]) for event in events] == [
        *(("ADDED", id) for id in ids),
        *(("READ", id) for id in ids[:2]),
    ]
    assert [event["notification"]["isRead"] for event in events] == [False] * 3 + [True] * 2
    assert {event["notification"]["user"]["id"] for event in events} == {str(admin.user_id)}
    assert len({event["cursor"] for event in events}) == 5
    assert sorted(event["at"] for event in events) == [event["at"] for event in events]


@pytest.mark.parametrize("over", TRANSPORTS)
async def test_a_document_that_is_not_remembered_is_read_again(
    gateway: Gateway, admin: Client, owner: AsyncConnection, monkeypatch: pytest.MonkeyPatch, over: str
) -> None:
    query = f"{FEED} # {over} {admin.user_id}"
    async with following(gateway, admin, query, over, after=await here(admin)) as next_event:
        for title in ("One", "Two"):
            await notify(owner, admin, title)
            assert told(await next_event())["notification"]["title"] == title
            held = weakref.ref(DOCUMENTS.get(query))
            with monkeypatch.context() as patch:
                patch.setattr("graph.limits.MAX_DOCUMENTS", 0)
                DOCUMENTS.get(f"# {title} {admin.user_id}\n{{ __typename }}")
            await until(partial(is_gone, held))


@pytest.mark.parametrize("over", TRANSPORTS)
async def test_with_a_cursor_one_gets_all_behind_it_and_nothing_twice(
    gateway: Gateway, admin: Client, owner: AsyncConnection, over: str
) -> None:
    cursors = [await here(admin)]
    for number in range(5):
        await notify(owner, admin, str(number))
    async with following(gateway, admin, TITLES, over, after=cursors[0]) as next_event:
        cursors += [told(await next_event())["cursor"] for _ in range(5)]
    await notify(owner, admin, "5")
    for number, cursor in enumerate(cursors):
        async with following(gateway, admin, TITLES, over, after=cursor) as next_event:
            titles = [told(await next_event())["notification"]["title"] for _ in range(number, 6)]
            assert titles == [str(later) for later in range(number, 6)]


@pytest.mark.parametrize("over", TRANSPORTS)
async def test_without_a_cursor_one_gets_what_comes_from_now_on(
    gateway: Gateway, admin: Client, owner: AsyncConnection, over: str
) -> None:
    enough = asyncio.Event()

    async def write() -> None:
        for number in itertools.count():
            if enough.is_set():
                return
            await notify(owner, admin, str(number))

    async with following(gateway, admin, TITLES, over) as next_event:
        writing = asyncio.create_task(write())
        try:
            titles = [int(told(await next_event())["notification"]["title"]) for _ in range(5)]
        finally:
            enough.set()
            await writing
    assert titles == list(range(titles[0], titles[0] + 5))


@pytest.mark.parametrize("over", TRANSPORTS)
async def test_nobody_hears_of_the_inbox_of_another(
    gateway: Gateway, admin: Client, colleague: Client, owner: AsyncConnection, over: str
) -> None:
    stranger = await signed_in(gateway.anyone, owner, await make_tenant(owner), "*")
    after = await here(colleague)
    async with following(gateway, colleague, TITLES, over, after=after) as next_event:
        for client in (admin, stranger, colleague):
            await notify(owner, client, f"for {client.user_id}")
        assert told(await next_event())["notification"]["title"] == f"for {colleague.user_id}"


@pytest.mark.parametrize("over", TRANSPORTS)
async def test_what_is_gone_is_passed_over(
    gateway: Gateway, admin: Client, owner: AsyncConnection, over: str
) -> None:
    after = await here(admin)
    await owner.execute(
        sa.delete(InboxNotification).where(InboxNotification.id == await notify(owner, admin, "gone"))
    )
    await notify(owner, admin, "there")
    async with following(gateway, admin, TITLES, over, after=after) as next_event:
        assert told(await next_event())["notification"]["title"] == "there"


@pytest.mark.parametrize("over", TRANSPORTS)
async def test_what_was_missed_is_read_many_at_a_time(
    gateway: Gateway, admin: Client, owner: AsyncConnection, over: str
) -> None:
    count = 2 * MAX_DELIVERY + 50
    after = await here(admin)
    values = {"tenant_id": admin.tenant_id, "user_id": admin.user_id, "category": "system"}
    await owner.execute(
        sa.insert(InboxNotification), [{**values, "title": str(number)} for number in range(count)]
    )
    await notify(owner, admin, "last")
    async with following(gateway, admin, TITLES, WEBSOCKET, after=after) as next_event:
        while told(await next_event())["notification"]["title"] != "last":
            pass  # until all of it has its place in the order
    with statements(gateway.app.state.services.database) as sent:
        async with following(gateway, admin, TITLES, over, after=after) as next_event:
            titles = [told(await next_event())["notification"]["title"] for _ in range(count + 1)]
    assert sorted(titles[:-1]) == sorted(str(number) for number in range(count))
    assert titles[-1] == "last"
    assert len([statement for statement in sent if "notifications_inbox" in statement]) <= 6


def costly(rows: int) -> str:
    """A subscription that may read so many rows for each event."""
    pages = [min(100, rows - 2 - first) for first in range(0, rows - 2, 100)]
    lists = ("deals", "leads", "activities", "sessions", "roles")
    asked = zip(lists, pages, strict=True)
    below = " ".join(f"{name}(first: {page}) {{ nodes {{ __typename }} }}" for name, page in asked)
    fields = f"cursor notification {{ title user {{ {below} }} }}"
    return f"subscription ($after: Cursor) {{ notificationAdded(after: $after) {{ {fields} }} }}"


@pytest.mark.parametrize("over", TRANSPORTS)
async def test_an_event_may_have_only_so_many_rows(
    gateway: Gateway, admin: Client, owner: AsyncConnection, over: str
) -> None:
    after = await here(admin)
    await notify(owner, admin, "costly")
    async with following(gateway, admin, costly(MAX_EVENT_NODES), over, after=after) as next_event:
        assert told(await next_event())["notification"]["title"] == "costly"
    assert await refused(gateway, admin, over, after, costly(MAX_EVENT_NODES + 1)) == "TOO_COMPLEX"


@pytest.mark.parametrize("over", TRANSPORTS)
async def test_what_was_missed_and_costs_much_is_read_fewer_at_a_time(
    gateway: Gateway, admin: Client, owner: AsyncConnection, over: str
) -> None:
    after, titles = await here(admin), [str(number) for number in range(45)]
    for title in titles:
        await notify(owner, admin, title)
    async with following(gateway, admin, TITLES, WEBSOCKET, after=after) as next_event:
        while told(await next_event())["notification"]["title"] != titles[-1]:
            pass  # until all of it has its place in the order
    with statements(gateway.app.state.services.database) as sent:
        async with following(gateway, admin, costly(MAX_EVENT_NODES), over, after=after) as next_event:
            assert [told(await next_event())["notification"]["title"] for _ in titles] == titles
    batches = [statement for statement in sent if "notifications_inbox" in statement]
    assert len(batches) * MAX_NODES > len(titles) * MAX_EVENT_NODES


@pytest.mark.parametrize("over", TRANSPORTS)
async def test_a_cursor_that_is_forgotten(gateway: Gateway, admin: Client, over: str) -> None:
    services = admin.services
    assert admin.tenant_id is not None
    key = services.keys.current.derive("event-cursor")
    lost = event_cursor(key, admin.tenant_id, 2**40)
    assert await refused(gateway, admin, over, lost) == "CURSOR_EXPIRED"


@pytest.mark.parametrize("over", TRANSPORTS)
async def test_the_cursor_of_another_tenant(
    gateway: Gateway, admin: Client, owner: AsyncConnection, over: str
) -> None:
    stranger = await signed_in(gateway.anyone, owner, await make_tenant(owner), "*")
    assert await refused(gateway, admin, over, await here(stranger)) == "BAD_CURSOR"


async def refused(gateway: Gateway, client: Client, over: str, after: str, query: str = TITLES) -> str:
    if over == SSE:
        async with streaming(gateway, client.token, query, variables={"after": after}) as stream:
            errors = (await stream.event()).payload["errors"]
            assert (await stream.event()).event == "complete"
            assert await stream.frame() is None
    else:
        async with connected(gateway) as peer:
            await peer.init(client.token)
            await peer.subscribe("1", query, variables={"after": after})
            message = await peer.receive()
            assert message["type"] == "error"
            errors = message["payload"]
    code: str = errors[0]["extensions"]["code"]
    return code


async def test_many_feeds_on_one_socket(
    peer: Peer, admin: Client, colleague: Client, owner: AsyncConnection
) -> None:
    after = await here(admin)
    await peer.init(admin.token)
    for name in ("a", "b"):
        await peer.subscribe(name, TITLES, variables={"after": after})
    await notify(owner, admin, "both")
    messages = [await peer.receive() for _ in range(2)]
    assert {message["id"] for message in messages} == {"a", "b"}
    await peer.send("complete", id="a")
    await notify(owner, admin, "one")
    assert (await peer.receive())["id"] == "b"


async def test_the_same_user_in_another_session(
    gateway: Gateway, admin: Client, owner: AsyncConnection
) -> None:
    assert admin.tenant_id is not None
    user_id = await make_user(owner, admin.tenant_id)
    phone, laptop = [await session_of(gateway.anyone, owner, admin.tenant_id, user_id) for _ in range(2)]
    after = await here(phone)
    async with (
        following(gateway, phone, TITLES, WEBSOCKET, after=after) as on_phone,
        following(gateway, laptop, TITLES, SSE, after=after) as on_laptop,
    ):
        await notify(owner, phone, "both hear")
        assert told(await on_phone()) == told(await on_laptop())
