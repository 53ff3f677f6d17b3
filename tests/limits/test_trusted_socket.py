"""Trusted documents over WebSocket and as a stream of events."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from db.gateway import documents
from db.models import InboxNotification
from graph.admission.trusted import TrustedDocuments
from graph.errors import GatewayError, Timeout, Unavailable
from tests.client import Client
from tests.factories import insert, make_tenant
from tests.server import Urls
from tests.subscriptions.conftest import admin, gateway, peer
from tests.subscriptions.following import SSE, TRANSPORTS, following, here, streaming
from tests.subscriptions.gateway import Gateway, Peer, connected, served

__all__ = ["admin", "gateway", "peer"]

FEED = "subscription ($after: Cursor) { notificationAdded(after: $after) { notification { title } } }"


async def stored(owner: AsyncConnection, body: str, **values: Any) -> str:
    """The id of a new document."""
    name = f"stored/{uuid4()}"
    await owner.execute(documents.insert().values(id=name, body=body, **values))
    return name


async def result(peer: Peer, identifier: str, **payload: Any) -> dict[str, Any]:
    """The next message about an operation, and what it ends with if it is a result."""
    await peer.send("subscribe", id=identifier, payload=payload)
    message = await peer.receive()
    if message["type"] == "next":
        assert await peer.receive() == {"type": "complete", "id": identifier}
        message["payload"].pop("extensions")
    return message


async def test_queries_and_mutations_by_their_ids(peer: Peer, admin: Client, owner: AsyncConnection) -> None:
    read = await stored(owner, "query($n: Int) { companies(first: $n) { nodes { name } } }")
    write = await stored(owner, 'mutation { createCompany(input: { name: "ours" }) { company { name } } }')
    await peer.init(admin.token)
    made = await result(peer, "1", documentId=write)
    assert made["payload"] == {"data": {"createCompany": {"company": {"name": "ours"}}}}
    found = await result(peer, "2", documentId=read, variables={"n": 1})
    assert found["payload"] == {"data": {"companies": {"nodes": [{"name": "ours"}]}}}


async def test_an_id_that_is_not_known_ends_the_operation_alone(
    peer: Peer, admin: Client, owner: AsyncConnection
) -> None:
    hidden = await stored(owner, "{ __typename }", tenant_id=await make_tenant(owner))
    await peer.init(admin.token)
    for identifier, name in (("1", hidden), ("2", "nothing")):
        refused = await result(peer, identifier, documentId=name)
        assert (refused["type"], refused["id"]) == ("error", identifier)
        (error,) = refused["payload"]
        assert error["message"] == "There is no document with this id."
        assert error["extensions"] == {"code": "PERSISTED_DOCUMENT_NOT_FOUND"}
    assert (await result(peer, "1", query="{ __typename }"))["payload"] == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize("over", TRANSPORTS)
async def test_a_subscription_by_its_id(
    gateway: Gateway, peer: Peer, admin: Client, owner: AsyncConnection, over: str
) -> None:
    name, variables = await stored(owner, FEED), {"after": await here(admin)}
    values = {"tenant_id": admin.tenant_id, "user_id": admin.user_id, "title": "Hello"}
    await insert(owner, InboxNotification, **values)
    if over == SSE:
        async with streaming(gateway, admin.token, None, documentId=name, variables=variables) as stream:
            told = (await stream.event()).payload
    else:
        await peer.init(admin.token)
        await peer.send("subscribe", id="1", payload={"documentId": name, "variables": variables})
        told = (await peer.receive())["payload"]
    assert told["data"]["notificationAdded"] == {"notification": {"title": "Hello"}}


async def test_an_empty_bucket_is_told_as_over_http(
    urls: Urls, owner: AsyncConnection, tmp_path: Path
) -> None:
    async with served(urls.gateway, tmp_path, cost_per_address=2) as gateway:
        for _ in range(2):
            async with streaming(gateway, None, None, documentId="nothing") as stream:
                assert stream.response.status_code == 400
        async with streaming(gateway, None, None, documentId="nothing") as stream:
            assert stream.response.status_code == 429
            (error,) = json.loads(await stream.response.aread())["errors"]
            seconds = error["extensions"]["retryAfter"]
            assert error["extensions"] == {"code": "RATE_LIMITED", "retryAfter": seconds}
            assert stream.response.headers["retry-after"] == str(seconds)
        async with connected(gateway) as peer:
            await peer.init()
            (error,) = (await result(peer, "1", documentId="nothing"))["payload"]
            assert error["extensions"]["code"] == "RATE_LIMITED"
            assert error["extensions"]["retryAfter"] > 0


@pytest.mark.parametrize(("raised", "status"), [(Unavailable, 503), (Timeout, 400)])
async def test_a_document_out_of_reach_is_to_be_asked_for_again(
    gateway: Gateway,
    peer: Peer,
    admin: Client,
    monkeypatch: pytest.MonkeyPatch,
    raised: type[GatewayError],
    status: int,
) -> None:
    async def find(*_: object) -> str:
        raise raised

    await peer.init(admin.token)
    monkeypatch.setattr(TrustedDocuments, "find", find)
    async with streaming(gateway, admin.token, None, documentId="feed") as stream:
        assert stream.response.status_code == status
    await peer.send("subscribe", id="1", payload={"documentId": "feed"})
    assert await peer.closed() == 1013


@pytest.mark.parametrize("over", TRANSPORTS)
async def test_a_feed_begins_when_its_document_is_in_reach_again(
    gateway: Gateway, admin: Client, owner: AsyncConnection, monkeypatch: pytest.MonkeyPatch, over: str
) -> None:
    failures = 0

    async def mode(*given: Any) -> Any:
        nonlocal failures
        failures += 1
        if failures <= 2:
            raise Unavailable
        return await known(*given)

    known, after = TrustedDocuments.mode, await here(admin)
    values = {"tenant_id": admin.tenant_id, "user_id": admin.user_id, "title": "Hello"}
    await insert(owner, InboxNotification, **values)
    monkeypatch.setattr(TrustedDocuments, "mode", mode)
    async with following(gateway, admin, FEED, over, after=after) as next_event:
        told = await next_event()
    assert told["data"]["notificationAdded"] == {"notification": {"title": "Hello"}}
    assert failures >= 3


async def test_a_subscription_is_within_the_bounds(peer: Peer, admin: Client) -> None:
    await peer.init(admin.token)
    aliases = " ".join(f"a{number}: cursor" for number in range(31))
    refused = await result(peer, "1", query=f"subscription {{ notificationAdded {{ {aliases} }} }}")
    assert refused["type"] == "error"
    assert [error["extensions"]["exceeded"] for error in refused["payload"]] == ["aliases"]
