"""Errors as the client gets them: every one with a code, none with a word of what went wrong inside."""

import re
from collections.abc import Sequence
from typing import Any, Final

import structlog
from graphql import GraphQLError, GraphQLSyntaxError

from graph.errors import GatewayError, cause_of
from graph.observability.operation import current

MAX_MESSAGE: Final = 1000
"""Characters of a message; only one that repeats a name of the client's is longer."""

# How graphql-core words what was submitted: at the end of a message, within it, and of a document's syntax
_AT_THE_END: Final = re.compile(
    r"[;,] found: .*|\. Found: .*|(?<! invalid value)(?<= value): .*|(?<= unknown field) '.*", re.DOTALL
)
_WITHIN: Final = re.compile(r"Value '(?:.*' does not exist(?= in '\w+' enum)|.*)", re.DOTALL)
_LITERAL: Final = re.compile(r", found .*", re.DOTALL)
# Names that were not submitted, and that whoever may not see the schema would learn by guessing
_SUGGESTION: Final = re.compile(r" Did you mean .*\?", re.DOTALL)
_VARIABLE: Final = re.compile(r"Variable '\$\w+'")

log = structlog.get_logger(__name__)


def describe(
    errors: Sequence[GraphQLError], request_id: str, *, executing: bool, reticent: bool = False
) -> list[dict[str, Any]]:
    """The entries of `errors`. `executing`: whether validation was over when they were raised.

    `reticent`: not a name of the schema, for a client that may not look at it.
    What is not for the client is logged, once for all the fields that one fault has failed.
    """
    described = []
    logged: set[int] = set()
    for error in errors:
        cause = cause_of(error)
        described.append(_describe(error, cause, request_id, executing=executing))
        if reticent and (error.path is None or not isinstance(cause, GatewayError)):
            described[-1]["message"] = _without_names(described[-1])
        if described[-1]["extensions"]["code"] == "INTERNAL" and id(cause) not in logged:
            logged.add(id(cause))
            log.error("field.failed", request_id=request_id, path=error.path, exc_info=cause)
    operation = current()
    if operation is not None:
        operation.failed(described)
    return described


def _describe(
    error: GraphQLError, cause: Exception | None, request_id: str, *, executing: bool
) -> dict[str, Any]:
    known = isinstance(cause, GatewayError)
    described: dict[str, Any] = {"message": error.message if known else without_values(error)}
    if error.locations:
        described["locations"] = [location.formatted for location in error.locations]
    if error.path:
        described["path"] = error.path
    if isinstance(cause, GatewayError):
        described["extensions"] = cause.extensions
    elif isinstance(error, GraphQLSyntaxError):
        described["extensions"] = {"code": "GRAPHQL_PARSE_FAILED"}
    elif not executing:
        described["extensions"] = {"code": "GRAPHQL_VALIDATION_FAILED"}
    elif cause is None or (isinstance(cause, ValueError) and error.path is None):
        described["extensions"] = {"code": "BAD_INPUT"}
    else:
        described |= _internal(request_id)
    return described


def without_values(error: GraphQLError) -> str:
    """An error of graphql-core without the value that it repeats, which may be a password."""
    # Cut first: what follows looks at every character, and a client chooses how many there are.
    message = error.message[:MAX_MESSAGE]
    if isinstance(error, GraphQLSyntaxError):
        return _LITERAL.sub(".", message)
    message = _WITHIN.sub("The value does not exist", _AT_THE_END.sub(".", message))
    return _SUGGESTION.sub("", message)


def _without_names(described: dict[str, Any]) -> str:
    message: str = described["message"]
    if described["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED":
        return "The document does not fit the schema."
    if described["extensions"]["code"] == "BAD_INPUT":
        variable = _VARIABLE.match(message)
        return f"{variable[0] if variable else 'An argument'} has a value that does not fit."
    return message


def _internal(request_id: str) -> dict[str, Any]:
    return {
        "message": "Something went wrong here. The request id finds it in the log.",
        "extensions": {"code": "INTERNAL", "requestId": request_id},
    }


def internal(request_id: str) -> dict[str, Any]:
    """A response of a fault that no field has met; whoever answers so has logged it."""
    return {"errors": [_internal(request_id)]}


def refusal(code: str, message: str) -> dict[str, Any]:
    """A response that has no data: the request itself cannot be answered."""
    return {"errors": [{"message": message, "extensions": {"code": code}}]}
