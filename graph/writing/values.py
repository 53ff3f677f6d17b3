"""Values for columns: what a client sent, checked and in the form that the driver takes.

The scalars have said already that a value is of its kind; here is what a column adds: that a text is not
blank, not longer than anybody means, that an amount is not negative, that an id is one.
"""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from graph import limits
from graph.errors import BadInput, UserError, UserErrorCode
from graph.filters import parse_id
from graph.inputs import camel_case
from graph.scalars import text
from graph.writing.work import refusal


class Draft:
    """The values that an input gives to a row, and what is wrong with them.

    `values` holds the columns that the client named, by column name; what it left out is not there.
    """

    def __init__(self, before: Any = None, *path: str) -> None:
        self.before = before
        self.path = path
        self.values: dict[str, Any] = {}
        self.errors: list[UserError] = []

    def invalid(self, column: str | None, message: str, code: UserErrorCode = UserErrorCode.INVALID) -> None:
        """Say what is wrong with the value for `column`."""
        field = ["input", *self.path, camel_case(column)] if column else None
        self.errors.append(UserError(code=code, field=field, message=message))

    def now(self, column: str) -> Any:
        """What `column` will hold: the new value, or the old one."""
        return self.values.get(column, getattr(self.before, column, None))

    def take(self, columns: Mapping[str, sa.Column[Any]], given: Mapping[str, Any]) -> None:
        """Take over what a client gave, by GraphQL name, for `columns` by GraphQL name."""
        for name, value in given.items():
            column = columns[name]
            try:
                self.values[column.name] = stored(column, value)
            except (ValueError, BadInput) as error:
                self.invalid(column.name, str(error))


def stored(column: sa.Column[Any], value: Any) -> Any:
    """`value` as `column` stores it, or ValueError or BadInput in words for the person."""
    if value is None:
        if not column.nullable:
            raise ValueError("This takes a value.")
        return None
    if "enum" in column.info:
        return value.value
    if isinstance(column.type, sa.Uuid):
        return parse_id(value)
    if isinstance(column.type, sa.ARRAY):
        if len(value) > limits.MAX_TAGS:
            raise ValueError(f"At most {limits.MAX_TAGS}.")
        return [_text(column, item, limits.MAX_TAG) for item in dict.fromkeys(value)]
    if isinstance(column.type, JSONB):
        return value
    if isinstance(column.type, sa.Numeric):
        scale = column.type.scale
        if scale is not None and -value.as_tuple().exponent > scale:
            raise ValueError(f"At most {scale} digits after the point.")
        if value < 0:
            raise ValueError("This is not less than 0.")
    if column.name in limits.NOT_NEGATIVE and value < 0:
        raise ValueError("This is not less than 0.")
    if isinstance(value, str):
        return _text(column, value, _most(column))
    return value


def _most(column: sa.Column[Any]) -> int:
    if column.name in limits.LONG_TEXTS:
        return limits.MAX_LONG_TEXT
    return limits.MAX_URL if column.name in limits.URLS else limits.MAX_TEXT


def _text(column: sa.Column[Any], value: str, most: int) -> str:
    value = text(value, "This")
    if column.name not in limits.LONG_TEXTS:
        value = value.strip()
        if not value:
            raise ValueError("This cannot be blank.")
    if len(value) > most:
        raise ValueError(f"At most {most} characters.")
    return value


def value_of(column: sa.Column[Any], value: Any, *field: str) -> Any:
    """`value`, which a client gave in `field` of a named operation, as `column` stores it, or Refused."""
    try:
        return stored(column, value)
    except (ValueError, BadInput) as error:
        raise refusal(UserErrorCode.INVALID, str(error), *field) from None
