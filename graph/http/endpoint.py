"""`/graphql`: POST answers operations, GET queries, and a browser that opens it sees GraphiQL."""

import structlog
from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.responses import Response

from graph.context import Services
from graph.encoding import encode
from graph.execution import Answer, answer
from graph.http import graphiql, sse
from graph.http.accept import HTML, JSON, NEGOTIATED, preferred, streamed
from graph.http.body import Refused
from graph.http.caching import cached
from graph.http.client import request_id
from graph.http.incoming import asked_by, context_for, malformed
from graph.http.respond import internal, refusal
from graph.settings import Settings

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
    if streamed(accepted):
        return await sse.stream(request)
    services: Services = request.app.state.services
    named = request_id(request, services.settings)
    kind = preferred(accepted, (JSON, NEGOTIATED))
    if kind is None:
        given = Answer(406, refusal("BAD_INPUT", f"The answer is {NEGOTIATED} or {JSON}."))
        response = _response(given, JSON)
    else:
        try:
            asked = await asked_by(request)
            given = await answer(asked, context_for(request, asked, named))
            if given.status == 400 and kind == JSON:
                # Without negotiation a client gets 200 for whatever was a GraphQL request (section 6.4.1)
                given = given._replace(status=200)
            given = cached(request, asked, given)
        except Refused as error:
            given = malformed(error)
        except Exception:
            log.exception("request.failed", request_id=named)
            given = Answer(500, internal(named))
        response = _response(given, kind)
    response.headers["X-Request-ID"] = named
    return response


def _response(given: Answer, kind: str) -> Response:
    headers = {"Cache-Control": "no-store", "Vary": "Accept", "X-Content-Type-Options": "nosniff"}
    content = given.body if isinstance(given.body, bytes) else encode(given.body)
    return Response(content, given.status, headers | dict(given.headers or {}), f"{kind}; charset=utf-8")
