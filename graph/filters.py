"""Filters: one input type a table, with the operators fit for each column, and their SQL.

Built from the table types, not written out: `filter_input` makes the input, `condition` turns what a
client sent into a WHERE clause. A filter reads, so a column or relation that needs a permission needs it
here too: nobody guesses at what they may not see.
"""

import re
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa
import strawberry
from sqlalchemy.dialects.postgresql import CITEXT, INET, JSONB
from strawberry.types.field import StrawberryField

from graph import scalars
from graph.auth.viewer import Viewer
from graph.errors import BadInput
from graph.inputs import camel_case, make_input
from graph.limits import MAX_FILTER_DEPTH, MAX_FILTER_LIST, MAX_TEXT_FILTER
from graph.stored import parameter
from graph.tables import ColumnField, RelationField, TableType, type_namespace

Condition = sa.ColumnElement[bool]
Operator = Callable[[Any, Any], Condition]

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
_EQUALITY = ("eq", "ne", "in", "notIn")
_RANGE = ("lt", "lte", "gt", "gte")

_HELP = {
    "eq": "Equal to this.",
    "ne": "Not equal to this; a column without a value counts as not equal.",
    "in": "One of these; of an empty list, none.",
    "notIn": "None of these; a column without a value counts.",
    "lt": "Less than this.",
    "lte": "Less than this, or equal.",
    "gt": "Greater than this.",
    "gte": "Greater than this, or equal.",
    "isNull": "Whether there is no value.",
    "startsWith": "Begins with this, in capitals or not.",
    "has": "Holds this value.",
    "hasAny": "Holds at least one of these.",
    "hasAll": "Holds all of these.",
}

_OPERATORS: dict[str, Operator] = {
    "eq": lambda column, value: column == value,
    "ne": lambda column, value: column.is_distinct_from(value),
    "in": lambda column, value: column == sa.any_(value),
    "notIn": lambda column, value: (column == sa.any_(value)).is_not(True),
    "lt": lambda column, value: column < value,
    "lte": lambda column, value: column <= value,
    "gt": lambda column, value: column > value,
    "gte": lambda column, value: column >= value,
    "isNull": lambda column, value: column.is_(None) if value else column.is_not(None),
    "has": lambda column, value: column.contains([value]),
    "hasAny": lambda column, value: column.overlap(value),
    "hasAll": lambda column, value: column.contains(value),
}


def _lower(given: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    # By the server, as the normalised column was: its small letters are not always Python's.
    if not isinstance(given.type, sa.ARRAY):
        return sa.func.lower(given)
    each = sa.func.unnest(given).column_valued()
    return sa.func.array(sa.select(sa.func.lower(each)).scalar_subquery(), type_=given.type)


def _operand(column: sa.Column[Any]) -> tuple[str, Any, tuple[str, ...]]:
    """The operator input's name for `column`, the type of its operands, and its operators."""
    kind = column.type
    if "enum" in column.info:
        enum = column.info["enum"]
        return f"{enum.__name__}Filter", enum, _EQUALITY
    if isinstance(kind, sa.Uuid):
        return "IDFilter", strawberry.ID, _EQUALITY
    if isinstance(kind, sa.Boolean):
        return "BooleanFilter", bool, ("eq", "ne")
    if isinstance(kind, sa.ARRAY):
        return "StringListFilter", str, ("has", "hasAny", "hasAll")
    if isinstance(kind, JSONB):
        return "JSONFilter", scalars.JSON, ("contains",)
    if isinstance(kind, INET):
        return "IPAddressFilter", scalars.IPAddress, _EQUALITY
    for types, name, annotation in (
        (sa.DateTime, "DateTimeFilter", scalars.DateTime),
        (sa.Date, "DateFilter", scalars.Date),
        (sa.BigInteger, "BigIntFilter", scalars.BigInt),
        (sa.Integer, "IntFilter", int),
        (sa.Numeric, "DecimalFilter", scalars.Decimal),
    ):
        if isinstance(kind, types):
            return name, annotation, (*_EQUALITY, *_RANGE)
    return "StringFilter", str, (*_EQUALITY, *_RANGE, "contains", "startsWith")


def _operator_input(column: sa.Column[Any]) -> str:
    name, operand, operators = _operand(column)
    if name not in type_namespace:
        kind: Any = operand
        lists = {"in", "notIn", "hasAny", "hasAll"}
        how = "as `@>` does" if name == "JSONFilter" else "in capitals or not"
        fields = {
            operator: (
                f"{operator.lower()}_",
                (list[kind] if operator in lists else kind) | None,
                _HELP.get(operator, f"Contains this, {how}."),
            )
            for operator in operators
        }
        fields["isNull"] = ("is_null", bool | None, _HELP["isNull"])
        make_input(
            name, f"Conditions on a column; all that are given hold. ({name.removesuffix('Filter')})", fields
        )
    return name


def filter_input(shown: TableType) -> type:
    """The `filter` input of a type, made once."""
    name = f"{shown.name}Filter"
    if name in type_namespace:
        made: type = type_namespace[name]
        return made
    fields: dict[str, tuple[str, Any, str]] = {}
    for graphql_name, item in filterable(shown).items():
        kind = (
            _operator_input(shown.table.c[item.python_name])
            if item.python_name in shown.table.c
            else f"{item.target.name}Filter"  # type: ignore[attr-defined]
        )
        fields[graphql_name] = (item.python_name, f"{kind} | None", item.description or "")
    for graphql_name, help_text in (
        ("and", "All of these."),
        ("or", "At least one of these; of none, nothing."),
    ):
        fields[graphql_name] = (f"{graphql_name}_", f"list[{name}] | None", help_text)
    fields["not"] = ("not_", f"{name} | None", "Not this.")
    return make_input(
        name, f"Which `{shown.name}` rows; all that is given holds, `{{}}` is everything.", fields
    )


def filterable(shown: TableType) -> dict[str, StrawberryField]:
    """The fields a filter may name, by GraphQL name: the columns and the to-one relations."""
    return {
        camel_case(item.python_name): item
        for item in shown.fields.values()
        if item.python_name in shown.table.c or (isinstance(item, RelationField) and item.forward)
    }


def condition(
    shown: TableType, source: sa.FromClause, given: Mapping[str, Any], viewer: Viewer, depth: int = 1
) -> Condition:
    """The WHERE clause for the filter `given` over `source`; BadInput or Forbidden where it cannot be."""
    if depth > MAX_FILTER_DEPTH:
        raise BadInput(f"A filter nests at most {MAX_FILTER_DEPTH} deep.")
    fields = filterable(shown)
    clauses: list[Condition] = []
    for name, value in given.items():
        if value is None:
            raise BadInput(f"`{name}` in a filter cannot be null; use isNull to look for what has no value.")
        if name in ("and", "or"):
            parts = [condition(shown, source, part, viewer, depth + 1) for part in _bounded(name, value)]
            clauses.append(sa.and_(sa.true(), *parts) if name == "and" else sa.or_(sa.false(), *parts))
        elif name == "not":
            # IS NOT TRUE rather than NOT: a row for which the inner filter is unknown does not match it.
            clauses.append(condition(shown, source, value, viewer, depth + 1).is_not(True))
        else:
            item = fields[name]
            if isinstance(item, RelationField):
                clauses.append(_related(item, source, value, viewer, depth + 1))
            else:
                if isinstance(item, ColumnField):
                    item.allow(viewer)
                clauses += _compare(shown.table.c[item.python_name], source, value)
    return sa.and_(sa.true(), *clauses)


def _related(
    item: RelationField, source: sa.FromClause, given: Mapping[str, Any], viewer: Viewer, depth: int
) -> Condition:
    target = item.target
    target.allow(viewer)
    item.allow(viewer)
    other = target.table.alias()
    return sa.exists(
        sa.select(sa.literal(1))
        .select_from(other)
        .where(
            other.c[item.remote] == source.c[item.local],
            target.scope(other, viewer),
            condition(target, other, given, viewer, depth),
        )
        .correlate(source)
    )


def _compare(stored: sa.Column[Any], source: sa.FromClause, given: Mapping[str, Any]) -> list[Condition]:
    column = source.c[stored.name]
    normalised = source.c[stored.info["norm"]] if "norm" in stored.info else None
    clauses = []
    for operator, raw in given.items():
        if raw is None:
            raise BadInput(f"`{operator}` cannot be null; use isNull to look for what has no value.")
        if operator == "isNull":
            clauses.append(_OPERATORS[operator](column, raw))
            continue
        value = (
            [_value(stored, item) for item in _bounded(operator, raw)]
            if isinstance(raw, list) and not isinstance(stored.type, JSONB)
            else _value(stored, raw)
        )
        if operator == "startsWith":
            folded = sa.func.lower(column) if normalised is None else normalised
            clauses.append(folded.op("^@", is_comparison=True)(sa.func.lower(sa.cast(value, sa.Text))))
        elif operator == "contains" and not isinstance(stored.type, JSONB):
            clauses.append(sa.cast(column, sa.Text).icontains(value, autoescape=True))
        elif operator == "contains":
            # Told to be JSON: by itself a string would go as text, a number as a number.
            clauses.append(column.contains(sa.bindparam(None, value, type_=JSONB, unique=True)))
        elif isinstance(stored.type, sa.ARRAY):
            clauses.append(_OPERATORS[operator](column, value))
        elif isinstance(stored.type, CITEXT) and normalised is not None:
            # citext's operators are not leakproof, so under row security they would scan the tenant.
            clauses.append(_OPERATORS[operator](normalised, _lower(parameter(stored.type, value))))
        else:
            clauses.append(_OPERATORS[operator](column, parameter(stored.type, value)))
    return clauses


def _bounded(name: str, values: list[Any]) -> list[Any]:
    if len(values) > MAX_FILTER_LIST:
        raise BadInput(f"`{name}` takes at most {MAX_FILTER_LIST} values.")
    if any(value is None for value in values):
        raise BadInput(f"`{name}` cannot hold null; use isNull to look for what has no value.")
    return values


def _value(column: sa.Column[Any], value: Any) -> Any:
    """`value` as the driver takes it for `column`."""
    if isinstance(column.type, sa.Uuid):
        return parse_id(value)
    if "enum" in column.info:
        return value.value
    if isinstance(value, str):
        if len(value) > MAX_TEXT_FILTER:
            raise BadInput(f"A filter compares with texts of at most {MAX_TEXT_FILTER} characters.")
        try:
            return scalars.text(value, "A text")
        except ValueError as error:
            raise BadInput(str(error)) from None
    return value


def parse_id(value: str) -> uuid.UUID:
    """An `ID` as the UUID that it must be, spelt as ids are given out, or BadInput."""
    if not _ID.fullmatch(value):
        raise BadInput("An id is a UUID, such as 7f3c1f9e-5a7e-4c39-9a0e-1d2b3c4d5e6f.")
    return uuid.UUID(value)
