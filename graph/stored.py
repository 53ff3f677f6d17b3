"""Columns as they are read and compared: whatever other services have stored can be shown and found.

The driver's types hold less than PostgreSQL's: with them one odd row would cost a client the whole page.
What is dated outside the years 1 to 9999 is shown with the first or last moment of those.
"""

import datetime as dt
import json
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import CITEXT, JSONB

_FIRST, _LAST = "0001-01-01", "9999-12-31"


def readable(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """`column` in a form that every value it may hold can be read in."""
    kind = column.type
    if isinstance(kind, JSONB):
        return sa.type_coerce(sa.cast(column, sa.Text), _StoredJSON)
    if isinstance(kind, sa.ARRAY):
        return sa.type_coerce(column, _StoredTexts)
    if isinstance(kind, sa.CHAR):
        return sa.cast(column, sa.Text)  # without the blanks that fill it up
    if isinstance(kind, sa.DateTime):
        return _within(column, f"timestamptz '{_FIRST} 00:00Z'", f"timestamptz '{_LAST} 23:59:59.999999Z'")
    if isinstance(kind, sa.Date):
        return _within(column, f"date '{_FIRST}'", f"date '{_LAST}'")
    return column


def parameter(kind: sa.types.TypeEngine[Any], value: Any) -> sa.ColumnElement[Any]:
    """`value`, or a list of values as one array, to compare a column of the type `kind` with."""
    many = isinstance(value, list)
    if isinstance(kind, sa.DateTime | sa.Date) and value is not None:
        # As text: the driver takes the first and last moment that Python knows for infinity.
        text = [item.isoformat() for item in value] if many else value.isoformat()
        return sa.cast(parameter(sa.Text(), text), sa.ARRAY(kind) if many else kind)
    if isinstance(kind, sa.Numeric):
        kind = sa.Numeric()  # with the column's scale PostgreSQL would round what it compares with
    elif isinstance(kind, sa.CHAR | CITEXT):
        kind = sa.Text()  # with the column's length it would cut it
    return sa.bindparam(None, value, type_=sa.ARRAY(kind) if many else kind, unique=True)


def _within(column: sa.ColumnElement[Any], first: str, last: str) -> sa.ColumnElement[Any]:
    # PostgreSQL counts from 4713 BC to 294276 and knows infinity; Python has the years 1 to 9999.
    lower, upper = (sa.literal_column(bound, column.type) for bound in (first, last))
    return sa.case((column < lower, lower), (column > upper, upper), else_=column)


def at_an_end(value: Any) -> bool:
    """Whether this is a first or last moment, which may stand for what is beyond it."""
    if isinstance(value, dt.datetime):
        value = value.replace(tzinfo=None)
        return value in (dt.datetime.min, dt.datetime.max)
    return isinstance(value, dt.date) and value in (dt.date.min, dt.date.max)


def stored_json(text: str | None) -> orjson.Fragment | None:
    """JSON to pass on as PostgreSQL wrote it, whose numbers and depth have no bounds of Python's."""
    return None if text is None or text == "null" else orjson.Fragment(text)


def parsed(value: Any) -> Any:
    """The value of a row's attribute, where it is JSON as Python has it, for those who look into it."""
    return json.loads(orjson.dumps(value)) if isinstance(value, orjson.Fragment) else value


def differs(stored: Any, new: Any) -> bool:
    """Whether a row's attribute is another value; to Python true is 1, in JSON it is not."""
    if isinstance(stored, orjson.Fragment):
        return json.dumps(parsed(stored), sort_keys=True) != json.dumps(new, sort_keys=True)
    return bool(stored != new)


def stored_texts(values: list[Any] | None) -> list[str] | None:
    """An array as the list of texts that it is shown as: flat, and without NULL."""
    if values is None:
        return None
    for value in values:
        if type(value) is not str:
            break
    else:
        return values
    found: list[str] = []
    for value in values:
        found += (stored_texts(value) or []) if isinstance(value, list) else [] if value is None else [value]
    return found


class _StoredJSON(sa.types.TypeDecorator[Any]):
    impl = sa.Text
    cache_ok = True

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> orjson.Fragment | None:
        return stored_json(value)


class _StoredTexts(sa.types.TypeDecorator[Any]):
    impl = sa.ARRAY(sa.Text)
    cache_ok = True

    def process_result_value(self, value: list[Any] | None, dialect: sa.Dialect) -> list[str] | None:
        return stored_texts(value)
