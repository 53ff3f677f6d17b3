"""graphql-transport-ws, rule by rule."""

import asyncio
from typing import Any

import pytest
import websockets
from sqlalchemy.ext.asyncio import AsyncConnection

from graph.http.messages import CloseCode
from graph.limits import MAX_BODY_BYTES, MAX_OPERATION_ID, MAX_SOCKET_OPERATIONS
from tests.client import Client
from tests.subscriptions.gateway import SUBPROTOCOL, Gateway, Peer, connected

ME = "{ viewer { user { id } } }"
FEED = "subscription { notificationAdded { cursor } }"


def me(client: Client) -> dict[str, Any]:
    return {"data": {"viewer": {"user": {"id": str(client.user_id)}}}}


async def test_a_query_is_answered_and_completed(peer: Peer, admin: Client) -> None:
    await peer.init(admin.token)
    assert await peer.answer("1", ME) == me(admin)


async def test_a_mutation_is_carried_out(peer: Peer, admin: Client) -> None:
    await peer.init(admin.token)
    created = 'mutation { createCompany(input: { name: "Nile" }) { company { name } errors { code } } }'
    answer = await peer.answer("1", created)
    assert answer == {"data": {"createCompany": {"company": {"name": "Nile"}, "errors": []}}}


async def test_variables_operation_name_and_extensions_are_carried(peer: Peer, admin: Client) -> None:
    await peer.init(admin.token)
    query = """
        query Other { __typename }
        mutation Make($name: String!) { createCompany(input: { name: $name }) { company { id } } }
    """
    wanted: dict[str, Any] = {
        "operationName": "Make",
        "variables": {"name": "Delta"},
        "extensions": {"idempotencyKey": "only-once"},
    }
    first = await peer.answer("1", query, **wanted)
    assert first["data"]["createCompany"]["company"] is not None
    assert await peer.answer("2", query, **wanted) == first  # the key makes it the same mutation
    await peer.subscribe("3", query, **wanted | {"extensions": {"idempotencyKey": ""}})
    refused = await peer.receive()
    assert (refused["type"], refused["payload"][0]["extensions"]["code"]) == ("error", "BAD_INPUT")


@pytest.mark.parametrize("payload", [{}, {"payload": None}, {"payload": {}}], ids=str)
async def test_without_a_token_one_may_do_what_takes_none(peer: Peer, payload: dict[str, Any]) -> None:
    await peer.send("connection_init", **payload)
    assert await peer.receive() == {"type": "connection_ack"}
    assert await peer.answer("1", "{ __typename }") == {"data": {"__typename": "Query"}}
    answer = await peer.answer("2", ME)
    assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    await peer.subscribe("3", FEED)
    refused = await peer.receive()
    assert (refused["type"], refused["payload"][0]["extensions"]["code"]) == ("error", "UNAUTHENTICATED")


@pytest.mark.parametrize("name", ["Authorization", "authorization", "AUTHORIZATION"])
async def test_the_token_comes_under_any_spelling(peer: Peer, admin: Client, name: str) -> None:
    await peer.send("connection_init", payload={name: f"bearer {admin.token}", "other": 1})
    assert await peer.receive() == {"type": "connection_ack"}
    assert await peer.answer("1", ME) == me(admin)


async def test_the_token_may_come_with_the_upgrade(gateway: Gateway, admin: Client) -> None:
    headers = {"Authorization": f"Bearer {admin.token}"}
    async with connected(gateway, additional_headers=headers) as peer:
        await peer.init()
        assert await peer.answer("1", ME) == me(admin)


@pytest.mark.parametrize("value", ["Bearer nonsense", "Basic dTpw", "nonsense", "", 7, ["Bearer x"]], ids=str)
async def test_a_bad_token_is_forbidden(peer: Peer, value: object) -> None:
    await peer.send("connection_init", payload={"Authorization": value})
    assert await peer.closed() == CloseCode.FORBIDDEN


async def test_the_token_of_an_ended_session_is_forbidden(
    peer: Peer, admin: Client, owner: AsyncConnection
) -> None:
    await admin.read("mutation { signOut { errors { code } } }")
    await peer.send("connection_init", payload={"Authorization": f"Bearer {admin.token}"})
    assert await peer.closed() == CloseCode.FORBIDDEN


async def test_an_operation_before_the_acknowledgement(peer: Peer) -> None:
    await peer.subscribe("1", "{ __typename }")
    assert await peer.closed() == CloseCode.UNAUTHORIZED


async def test_a_second_initialisation(peer: Peer) -> None:
    await peer.init()
    await peer.send("connection_init")
    assert await peer.closed() == CloseCode.TOO_MANY_INITS


async def test_two_initialisations_at_once(peer: Peer, admin: Client) -> None:
    await peer.send("connection_init", payload={"Authorization": f"Bearer {admin.token}"})
    await peer.send("connection_init")
    assert await peer.receive() == {"type": "connection_ack"}
    assert await peer.closed() == CloseCode.TOO_MANY_INITS


async def test_no_initialisation_in_time(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graph.http.socket.INIT_SECONDS", 0.05)
    async with connected(gateway) as peer:
        await peer.send("ping")  # which is no reason to wait longer
        assert await peer.receive() == {"type": "pong"}
        assert await peer.closed() == CloseCode.INIT_TIMEOUT


async def test_an_initialised_socket_stays_open(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graph.http.socket.INIT_SECONDS", 0.2)
    async with connected(gateway) as peer:
        await peer.init()
        await asyncio.sleep(0.4)  # past the time that it had to initialise
        assert await peer.answer("1", "{ __typename }") == {"data": {"__typename": "Query"}}


async def test_an_id_in_use(peer: Peer, admin: Client) -> None:
    await peer.init(admin.token)
    await peer.subscribe("1", FEED)
    await peer.subscribe("1", FEED)
    assert await peer.closed() == CloseCode.ID_IN_USE


async def test_an_id_is_free_again_after_complete(peer: Peer, admin: Client) -> None:
    await peer.init(admin.token)
    for _ in range(3):
        await peer.subscribe("1", FEED)
        await peer.send("complete", id="1")
        assert await peer.answer("1", ME) == me(admin)


async def test_complete_of_what_does_not_run_is_no_matter(peer: Peer) -> None:
    await peer.init()
    await peer.send("complete", id="nothing")
    assert await peer.answer("1", "{ __typename }") == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize(
    ("payload", "answer"),
    [({}, {}), ({"payload": None}, {}), ({"payload": {"a": [1]}}, {"payload": {"a": [1]}})],
    ids=str,
)
async def test_a_ping_is_answered_before_and_after_initialisation(
    peer: Peer, payload: dict[str, Any], answer: dict[str, Any]
) -> None:
    await peer.send("ping", **payload)
    assert await peer.receive() == {"type": "pong", **answer}
    await peer.init()
    await peer.send("ping", **payload)
    assert await peer.receive() == {"type": "pong", **answer}
    await peer.send("pong", **payload)
    assert await peer.answer("1", "{ __typename }") == {"data": {"__typename": "Query"}}


MALFORMED = [
    "",
    "nonsense",
    "null",
    "true",
    "7",
    '"connection_init"',
    "[]",
    '[{"type": "connection_init"}]',
    "{}",
    '{"type": null}',
    '{"type": 7}',
    '{"type": {}}',
    '{"type": "start"}',
    '{"type": "connection_terminate"}',
    '{"type": "connection_ack"}',
    '{"type": "next", "id": "1", "payload": {}}',
    '{"type": "error", "id": "1", "payload": []}',
    '{"type": "connection_init", "payload": "token"}',
    '{"type": "connection_init", "payload": []}',
    '{"type": "connection_init", "payload": 0}',
    '{"type": "ping", "payload": 7}',
    '{"type": "pong", "payload": "x"}',
    '{"type": "ping"',
    '{"type": "ping", "payload": {"a": "\\ud800"}}',
    '{"type": "ping", "payload": {"a": NaN}}',
    '{"type": "ping", "payload": {"a": ' + "[" * 100_000 + "]" * 100_000 + "}}",
    b'{"type": "ping"}',
]


@pytest.mark.parametrize("frame", MALFORMED, ids=lambda frame: repr(frame)[:40])
async def test_a_malformed_message(peer: Peer, frame: str | bytes) -> None:
    await peer.socket.send(frame)
    assert await peer.closed() == CloseCode.BAD_REQUEST


MALFORMED_OPERATIONS: list[dict[str, Any]] = [
    {"type": "subscribe"},
    {"type": "subscribe", "id": "1"},
    {"type": "subscribe", "id": "1", "payload": None},
    {"type": "subscribe", "id": "1", "payload": "{ __typename }"},
    {"type": "subscribe", "id": "1", "payload": []},
    {"type": "subscribe", "id": "1", "payload": {}},
    {"type": "subscribe", "id": "1", "payload": {"query": None}},
    {"type": "subscribe", "id": "1", "payload": {"query": 7}},
    {"type": "subscribe", "id": "1", "payload": {"query": ["{ __typename }"]}},
    {"type": "subscribe", "payload": {"query": "{ __typename }"}},
    {"type": "subscribe", "id": None, "payload": {"query": "{ __typename }"}},
    {"type": "subscribe", "id": 1, "payload": {"query": "{ __typename }"}},
    {"type": "subscribe", "id": {}, "payload": {"query": "{ __typename }"}},
    {"type": "subscribe", "id": "", "payload": {"query": "{ __typename }"}},
    {"type": "subscribe", "id": "1" * (MAX_OPERATION_ID + 1), "payload": {"query": "{ __typename }"}},
    {"type": "subscribe", "id": "1", "payload": {"query": "{ a }", "variables": []}},
    {"type": "subscribe", "id": "1", "payload": {"query": "{ a }", "variables": "{}"}},
    {"type": "subscribe", "id": "1", "payload": {"query": "{ a }", "extensions": 7}},
    {"type": "subscribe", "id": "1", "payload": {"query": "{ a }", "operationName": {}}},
    {"type": "complete"},
    {"type": "complete", "id": None},
    {"type": "complete", "id": 7},
]


@pytest.mark.parametrize("message", MALFORMED_OPERATIONS, ids=lambda message: repr(message)[:60])
async def test_a_malformed_operation(peer: Peer, message: dict[str, Any]) -> None:
    await peer.init()
    await peer.send(**message)
    assert await peer.closed() == CloseCode.BAD_REQUEST


async def test_the_longest_id_is_good(peer: Peer) -> None:
    await peer.init()
    assert await peer.answer("é" * MAX_OPERATION_ID, "{ __typename }") == {"data": {"__typename": "Query"}}


async def test_a_message_that_is_too_large(peer: Peer) -> None:
    await peer.init()
    await peer.socket.send("x" * (MAX_BODY_BYTES + 1))
    assert await peer.closed() == 1009


async def test_text_that_is_no_utf_8(peer: Peer) -> None:
    await peer.socket.send(b"\xff", text=True)
    assert await peer.closed() == 1007


WRONG = [
    ("", "GRAPHQL_PARSE_FAILED"),
    (" # nothing", "GRAPHQL_PARSE_FAILED"),
    ("{ viewer", "GRAPHQL_PARSE_FAILED"),
    ("subscription {", "GRAPHQL_PARSE_FAILED"),
    ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
    ("subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"),
    ("subscription { notificationAdded { nothing } }", "GRAPHQL_VALIDATION_FAILED"),
    (
        "subscription { notificationAdded { cursor } approvalStateChanged { cursor } }",
        "GRAPHQL_VALIDATION_FAILED",
    ),
    ("subscription { __typename }", "GRAPHQL_VALIDATION_FAILED"),
    ("subscription A { notificationAdded { cursor } } query B { __typename }", "GRAPHQL_VALIDATION_FAILED"),
    ("fragment F on Query { __typename }", "GRAPHQL_VALIDATION_FAILED"),
    ("subscription ($after: Cursor!) { notificationAdded(after: $after) { cursor } }", "BAD_INPUT"),
    ('subscription { notificationAdded(after: "x") { cursor } }', "BAD_CURSOR"),
    ('subscription { approvalStateChanged(approvalId: "x") { cursor } }', "BAD_INPUT"),
]


@pytest.mark.parametrize(("query", "code"), WRONG)
async def test_an_error_of_one_operation_is_none_of_another(
    peer: Peer, admin: Client, query: str, code: str
) -> None:
    await peer.init(admin.token)
    await peer.subscribe("feed", FEED)
    await peer.subscribe("wrong", query)
    error = await peer.receive()
    assert (error["type"], error["id"]) == ("error", "wrong")
    assert error["payload"][0]["extensions"]["code"] == code
    assert await peer.answer("wrong", ME) == me(admin)  # the id is free again
    await peer.subscribe("feed", FEED)  # and the feed still runs
    assert await peer.closed() == CloseCode.ID_IN_USE


async def test_no_more_operations_than_a_socket_may_run(peer: Peer, admin: Client) -> None:
    await peer.init(admin.token)
    for number in range(MAX_SOCKET_OPERATIONS):
        await peer.subscribe(str(number), FEED)
    await peer.subscribe("more", FEED)
    error = await peer.receive()
    assert (error["type"], error["id"]) == ("error", "more")
    assert error["payload"][0]["extensions"]["code"] == "RATE_LIMITED"
    await peer.send("complete", id="0")
    assert await peer.answer("more", ME) == me(admin)


@pytest.mark.parametrize("offered", [None, ["graphql-ws"], ["graphql-transport-ws-2"]], ids=str)
async def test_another_protocol_is_not_spoken(gateway: Gateway, offered: list[str] | None) -> None:
    async with connected(gateway, subprotocols=offered) as peer:
        assert await peer.closed() == CloseCode.SUBPROTOCOL


async def test_the_protocol_is_chosen_among_others(gateway: Gateway) -> None:
    async with connected(gateway, subprotocols=["graphql-ws", SUBPROTOCOL]) as peer:
        assert peer.socket.subprotocol == SUBPROTOCOL
        await peer.init()


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.test",
        "null",
        "http://127.0.0.1",
        "http://127.0.0.1:1",
        "file://",
        "http://[",
        "https:///x",
    ],
)
async def test_the_page_of_another_origin_is_refused(gateway: Gateway, origin: str) -> None:
    with pytest.raises(websockets.InvalidStatus) as refused:
        async with connected(gateway, origin=origin):
            pass
    assert refused.value.response.status_code == 403


async def test_the_page_of_this_origin_is_welcome(gateway: Gateway) -> None:
    async with connected(gateway, origin=f"http://127.0.0.1:{gateway.port}") as peer:
        await peer.init()
