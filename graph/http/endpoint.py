"""`/graphql`: POST answers operations, GET queries, and a browser that opens it sees GraphiQL."""

from typing import Final

import structlog
from starlette.types import Receive, Scope, Send

from graph.context import Services
from graph.encoding import encode
from graph.execution import Answer, answer
from graph.http import graphiql, sse
from graph.http.accept import HTML, JSON, NEGOTIATED, preferred, streamed
from graph.http.body import Refused
from graph.http.caching import cached
from graph.http.client import request_id
from graph.http.head import Head
from graph.http.incoming import asked_by, context_for, malformed
from graph.http.respond import internal, refusal

_HEADERS: Final = {b"cache-control": b"no-store", b"vary": b"Accept", b"x-content-type-options": b"nosniff"}

log = structlog.get_logger(__name__)


class GraphQL:
    """Answers requests of GraphQL over HTTP, as an ASGI application whose `app.state` has `services`."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one."""
        services: Services = scope["app"].state.services
        head = Head(scope)
        accepted = head.headers.get("accept", "")
        if head.method == "GET" or head.method == "HEAD":
            if services.settings.graphiql and preferred(accepted, (JSON, NEGOTIATED, HTML)) == HTML:
                await graphiql.page()(scope, receive, send)
                return
        elif head.method != "POST":
            said = refusal("BAD_INPUT", "Send operations by POST.")
            await _send(send, Answer(405, said, {"Allow": "GET, HEAD, POST"}), JSON)
            return
        if streamed(accepted):
            response = await sse.stream(head, receive, services)
            await response(scope, receive, send)
            return
        named = request_id(head, services.settings)
        kind = preferred(accepted, (JSON, NEGOTIATED))
        if kind is None:
            kind, given = JSON, Answer(406, refusal("BAD_INPUT", f"The answer is {NEGOTIATED} or {JSON}."))
        else:
            given = await _answer(head, receive, services, kind, named)
        await _send(send, given, kind, named)


async def _answer(head: Head, receive: Receive, services: Services, kind: str, named: str) -> Answer:
    try:
        asked = await asked_by(head, receive, services)
        given = await answer(asked, context_for(head, services, asked, named))
        if given.status == 400 and kind == JSON:
            # Without negotiation a client gets 200 for whatever was a GraphQL request (section 6.4.1)
            given = given._replace(status=200)
        return cached(head, asked, given)
    except Refused as error:
        return malformed(error)
    except Exception:
        log.exception("request.failed", request_id=named)
        return Answer(500, internal(named))


async def _send(send: Send, given: Answer, kind: str, named: str | None = None) -> None:
    content = given.body if isinstance(given.body, bytes) else encode(given.body)
    headers = {**_HEADERS, b"content-type": f"{kind}; charset=utf-8".encode()}
    if given.status != 304:
        headers[b"content-length"] = b"%d" % len(content)
    if named is not None:
        headers[b"x-request-id"] = named.encode()
    if given.headers is not None:
        headers |= {name.lower().encode(): value.encode() for name, value in given.headers.items()}
    await send({"type": "http.response.start", "status": given.status, "headers": list(headers.items())})
    await send({"type": "http.response.body", "body": content})
