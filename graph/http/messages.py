"""The messages of graphql-transport-ws, and the codes that end a socket.

https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

import orjson

from graph.encoding import encode
from graph.http.body import GraphQLRequest, Refused, request_of
from graph.limits import MAX_OPERATION_ID

SUBPROTOCOL: Final = "graphql-transport-ws"


class CloseCode(IntEnum):
    """Why the server ends a socket. npm `graphql-ws` connects again after those marked with a star."""

    RESTART = 1012
    """* The server is going; another is there, or soon will be."""
    TRY_AGAIN = 1013
    """* The client does not keep up, or the database cannot be reached."""
    BAD_REQUEST = 4400
    UNAUTHORIZED = 4401
    """An operation before `connection_ack`."""
    FORBIDDEN = 4403
    """* The token is not good, or not any more: come back with another."""
    SUBPROTOCOL = 4406
    INIT_TIMEOUT = 4408
    """* No `connection_init` in time."""
    ID_IN_USE = 4409
    TOO_MANY_INITS = 4429
    INTERNAL = 4500


class Closing(Exception):
    """The socket has to end, with this code and for this reason."""

    def __init__(self, code: CloseCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True, slots=True)
class Init:
    """`connection_init`."""

    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ping:
    """`ping`."""

    payload: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Pong:
    """`pong`, which asks for nothing."""


@dataclass(frozen=True, slots=True)
class Subscribe:
    """`subscribe`: run an operation, of whatever kind."""

    id: str
    request: GraphQLRequest


@dataclass(frozen=True, slots=True)
class Complete:
    """`complete`: the client is no longer interested."""

    id: str


Message = Init | Ping | Pong | Subscribe | Complete


def read(frame: str | None) -> Message:
    """The message in a text frame (None for a binary one), or Closing with 4400."""
    try:
        if frame is None:
            raise Refused(400, "Messages are text.")
        try:
            message = orjson.loads(frame)
        except orjson.JSONDecodeError:
            raise Refused(400, "A message is JSON.") from None
        if not isinstance(message, dict):
            raise Refused(400, "A message is one JSON object.")
        return _message(message)
    except Refused as refused:
        raise Closing(CloseCode.BAD_REQUEST, str(refused)) from None


def _message(message: dict[str, Any]) -> Message:
    match message.get("type"):
        case "connection_init":
            return Init(_payload(message) or {})
        case "ping":
            return Ping(_payload(message))
        case "pong":
            _payload(message)
            return Pong()
        case "subscribe":
            payload = message.get("payload")
            if not isinstance(payload, dict):
                raise Refused(400, "The `payload` of `subscribe` is an object.")
            query = payload.get("query")
            if isinstance(query, str) and not query.strip():
                # What cannot be parsed is an error of its operation; a blank document is one of that kind.
                payload = {**payload, "query": "{"}
            return Subscribe(_id(message), request_of(payload))
        case "complete":
            return Complete(_id(message))
    raise Refused(400, "This is no type of message that a client sends.")


def _payload(message: dict[str, Any]) -> dict[str, Any] | None:
    payload = message.get("payload")
    if payload is not None and not isinstance(payload, dict):
        raise Refused(400, "The `payload` is an object.")
    return payload


def _id(message: dict[str, Any]) -> str:
    identifier = message.get("id")
    if not isinstance(identifier, str) or not 0 < len(identifier) <= MAX_OPERATION_ID:
        raise Refused(400, f"The `id` is a string of 1 to {MAX_OPERATION_ID} characters.")
    return identifier


def written(kind: str, **members: Any) -> str:
    """A message of the server's; a `payload` of bytes is JSON already."""
    payload = members.get("payload")
    if isinstance(payload, bytes):
        members["payload"] = orjson.Fragment(payload)
    return encode({"type": kind, **members}).decode()
