"""A subscription from its document to the responses that its transport sends.

Opening the feed is graphql-core's CreateSourceEventStream (GraphQL, section 6.2.3.1). What is read for an
event is read when it is told: the viewer and their rights anew, then what is shown (telling.py). Events that
wait for each other are read together, in one transaction. While the database cannot be reached nothing is
told and nothing is lost: the same events are read again.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from dataclasses import replace
from typing import Any, Final, NamedTuple, TypeVar, cast

from graphql import ExecutionResult, create_source_event_stream

from graph.admission.charge import read
from graph.context import Context
from graph.errors import GatewayError, Timeout, Unauthenticated, Unavailable
from graph.events import Event
from graph.execution import DOCUMENTS, Admitted, Rejected, admit
from graph.http.body import GraphQLRequest
from graph.limits import MAX_DELIVERY, MAX_NODES, MAX_RETRY_SECONDS
from graph.observability.operation import observed
from graph.subscriptions.feed import OpenFeed
from graph.subscriptions.telling import Teller, described, located, raise_any

_FIRST_PAUSE: Final = MAX_RETRY_SECONDS / 16
_Result = TypeVar("_Result")
_Kinds = type[GatewayError] | tuple[type[GatewayError], ...]
_UNANSWERED: Final = (Unavailable, Timeout)


class Refused(Exception):
    """The subscription did not begin, or cannot go on; `errors` are those of a response without data."""

    def __init__(self, errors: list[dict[str, Any]]) -> None:
        super().__init__(errors[0]["message"])
        self.errors = errors


class Delivery(NamedTuple):
    """What is sent for one event; without a body for one that is passed over, whose cursor counts all the
    same."""

    cursor: str
    body: bytes | None


async def kind(asked: GraphQLRequest, context: Context) -> str | None:
    """`query`, `mutation` or `subscription`; None if the request does not single out an operation.

    RateLimited where who asks has nothing left for the reading of the document.
    """
    document = await read(asked.query, DOCUMENTS, context)
    operation = document.operation(asked.operation_name)
    return None if operation is None else operation.operation.value


async def deliveries(asked: GraphQLRequest, context: Context) -> AsyncGenerator[Delivery, None]:
    """The responses to a subscription, one an event, for as long as they are asked for.

    Raises Refused, Unauthenticated when the session has ended, and SlowConsumer. `context` says who
    subscribes; they need not have been read.
    """
    try:
        subscription = Subscription(await _insist(lambda: admit(asked, context), _UNANSWERED), context)
    except Rejected as rejected:
        raise Refused(rejected.body["errors"]) from None
    except GatewayError as error:
        raise Refused(described([located(error)], context)) from None
    feed = await subscription.open()
    try:
        async for batch in feed.batches(min(MAX_DELIVERY, MAX_NODES // context.cost.requested)):
            parts = [batch]
            while parts:
                part = parts.pop()
                try:
                    told = await subscription.read(feed, part)
                except Timeout:  # one after the other, so that whichever is slow fails no others
                    parts = [[event] for event in reversed(part)]
                    continue
                told.reverse()
                while told:  # nothing of what was sent is kept while the next is waited for
                    yield told.pop()
    except Unauthenticated:
        raise
    except GatewayError as error:
        raise Refused(described([located(error)], context)) from None
    finally:
        await feed.close()


class Subscription:
    """A subscription operation, ready to run."""

    __slots__ = ("_context", "_teller")

    def __init__(self, admitted: Admitted, context: Context) -> None:
        self._teller = Teller(admitted)
        self._context = context

    async def open(self) -> OpenFeed:
        """The feed of its root field; Refused if it may not be opened."""
        return await _insist(self._open, _UNANSWERED)

    async def _open(self) -> OpenFeed:
        self._context.start_clock()
        executor = self._teller.executor(self._context)
        if isinstance(executor, list):
            raise Refused(described(executor, self._context))
        opened = create_source_event_stream(executor)
        stream = await opened if asyncio.iscoroutine(opened) else opened
        if isinstance(stream, ExecutionResult):
            errors = stream.errors or []
            raise_any(errors, _UNANSWERED)
            raise Refused(described(errors, self._context))
        return cast(OpenFeed, stream)

    async def read(self, feed: OpenFeed, batch: list[Event]) -> list[Delivery]:
        """What the subscriber is told of these events now.

        Timeout where several take too long together; of a single one the fields that do are errors.
        """
        again = _UNANSWERED if len(batch) == 1 else Unavailable
        return await _insist(lambda: self._read(feed, batch), again)

    async def _read(self, feed: OpenFeed, batch: list[Event]) -> list[Delivery]:
        context = replace(self._context, operation=self._context.operation.again())
        events = [feed.tell(event) for event in batch]
        known = [event for event in events if event is not None]
        async with context.services.live.turn:
            context.start_clock()
            with observed(context):
                told = iter(await self._teller.tell(feed.field, known, context))
        bodies = [None if event is None else next(told) for event in events]
        return [Delivery(feed.cursor(event), body) for event, body in zip(batch, bodies, strict=True)]


async def _insist(attempt: Callable[[], Coroutine[Any, Any, _Result]], again: _Kinds) -> _Result:
    """What `attempt` comes to, tried `again` after such errors for as long as it takes."""
    pause = _FIRST_PAUSE
    while True:
        try:
            return await attempt()
        except again:
            await asyncio.sleep(pause)
            pause = min(2 * pause, MAX_RETRY_SECONDS)
