"""A request of HTTP, as one of GraphQL: what it asks, and the context that it is answered in."""

from typing import Final

from starlette.datastructures import QueryParams
from starlette.types import Receive

from graph.auth.tickets import read_ticket
from graph.auth.tokens import Claims, InvalidToken
from graph.context import Context, Services
from graph.errors import BadInput
from graph.execution import Answer
from graph.http.accept import streamed
from graph.http.body import GraphQLRequest, Refused, announced, read, read_url
from graph.http.client import bearer, client_address, trace_headers
from graph.http.head import Head
from graph.http.respond import refusal
from graph.limits import MAX_BODY_BYTES, MAX_BULK_BYTES
from graph.writing.idempotency import IdempotencyKey

PREFLIGHTED: Final = ("authorization", "graphql-require-preflight", "apollo-require-preflight")
"""Headers that a page sends to another site only when that site's CORS allows it."""

_TICKET: Final = "ticket"
_EXPLAIN: Final = frozenset(("explain-cost", "explaincost"))
"""Headers that ask for what an operation would cost; `extensions.explainCost` does too."""

_ELSEWHERE: Final = ("cross-site", "same-site")


async def asked_by(head: Head, receive: Receive, services: Services) -> GraphQLRequest:
    """What a GET or POST asks, or Refused with the status of HTTP."""
    if head.method == "POST":
        size, limit = announced(head), MAX_BODY_BYTES
        if (size is None or size > limit) and services.tokens.holds(bearer(head)):
            # Who is signed in may send a bulk mutation; whether it is one is looked at when it is there
            limit = MAX_BULK_BYTES
        asked = await read(head, receive, limit)
    else:
        asked = _in_url(head, services)
    return asked if _EXPLAIN.isdisjoint(head.headers) else asked._replace(explain=True)


def _in_url(head: Head, services: Services) -> GraphQLRequest:
    if (
        head.headers.get("sec-fetch-site") in _ELSEWHERE
        # Nobody else's page has a good ticket
        and not (isinstance(ticket_of(head, services), Claims) and streamed(head.headers.get("accept", "")))
        and not any(name in head.headers for name in PREFLIGHTED)
    ):
        raise Refused(403, "A page of another site sends a header with GET that is asked for in a preflight.")
    asked = read_url(head)
    if not services.settings.get_queries and asked.document_id is None:
        raise Refused(405, "Send operations by POST.")
    return asked


def malformed(error: Refused) -> Answer:
    """The response to what is no request of GraphQL."""
    allowed = {"Allow": "POST"} if error.status == 405 else None
    return Answer(error.status, refusal("BAD_INPUT", str(error)), allowed)


def ticket_of(head: Head, services: Services) -> Claims | InvalidToken | None:
    """Who a browser's EventSource, which sends no headers, says by the ticket in its URL that it is.

    None without a ticket, or where a header says it.
    """
    if head.method != "GET" or "authorization" in head.headers:
        return None
    given = QueryParams(head.scope["query_string"]).get(_TICKET)
    if given is None:
        return None
    try:
        return read_ticket(services.keys.current.derive("stream-ticket"), given)
    except InvalidToken as error:
        return error


def context_for(head: Head, services: Services, asked: GraphQLRequest, request_id: str) -> Context:
    """The context of what a request asks; Refused where its idempotency key is none."""
    context = Context(
        services,
        bearer(head),
        asked.operation_name,
        ip=client_address(head, services.settings),
        user_agent=head.headers.get("user-agent"),
        request_id=request_id,
        trace=trace_headers(head) if services.tracing else {},
        last_event_id=head.headers.get("last-event-id") or None,
    )
    key = head.headers.get("idempotency-key", (asked.extensions or {}).get("idempotencyKey"))
    try:
        context.idempotency = idempotency_key(key, asked)
    except BadInput as error:
        raise Refused(400, str(error)) from None
    return context


def idempotency_key(key: object, asked: GraphQLRequest) -> IdempotencyKey | None:
    """The key for a request that came with `key`, if any; BadInput where it is none."""
    if key is None:
        return None
    return IdempotencyKey.of(key, asked.document_id or asked.query, asked.operation_name, asked.variables)
