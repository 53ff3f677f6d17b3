"""The SQL of a plan's nodes: composed with SQLAlchemy once, kept as text with the places of its parameters.

Everything that differs from request to request is a named parameter (`tenant`, `user`, `keys`, `limit`, the
place of a cursor). The values of a filter are part of the statement's own parameters, so a statement is kept
for each filter seen, up to a bound.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import INET
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect

from graph.auth.viewer import Viewer
from graph.engine.plan import Layout
from graph.filters import condition
from graph.ordering import Order

_DIALECT: Final = asyncpg_dialect()  # type: ignore[no-untyped-call]
_TENANT: Final = sa.bindparam("tenant", type_=sa.Uuid())
_USER: Final = sa.bindparam("user", type_=sa.Uuid())


@dataclass(frozen=True)
class Statement:
    """SQL and how its parameters are found: by name in what a request gives, or among its own."""

    sql: str
    names: tuple[str, ...]
    own: Mapping[str, Any]

    def parameters(self, given: Mapping[str, Any]) -> list[Any]:
        """The parameters in their order."""
        own = self.own
        return [given[name] if name in given else own[name] for name in self.names]


def compile_statement(statement: Any) -> Statement:
    """The statement as text with `$1 …`."""
    compiled = statement.compile(dialect=_DIALECT)
    own = {}
    for name in compiled.positiontup:
        bind = compiled.binds[name]
        process = bind.type.dialect_impl(_DIALECT).bind_processor(_DIALECT)
        value = bind.effective_value
        own[name] = process(value) if process is not None and value is not None else value
    return Statement(compiled.string, tuple(compiled.positiontup), own)


class AnyViewer(Viewer):
    """A viewer with given permissions whose tenant and user are parameters."""

    @classmethod
    def like(cls, viewer: Viewer) -> "AnyViewer":
        """Whoever holds what `viewer` holds."""
        return cls(_TENANT, _USER, viewer.session_id, viewer.permissions)  # type: ignore[arg-type]


def select(layout: Layout, source: sa.FromClause) -> list[sa.ColumnElement[Any]]:
    """The columns of a layout, those that are shown in the form of the answer."""
    stored = layout.table.table.c
    return [
        (source.c[name] if raw else shown(source.c[name], stored[name])).label(f"c{place}")
        for place, (name, raw) in enumerate(layout.columns)
    ]


def shown(column: sa.ColumnElement[Any], stored: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """A column in the form that the answer has it in, where that is not how the driver gives it."""
    kind = stored.type
    if "enum" in stored.info:
        return sa.func.upper(column)
    if isinstance(kind, INET):
        return sa.func.abbrev(column)  # without /32 or /128, as an address is written
    if isinstance(kind, sa.Uuid | sa.BigInteger | sa.Numeric):
        return sa.cast(column, sa.Text)
    return column


def by_key(layout: Layout, remote: str, viewer: AnyViewer) -> Statement:
    """The rows whose column `remote` is one of `keys`; the key comes last."""
    source = layout.table.table
    keys = sa.bindparam("keys", type_=sa.ARRAY(sa.Uuid()))
    return compile_statement(
        sa.select(*select(layout, source), shown(source.c[remote], source.c[remote]).label("key")).where(
            layout.table.scope(source, viewer), source.c[remote] == sa.any_(keys)
        )
    )


@dataclass(frozen=True)
class Shape:
    """What decides the SQL of a page, the values of its parameters apart."""

    order: Order
    backwards: bool
    after: Mapping[str, Any] | None
    before: Mapping[str, Any] | None

    @property
    def key(self) -> Any:
        """Equal for pages with the same SQL. A place without a value reads another than one with."""
        places = (
            None if place is None else place[self.order.column] is None for place in (self.after, self.before)
        )
        return (self.order.name, self.backwards, *places)


def page(
    layout: Layout, shape: Shape, parent: str | None, filter_: Mapping[str, Any] | None, viewer: AnyViewer
) -> Statement:
    """A page, and a row more; with `parent`, a page for each of `keys`, with the key last."""
    target = layout.table
    source = target.table.alias()
    where = [target.scope(source, viewer)]
    if filter_ is not None:
        where.append(condition(target, source, filter_, viewer))
    given = _keys()
    if parent is not None:
        where.append(source.c[parent] == given.c.key)
    columns = select(layout, source)
    rows = shape.order.page(
        source,
        columns,
        sa.and_(*where),
        sa.bindparam("limit", type_=sa.Integer()),
        after=_named("after", shape.order, shape.after),
        before=_named("before", shape.order, shape.before),
        backwards=shape.backwards,
    )
    if parent is None:
        return compile_statement(rows)
    lateral = rows.lateral()
    return compile_statement(
        sa.select(*list(lateral.c)[: len(columns)], sa.cast(given.c.key, sa.Text).label("key")).select_from(
            given.join(lateral, sa.true())
        )
    )


def _named(name: str, order: Order, place: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The place of a cursor as parameters; a place without a value is another statement."""
    if place is None:
        return None
    return {
        column.name: None
        if place[column.name] is None
        else sa.bindparam(f"{name}_{column.name}", type_=column.type)
        for column in order.columns
    }


def count(
    layout: Layout, parent: str | None, filter_: Mapping[str, Any] | None, viewer: AnyViewer
) -> Statement:
    """How many rows a list has; with `parent`, a pair of key and number for each of `keys` that has any."""
    target = layout.table
    source = target.table.alias()
    where = sa.and_(
        target.scope(source, viewer),
        sa.true() if filter_ is None else condition(target, source, filter_, viewer),
    )
    if parent is None:
        return compile_statement(sa.select(sa.func.count()).select_from(source).where(where))
    given = _keys()
    joined = given.join(source, sa.and_(source.c[parent] == given.c.key, where))
    return compile_statement(
        sa.select(sa.cast(given.c.key, sa.Text), sa.func.count()).select_from(joined).group_by(given.c.key)
    )


def _keys() -> sa.TableValuedAlias:
    keys = sa.bindparam("keys", type_=sa.ARRAY(sa.Uuid()))
    return sa.func.unnest(keys).table_valued(sa.column("key", sa.Uuid())).render_derived()
