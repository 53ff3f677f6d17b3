"""From a validated document to the response: the engine where it can, graphql-core where it cannot.

An operation that no viewer's plan would serve is known by its document and costs nothing here. What becomes
Unplanned for this viewer or this request goes on in graphql-core, which is told who the viewer is.
"""

from typing import Any, Final
from uuid import UUID

import asyncpg
import orjson
from graphql import GraphQLError, GraphQLSchema, OperationDefinitionNode
from graphql.execution.values import get_variable_values

from db.session import DatabaseUnavailable, Scope
from graph.auth.tokens import Claims
from graph.auth.viewer import VIEWER, Viewer, effective
from graph.context import Context
from graph.engine.documents import MAX_PLANS, Document
from graph.engine.plan import Plan, Planner, Unplanned
from graph.engine.run import Run
from graph.engine.statements import compile_statement
from graph.errors import GatewayError, Timeout, Unauthenticated, Unavailable
from graph.http.respond import describe
from graph.permissions import Permission

_VIEWER: Final = compile_statement(VIEWER)
_NOBODY: Final = UUID(int=0)
_ANYBODY: Final = Viewer(_NOBODY, _NOBODY, _NOBODY, frozenset(Permission))
_TIMED_OUT: Final = (asyncpg.QueryCanceledError, asyncpg.LockNotAvailableError)


class Engine:
    """Answers the queries that it can plan."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema

    async def answer(
        self,
        document: Document,
        operation: OperationDefinitionNode,
        variables: dict[str, Any] | None,
        context: Context,
    ) -> bytes | None:
        """The response in JSON, or None where graphql-core has to run the operation."""
        try:
            coerced = self._coerced(operation, variables or {})
            self._plan(document, operation, coerced, _ANYBODY)
        except Unplanned:
            return None
        try:
            return await self._answer(document, operation, coerced, context)
        except (Unauthenticated, Unavailable) as error:
            return self._failed(document, operation, coerced, error, context)
        except DatabaseUnavailable:
            return self._failed(document, operation, coerced, Unavailable(), context)
        except _TIMED_OUT:
            return self._failed(document, operation, coerced, Timeout(), context)
        except (Unplanned, GatewayError, asyncpg.PostgresError):
            return None

    def _coerced(self, operation: OperationDefinitionNode, given: dict[str, Any]) -> Any:
        if operation.operation.value != "query":
            raise Unplanned
        if not operation.variable_definitions:
            return None
        variables = get_variable_values(self._schema, operation.variable_definitions, given)
        if isinstance(variables, list):
            raise Unplanned
        return variables

    async def _answer(
        self, document: Document, operation: OperationDefinitionNode, variables: Any, context: Context
    ) -> bytes:
        claims = context.claims()
        scope = Scope(tenant_id=claims.tenant_id, user_id=claims.user_id)
        async with context.services.database.readers.snapshot(scope) as connection:
            viewer = await self._viewer(connection, claims)
            context.known(viewer)
            plan = self._plan(document, operation, variables, viewer)
            run = Run(connection.fetch, viewer, context.cursor_key, variables)
            data, failed = {}, {}
            for key, kind, detail in plan.roots:
                try:
                    data[key] = await run.root(kind, detail)
                except GatewayError as error:
                    data[key], failed[key] = None, error
        return self._response(plan, data, failed, context)

    async def _viewer(self, connection: Any, claims: Claims) -> Viewer:
        given = {"tenant": claims.tenant_id, "user": claims.user_id, "session": claims.session_id}
        rows = await connection.fetch(_VIEWER.sql, *_VIEWER.parameters(given))
        if not rows:
            raise Unauthenticated("The session has ended. Sign in again.")
        held = effective(rows[0][0], platform=rows[0][1])
        return Viewer(claims.tenant_id, claims.user_id, claims.session_id, held)

    def _plan(
        self, document: Document, operation: OperationDefinitionNode, variables: Any, viewer: Viewer
    ) -> Plan:
        coerced = {} if variables is None else variables.coerced
        switches = tuple(coerced.get(name) for name in document.switches)
        key = (operation.name and operation.name.value, switches, viewer.permissions)
        plan = document.plans.get(key)
        if plan is None:
            try:
                plan = Planner(self._schema, document, coerced, viewer).plan(operation)
            except Unplanned:
                plan = Unplanned
            if len(document.plans) >= MAX_PLANS:
                document.plans.clear()
            document.plans[key] = plan
        if not isinstance(plan, Plan):
            raise Unplanned
        return plan

    def _failed(
        self,
        document: Document,
        operation: OperationDefinitionNode,
        variables: Any,
        error: GatewayError,
        context: Context,
    ) -> bytes:
        """The response where the same is wrong with every root field: all of them are nullable."""
        plan = self._plan(document, operation, variables, _ANYBODY)
        data = {key: detail if kind == "constant" else None for key, kind, detail in plan.roots}
        failed = {key: error for key, kind, _ in plan.roots if kind != "constant"}
        return self._response(plan, data, failed, context)

    def _response(
        self, plan: Plan, data: dict[str, Any], failed: dict[str, GatewayError], context: Context
    ) -> bytes:
        body: dict[str, Any] = {"data": data}
        if failed:
            errors = [
                GraphQLError(str(error), nodes=plan.nodes[key], path=[key], original_error=error)
                for key, error in failed.items()
            ]
            body = {"errors": describe(errors, context.request_id, executing=True), "data": data}
        return orjson.dumps(body, option=orjson.OPT_UTC_Z)
