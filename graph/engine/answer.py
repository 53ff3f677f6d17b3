"""From a validated document to the response: the engine where it can, graphql-core where it cannot.

An operation that no viewer's plan would serve is known by its document and costs nothing here. What becomes
Unplanned for this viewer or this request goes on in graphql-core, which is told who the viewer is.
"""

import asyncio
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final
from uuid import UUID

import structlog
from graphql import GraphQLError, GraphQLSchema, OperationDefinitionNode
from graphql.execution.values import VariableValues

from graph.admission.documents import Document
from graph.auth.viewer import Viewer
from graph.context import Context
from graph.encoding import encode
from graph.engine.collect import Unplanned
from graph.engine.plan import Plan
from graph.engine.plans import Plans
from graph.engine.run import Run
from graph.errors import GatewayError, Timeout, TooComplex, Unauthenticated, Unavailable
from graph.http.respond import describe
from graph.limits import MAX_ANSWER_BYTES
from graph.permissions import Permission
from graph.size import MAX_AT_ONCE, check_size

_NOBODY: Final = UUID(int=0)
ANYBODY: Final = Viewer(_NOBODY, _NOBODY, _NOBODY, frozenset(Permission))
"""Whose plan there is if there is any."""

log = structlog.get_logger(__name__)


class Engine:
    """Answers the queries that it can plan."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self.plans = Plans(schema)

    async def answer(
        self,
        document: Document,
        operation: OperationDefinitionNode,
        given: dict[str, Any] | None,
        context: Context,
    ) -> bytes | None:
        """The response in JSON to variables as the client gave them, or None: graphql-core has to answer.

        Raises `Unavailable` where nothing could be read, `TooComplex` where the response is too large.
        """
        try:
            variables = self.plans.coerced(document, operation, given)
            plan = self.plans.query(document, operation, variables, ANYBODY)
        except Unplanned:
            return None
        try:
            return await self._answer(document, operation, variables, context)
        except (Unauthenticated, Timeout) as error:
            return await self._failed(plan, error, context)
        except Unplanned:
            return None
        except (TooComplex, Unavailable):
            raise
        except Exception:
            log.exception("engine.failed", request_id=context.request_id)
            return None  # a fault here need not be one of the request

    async def _answer(
        self,
        document: Document,
        operation: OperationDefinitionNode,
        variables: VariableValues | None,
        context: Context,
    ) -> bytes:
        async with context.reading() as (viewer, fetch):
            context.known(viewer)
            plan = self.plans.query(document, operation, variables, viewer)
            run = Run(plan, fetch, viewer, context.cursor_key, variables)
            await run.read()
        context.cost.rows = run.rows_read
        (data,) = await run.objects()
        # No object stands in the answer more often than was paid for
        measured = run.weight(context.cost.requested) > MAX_ANSWER_BYTES
        return await _response(data, run.errors(data, []), context, measured=measured)

    async def _failed(self, plan: Plan, error: GatewayError, context: Context) -> bytes:
        """The response where the same is wrong with every root field: all of them are nullable."""
        data = {key: detail if kind == "constant" else None for key, kind, detail in plan.root.entries}
        errors = [
            GraphQLError(str(error), child.nodes, path=[key], original_error=error)
            for key, kind, detail in plan.root.entries
            if kind == "child"
            for child in [plan.root.children[detail]]
        ]
        return await _response(data, iter(errors), context)


async def _response(
    data: dict[str, Any], errors: Iterator[GraphQLError], context: Context, *, measured: bool = False
) -> bytes:
    described: list[dict[str, Any]] = []
    while some := list(islice(errors, MAX_AT_ONCE)):
        if described:
            await asyncio.sleep(0)
        described += describe(some, context.request_id, executing=True)
    body: dict[str, Any] = {"errors": described} if described else {}
    if measured or described:
        await check_size(body | {"data": data})
    body |= {"data": data, "extensions": {"cost": context.cost.spent}}
    return encode(body)
