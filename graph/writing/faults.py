"""What PostgreSQL refused, as something that a person can mend.

Its own checks are the ones that hold under concurrency, so they are not repeated before a write: what
they say is translated. Names of constraints stay here.
"""

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from db.base import Base
from graph.errors import UserError, UserErrorCode
from graph.inputs import camel_case
from graph.writing.work import Refused

_NOT_NULL, _FOREIGN_KEY, _UNIQUE, _CHECK = "23502", "23503", "23505", "23514"
_TOO_LARGE = ("22003", "22001")
_MEANINGS = {
    _UNIQUE: (UserErrorCode.TAKEN, "Another row has this already."),
    _FOREIGN_KEY: (UserErrorCode.NOT_FOUND, "There is nothing with this id."),
}
_USED = "Other rows depend on it."


def refused(error: DBAPIError, table: sa.Table, *path: str) -> Refused | None:
    """What `error`, raised by a write to `table`, means to the person; None if it is no fault of theirs."""
    cause: Any = error.orig.__cause__ if error.orig is not None else None
    state, name = getattr(cause, "sqlstate", None), getattr(cause, "constraint_name", None)

    def because(code: UserErrorCode, message: str, columns: tuple[str, ...]) -> Refused:
        field = ["input", *path, camel_case(columns[-1])] if columns else None
        return Refused(UserError(code=code, field=field, message=message))

    if state == _UNIQUE:
        return because(*_MEANINGS[state], _columns(table, name))
    if state == _FOREIGN_KEY:
        if getattr(cause, "table_name", None) != table.name:
            return Refused(UserError(code=UserErrorCode.IN_USE, field=None, message=_USED))
        return because(*_MEANINGS[state], _columns(table, name))
    if state == _CHECK:
        return because(UserErrorCode.INVALID, "This value is not allowed.", _checked(table, name))
    if state == _NOT_NULL:
        column = getattr(cause, "column_name", None)
        return because(UserErrorCode.INVALID, "This takes a value.", (column,) if column else ())
    if state in _TOO_LARGE:
        return because(UserErrorCode.INVALID, "A value is too large.", ())
    return None


def escaped(error: DBAPIError, fields: Collection[str]) -> Refused | None:
    """What `error` means, raised by a statement that nobody watched; None if it is no fault of the person.

    A row that was there a moment ago may be gone when another is to name it. `fields` are those of the
    input, one of which is named if it fits.
    """
    cause: Any = error.orig.__cause__ if error.orig is not None else None
    state = getattr(cause, "sqlstate", None)
    table = Base.metadata.tables.get(getattr(cause, "table_name", None) or "")
    if table is None or state not in _MEANINGS:
        return None
    if state == _FOREIGN_KEY and (error.statement or "").startswith("DELETE"):
        return Refused(UserError(code=UserErrorCode.IN_USE, field=None, message=_USED))
    columns = _columns(table, cause.constraint_name)
    names = (name for column in columns[-1:] for name in (camel_case(column), f"{camel_case(column)}s"))
    field = next((["input", name] for name in names if name in fields), None)
    code, message = _MEANINGS[state]
    return Refused(UserError(code=code, field=field, message=message))


def _columns(table: sa.Table, name: str | None) -> tuple[str, ...]:
    """The columns that a unique or foreign key is about, its tenant apart."""
    keyed: list[Any] = [*table.constraints, *table.indexes]
    for item in keyed:
        if item.name is not None and str(item.name) == name and not isinstance(item, sa.CheckConstraint):
            found = [column.name for column in item.columns if column.name != "tenant_id"]
            return tuple(column.removesuffix("_norm") for column in found)
    return ()


def _checked(table: sa.Table, name: str | None) -> tuple[str, ...]:
    return next(((column.name,) for column in table.c if name and f"_{column.name}_check" in name), ())
