"""From a request to its answer, whatever brought it: the one way in to the schema."""

import contextlib
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from strawberry.exceptions import MissingQueryError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types import ExecutionResult
from strawberry.types.execution import PreExecutionError
from strawberry.types.graphql import OperationType

from graph.context import Context
from graph.engine.answer import Engine
from graph.engine.documents import Documents
from graph.errors import Unavailable
from graph.http.body import GraphQLRequest
from graph.http.respond import describe, refusal
from graph.operation import note, observed
from graph.schema import schema

DOCUMENTS: Final = Documents(schema._schema)
"""The documents of this process."""

_OPERATIONS: Final = {OperationType.QUERY, OperationType.MUTATION}
_engine: Final = Engine(schema._schema)


class Answer(NamedTuple):
    """A response, and the status and headers of HTTP that go with it."""

    status: int
    body: dict[str, Any] | bytes
    headers: Mapping[str, str] | None = None


async def answer(asked: GraphQLRequest, context: Context) -> Answer:
    """The answer to a query or a mutation, which is logged, counted and traced."""
    with observed(context) as operation:
        try:
            found = await _answer(asked, context)
        except Unavailable as error:
            found = Answer(503, refusal(error.code, str(error)))
        note(found.body, operation)
    return found


async def _answer(asked: GraphQLRequest, context: Context) -> Answer:
    document = DOCUMENTS.get(asked.query)
    operation = document.operation(asked.operation_name)
    context.operation.runs(operation)
    if asked.by_get and operation is not None and operation.operation.value != "query":
        return Answer(405, refusal("BAD_INPUT", "By GET there are queries alone."), {"Allow": "POST"})
    if document.introspects and not context.may_introspect:
        return Answer(400, refusal("GRAPHQL_VALIDATION_FAILED", "The schema is not shown here."))
    if context.services.settings.engine != "stock" and operation is not None and not document.errors:
        planned = await _engine.answer(document, operation, asked.variables, context)
        if planned is not None:
            return Answer(200, planned)
    context.document = document
    return await _execute(asked, context)


async def _execute(asked: GraphQLRequest, context: Context) -> Answer:
    try:
        result = await schema.execute(
            asked.query,
            variable_values=asked.variables,
            context_value=context,
            operation_name=asked.operation_name,
            allowed_operation_types=_OPERATIONS,
        )
    except (CannotGetOperationTypeError, InvalidOperationTypeError, MissingQueryError):
        return Answer(
            400, refusal("GRAPHQL_VALIDATION_FAILED", "The document has no such operation to run here.")
        )
    finally:
        await _close(context)
    assert isinstance(result, ExecutionResult | PreExecutionError)
    executing = not isinstance(result, PreExecutionError)
    errors = describe(
        result.errors or (), context.request_id, executing=executing, reticent=not context.may_introspect
    )
    # A request error is one that left nothing to execute; its response has no `data` at all.
    if errors and result.data is None and not any("path" in error for error in errors):
        return Answer(400, {"errors": errors})
    if _unavailable(errors) and not any(value is not None for value in (result.data or {}).values()):
        raise Unavailable
    return Answer(200, {"errors": errors, "data": result.data} if errors else {"data": result.data})


def _unavailable(errors: list[dict[str, Any]]) -> bool:
    return {error["extensions"]["code"] for error in errors} == {"UNAVAILABLE"}


async def _close(context: Context) -> None:
    # All that was read stands where only the end of a read-only transaction was lost.
    with contextlib.suppress(Unavailable):
        await context.close()
