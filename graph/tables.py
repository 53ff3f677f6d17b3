"""Tables as they are shown: `@table` ties a GraphQL type to a model, `column()` describes a field.

A type names the columns it shows, with the columns' own names; what they are called and typed in the
database stands in the model alone. The registry here is what loaders, connections, filters and `node`
work from, so none of them knows any table by name.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, dataclass_transform

import sqlalchemy as sa
import strawberry
from strawberry.annotation import StrawberryAnnotation
from strawberry.schema_directive import Location
from strawberry.types.field import StrawberryField

from db.base import Base, target_of
from graph.auth.viewer import Viewer
from graph.errors import Forbidden
from graph.permissions import Permission, requires
from graph.stored import readable

type_namespace: dict[str, Any] = {}
"""Names that annotations of table types may use without importing them (types refer to each other)."""

Visible = Callable[[Viewer, sa.FromClause], "sa.ColumnElement[bool] | None"]
"""Which rows of a table a viewer may see: a condition, or None for all of the tenant's."""


@strawberry.schema_directive(
    locations=[Location.OBJECT], name="table", description="The table whose rows this type shows."
)
class TableDirective:
    """`@table(name:)` as printed."""

    name: str


@dataclass(frozen=True, eq=False)
class TableType:
    """One table and the type that shows it."""

    origin: type
    table: sa.Table
    needs: Permission | None
    visible: Visible | None
    sort: str
    fields: dict[str, StrawberryField] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The GraphQL name of the type."""
        return self.origin.__name__

    @cached_property
    def key(self) -> tuple[str, ...]:
        """The columns that, within the tenant, tell one row from another."""
        if "id" in self.table.c:
            return ("id",)
        rest = tuple(column.name for column in self.table.primary_key if column.name != "tenant_id")
        return rest or ("tenant_id",)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns that are read: those shown, and the key."""
        shown = (name for name in self.fields if name in self.table.c)
        return tuple(dict.fromkeys((*shown, *self.key)))

    def row(self, values: Sequence[Any]) -> Any:
        """An instance of the type from the values of `columns`, past its `__init__`."""
        instance: Any = object.__new__(self.origin)
        instance.__dict__.update(zip(self.columns, values, strict=False))
        return instance

    def select(self, source: sa.FromClause) -> list[sa.ColumnElement[Any]]:
        """The columns of `source`, the table or an alias of it, in the order that `row` takes."""
        return [readable(source.c[name]).label(name) for name in self.columns]

    def scope(self, source: sa.FromClause, viewer: Viewer) -> sa.ColumnElement[bool]:
        """The rows that `viewer` may see: of the tenant, by name, and by the type's own rule."""
        own = sa.true() if self.visible is None else self.visible(viewer, source)
        return sa.and_(in_tenant(source, self.table, viewer), sa.true() if own is None else own)

    def allow(self, viewer: Viewer) -> None:
        """Raise Forbidden unless `viewer` may read this type."""
        if self.needs is not None and not viewer.has(self.needs):
            raise Forbidden(self.needs)


def in_tenant(source: sa.FromClause, table: sa.Table, viewer: Viewer) -> sa.ColumnElement[bool]:
    """The rows of the viewer's tenant, and those of none: the second lock beside row level security."""
    if table.name == "tenants":
        return source.c.id == viewer.tenant_id
    if "tenant_id" not in table.c:
        return sa.true()
    own: sa.ColumnElement[bool] = source.c.tenant_id == viewer.tenant_id
    return sa.or_(own, source.c.tenant_id.is_(None)) if table.c.tenant_id.nullable else own


TABLES: dict[sa.Table, TableType] = {}
"""Every table that is shown, by its SQLAlchemy table."""


class GatedField(StrawberryField):
    """A field that may need a permission of its own, beside its type's.

    `own` names the attribute that holds a user's id: that user passes without the permission.
    """

    needs: Permission | None = None
    own: str | None = None

    @property
    def is_basic_field(self) -> bool:
        """A field that checks nothing is read straight off the row."""
        return self.needs is None

    def gate(self, needs: Permission | None, own: str | None = None) -> None:
        """Require `needs`, in print and in fact."""
        self.needs, self.own = needs, own
        if needs is not None:
            self.directives = [*self.directives, requires(needs)]

    def allow(self, viewer: Viewer, source: Any = None) -> None:
        """Raise Forbidden unless `viewer` may read this field (of `source`, where it has an owner)."""
        if self.needs is None or viewer.has(self.needs):
            return
        if self.own is None or source is None or getattr(source, self.own, None) != viewer.user_id:
            raise Forbidden(self.needs)


class ColumnField(GatedField):
    """A column as a field."""

    shown: Callable[[Any], Any] | None = None
    """What is shown of a row, where it is not the value as it is stored."""

    @property
    def is_basic_field(self) -> bool:
        """A field that checks and withholds nothing is read straight off the row."""
        return self.needs is None and self.shown is None

    def get_result(self, source: Any, info: Any, args: list[Any], kwargs: Any) -> Any:
        """The value on the row, if the viewer may read it."""
        if self.needs is not None:
            self.allow(info.context.viewer, source)
        return getattr(source, self.python_name) if self.shown is None else self.shown(source)


class RelationField(GatedField):
    """A way from one row to another, as data: which column, of which table.

    `column` is a foreign key of the type's own table (the row it names), or a column of another table
    that names this one (the row or rows that point here).
    """

    column: sa.Column[Any]
    named: sa.Table | None = None
    """The target where the column carries no foreign key (history keeps ids of what may be gone)."""
    attribute: str | None = None
    """The attribute of the row at this end, where it is neither the column nor `id`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.init = False  # resolved, so never given to the type's constructor

    @property
    def is_basic_field(self) -> bool:
        """A relation is never read straight off the row."""
        return False

    @cached_property
    def forward(self) -> bool:
        """Whether the column is the type's own."""
        return any(
            shown.table is self.column.table for shown in TABLES.values() if shown.origin is self.origin
        )

    @cached_property
    def target(self) -> TableType:
        """The table at the other end."""
        other = self.named if self.named is not None else target_of(self.column)
        assert not self.forward or other is not None, f"{self.column} names no table"
        return TABLES[other if self.forward and other is not None else self.column.table]

    @property
    def local(self) -> str:
        """The attribute of the row at this end that is matched."""
        return self.attribute or (self.column.name if self.forward else "id")

    @property
    def remote(self) -> str:
        """The column at the other end that is matched with it."""
        return "id" if self.forward else self.column.name


def column(
    description: str,
    *,
    needs: Permission | None = None,
    own: str | None = None,
    shown: Callable[[Any], Any] | None = None,
) -> Any:
    """A column: `name: str = column("What it is called.")`.

    With `needs`, reading, filtering and ordering by it take that permission as well, and the field is
    nullable; the user whose id is in the attribute `own` reads it all the same. `shown` says what of a row
    is shown in place of the stored value.
    """
    result = ColumnField(type_annotation=None, description=description)
    result.gate(needs, own)
    result.shown = shown
    return result


@dataclass_transform(kw_only_default=True, field_specifiers=(column,))
def table(
    model: type[Base],
    *,
    needs: Permission | None = None,
    visible: Visible | None = None,
    sort: str = "created_at",
) -> Callable[[type], type]:
    """Show `model` as the decorated type, whose docstring is its description.

    `needs` is the right to read it, wherever it is returned. `visible` narrows the rows further.
    `sort` is the column of the default order: newest first by `created_at`, any other ascending.
    """
    stored = model.__table__
    assert isinstance(stored, sa.Table)

    def register(origin: type) -> type:
        directives: list[object] = [TableDirective(name=stored.name)]
        if needs is not None:
            directives.append(requires(needs))
        shown = strawberry.type(origin, description=origin.__doc__, directives=directives)
        fields = {f.python_name: f for f in shown.__strawberry_definition__.fields}  # type: ignore[attr-defined]
        TABLES[stored] = TableType(shown, stored, needs, visible, sort, fields)
        type_namespace[shown.__name__] = shown
        return shown

    return register


def resolve_annotations(*others: type) -> None:
    """Let table types, and `others`, name each other across modules; call when all are imported."""
    for origin in (*(shown.origin for shown in TABLES.values()), *others):
        names = {**sys.modules[origin.__module__].__dict__, **type_namespace}
        for item in origin.__strawberry_definition__.fields:  # type: ignore[attr-defined]
            annotation = item.type_annotation
            if annotation is not None and isinstance(annotation.raw_annotation, str):
                item.type_annotation = StrawberryAnnotation(annotation.raw_annotation, namespace=names)
