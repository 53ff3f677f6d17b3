"""The SQL of a plan's sources: composed with SQLAlchemy once, kept as text with the places of its parameters.

Everything that differs from request to request is a named parameter (`tenant`, `user`, `keys`, `limit`, the
place of a cursor), but for usual sizes of pages: where LIMIT is a parameter PostgreSQL expects a tenth of all
rows and plans anew each time, which takes it longer than to read the page. The values of a filter are part of
the statement's own parameters, so a statement is kept for each filter seen, up to a bound.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from db.compiled import Statement, compile_statement
from graph.auth.viewer import Viewer
from graph.engine.plan import ObjectPlan, Source
from graph.filters import condition
from graph.node import portable, restored
from graph.ordering import Order
from graph.stored import at_an_end, readable

_TENANT: Final = sa.bindparam("tenant", type_=sa.Uuid())
_USER: Final = sa.bindparam("user", type_=sa.Uuid())
_LIMIT: Final = sa.bindparam("limit", type_=sa.Integer())
_KEY: Final = sa.bindparam("key", type_=sa.Uuid())
# One text, "{…,…}", since the driver takes longer over each element of an array than PostgreSQL, which
# parses; as a subquery, so that it does so once and not for each row it compares
_IDS: Final = sa.ARRAY(sa.Uuid())
_KEYS: Final = sa.cast(
    sa.select(sa.cast(sa.bindparam("keys", type_=sa.Text()), _IDS)).scalar_subquery(), _IDS
)


class AnyViewer(Viewer):
    """A viewer with given permissions whose tenant and user are parameters."""

    @classmethod
    def like(cls, viewer: Viewer) -> "AnyViewer":
        """Whoever holds what `viewer` holds."""
        return cls(_TENANT, _USER, viewer.session_id, viewer.permissions)  # type: ignore[arg-type]


def read(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """A column as rows have it: ids as text, which is quick to look up; `build` sees to the rest."""
    return sa.cast(column, sa.Text) if _as_text(column.type) else readable(column)


def _as_text(kind: sa.types.TypeEngine[Any]) -> bool:
    return isinstance(kind, sa.Uuid | sa.Numeric)


def by_key(source: Source, viewer: AnyViewer) -> Statement:
    """The rows whose column `remote` is one of `keys`, or `key` where there is one; the key comes last."""
    rows = source.target.table
    assert source.remote is not None
    key = rows.c[source.remote]
    columns = [read(rows.c[name]).label(name) for name in source.columns]
    return compile_statement(
        sa.select(*columns, sa.cast(key, sa.Text).label("key")).where(
            source.target.scope(rows, viewer), key == (_KEY if source.one else sa.any_(_KEYS))
        )
    )


def nodes(kinds: Mapping[str, ObjectPlan], viewer: AnyViewer) -> Statement:
    """The rows with the ids `keys` of any table: its name, the id, and an array of what `kinds` shows."""
    probes: list[sa.Select[Any, Any, Any]] = []
    for name, plan in kinds.items():
        target, rows = plan.source.target, plan.source.target.table
        columns = [rows.c[column] for column in plan.source.columns]
        shows = sa.func.json_build_array(*(portable(readable(column), column) for column in columns))
        probes.append(
            sa.select(
                sa.literal_column(f"'{name}'").label("name"),
                sa.cast(rows.c.id, sa.Text).label("key"),
                sa.cast(shows, sa.Text).label("shows"),
            ).where(rows.c.id == sa.any_(_KEYS), target.scope(rows, viewer))
        )
    return compile_statement(sa.union_all(*probes))


def node_row(plan: ObjectPlan, key: str, shows: str) -> tuple[Any, ...]:
    """What `nodes` found of a row, as `by_key` has rows."""
    columns = [plan.source.target.table.c[name] for name in plan.source.columns]
    values = zip(orjson.loads(shows), columns, strict=True)
    return (*(value if _stays(column) else restored(value, column) for value, column in values), key)


def _stays(stored: sa.Column[Any]) -> bool:
    """Whether a column is text in JSON and in rows as well."""
    return _as_text(stored.type) or isinstance(stored.type, JSONB)


@dataclass(frozen=True)
class Shape:
    """What decides the SQL of a page, the values of its parameters apart."""

    order: Order
    backwards: bool
    after: Mapping[str, Any] | None
    before: Mapping[str, Any] | None
    limit: int | None
    """How many rows at most; None where it is a parameter, of which clients may think of any number."""
    cursors: bool
    """Whether the columns that a cursor holds are read."""

    @property
    def key(self) -> Any:
        """Equal for pages with the same SQL."""
        places = [self._kind(place) for place in (self.after, self.before)]
        return (self.order.name, self.backwards, self.limit, self.cursors, *places)

    def _kind(self, place: Mapping[str, Any] | None) -> Any:
        if place is None:
            return None
        value = place[self.order.column]
        return tuple(place.values()) if at_an_end(value) else value is None

    def named(self, name: str, place: Mapping[str, Any] | None) -> dict[str, Any] | None:
        """A place as parameters; without a value, or with an odd one, it is found in other ways."""
        if place is None or at_an_end(place[self.order.column]):
            return None if place is None else dict(place)
        return {
            column.name: None
            if place[column.name] is None
            else sa.bindparam(f"{name}_{column.name}", type_=column.type)
            for column in self.order.columns
        }


def page(source: Source, shape: Shape, filter_: Mapping[str, Any] | None, viewer: AnyViewer) -> Statement:
    """A page, and a row more: under the one parent `key`, or one for each of `keys`, which comes last."""
    target = source.target
    rows = target.table.alias()
    where = [target.scope(rows, viewer)]
    if filter_ is not None:
        where.append(condition(target, rows, filter_, viewer))
    given = _keys()
    several = source.remote is not None and not source.one
    if source.remote is not None:
        where.append(rows.c[source.remote] == (given.c.key if several else _KEY))
    columns: list[sa.ColumnElement[Any]] = [read(rows.c[name]).label(name) for name in source.columns]
    places = []
    for stored in shape.order.place if shape.cursors else ():
        if stored.name in source.columns:
            places.append(source.columns.index(stored.name))
        else:
            places.append(len(columns))
            columns.append(read(rows.c[stored.name]).label(f"place_{stored.name}"))
    if not columns:
        columns.append(rows.c[target.key[0]])  # there is nothing to show, but there are rows to count
    found = shape.order.page(
        rows,
        columns,
        sa.and_(*where),
        _LIMIT if shape.limit is None else sa.literal_column(str(shape.limit)),
        after=shape.named("after", shape.after),
        before=shape.named("before", shape.before),
        backwards=shape.backwards,
    )
    if several:
        # Each parent's rows arrive together and in the order of its own subquery, as in the loaders
        lateral = found.lateral()
        own = list(lateral.c)[: len(columns)]
        found = sa.select(*own, sa.cast(given.c.key, sa.Text).label("key")).select_from(
            given.join(lateral, sa.true())
        )
    return compile_statement(found, tuple(places))


def count(source: Source, filter_: Mapping[str, Any] | None, viewer: AnyViewer) -> Statement:
    """How many rows a list has: one number, or a pair of key and number for each of `keys` that has any."""
    target = source.target
    rows = target.table.alias()
    where = sa.and_(
        target.scope(rows, viewer),
        sa.true() if filter_ is None else condition(target, rows, filter_, viewer),
    )
    if source.remote is None or source.one:
        under = sa.true() if source.remote is None else rows.c[source.remote] == _KEY
        return compile_statement(sa.select(sa.func.count()).select_from(rows).where(where, under))
    given = _keys()
    joined = given.join(rows, sa.and_(rows.c[source.remote] == given.c.key, where))
    key = sa.cast(given.c.key, sa.Text)
    return compile_statement(sa.select(key, sa.func.count()).select_from(joined).group_by(given.c.key))


def _keys() -> sa.TableValuedAlias:
    return sa.func.unnest(_KEYS).table_valued(sa.column("key", sa.Uuid())).render_derived()
