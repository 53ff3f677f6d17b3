"""What a subscriber is told of events: by the engine, and by graphql-core where it cannot."""

import asyncio
import contextlib
from typing import Any

import structlog
from graphql import Executor, GraphQLError

from graph.context import Context
from graph.encoding import encode
from graph.engine.collect import Unplanned
from graph.engine.plans import Plans
from graph.engine.rows import Shown, show
from graph.errors import GatewayError, Timeout, TooComplex, Unavailable, cause_of
from graph.execution import DOCUMENTS, Admitted
from graph.http.respond import describe
from graph.schema import schema
from graph.size import check_size
from graph.subscriptions.feed import FeedEvent, FeedField
from graph.writing.executor import GatewayExecutor

_PLANS = Plans(schema._schema)

log = structlog.get_logger(__name__)


class Teller:
    """Tells of events as one subscription operation asks.

    It has the text of its document only: parsed, those of one socket may take a hundred megabytes. That of a
    document which is told of stays among those that are remembered.
    """

    __slots__ = ("_asked",)

    def __init__(self, admitted: Admitted) -> None:
        self._asked = admitted.asked

    def executor(self, context: Context) -> Executor[Any] | list[GraphQLError]:
        """graphql-core's, made for each use: it would be the largest part of a subscription that waits."""
        node = DOCUMENTS.get(self._asked.query).node
        assert node is not None
        return GatewayExecutor.build(
            schema._schema,
            node,
            context_value=context,
            raw_variable_values=self._asked.variables,
            operation_name=self._asked.operation_name,
            hide_suggestions=True,
        )

    async def tell(self, field: FeedField, events: list[FeedEvent], context: Context) -> list[bytes | None]:
        """The responses in JSON, read in one snapshot; None where there is no row that they may see.

        Raises Unauthenticated, Unavailable, and Timeout where several took too long together.
        """
        told = None
        if context.services.settings.engine != "stock":
            try:
                told = await self._planned(field, events, context)
            except Unplanned:
                pass
            except Timeout:
                if len(events) > 1:
                    raise
                context.start_clock()  # graphql-core finds the fields that take so long
            except GatewayError:
                raise
            except Exception:
                log.exception("engine.failed", request_id=context.request_id)
        if told is None:
            told = await self._executed(field, events, context)
        return [None if one is None else await _body(*one, context) for one in told]

    async def _planned(
        self, field: FeedField, events: list[FeedEvent], context: Context
    ) -> list[tuple[Any, list[GraphQLError]] | None]:
        document = DOCUMENTS.get(self._asked.query)
        operation = document.operation(self._asked.operation_name)
        assert operation is not None
        variables = _PLANS.coerced(document, operation, self._asked.variables)
        key, nodes = _PLANS.root(document, operation, variables)
        async with context.reading() as (viewer, fetch):
            context.known(viewer)
            plan = _PLANS.rows(document, field.events, nodes, variables, viewer, always=field.row)
            found, read = await show(plan, events, fetch, viewer, context.cursor_key, variables, whole=True)
        context.cost.rows += read

        def told(shown: Shown | None) -> tuple[Any, list[GraphQLError]] | None:
            return None if shown is None else ({key: shown.data}, shown.errors([key]))

        return list(map(told, found))

    async def _executed(
        self, field: FeedField, events: list[FeedEvent], context: Context
    ) -> list[tuple[Any, list[GraphQLError]] | None]:
        executor = self.executor(context)
        if isinstance(executor, list):
            return [(None, executor) for _ in events]
        again = Unavailable if len(events) == 1 else (Unavailable, Timeout)

        async def told(event: FeedEvent, row: Any) -> tuple[Any, list[GraphQLError]] | None:
            if row is None:
                return None
            executed = executor.build_per_event_executor(event).execute_operation(False)
            result: Any = await executed if asyncio.iscoroutine(executed) else executed
            raise_any(result.errors or [], again)
            return result.data, result.errors or []

        try:
            await context.authenticate()
            loader = context.loaders.one(field.target, "id")
            rows = await asyncio.gather(*(loader.load(event.entity_id) for event in events))
            return list(await asyncio.gather(*map(told, events, rows)))
        finally:
            with contextlib.suppress(Unavailable):
                await context.close()


async def _body(data: Any, errors: list[GraphQLError], context: Context) -> bytes:
    body: dict[str, Any] = {"data": data}
    if errors:
        body["errors"] = described(errors, context)
    try:
        await check_size(body)
    except TooComplex as error:
        body = {"data": None, "errors": described([located(error)], context)}
    return encode(body)


def described(errors: list[GraphQLError], context: Context) -> list[dict[str, Any]]:
    """Errors as the subscriber is told of them."""
    return describe(errors, context.request_id, executing=True, reticent=not context.may_introspect)


def located(error: GatewayError) -> GraphQLError:
    """An error of the whole operation."""
    return GraphQLError(str(error), original_error=error)


def raise_any(errors: list[GraphQLError], kinds: type[GatewayError] | tuple[type[GatewayError], ...]) -> None:
    """Raise the first of these kinds that is among the errors of fields."""
    for error in errors:
        cause = cause_of(error)
        if isinstance(cause, kinds):
            raise cause
