"""Errors as the client gets them: every one with a code, none with a word of what went wrong inside."""

import re
from typing import Any, Final

import structlog
from graphql import GraphQLError, GraphQLSyntaxError

from graph.errors import GatewayError

log = structlog.get_logger(__name__)

_ECHO: Final = re.compile(r"(?:[,;] found|(cannot represent[^:]* value)|\. Found): .*", re.DOTALL)
"""Where graphql-core repeats a value that was sent, which may be a password: at the end of what it says."""
_LITERAL: Final = re.compile(r'\b((?:Block)?String) ".*"', re.DOTALL)
"""And in what it says of syntax."""
MAX_MESSAGE: Final = 1000
"""Characters of a message; only one that repeats an enum's value or a name is longer."""


def describe(error: GraphQLError, request_id: str, *, executing: bool) -> dict[str, Any]:
    """One entry of `errors`. `executing`: whether validation was over when it was raised."""
    cause = error.original_error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    described: dict[str, Any] = {"message": error.message}
    if error.locations:
        described["locations"] = [location.formatted for location in error.locations]
    if error.path:
        described["path"] = error.path
    if isinstance(cause, GatewayError):
        described["extensions"] = cause.extensions
    elif isinstance(error, GraphQLSyntaxError):
        described |= {"message": _unechoed(error), "extensions": {"code": "GRAPHQL_PARSE_FAILED"}}
    elif not executing:
        described |= {"message": _unechoed(error), "extensions": {"code": "GRAPHQL_VALIDATION_FAILED"}}
    elif cause is None or (isinstance(cause, ValueError) and error.path is None):
        described |= {"message": _unechoed(error), "extensions": {"code": "BAD_INPUT"}}
    else:
        log.error("field.failed", request_id=request_id, path=error.path, exc_info=cause)
        described["message"] = "Something went wrong here. The request id finds it in the log."
        described["extensions"] = {"code": "INTERNAL", "requestId": request_id}
    return described


def _unechoed(error: GraphQLError) -> str:
    """The message without the values that the client sent."""
    message = _LITERAL.sub(r"\1", _ECHO.sub(lambda found: f"{found[1] or ''}.", error.message))
    return message if len(message) <= MAX_MESSAGE else f"{message[:MAX_MESSAGE]}…"


def refusal(code: str, message: str) -> dict[str, Any]:
    """A response that has no data: the request itself cannot be answered."""
    return {"errors": [{"message": message, "extensions": {"code": code}}]}
