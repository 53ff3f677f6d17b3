"""The errors that a client may see.

    GatewayError           extensions.code
    ├── Unauthenticated    UNAUTHENTICATED   no token, or one that is not, or no longer, valid
    ├── Forbidden          FORBIDDEN         extensions.permission names what is missing
    ├── NotFound           NOT_FOUND         absent, or another tenant's: the words are the same
    ├── BadInput           BAD_INPUT         a value that cannot be used, in an argument or variable
    ├── IdempotencyConflict IDEMPOTENCY_CONFLICT  another request came with this key
    ├── BadCursor          BAD_CURSOR        altered, or of another list, parent, order or tenant
    ├── RateLimited        RATE_LIMITED      too much or too often; extensions.retryAfter in seconds
    ├── TooComplex         TOO_COMPLEX       the operation is too large; extensions say by what
    ├── DocumentNotFound   PERSISTED_DOCUMENT_NOT_FOUND  no trusted document, or another tenant's
    ├── CursorExpired      CURSOR_EXPIRED    of a feed, and so old that its events are forgotten
    ├── Timeout            TIMEOUT           the operation, or one of its statements, took too long
    └── Unavailable        UNAVAILABLE       the database cannot be reached, or is contended: try again

Errors of graphql-core become GRAPHQL_PARSE_FAILED, GRAPHQL_VALIDATION_FAILED or BAD_INPUT by the
phase that raised them; everything else is INTERNAL with a request id, and its cause in the log.
"""

from enum import Enum
from typing import Any

import strawberry
from graphql import GraphQLError

from graph.permissions import Permission


class GatewayError(Exception):
    """An error whose words and code are meant for the client."""

    code = "INTERNAL"

    @property
    def extensions(self) -> dict[str, Any]:
        """What graphql-core copies into the error of the response."""
        return {"code": self.code}


def cause_of(error: GraphQLError) -> Exception | None:
    """What was raised in a field, or None if graphql-core has found the error itself."""
    cause = error.original_error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    return cause


class Unauthenticated(GatewayError):
    """Nobody is signed in."""

    code = "UNAUTHENTICATED"

    def __init__(self, message: str = "Sign in first.") -> None:
        super().__init__(message)


class Forbidden(GatewayError):
    """The viewer lacks `permission`; nothing was read."""

    code = "FORBIDDEN"

    def __init__(self, permission: Permission) -> None:
        super().__init__(f"This takes the permission {permission.value}.")
        self.permission = permission

    @property
    def extensions(self) -> dict[str, Any]:
        """The code and the permission, `resource.action`."""
        return {"code": self.code, "permission": self.permission.value}


class NotFound(GatewayError):
    """No such row, or none that this viewer may see."""

    code = "NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("There is nothing with this id.")


class BadInput(GatewayError):
    """A value that cannot be used."""

    code = "BAD_INPUT"


class BadCursor(GatewayError):
    """A cursor that this list did not give out."""

    code = "BAD_CURSOR"

    def __init__(self, of: str = "list, parent and order") -> None:
        super().__init__(f"This cursor does not belong to this {of}.")


class CursorExpired(GatewayError):
    """A feed cannot go on from here: what came next is forgotten."""

    code = "CURSOR_EXPIRED"

    def __init__(self) -> None:
        super().__init__("This cursor is too old to go on from. Read the lists anew, then `eventCursor`.")


class IdempotencyConflict(GatewayError):
    """The idempotency key was used for another request."""

    code = "IDEMPOTENCY_CONFLICT"

    def __init__(self) -> None:
        super().__init__("This idempotency key belongs to another request.")


class RateLimited(GatewayError):
    """Too much was asked, or too many attempts were made, by this account or from this address."""

    code = "RATE_LIMITED"

    def __init__(self, retry_after: int, what: str = "Too many attempts.") -> None:
        super().__init__(f"{what} Try again in {retry_after} seconds.")
        self.retry_after = retry_after

    @property
    def extensions(self) -> dict[str, Any]:
        """The code, and after how many seconds it is worth trying again."""
        return {"code": self.code, "retryAfter": self.retry_after}


class TooComplex(GatewayError):
    """An operation exceeds a bound of `graph/limits.py`; `exceeded` is what clients see it called."""

    code = "TOO_COMPLEX"

    def __init__(self, exceeded: str, words: str, limit: int, asked: int) -> None:
        super().__init__(f"This asks for too much at once: {words}, {asked} where {limit} are allowed.")
        self.exceeded, self.limit, self.asked = exceeded, limit, asked

    @property
    def extensions(self) -> dict[str, Any]:
        """The code, what was exceeded, its limit, and what was asked for: as much as was looked at."""
        return {"code": self.code, "exceeded": self.exceeded, "limit": self.limit, "asked": self.asked}


class DocumentNotFound(GatewayError):
    """No trusted document has this id, or it is not one for this client: the words are the same."""

    code = "PERSISTED_DOCUMENT_NOT_FOUND"

    def __init__(self, message: str = "There is no document with this id.") -> None:
        super().__init__(message)


class Timeout(GatewayError):
    """The operation, or a statement of it, ran past its time."""

    code = "TIMEOUT"

    def __init__(self) -> None:
        super().__init__("This took too long. Ask for less at once.")


class Unavailable(GatewayError):
    """The database cannot be reached."""

    code = "UNAVAILABLE"

    def __init__(self, message: str = "The service cannot reach its database. Try again shortly.") -> None:
        super().__init__(message)


class Overtaken(Unavailable):
    """Of transactions that waited for each other PostgreSQL ended this one: done again it may succeed."""

    def __init__(self) -> None:
        super().__init__("Others are changing the same. Try again shortly.")


@strawberry.enum(description="Why a mutation did not do what was asked, for the person to mend.")
class UserErrorCode(Enum):
    """The kinds of `UserError`."""

    CONFLICT = strawberry.enum_value("CONFLICT", description="The row is not in a state that allows this.")
    INVALID = strawberry.enum_value("INVALID", description="The value cannot be taken.")
    IN_USE = strawberry.enum_value("IN_USE", description="Other rows depend on this one.")
    LIMIT_REACHED = strawberry.enum_value("LIMIT_REACHED", description="The tenant's plan allows no more.")
    NOT_FOUND = strawberry.enum_value("NOT_FOUND", description="What the input names is not there.")
    STALE = strawberry.enum_value("STALE", description="The row has changed since it was read.")
    SUPPRESSED = strawberry.enum_value("SUPPRESSED", description="The address wants no messages.")
    TAKEN = strawberry.enum_value("TAKEN", description="Another row has this value already.")


@strawberry.type(description="What a person can mend in the input of a mutation.")
class UserError:
    """One thing to mend."""

    code: UserErrorCode = strawberry.field(description="The kind of error, for programs.")
    field: list[str] | None = strawberry.field(description="The path of the input field at fault, if one is.")
    message: str = strawberry.field(description="The error in words, for people.")
