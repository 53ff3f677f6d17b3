"""The log: one line an event on standard error, JSON where no person is reading.

No line has a variable of an operation, a document, an e-mail address, a password or a token.
"""

import contextlib
import logging
import sys
import traceback
from typing import IO, Any, BinaryIO, TextIO, cast

import orjson
import structlog
from structlog.types import EventDict, ExcInfo, Processor

from graph.settings import Settings


def configure(settings: Settings) -> None:
    """Sends structlog's events and those of the standard library's loggers to one place in one form."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    common: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info
        if settings.debug
        else structlog.processors.ExceptionRenderer(fault),
    ]
    # Straight to the stream: the way through the standard library's loggers costs ten times as much.
    factory: Any = structlog.BytesLoggerFactory(cast(BinaryIO, _Lenient(sys.stderr.buffer)))
    renderer: Processor = structlog.processors.JSONRenderer(_json)
    rendered: Processor = structlog.processors.JSONRenderer()
    if sys.stderr.isatty():
        factory = structlog.PrintLoggerFactory(cast(TextIO, _Lenient(sys.stderr)))
        # The rich traceback would print every local variable, passwords among them.
        renderer = rendered = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(
        processors=[*common, renderer],
        logger_factory=factory,
        wrapper_class=structlog.make_filtering_bound_logger(level),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.ExtraAdder(), _without_colours, *common],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, rendered],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.getLogger("alembic").setLevel(logging.INFO if settings.debug else logging.WARNING)
    logging.getLogger("sqlalchemy.engine").setLevel(logging.INFO if settings.debug else logging.WARNING)


class _Lenient:
    """A stream that may break: what is said then is lost, and who says it does not fail."""

    def __init__(self, stream: IO[Any]) -> None:
        self._stream = stream

    def write(self, said: Any) -> None:
        with contextlib.suppress(OSError, ValueError):  # a pipe that nobody reads; a stream that is closed
            self._stream.write(said)

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()


def fault(exc_info: ExcInfo) -> str:
    """An exception with where it comes from, but without what the database says of it.

    Its errors quote statements, names of constraints and the values of rows.
    """
    chain: list[BaseException] = []
    error: BaseException | None = exc_info[1]
    while error is not None and error not in chain:
        chain.append(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    lines: list[str] = []
    for error in reversed(chain):
        lines += ["Traceback (most recent call last):\n", *traceback.format_tb(error.__traceback__)]
        lines.append(f"{type(error).__module__}.{type(error).__qualname__}: {_said(error)}\n")
    return "".join(lines).rstrip()


def _said(error: BaseException) -> str:
    state = getattr(error, "sqlstate", None) or getattr(getattr(error, "orig", None), "sqlstate", None)
    if state is not None:
        return f"SQLSTATE {state}"
    return "of a statement" if hasattr(error, "statement") else str(error)


def _json(event: EventDict, **_options: Any) -> bytes:
    return orjson.dumps(event, default=str)


def _without_colours(_logger: object, _method: str, event: EventDict) -> EventDict:
    """uvicorn sends each message a second time, with the codes for a terminal."""
    event.pop("color_message", None)
    return event
