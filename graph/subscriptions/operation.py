"""A subscription from its document to the responses that its transport sends.

Opening the feed is graphql-core's CreateSourceEventStream (GraphQL, section 6.2.3.1). What is read for an
event is read when it is told: the viewer and their rights anew, the row as they may see it, relations by
loaders of that moment. Events that wait for each other are read together, in one transaction. While the
database cannot be reached nothing is told and nothing is lost: the same events are read again.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Coroutine
from dataclasses import replace
from typing import Any, Final, NamedTuple, TypeVar, cast

from graphql import ExecutionResult, Executor, GraphQLError, create_source_event_stream

from graph.admission.charge import read
from graph.context import Context
from graph.errors import GatewayError, Timeout, TooComplex, Unauthenticated, Unavailable, cause_of
from graph.events import Event
from graph.execution import DOCUMENTS, Admitted, Rejected, admit
from graph.http.body import GraphQLRequest
from graph.http.respond import describe
from graph.limits import MAX_DELIVERY, MAX_NODES, MAX_RETRY_SECONDS
from graph.observability.operation import observed
from graph.schema import schema
from graph.size import check_size
from graph.subscriptions.feed import OpenFeed
from graph.writing.executor import GatewayExecutor

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
    body: dict[str, Any] | None


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
        admitted = await _insist(lambda: admit(asked, context), _UNANSWERED)
    except Rejected as rejected:
        raise Refused(rejected.body["errors"]) from None
    except GatewayError as error:
        raise Refused(_described([_located(error)], context)) from None
    subscription = Subscription(admitted, context)
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
        raise Refused(_described([_located(error)], context)) from None
    finally:
        await feed.close()


def _described(errors: list[GraphQLError], context: Context) -> list[dict[str, Any]]:
    return describe(errors, context.request_id, executing=True, reticent=not context.may_introspect)


def _located(error: GatewayError) -> GraphQLError:
    return GraphQLError(str(error), original_error=error)


class Subscription:
    """A subscription operation, ready to run."""

    def __init__(self, admitted: Admitted, context: Context) -> None:
        self._asked, self._document, _ = admitted
        self._context = context

    def _executor(self, context: Context) -> Executor[Any]:
        """Made for each use: it would be the largest part of a subscription that waits."""
        assert self._document.node is not None
        executor = GatewayExecutor.build(
            schema._schema,
            self._document.node,
            context_value=context,
            raw_variable_values=self._asked.variables,
            operation_name=self._asked.operation_name,
            hide_suggestions=True,
        )
        if isinstance(executor, list):
            raise Refused(_described(executor, context))
        return executor

    async def open(self) -> OpenFeed:
        """The feed of its root field; Refused if it may not be opened."""
        return await _insist(self._open, _UNANSWERED)

    async def _open(self) -> OpenFeed:
        self._context.start_clock()
        opened = create_source_event_stream(self._executor(self._context))
        stream = await opened if asyncio.iscoroutine(opened) else opened
        if isinstance(stream, ExecutionResult):
            errors = stream.errors or []
            _raise_any(errors, _UNANSWERED)
            raise Refused(_described(errors, self._context))
        return cast(OpenFeed, stream)

    async def read(self, feed: OpenFeed, batch: list[Event]) -> list[Delivery]:
        """What the subscriber is told of these events now.

        Timeout where several take too long together; of a single one the fields that do are errors.
        """
        again = _UNANSWERED if len(batch) == 1 else Unavailable
        return await _insist(lambda: self._read(feed, batch), again)

    async def _read(self, feed: OpenFeed, batch: list[Event]) -> list[Delivery]:
        context = replace(self._context, operation=self._context.operation.again())
        async with context.services.live.turn:
            context.start_clock()
            with observed(context):
                try:
                    await context.authenticate()
                    return await self._tell(feed, batch, context)
                finally:
                    with contextlib.suppress(Unavailable):
                        await context.close()

    async def _tell(self, feed: OpenFeed, batch: list[Event], context: Context) -> list[Delivery]:
        loader = context.loaders.one(feed.field.target, "id")
        rows = await asyncio.gather(*(loader.load(event.entity_id) for event in batch))
        executor = self._executor(context)

        async def respond(event: Event, row: Any) -> Delivery:
            told = feed.tell(event, row)
            body = None
            if told is not None:
                body = await self._respond(executor.build_per_event_executor(told), alone=len(batch) == 1)
            return Delivery(feed.cursor(event), body)

        return list(await asyncio.gather(*map(respond, batch, rows)))

    async def _respond(self, executor: Executor[Any], *, alone: bool) -> dict[str, Any]:
        executed = executor.execute_operation(False)
        result: Any = await executed if asyncio.iscoroutine(executed) else executed
        body: dict[str, Any] = {"data": result.data}
        if result.errors:
            _raise_any(result.errors, Unavailable if alone else _UNANSWERED)
            body["errors"] = _described(result.errors, self._context)
        try:
            await check_size(body)
        except TooComplex as error:
            body = {"data": None, "errors": _described([_located(error)], self._context)}
        return body


def _raise_any(errors: list[GraphQLError], kinds: _Kinds) -> None:
    for error in errors:
        cause = cause_of(error)
        if isinstance(cause, kinds):
            raise cause


async def _insist(attempt: Callable[[], Coroutine[Any, Any, _Result]], again: _Kinds) -> _Result:
    """What `attempt` comes to, tried `again` after such errors for as long as it takes."""
    pause = _FIRST_PAUSE
    while True:
        try:
            return await attempt()
        except again:
            await asyncio.sleep(pause)
            pause = min(2 * pause, MAX_RETRY_SECONDS)
