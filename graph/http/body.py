"""What a request carries, in the body of a POST or the URL of a GET: one GraphQL request, or a refusal."""

import re
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl

import orjson
from starlette.types import Receive

from graph.http.accept import JSON
from graph.http.head import Head
from graph.limits import MAX_BODY_BYTES, MAX_DOCUMENT_ID

MAX_PARAMETERS: Final = 20
"""Parameters of a URL, known ones and others."""


class GraphQLRequest(NamedTuple):
    """The parameters of GraphQL over HTTP, section 5.1 of its specification."""

    query: str
    operation_name: str | None
    variables: dict[str, Any] | None
    extensions: dict[str, Any] | None
    by_get: bool = False
    """Whether a method has brought it by which nothing may be changed."""
    document_id: str | None = None
    """The trusted document to run, in place of `query`, which is empty then."""
    explain: bool = False
    """Whether its cost is asked for, and not its answer."""
    size: int = 0
    """Bytes of the body that brought it."""


class Refused(Exception):
    """The request is not one of GraphQL; `status` is HTTP's."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


async def read(head: Head, receive: Receive, limit: int = MAX_BODY_BYTES) -> GraphQLRequest:
    """The request in the body, of at most `limit` bytes, or Refused with 400, 413 or 415."""
    content_type = head.headers.get("content-type", "")
    if content_type != JSON and not _is_json(content_type):
        raise Refused(415, "Send the request as application/json in UTF-8.")
    if head.headers.get("content-encoding", "identity").lower() != "identity":
        raise Refused(415, "Send the request without a content encoding.")
    if (announced(head) or 0) > limit:
        raise Refused(413, f"A request has at most {limit} bytes.")
    body, more = bytearray(), True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refused(400, "The request broke off.")
        body += message.get("body", b"")
        if len(body) > limit:
            raise Refused(413, f"A request has at most {limit} bytes.")
        more = message.get("more_body", False)
    return parse(body)


def announced(head: Head) -> int | None:
    """The length that the body is said to have, None if nothing is said that makes sense."""
    length = head.headers.get("content-length", "")
    return int(length) if length.isdecimal() and len(length) < 20 else None


def read_url(head: Head) -> GraphQLRequest:
    """The request in the URL, or Refused with 400."""
    try:
        text = head.scope["query_string"].decode("ascii")
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
    return request_of(data, by_get=True)


def parse(body: bytearray) -> GraphQLRequest:
    """The request that `body` spells, or Refused with 400."""
    data = _json(body, "The body is not JSON in UTF-8.")
    if not isinstance(data, dict):
        raise Refused(400, "The body is one JSON object.")
    return request_of(data, size=len(body))


def request_of(data: dict[str, Any], *, by_get: bool = False, size: int = 0) -> GraphQLRequest:
    """The request that the parameters `data` make up, or Refused with 400."""
    operation_name = data.get("operationName")
    if operation_name is not None and not isinstance(operation_name, str):
        raise Refused(400, "`operationName` is a string.")
    variables, extensions = data.get("variables"), data.get("extensions")
    if variables is not None and not isinstance(variables, dict):
        raise Refused(400, "`variables` is an object.")
    if extensions is not None and not isinstance(extensions, dict):
        raise Refused(400, "`extensions` is an object.")
    query, document_id = _document(data, extensions or {})
    explain = extensions is not None and extensions.get("explainCost") is True
    return GraphQLRequest(query, operation_name, variables, extensions, by_get, document_id, explain, size)


def _document(data: dict[str, Any], extensions: dict[str, Any]) -> tuple[str, str | None]:
    """The text of the document, or its id."""
    query, document_id = data.get("query"), data.get("documentId")
    if query is None and document_id is None:
        hashed = extensions.get("persistedQuery")  # as Apollo Client names its documents
        document_id = hashed.get("sha256Hash") if isinstance(hashed, dict) else None
    if document_id is not None:
        if not isinstance(document_id, str) or not 0 < len(document_id) <= MAX_DOCUMENT_ID:
            raise Refused(400, f"`documentId` is a string of at most {MAX_DOCUMENT_ID} characters.")
        if query is not None:
            raise Refused(400, "Send `query` or `documentId`, not both.")
        return "", document_id
    if not isinstance(query, str) or not query.strip():
        raise Refused(400, "`query` is a document in a string.")
    return query, None


def _is_json(content_type: str) -> bool:
    """Whether it is JSON in an encoding that JSON has."""
    media_type, _, parameters = content_type.partition(";")
    charset = re.search(r'charset="?([^";\s]+)', parameters, re.IGNORECASE)
    return media_type.strip().lower() == JSON and (charset is None or charset[1].lower() in ("utf-8", "utf8"))


def _json(text: bytearray | str, otherwise: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise Refused(400, otherwise) from None
