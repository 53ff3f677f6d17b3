"""The operations of one WebSocket, each a task that runs by itself and sends for itself."""

import asyncio
import contextlib
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import structlog
from starlette.websockets import WebSocketDisconnect

from graph.admission.charge import trusted
from graph.auth.tokens import Claims
from graph.auth.viewer import Viewer
from graph.context import Context, Services
from graph.errors import GatewayError, Timeout, Unauthenticated, Unavailable
from graph.events import SlowConsumer
from graph.execution import answer, refused
from graph.http.body import GraphQLRequest
from graph.http.incoming import idempotency_key
from graph.http.messages import CloseCode, Closing, written
from graph.http.respond import internal, refusal
from graph.limits import MAX_SOCKET_OPERATIONS
from graph.subscriptions.operation import Refused, deliveries, kind

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Caller:
    """Who is at the other end of a socket; `claims` and `viewer` once a token has told."""

    services: Services
    ip: str | None
    user_agent: str | None
    claims: Claims | None = None
    viewer: Viewer | None = None

    def context(self, asked: GraphQLRequest, request_id: str) -> Context:
        """The context of an operation of theirs; BadInput where its idempotency key is none."""
        context = Context(
            self.services,
            None,
            asked.operation_name,
            ip=self.ip,
            user_agent=self.user_agent,
            request_id=request_id,
            verified=self.claims,
        )
        context.idempotency = idempotency_key((asked.extensions or {}).get("idempotencyKey"), asked)
        return context


class Operations:
    """What runs on a socket. Nothing that goes wrong with one operation is noticed by another."""

    __slots__ = ("_caller", "_close", "_draining", "_mutations", "_running", "_send", "_subscriptions")

    def __init__(
        self,
        caller: Caller,
        send: Callable[[str], Awaitable[None]],
        close: Callable[[CloseCode, str], None],
    ) -> None:
        self._caller, self._send, self._close = caller, send, close
        self._running: dict[str, asyncio.Task[None]] = {}
        self._subscriptions: set[str] = set()
        self._mutations: set[str] = set()
        self._draining = False

    async def start(self, identifier: str, asked: GraphQLRequest) -> None:
        """Run an operation; Closing if the id is that of one that runs, or its document is out of reach."""
        if identifier in self._running:
            raise Closing(CloseCode.ID_IN_USE, f"Subscriber for {identifier[:50]!a} already exists")
        if self._draining:
            return  # the socket is about to end with a code that makes the client ask elsewhere
        if len(self._running) >= MAX_SOCKET_OPERATIONS:
            errors = refusal("RATE_LIMITED", f"A socket runs at most {MAX_SOCKET_OPERATIONS} operations.")
            await self._send(written("error", id=identifier, payload=errors["errors"]))
            return
        request_id = uuid.uuid4().hex
        try:
            context = self._caller.context(asked, request_id)
            asked = await trusted(asked, context)
            what = None if asked.explain else await kind(asked, context)
        except (Unavailable, Timeout) as error:
            # As a feed that is open outlives an outage; an error would end one that is to begin
            raise Closing(CloseCode.TRY_AGAIN, str(error)) from None
        except GatewayError as error:
            body = refused(error).body
            assert isinstance(body, dict)
            await self._send(written("error", id=identifier, payload=body["errors"]))
            return
        except Exception:
            log.exception("operation.failed", request_id=request_id)
            await self._send(written("error", id=identifier, payload=internal(request_id)["errors"]))
            return
        if self._draining:
            return  # since then
        work = self._run(identifier, asked, context, subscribes=what == "subscription")
        self._running[identifier] = self._caller.services.live.start(work, lasting=what == "mutation")
        if what == "subscription":
            self._subscriptions.add(identifier)
        elif what == "mutation":
            self._mutations.add(identifier)

    def stop(self, identifier: str) -> None:
        """The client is no longer interested: end it, but a mutation, which nobody hears of again."""
        task = self._running.pop(identifier, None)
        if task is not None and identifier not in self._mutations:
            task.cancel()
        self._forgotten(identifier)

    def drain(self) -> None:
        """End the subscriptions, wait for the rest, then have the socket closed."""
        self._draining = True
        for identifier in list(self._subscriptions):
            self.stop(identifier)
        self._forgotten("")

    async def end(self) -> None:
        """End all of them, as `stop` does."""
        ending = [task for identifier, task in self._running.items() if identifier not in self._mutations]
        for identifier in list(self._running):
            self.stop(identifier)
        await asyncio.gather(*ending, return_exceptions=True)

    def _forgotten(self, identifier: str) -> None:
        self._subscriptions.discard(identifier)
        self._mutations.discard(identifier)
        if self._draining and not self._running:
            self._close(CloseCode.RESTART, "Service restart")

    async def _run(
        self, identifier: str, asked: GraphQLRequest, context: Context, *, subscribes: bool
    ) -> None:
        with contextlib.suppress(WebSocketDisconnect):  # whoever receives is told as well
            try:
                if subscribes:
                    await self._follow(identifier, asked, context)
                else:
                    await self._last(identifier, (await answer(asked, context)).body)
            except Refused as refusing:
                await self._last(identifier, {"errors": refusing.errors})
            except Unauthenticated as error:
                self._close(CloseCode.FORBIDDEN, str(error))
            except SlowConsumer:
                self._close(CloseCode.TRY_AGAIN, "Too slow: come back with the last cursor")
            except WebSocketDisconnect:
                raise
            except Exception:
                log.exception("operation.failed", request_id=context.request_id)
                await self._last(identifier, internal(context.request_id))

    async def _follow(self, identifier: str, asked: GraphQLRequest, context: Context) -> None:
        if self._caller.viewer is not None:
            context.known(self._caller.viewer)
        async with contextlib.aclosing(deliveries(asked, context)) as stream:
            async for delivery in stream:
                if delivery.body is not None:
                    await self._send(written("next", id=identifier, payload=delivery.body))
                del delivery  # it would be kept until the next one
        # A feed has no end of its own: the process is about to go
        self._close(CloseCode.RESTART, "Service restart")

    async def _last(self, identifier: str, body: dict[str, Any] | bytes) -> None:
        """Send what an operation comes to, if anybody still waits for it, and that this was all."""
        if self._running.get(identifier) is not asyncio.current_task():
            return
        if isinstance(body, bytes) or "data" in body:
            await self._send(written("next", id=identifier, payload=body))
            last = written("complete", id=identifier)
        else:
            last = written("error", id=identifier, payload=body["errors"])
        # Before it is told: the client may use the id again at once
        if self._running.get(identifier) is asyncio.current_task():
            del self._running[identifier]
            await self._send(last)
            self._forgotten(identifier)
