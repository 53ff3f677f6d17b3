"""GraphQL over SSE, distinct connections mode."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import InboxNotification
from graph.auth.tickets import ticket
from tests.client import Client
from tests.subscriptions.following import Stream, here, streaming
from tests.subscriptions.gateway import Gateway
from tests.subscriptions.test_ends import ending
from tests.subscriptions.test_notifications import TITLES, notify, told

ME = "{ viewer { user { id } } }"
CREATE = 'mutation { createCompany(input: { name: "Nile" }) { company { name } } }'


async def whole(stream: Stream) -> list[tuple[str | None, Any]]:
    """All events of a stream that ends."""
    events: list[tuple[str | None, Any]] = []
    while (frame := await asyncio.wait_for(stream.frame(), 20)) is not None:
        payload = frame.payload if frame.event == "next" else frame.data
        if isinstance(payload, dict):
            payload.pop("extensions", None)  # what it cost
        events.append((frame.event, payload))
    return events


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_query_is_one_event_and_complete(gateway: Gateway, admin: Client, method: str) -> None:
    async with streaming(gateway, admin.token, ME, method=method) as stream:
        assert stream.response.status_code == 200
        assert stream.response.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert stream.response.headers["cache-control"] == "no-store"
        assert "content-length" not in stream.response.headers
        answer = {"data": {"viewer": {"user": {"id": str(admin.user_id)}}}}
        assert await whole(stream) == [("next", answer), ("complete", "")]


async def test_a_mutation_by_post(gateway: Gateway, admin: Client) -> None:
    async with streaming(gateway, admin.token, CREATE) as stream:
        answer = {"data": {"createCompany": {"company": {"name": "Nile"}}}}
        assert await whole(stream) == [("next", answer), ("complete", "")]


async def test_no_mutation_by_get(gateway: Gateway, admin: Client) -> None:
    async with streaming(gateway, admin.token, CREATE, method="GET") as stream:
        assert (stream.response.status_code, stream.response.headers["allow"]) == (405, "POST")
    assert await admin.read("{ companies { totalCount } }") == {"companies": {"totalCount": 0}}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { notificationAdded { nothing } }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription ($after: Cursor!) { notificationAdded(after: $after) { cursor } }", "BAD_INPUT"),
        ('subscription { notificationAdded(after: "x") { cursor } }', "BAD_CURSOR"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_what_is_wrong_with_a_request_is_told_in_the_stream(
    gateway: Gateway, admin: Client, query: str, code: str, method: str
) -> None:
    async with streaming(gateway, admin.token, query, method=method) as stream:
        assert stream.response.status_code == 200
        (kind, payload), complete = await whole(stream)
    assert (kind, complete, list(payload)) == ("next", ("complete", ""), ["errors"])
    assert payload["errors"][0]["extensions"]["code"] == code


@pytest.mark.parametrize("token", [None, "nonsense"])
async def test_a_subscription_takes_a_good_token(gateway: Gateway, token: str | None) -> None:
    async with streaming(gateway, token, TITLES) as stream:
        (_, payload), complete = await whole(stream)
    assert payload["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert complete == ("complete", "")


@pytest.mark.parametrize(
    ("content", "status"),
    [(b"", 400), (b"nonsense", 400), (b"[]", 400), (b'{"query": 7}', 400), (b'{"query": ""}', 400)],
)
async def test_what_is_no_request_is_refused(gateway: Gateway, content: bytes, status: int) -> None:
    headers = {"accept": "text/event-stream", "content-type": "application/json"}
    async with httpx.AsyncClient(trust_env=False) as http:
        response = await http.post(gateway.url, content=content, headers=headers)
        assert response.status_code == status
        assert response.json()["errors"][0]["extensions"]["code"] == "BAD_INPUT"


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_the_last_event_id_counts_for_more_than_the_cursor(
    gateway: Gateway, admin: Client, owner: AsyncConnection, method: str
) -> None:
    variables = {"after": await here(admin)}
    for number in range(4):
        await notify(owner, admin, str(number))
    async with streaming(gateway, admin.token, TITLES, method=method, variables=variables) as stream:
        frames = [await stream.event() for _ in range(4)]
    assert [frame.id for frame in frames] == [told(frame.payload)["cursor"] for frame in frames]
    came_to = {"last-event-id": str(frames[1].id)}
    async with streaming(
        gateway, admin.token, TITLES, method=method, variables=variables, headers=came_to
    ) as stream:
        assert [(await stream.event()).payload for _ in range(2)] == [frame.payload for frame in frames[2:]]


async def test_what_is_passed_over_moves_the_last_event_id(
    gateway: Gateway, admin: Client, owner: AsyncConnection
) -> None:
    after = await here(admin)
    gone = await notify(owner, admin, "gone")
    await owner.execute(sa.delete(InboxNotification).where(InboxNotification.id == gone))
    async with streaming(gateway, admin.token, TITLES, variables={"after": after}) as stream:
        frame = await stream.frame()
        assert frame is not None
        assert (frame.event, frame.data) == (None, None)
    await notify(owner, admin, "there")
    headers = {"last-event-id": str(frame.id)}
    async with streaming(gateway, admin.token, TITLES, headers=headers) as stream:
        assert told((await stream.event()).payload)["notification"]["title"] == "there"


async def test_a_silent_stream_is_kept_alive(
    gateway: Gateway, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("graph.http.sse.KEEP_ALIVE_SECONDS", 0.05)
    async with streaming(gateway, admin.token, TITLES) as stream:
        assert [await anext(stream.lines) for _ in range(6)] == [":", ""] * 3


async def stream_ticket(client: Client) -> str:
    made: str = (await client.read("{ viewer { streamTicket } }"))["viewer"]["streamTicket"]
    return made


async def test_a_ticket_opens_a_stream(gateway: Gateway, admin: Client, owner: AsyncConnection) -> None:
    given = {"ticket": await stream_ticket(admin), "variables": {"after": await here(admin)}}
    async with streaming(gateway, None, TITLES, method="GET", **given) as stream:
        await notify(owner, admin, "by ticket")
        assert told((await stream.event()).payload)["notification"]["title"] == "by ticket"
        await owner.execute(ending("revoked", admin.user_id))
        assert await asyncio.wait_for(stream.frame(), 20) is None
    async with streaming(gateway, None, TITLES, method="GET", **given) as stream:
        (_, payload), _ = await whole(stream)
    assert payload["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_ticket_is_good_for_nothing_else(gateway: Gateway, admin: Client, method: str) -> None:
    made = await stream_ticket(admin)
    async with streaming(gateway, made, TITLES, method=method) as stream:
        (_, payload), _ = await whole(stream)
    assert payload["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    if method == "POST":
        for query in (ME, TITLES):
            async with streaming(gateway, None, query, ticket=made) as stream:
                (_, payload), _ = await whole(stream)
            assert payload["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


@pytest.mark.parametrize("query", [ME, "{ __typename }", CREATE, "{", "{ __schema { types { name } } }"])
async def test_a_ticket_runs_nothing_but_subscriptions(gateway: Gateway, admin: Client, query: str) -> None:
    for made in (await stream_ticket(admin), "x"):
        async with streaming(gateway, None, query, method="GET", ticket=made) as stream:
            assert stream.response.status_code == (405 if query is CREATE else 400)
            assert "data" not in json.loads(await stream.response.aread())


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_a_page_of_another_site_takes_a_good_ticket(
    gateway: Gateway, admin: Client, owner: AsyncConnection, site: str
) -> None:
    given: dict[str, Any] = {"headers": {"sec-fetch-site": site}, "variables": {"after": await here(admin)}}
    for bad in ("", "x"):
        async with streaming(gateway, None, TITLES, method="GET", ticket=bad, **given) as stream:
            assert stream.response.status_code == 403
    made = await stream_ticket(admin)
    async with streaming(gateway, None, TITLES, method="GET", ticket=made, **given) as stream:
        await notify(owner, admin, "by ticket")
        assert told((await stream.event()).payload)["notification"]["title"] == "by ticket"
    async with httpx.AsyncClient(trust_env=False) as http:  # what is no stream does not look at tickets
        parameters = {"query": "{ __typename }", "ticket": made}
        answer = await http.get(gateway.url, params=parameters, headers=given["headers"])
    assert answer.status_code == 403


async def test_a_ticket_that_is_altered_or_expired(gateway: Gateway, admin: Client) -> None:
    services = admin.services
    made = await stream_ticket(admin)
    assert admin.token is not None
    claims = services.tokens.verify(admin.token)
    key = services.keys.current.derive("stream-ticket")
    expired = ticket(key, replace(claims, expires_at=datetime.now(UTC)))
    first = "B" if made[0] == "A" else "A"
    last = "BBBB" if made.endswith("AAAA") else "AAAA"
    for bad in (made[:-4] + last, first + made[1:], made[:-4], made + "AAAA", "", "é", expired):
        async with streaming(gateway, None, TITLES, method="GET", ticket=bad) as stream:
            (_, payload), _ = await whole(stream)
        assert payload["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
