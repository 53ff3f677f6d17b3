"""`/graphql`: POST answers operations, GET queries, and a browser that opens it sees GraphiQL."""

from dataclasses import replace
from typing import Final

import orjson
import structlog
from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.responses import Response

from graph.context import Context, Services
from graph.errors import BadInput
from graph.execution import Answer, answer
from graph.http import graphiql
from graph.http.accept import HTML, JSON, NEGOTIATED, preferred
from graph.http.body import GraphQLRequest, Refused, read, read_url
from graph.http.caching import cached
from graph.http.client import bearer, client_address, request_id, trace_headers
from graph.http.respond import internal, refusal
from graph.limits import MAX_BODY_BYTES, MAX_BULK_BYTES
from graph.settings import Settings
from graph.writing.idempotency import IdempotencyKey

PREFLIGHTED: Final = ("authorization", "graphql-require-preflight", "apollo-require-preflight")
"""Headers that a page sends to another site only when that site's CORS allows it."""

_EXPLAIN: Final = ("explain-cost", "explaincost")
"""Headers that ask for what an operation would cost; `extensions.explainCost` does too."""

_ELSEWHERE: Final = ("cross-site", "same-site")

log = structlog.get_logger(__name__)


class GraphQL(HTTPEndpoint):
    """Answers requests of GraphQL over HTTP."""

    async def get(self, request: Request) -> Response:
        """Answer the query in the URL, or show GraphiQL."""
        settings: Settings = request.app.state.services.settings
        accepted = ",".join(request.headers.getlist("accept"))
        if settings.graphiql and preferred(accepted, (JSON, NEGOTIATED, HTML)) == HTML:
            return graphiql.page()
        return await _respond(request, accepted)

    async def post(self, request: Request) -> Response:
        """Answer the operation in the body."""
        return await _respond(request, ",".join(request.headers.getlist("accept")))

    async def method_not_allowed(self, request: Request) -> Response:
        """Refuse any other method."""
        said = refusal("BAD_INPUT", "Send operations by POST.")
        return _response(Answer(405, said, {"Allow": "GET, HEAD, POST"}), JSON)


async def _respond(request: Request, accepted: str) -> Response:
    services: Services = request.app.state.services
    named = request_id(request, services.settings)
    kind = preferred(accepted, (JSON, NEGOTIATED))
    if kind is None:
        given = Answer(406, refusal("BAD_INPUT", f"The answer is {NEGOTIATED} or {JSON}."))
        response = _response(given, JSON)
    else:
        try:
            asked = await _asked(request, services)
            given = await _answered(request, services, asked, named)
            if given.status == 400 and kind == JSON:
                # Without negotiation a client gets 200 for whatever was a GraphQL request (section 6.4.1)
                given = given._replace(status=200)
            given = cached(request, asked, given)
        except Refused as error:
            allowed = {"Allow": "POST"} if error.status == 405 else None
            given = Answer(error.status, refusal("BAD_INPUT", str(error)), allowed)
        except Exception:
            log.exception("request.failed", request_id=named)
            given = Answer(500, internal(named))
        response = _response(given, kind)
    response.headers["X-Request-ID"] = named
    return response


async def _asked(request: Request, services: Services) -> GraphQLRequest:
    asked = await _read(request, services)
    return replace(asked, explain=True) if any(name in request.headers for name in _EXPLAIN) else asked


async def _read(request: Request, services: Services) -> GraphQLRequest:
    if request.method == "POST":
        # Who is signed in may send a bulk mutation; whether it is one is looked at when it is there
        signed_in = services.tokens.holds(bearer(request))
        return await read(request, MAX_BULK_BYTES if signed_in else MAX_BODY_BYTES)
    if request.headers.get("sec-fetch-site") in _ELSEWHERE and not any(
        name in request.headers for name in PREFLIGHTED
    ):
        raise Refused(403, "A page of another site sends a header with GET that is asked for in a preflight.")
    asked = read_url(request)
    if not services.settings.get_queries and asked.document_id is None:
        raise Refused(405, "Send operations by POST.")
    return asked


async def _answered(request: Request, services: Services, asked: GraphQLRequest, named: str) -> Answer:
    context = Context(
        services,
        bearer(request),
        asked.operation_name,
        ip=client_address(request, services.settings),
        user_agent=request.headers.get("user-agent"),
        request_id=named,
        trace=trace_headers(request) if services.tracing else {},
    )
    try:
        context.idempotency = _idempotency(request, asked)
    except BadInput as error:
        raise Refused(400, str(error)) from None
    return await answer(asked, context)


def _idempotency(request: Request, asked: GraphQLRequest) -> IdempotencyKey | None:
    key = request.headers.get("idempotency-key", (asked.extensions or {}).get("idempotencyKey"))
    if key is None:
        return None
    return IdempotencyKey.of(key, asked.document_id or asked.query, asked.operation_name, asked.variables)


def _response(given: Answer, kind: str) -> Response:
    headers = {"Cache-Control": "no-store", "Vary": "Accept", "X-Content-Type-Options": "nosniff"}
    content = given.body if isinstance(given.body, bytes) else orjson.dumps(given.body)
    return Response(content, given.status, headers | dict(given.headers or {}), f"{kind}; charset=utf-8")
