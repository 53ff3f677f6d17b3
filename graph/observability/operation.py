"""An operation as its operators see it: what ran, how long, how many statements, what went wrong.

`observed(context)` wraps its running, whatever brought it; at its end come one line of the log and the
metrics, and where tracing is on a span around it. None of them ever has a variable, a document, a token or
an address: what a client sends is not for the log.

    operation                   info      name, kind, ms, statements, cost, codes, request_id, tenant_id
    operation                   warning   the same where the database or the time did not suffice
    operation                   error     the same where a fault of ours is among the codes
"""

import contextlib
import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import structlog
from graphql import OperationDefinitionNode

from db.observed import observer
from graph.errors import GatewayError

if TYPE_CHECKING:
    from graph.context import Context
    from graph.observability.tracing import Span, Tracing

MAX_NAME: Final = 100
"""Characters of an operation's name that are kept: the client chooses how long it is."""

INVALID: Final = "invalid"
"""The kind of what is no operation: a document that cannot be read, or a name that is not in it."""

_FAULTS: Final = frozenset({"INTERNAL"})
_SHORTAGES: Final = frozenset({"TIMEOUT", "UNAVAILABLE"})

log = structlog.get_logger(__name__)
_level = logging.getLogger(__name__)


@dataclass(slots=True)
class Operation:
    """What is known of one operation; it is the observer of the statements that run for it."""

    request_id: str = ""
    name: str | None = None
    kind: str = INVALID
    trusted: bool = False
    """Whether its document is one of the trusted, so that its name is the deployment's own."""
    cost: int | None = None
    """What it cost by the rules of the limits, where they have said so."""
    tenant_id: UUID | None = None
    seconds: float = 0.0
    statements: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    """The codes of its errors, with how many there were of each."""
    span: "Span | None" = None

    def runs(self, definition: OperationDefinitionNode | None) -> None:
        """Which operation of its document it is."""
        if definition is not None:
            self.kind = definition.operation.value
            self.name = definition.name.value[:MAX_NAME] if definition.name else None

    def again(self) -> "Operation":
        """The same once more: a subscription is one for each batch of events that it tells."""
        return Operation(name=self.name, kind=self.kind, trusted=self.trusted)

    def failed(self, errors: Any) -> None:
        """Errors as they are in the response."""
        self.codes.update(error["extensions"]["code"] for error in errors)

    def began(self, sql: str) -> Any:
        """Count a statement."""
        self.statements += 1
        return None if self.span is None else self.span.statement(sql)

    def ended(self, began: Any, error: BaseException | None) -> None:
        """End the statement's span, if it has one."""
        if began is not None:
            began.end(error)

    def line(self) -> dict[str, Any]:
        """What the log has of it, and its span too."""
        found = {
            "name": self.name,
            "kind": self.kind,
            "ms": round(self.seconds * 1000, 2),
            "statements": self.statements,
            "cost": self.cost,
            "codes": dict(self.codes) or None,
            "request_id": self.request_id,
            "tenant_id": self.tenant_id and str(self.tenant_id),
            "trace_id": self.span and self.span.trace_id,
        }
        return {name: value for name, value in found.items() if value is not None}


def current() -> Operation | None:
    """The operation that runs in this task."""
    found = observer.get()
    return found if isinstance(found, Operation) else None


@contextlib.contextmanager
def observed(context: "Context") -> Iterator[Operation]:
    """Watch the operation of `context` run; what is raised counts among its errors and passes through."""
    operation = context.operation
    operation.request_id = context.request_id
    tracing: Tracing | None = context.services.tracing
    if tracing is not None:
        operation.span = tracing.begin(context.trace)
    token = observer.set(operation)
    started = perf_counter()
    try:
        yield operation
    except BaseException as error:
        operation.codes[_code(error)] += 1
        raise
    finally:
        operation.seconds = perf_counter() - started
        observer.reset(token)
        operation.tenant_id = context.tenant_id
        context.services.metrics.count(operation)
        if operation.span is not None:
            operation.span.end(operation)
        _write(operation)


def note(body: Mapping[str, Any] | bytes, operation: Operation) -> None:
    """Take the codes from a response that was refused before there was anything to execute."""
    if not isinstance(body, bytes) and not operation.codes:
        operation.failed(body.get("errors", ()))


def _code(error: BaseException) -> str:
    if isinstance(error, GatewayError):
        return error.code
    return "INTERNAL" if isinstance(error, Exception) else "CANCELLED"


def _write(operation: Operation) -> None:
    level = logging.INFO
    if operation.codes:
        if not _FAULTS.isdisjoint(operation.codes):
            level = logging.ERROR
        elif not _SHORTAGES.isdisjoint(operation.codes):
            level = logging.WARNING
    if _level.isEnabledFor(level):
        log.log(level, "operation", **operation.line())
