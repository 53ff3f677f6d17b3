"""The log: one line an event on standard error, JSON where no person is reading."""

import logging
import sys
from typing import Final

import structlog
from structlog.types import EventDict, Processor

from graph.settings import Settings

_COMMON: Final[list[Processor]] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
]


def configure(settings: Settings) -> None:
    """Sends structlog's events and those of the standard library's loggers through one formatter."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    structlog.configure(
        processors=[*_COMMON, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
    )
    renderer: Processor = structlog.processors.JSONRenderer()
    if sys.stderr.isatty():
        # The rich traceback would print every local variable, passwords among them.
        renderer = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.ExtraAdder(), _without_colours, *_COMMON],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.getLogger("alembic").setLevel(logging.INFO if settings.debug else logging.WARNING)
    logging.getLogger("sqlalchemy.engine").setLevel(logging.INFO if settings.debug else logging.WARNING)


def _without_colours(_logger: object, _method: str, event: EventDict) -> EventDict:
    """uvicorn sends each message a second time, with the codes for a terminal."""
    event.pop("color_message", None)
    return event
