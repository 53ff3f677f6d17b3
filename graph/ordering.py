"""Order and keyset: which columns a list may be sorted by, and the rows beyond a place in that order.

A client may sort by exactly the columns that an index of the form (tenant_id, column, id) serves, so what
is offered is read from the model's indexes. NULL sorts as the largest, which is PostgreSQL's own rule.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sqlalchemy as sa
import strawberry
from strawberry.utils.str_converters import to_camel_case

from graph.inputs import as_mapping
from graph.stored import at_an_end, parameter
from graph.tables import ColumnField, TableType, type_namespace


@strawberry.enum(description="Which way a list is sorted; NULL counts as the largest value.")
class OrderDirection(enum.Enum):
    """Ascending or descending."""

    ASC = strawberry.enum_value("ASC", description="Smallest first, NULL last.")
    DESC = strawberry.enum_value("DESC", description="Largest first, NULL first.")


@dataclass(frozen=True)
class Order:
    """A total order of a table's rows: `column`, then the rest of the key."""

    shown: TableType
    column: str
    descending: bool

    @cached_property
    def name(self) -> str:
        """What binds a cursor to this order."""
        return f"{self.column} {'desc' if self.descending else 'asc'}"

    @cached_property
    def columns(self) -> tuple[sa.Column[Any], ...]:
        """The columns that rows are sorted by."""
        return tuple(self.shown.table.c[name] for name in dict.fromkeys((self.column, *self.shown.key)))

    @cached_property
    def place(self) -> tuple[sa.Column[Any], ...]:
        """The columns that a cursor holds: `created_at`, the key, and another order's column."""
        names = dict.fromkeys(("created_at", *self.shown.key, self.column))
        return tuple(self.shown.table.c[name] for name in names)

    def by(self, source: sa.FromClause, *, backwards: bool = False) -> list[sa.ColumnElement[Any]]:
        """The ORDER BY over `source`; `backwards` from the end of the list."""
        columns = (source.c[column.name] for column in self.columns)
        return [column.desc() if self.descending != backwards else column.asc() for column in columns]

    def beyond(
        self, source: sa.FromClause, place: dict[str, Any], *, before: bool = False
    ) -> list[sa.ColumnElement[bool]]:
        """The rows of `source` after `place` (what a cursor held) in this order, or those before it.

        One condition, or two that share no row: each is one range of the index, which an OR of both is not.
        """
        down = self.descending != before
        first, *rest = (source.c[column.name] for column in self.columns)
        value, *others = (
            place[column.name]
            if isinstance(place[column.name], sa.BindParameter)
            else self._stored(source, place)
            if column.name == self.column and at_an_end(place[column.name])
            else parameter(column.type, place[column.name])
            for column in self.columns
        )
        # NULL is the largest: behind everything going up, ahead of everything going down.
        if place[self.column] is None:
            tied = sa.and_(first.is_(None), _row_beyond(rest, others, down))
            return [tied, first.is_not(None)] if down else [tied]
        onward = _row_beyond([first, *rest], [value, *others], down)
        return [onward] if down or not self.columns[0].nullable else [onward, first.is_(None)]

    def _stored(self, source: sa.FromClause, place: dict[str, Any]) -> sa.ColumnElement[Any]:
        """The sort value at `place` as the row has it, while the row is there: what was read is cut off."""
        table = self.shown.table.alias()
        key = [table.c[name] == parameter(table.c[name].type, place[name]) for name in self.shown.key]
        if "tenant_id" in table.c:
            key.append(table.c.tenant_id == source.c.tenant_id)
        stored = sa.select(table.c[self.column]).where(*key).correlate(source).scalar_subquery()
        return sa.func.coalesce(stored, parameter(table.c[self.column].type, place[self.column]))

    def page(
        self,
        source: sa.FromClause,
        columns: Sequence[sa.ColumnElement[Any]],
        where: sa.ColumnElement[bool],
        limit: Any,
        *,
        after: dict[str, Any] | None,
        before: dict[str, Any] | None,
        backwards: bool,
    ) -> sa.Select[Any] | sa.CompoundSelect[Any]:
        """The first `limit` rows of `source` between two places in this order, or the last ones, reversed."""
        ranges: list[list[sa.ColumnElement[bool]]] = [[]]
        for place, is_before in ((after, False), (before, True)):
            if place is not None:
                found = self.beyond(source, place, before=is_before)
                ranges = [[*earlier, condition] for earlier in ranges for condition in found]
        order = self.by(source, backwards=backwards)
        pages = [sa.select(*columns).where(where, *bounds).order_by(*order).limit(limit) for bounds in ranges]
        if len(pages) == 1:
            return pages[0]
        # Each range has at most `limit` rows to give, so what is sorted again is small. The columns to sort
        # by come last, behind those that were asked for; times as numbers, which can be read at any size.
        keys = [_number(source.c[column.name]).label(f"order_{column.name}") for column in self.columns]
        down = self.descending != backwards
        again: list[sa.ColumnClause[Any]] = [sa.column(key.name) for key in keys]
        return (
            sa.union_all(*(page.add_columns(*keys) for page in pages))
            .order_by(*(key.desc() if down else key.asc() for key in again))
            .limit(limit)
        )


def _number(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    return sa.extract("epoch", column) if isinstance(column.type, sa.DateTime | sa.Date) else column


def _row_beyond(
    columns: Sequence[sa.ColumnElement[Any]], values: Sequence[sa.ColumnElement[Any]], down: bool
) -> sa.ColumnElement[bool]:
    # One row comparison, which PostgreSQL uses as an index condition; OR-ed comparisons it would not.
    here, there = sa.tuple_(*columns), sa.tuple_(*values)
    return here < there if down else here > there


def sortable(shown: TableType) -> tuple[str, ...]:
    """The shown columns that an index on exactly (tenant_id, column, key) serves, `created_at` first.

    A table of no tenant has its indexes without the first.
    """
    scope = ("tenant_id",) if "tenant_id" in shown.table.c else ()
    served = set()
    for index in shown.table.indexes:
        names = tuple(_column_name(expression) for expression in index.expressions)
        whole = index.dialect_options["postgresql"]["where"] is None
        if whole and len(names) == len(scope) + 1 + len(shown.key):
            *before, column = names[: len(scope) + 1]
            if tuple(before) == scope and names[len(scope) + 1 :] == shown.key:
                served.add(column)
    offered = [name for name in shown.fields if name in served]
    return tuple(sorted(offered, key=lambda name: (name != "created_at", name)))


def _column_name(expression: Any) -> str:
    while isinstance(expression, sa.UnaryExpression):
        expression = expression.element
    return str(getattr(expression, "name", ""))


def default_order(shown: TableType) -> Order:
    """Newest first, or ascending by the column that the type names."""
    return Order(shown, shown.sort, descending=shown.sort == "created_at")


def order_of(shown: TableType, order_by: dict[str, Any] | None, viewer: Any) -> Order:
    """The order that `orderBy` asks for, as the schema has parsed it; Forbidden for a gated column."""
    if order_by is None:
        return default_order(shown)
    column = order_by["field"].value
    item = shown.fields[column]
    if isinstance(item, ColumnField):
        item.allow(viewer)
    return Order(shown, column, descending=order_by.get("direction") is OrderDirection.DESC)


def order_input(shown: TableType) -> type | None:
    """The `orderBy` input of a type, made once; None where only the default order is served."""
    name = f"{shown.name}Order"
    if name in type_namespace:
        made: type = type_namespace[name]
        return made
    columns = sortable(shown)
    if not columns:
        return None
    values = {
        column.upper(): strawberry.enum_value(column, description=f"By `{to_camel_case(column)}`.")
        for column in columns
    }
    members = enum.Enum(f"{name}Field", values)  # type: ignore[misc]
    field_enum = strawberry.enum(members, description=f"What `{shown.name}` rows can be sorted by.")
    body: dict[str, Any] = {
        "__annotations__": {"field": field_enum, "direction": OrderDirection},
        "field": strawberry.field(description="The column."),
        "direction": strawberry.field(description="Which way.", default=OrderDirection.ASC.value),
    }
    made = strawberry.input(
        type(name, (), body), description=f"An order of `{shown.name}` rows; ties are broken by id."
    )
    as_mapping(made)
    type_namespace[name] = made
    return made
