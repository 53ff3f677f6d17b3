"""SQL that SQLAlchemy composes once, kept as text: composing costs more than a small statement itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect

_DIALECT: Final = asyncpg_dialect()  # type: ignore[no-untyped-call]


@dataclass(frozen=True)
class Statement:
    """SQL and how its parameters are found: by name in what a request gives, or among its own."""

    sql: str
    names: tuple[str, ...]
    own: Mapping[str, Any]
    places: tuple[int, ...] = ()
    """Where in its rows the columns are that a cursor holds."""

    def parameters(self, given: Mapping[str, Any]) -> list[Any]:
        """The parameters in their order."""
        own = self.own
        return [given[name] if name in given else own[name] for name in self.names]


def compile_statement(statement: Any, places: tuple[int, ...] = ()) -> Statement:
    """The statement as text with `$1 …`."""
    compiled = statement.compile(dialect=_DIALECT)
    own = {}
    for name in compiled.positiontup:
        bind = compiled.binds[name]
        process = bind.type.dialect_impl(_DIALECT).bind_processor(_DIALECT)
        value = bind.effective_value
        own[name] = process(value) if process is not None and value is not None else value
    return Statement(compiled.string, tuple(compiled.positiontup), own, places)
