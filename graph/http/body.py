"""What a request carries, in the body of a POST or the URL of a GET: one GraphQL request, or a refusal."""

import re
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

import orjson
from starlette.requests import ClientDisconnect, Request

from graph.limits import MAX_BODY_BYTES

MAX_PARAMETERS: Final = 20
"""Parameters of a URL, known ones and others."""


@dataclass(frozen=True)
class GraphQLRequest:
    """The parameters of GraphQL over HTTP, section 5.1 of its specification."""

    query: str
    operation_name: str | None
    variables: dict[str, Any] | None
    extensions: dict[str, Any] | None
    by_get: bool = False
    """Whether a method has brought it by which nothing may be changed."""


class Refused(Exception):
    """The request is not one of GraphQL; `status` is HTTP's."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


async def read(request: Request) -> GraphQLRequest:
    """The request in the body, or Refused with 400, 413 or 415."""
    media_type, _, parameters = request.headers.get("content-type", "").partition(";")
    charset = re.search(r'charset="?([^";\s]+)', parameters, re.IGNORECASE)
    if media_type.strip().lower() != "application/json" or (
        charset and charset[1].lower() not in ("utf-8", "utf8")
    ):
        raise Refused(415, "Send the request as application/json in UTF-8.")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Refused(415, "Send the request without a content encoding.")
    if _announced(request) > MAX_BODY_BYTES:
        raise Refused(413, f"A request has at most {MAX_BODY_BYTES} bytes.")
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                raise Refused(413, f"A request has at most {MAX_BODY_BYTES} bytes.")
    except ClientDisconnect:
        raise Refused(400, "The request broke off.") from None
    return parse(bytes(body))


def read_url(request: Request) -> GraphQLRequest:
    """The request in the URL, or Refused with 400."""
    try:
        text = request.scope["query_string"].decode("ascii")
        given = parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_PARAMETERS, errors="strict")
    except ValueError:
        raise Refused(400, "The parameters of the URL are not form-encoded UTF-8.") from None
    data: dict[str, Any] = dict(given)
    if len(data) != len(given):
        raise Refused(400, "The URL has a parameter twice.")
    data["operationName"] = data.get("operationName") or None
    for name in ("variables", "extensions"):
        if name in data:
            data[name] = _json(data[name], f"`{name}` is not JSON.")
    return _request(data, by_get=True)


def parse(body: bytes) -> GraphQLRequest:
    """The request that `body` spells, or Refused with 400."""
    data = _json(body, "The body is not JSON in UTF-8.")
    if not isinstance(data, dict):
        raise Refused(400, "The body is one JSON object.")
    return _request(data)


def _request(data: dict[str, Any], *, by_get: bool = False) -> GraphQLRequest:
    query = data.get("query")
    if not isinstance(query, str) or not query.strip():
        raise Refused(400, "`query` is a document in a string.")
    operation_name = data.get("operationName")
    if operation_name is not None and not isinstance(operation_name, str):
        raise Refused(400, "`operationName` is a string.")
    for name in ("variables", "extensions"):
        if not isinstance(data.get(name), dict | None):
            raise Refused(400, f"`{name}` is an object.")
    return GraphQLRequest(query, operation_name, data.get("variables"), data.get("extensions"), by_get)


def _json(text: bytes | str, otherwise: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise Refused(400, otherwise) from None


def _announced(request: Request) -> int:
    """The length that the body is said to have, 0 if nothing is said that makes sense."""
    length = request.headers.get("content-length", "")
    return int(length) if length.isdecimal() and len(length) < 20 else 0
