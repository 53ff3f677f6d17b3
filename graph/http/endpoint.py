"""`/graphql`: POST answers operations, GET shows GraphiQL to a browser."""

import uuid
from ipaddress import ip_address
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from strawberry.http.ides import get_graphql_ide_html

from graph.context import Context, Services
from graph.errors import BadInput
from graph.execution import Answer, answer
from graph.http import graphiql
from graph.http.accept import HTML, JSON, NEGOTIATED, preferred
from graph.http.body import GraphQLRequest, Refused, read, read_url
from graph.http.client import bearer, client_address, request_id, trace_headers
from graph.http.respond import internal, refusal
from graph.settings import Settings
from graph.writing.idempotency import IdempotencyKey

_NEGOTIATED = "application/graphql-response+json"


async def graphql(request: Request) -> Response:
    """Answer one request of GraphQL over HTTP."""
    services: Services = request.app.state.services
    accept = request.headers.get("accept", "*/*").lower()
    if request.method != "POST":
        if services.settings.graphiql and "text/html" in accept:
            return HTMLResponse(get_graphql_ide_html(graphql_ide="graphiql"))
        return _answer(405, refusal("BAD_INPUT", "Send operations by POST."), accept, {"Allow": "POST"})
    try:
        asked = await read(request)
    except Refused as error:
        return _answer(error.status, refusal("BAD_INPUT", str(error)), accept)
    context = _context(request, services, asked)
    try:
        context.idempotency = _idempotency(request, asked)
    except BadInput as error:
        return _answer(400, refusal(error.code, str(error)), accept)
    status, body = await answer(asked, context)
    # Without negotiation a client gets 200 for whatever was a GraphQL request, as section 6.4.1 has it.
    return _answer(status if _NEGOTIATED in accept else 200, body, accept)


def _answer(
    status: int, body: dict[str, Any] | bytes, accept: str, headers: dict[str, str] | None = None
) -> Response:
    kind = _NEGOTIATED if _NEGOTIATED in accept else "application/json"
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    return Response(content, status, headers, f"{kind}; charset=utf-8")


def _idempotency(request: Request, asked: GraphQLRequest) -> IdempotencyKey | None:
    key = request.headers.get("idempotency-key", (asked.extensions or {}).get("idempotencyKey"))
    if key is None:
        return None
    return IdempotencyKey.of(key, asked.query, asked.operation_name, asked.variables)


def _context(request: Request, services: Services, asked: GraphQLRequest) -> Context:
    token = request.headers.get("authorization")
    if token is not None:
        scheme, _, credentials = token.partition(" ")
        # Of another scheme it is a token still, and no good one: silence would pass for not being signed in.
        token = credentials.strip() if scheme.lower() == "bearer" else ""
    return Context(
        services,
        token,
        asked.operation_name,
        ip=client_address(request, services.settings),
        user_agent=request.headers.get("user-agent"),
        request_id=named,
        trace=trace_headers(request) if services.tracing else {},
    )


def client_address(request: Request, settings: Settings) -> str | None:
    """The client's address: the last hop that is not one of `M3_TRUSTED_PROXIES`."""
    address = request.client.host if request.client else None
    for hop in reversed(",".join(request.headers.getlist("x-forwarded-for")).split(",")):
        if address is None or not _trusted(address, settings):
            break
        address = hop.strip() or address
    return address


def _trusted(address: str, settings: Settings) -> bool:
    try:
        return any(ip_address(address) in network for network in settings.trusted_proxies)
    except ValueError:
        return False
