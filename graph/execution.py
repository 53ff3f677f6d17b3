"""From a request to its answer, whatever brought it: the one way in to the schema."""

import contextlib
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import orjson
from graphql import OperationDefinitionNode
from strawberry.exceptions import MissingQueryError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types import ExecutionResult
from strawberry.types.execution import PreExecutionError
from strawberry.types.graphql import OperationType

from graph.admission.charge import charge, read, trusted
from graph.admission.documents import Document, Documents
from graph.admission.pricing import Pricer
from graph.context import Context
from graph.encoding import encode
from graph.engine.answer import Engine
from graph.errors import GatewayError, RateLimited, TooComplex, Unavailable
from graph.http.body import GraphQLRequest
from graph.http.respond import describe, refusal
from graph.limits import MAX_SCHEMA_ANSWERS
from graph.observability.operation import note, observed
from graph.schema import schema
from graph.size import check_size

DOCUMENTS: Final = Documents(schema._schema)
"""The documents of this process."""

_OPERATIONS: Final = {OperationType.QUERY, OperationType.MUTATION}
_PRICER: Final = Pricer(schema._schema)
_STATUS: Final = {"RATE_LIMITED": 429, "UNAVAILABLE": 503}
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
        except GatewayError as error:
            found = refused(error)
        note(found.body, operation)
    return found


class Rejected(Exception):
    """An operation is not run; `body` is what its client gets, with the status and headers of HTTP."""

    def __init__(self, status: int, body: dict[str, Any], headers: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self.status, self.body, self.headers = status, body, headers


class Admitted(NamedTuple):
    """An operation that may be run: its request with the text of its document, and what that text says."""

    asked: GraphQLRequest
    document: Document
    operation: OperationDefinitionNode | None


async def admit(asked: GraphQLRequest, context: Context) -> Admitted:
    """Look at an operation before it is run, and charge it; Rejected or GatewayError if it is not to be."""
    asked = await trusted(asked, context)
    document = await read(asked.query, DOCUMENTS, context)
    operation = document.operation(asked.operation_name)
    context.operation.runs(operation)
    if asked.by_get and operation is not None and operation.operation.value == "mutation":
        raise Rejected(405, refusal("BAD_INPUT", "By GET nothing is changed."), {"Allow": "POST"})
    if document.introspects and not context.may_introspect:
        raise Rejected(400, refusal("GRAPHQL_VALIDATION_FAILED", "The schema is not shown here."))
    await charge(asked, _PRICER, document, operation, context)
    if document.errors:
        reticent = not context.may_introspect
        errors = describe(document.errors, context.request_id, executing=False, reticent=reticent)
        raise Rejected(400, {"errors": errors})
    return Admitted(asked, document, operation)


async def _answer(asked: GraphQLRequest, context: Context) -> Answer:
    try:
        asked, document, operation = await admit(asked, context)
    except Rejected as rejected:
        return Answer(rejected.status, rejected.body, rejected.headers)
    if asked.explain:
        return Answer(200, {"data": None, "extensions": {"cost": context.cost.explained}})
    if operation is not None and operation.operation.value == "query":
        context.start_clock()
    if context.services.settings.engine != "stock" and operation is not None:
        planned = await _engine.answer(document, operation, asked.variables, context)
        if planned is not None:
            return Answer(200, planned)
    context.document = document
    if operation is None or asked.variables or not document.about_schema(operation):
        return await _execute(asked, context)
    return await _SCHEMA_ANSWERS.get(asked, context)


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
    body: dict[str, Any] = {"errors": errors} if errors else {}
    body["data"] = result.data
    if not context.size:  # a mutation's is known before it is committed, and too late to be refused here
        await check_size(body)
    if context.idempotency is None:  # or a repetition would not get the first answer
        body["extensions"] = {"cost": context.cost.spent}
    return Answer(200, body)


class _SchemaAnswers:
    """Answers about the schema, which are the same for all: the standard query takes 0.2 s and has 750 kB."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str | None], orjson.Fragment] = OrderedDict()

    async def get(self, asked: GraphQLRequest, context: Context) -> Answer:
        """The answer, made now or before."""
        key = asked.query, asked.operation_name
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
            return Answer(200, {"data": kept, "extensions": {"cost": context.cost.spent}})
        answer = await _execute(asked, context)
        if isinstance(answer.body, dict) and "data" in answer.body and "errors" not in answer.body:
            self._kept[key] = orjson.Fragment(encode(answer.body["data"]))
            if len(self._kept) > MAX_SCHEMA_ANSWERS:
                self._kept.popitem(last=False)
        return answer


_SCHEMA_ANSWERS: Final = _SchemaAnswers()


def refused(error: GatewayError) -> Answer:
    """The response to what is not run at all."""
    body = {"errors": [{"message": str(error), "extensions": error.extensions}]}
    headers = {"Retry-After": str(error.retry_after)} if isinstance(error, RateLimited) else None
    if isinstance(error, TooComplex) and error.exceeded == "bytes":
        return Answer(413, body)
    return Answer(_STATUS.get(error.code, 400), body, headers)


def _unavailable(errors: list[dict[str, Any]]) -> bool:
    return {error["extensions"]["code"] for error in errors} == {"UNAVAILABLE"}


async def _close(context: Context) -> None:
    # All that was read stands where only the end of a read-only transaction was lost.
    with contextlib.suppress(Unavailable):
        await context.close()
