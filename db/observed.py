"""Who is told of statements while they run: whatever stands in `observer` in the task that runs them.

Transaction control is no statement here: BEGIN and COMMIT go past SQLAlchemy and past `fetch`.
"""

from contextvars import ContextVar
from typing import Any, Protocol

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

_BEGAN = "m3_began"


class Observer(Protocol):
    """Is told of each statement, with its text, which has placeholders where the values are."""

    def began(self, sql: str) -> Any:
        """A statement is on its way; what this returns is handed to `ended`."""

    def ended(self, began: Any, error: BaseException | None) -> None:
        """The statement is answered, or failed with `error`."""


observer: ContextVar[Observer | None] = ContextVar("observer", default=None)


def watch(engine: AsyncEngine) -> None:
    """Let the observers know of every statement of `engine`."""

    def before(_c: Any, _cursor: Any, statement: str, _p: Any, context: Any, _many: bool) -> None:
        told = observer.get()
        if told is not None:
            setattr(context, _BEGAN, (told, told.began(statement)))

    def after(_c: Any, _cursor: Any, _statement: str, _p: Any, context: Any, _many: bool) -> None:
        end(context, None)

    def failed(fault: Any) -> None:
        end(fault.execution_context, fault.original_exception)

    def end(context: Any, error: BaseException | None) -> None:
        told, began = getattr(context, _BEGAN, None) or (None, None)
        if told is not None:
            setattr(context, _BEGAN, None)
            told.ended(began, error)

    event.listen(engine.sync_engine, "before_cursor_execute", before)
    event.listen(engine.sync_engine, "after_cursor_execute", after)
    event.listen(engine.sync_engine, "handle_error", failed)
