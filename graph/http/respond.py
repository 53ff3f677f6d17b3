"""Errors as the client gets them: every one with a code, none with a word of what went wrong inside."""

from typing import Any

import structlog
from graphql import GraphQLError, GraphQLSyntaxError

from graph.errors import GatewayError

log = structlog.get_logger(__name__)


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
        described["extensions"] = {"code": "GRAPHQL_PARSE_FAILED"}
    elif not executing:
        described["extensions"] = {"code": "GRAPHQL_VALIDATION_FAILED"}
    elif cause is None or (isinstance(cause, ValueError) and error.path is None):
        described["extensions"] = {"code": "BAD_INPUT"}
    else:
        log.error("field.failed", request_id=request_id, path=error.path, exc_info=cause)
        described["message"] = "Something went wrong here. The request id finds it in the log."
        described["extensions"] = {"code": "INTERNAL", "requestId": request_id}
    return described


def refusal(code: str, message: str) -> dict[str, Any]:
    """A response that has no data: the request itself cannot be answered."""
    return {"errors": [{"message": message, "extensions": {"code": code}}]}
