"""From a validated document to the response: the engine where it can, graphql-core where it cannot.

An operation that no viewer's plan would serve is known by its document and costs nothing here. What becomes
Unplanned for this viewer or this request goes on in graphql-core, which is told who the viewer is.
"""

import asyncio
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, Final
from uuid import UUID

import asyncpg
import orjson
import structlog
from graphql import GraphQLError, GraphQLSchema, OperationDefinitionNode
from graphql.execution.values import VariableValues, get_variable_values

from db.session import DatabaseUnavailable, Scope
from graph.admission.documents import MAX_PLANS, Document
from graph.auth.tokens import Claims
from graph.auth.viewer import VIEWER, Viewer, effective
from graph.context import Context
from graph.engine.collect import Unplanned
from graph.engine.plan import Plan, Planner
from graph.engine.run import Run
from graph.engine.statements import compile_statement
from graph.errors import GatewayError, Timeout, TooComplex, Unauthenticated, Unavailable
from graph.http.respond import describe
from graph.limits import MAX_ANSWER_BYTES
from graph.permissions import Permission
from graph.size import MAX_AT_ONCE, check_size

_VIEWER: Final = compile_statement(VIEWER)
_NOBODY: Final = UUID(int=0)
ANYBODY: Final = Viewer(_NOBODY, _NOBODY, _NOBODY, frozenset(Permission))
"""Whose plan there is if there is any."""
_TIMED_OUT: Final = (asyncpg.QueryCanceledError, asyncpg.LockNotAvailableError)

log = structlog.get_logger(__name__)


class Engine:
    """Answers the queries that it can plan."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema

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
            variables = self.coerced(operation, given or {})
            plan = self.plan(document, operation, variables, ANYBODY)
        except Unplanned:
            return None
        try:
            return await self._answer(document, operation, variables, context)
        except Unauthenticated as error:
            return await self._failed(plan, error, context)
        except DatabaseUnavailable as error:
            raise Unavailable from error
        except (Timeout, *_TIMED_OUT):
            return await self._failed(plan, Timeout(), context)
        except Unplanned:
            return None
        except (TooComplex, Unavailable):
            raise
        except Exception:
            log.exception("engine.failed", request_id=context.request_id)
            return None  # a fault here need not be one of the request

    def coerced(self, operation: OperationDefinitionNode, given: dict[str, Any]) -> VariableValues | None:
        """The values of the variables; Unplanned where they may be an error of the request or of a field."""
        definitions = operation.variable_definitions
        if not definitions:
            return None
        variables = get_variable_values(self._schema, definitions, given)
        if isinstance(variables, list):
            raise Unplanned("the variables do not fit")
        for definition in definitions:
            # Its default lets it stand where no null may
            if definition.default_value and variables.coerced.get(definition.variable.name.value) is None:
                raise Unplanned("null is given for a variable with a default")
        return variables

    def plan(
        self,
        document: Document,
        operation: OperationDefinitionNode,
        variables: VariableValues | None,
        viewer: Viewer,
    ) -> Plan:
        """The plan for a viewer with these permissions, made now or before; Unplanned if there is none."""
        coerced = {} if variables is None else variables.coerced
        switches = tuple(coerced.get(name) for name in document.switches)
        key = (operation.name and operation.name.value, switches, viewer.permissions)
        plan = document.plans.get(key)
        if plan is None:
            try:
                plan = Planner(self._schema, document, coerced, viewer).plan(operation)
            except Unplanned as why:
                plan = why.args
            if len(document.plans) >= MAX_PLANS:
                document.plans.clear()
            document.plans[key] = plan
        if not isinstance(plan, Plan):
            raise Unplanned(*plan)
        return plan

    async def _answer(
        self,
        document: Document,
        operation: OperationDefinitionNode,
        variables: VariableValues | None,
        context: Context,
    ) -> bytes:
        run = None
        try:
            claims = context.claims()
            scope = Scope(tenant_id=claims.tenant_id, user_id=claims.user_id)
            async with context.services.database.readers.snapshot(scope) as connection:
                fetch = _until(context.deadline, connection.fetch)
                viewer = await self._viewer(fetch, claims)
                context.known(viewer)
                plan = self.plan(document, operation, variables, viewer)
                reading = Run(plan, fetch, viewer, context.cursor_key, variables)
                await reading.read()
                run = reading
                context.cost.rows = run.rows_read
        except DatabaseUnavailable:
            # All that was read stands where only the end of a read-only transaction was lost
            if run is None:
                raise
        data = await run.data()
        # No object stands in the answer more often than was paid for
        measured = run.weight(context.cost.requested) > MAX_ANSWER_BYTES
        return await _response(data, run.errors(data), context, measured=measured)

    async def _viewer(self, fetch: Callable[..., Any], claims: Claims) -> Viewer:
        given = {"tenant": claims.tenant_id, "user": claims.user_id, "session": claims.session_id}
        rows = await fetch(_VIEWER.sql, *_VIEWER.parameters(given))
        if not rows:
            raise Unauthenticated("The session has ended. Sign in again.")
        held = effective(rows[0][0], platform=rows[0][1])
        return Viewer(claims.tenant_id, claims.user_id, claims.session_id, held)

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


def _until(deadline: float | None, fetch: Callable[..., Any]) -> Callable[..., Any]:
    """`fetch`, with the statement cancelled that runs at the deadline."""
    if deadline is None:
        return fetch
    clock = asyncio.get_running_loop().time

    async def limited(sql: str, *parameters: Any) -> Any:
        left = deadline - clock()
        try:
            if left > 0:
                return await fetch(sql, *parameters, timeout=left)
        except TimeoutError:
            pass  # the driver has told the server
        raise Timeout

    return limited


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
    return orjson.dumps(body, option=orjson.OPT_UTC_Z)
