"""Relations, one line each in a type: `to_one(models.Deal.company_id, …)`, `to_many(…)`.

They are fields that hold data (which column, which table), not a coroutine each: the loaders here and any
planner read the same declaration.
"""

from collections.abc import Awaitable
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute
from strawberry.annotation import StrawberryAnnotation
from strawberry.types.arguments import StrawberryArgument

from db.base import Base
from graph.connection import page_request
from graph.cursor import CursorScope
from graph.filters import condition, filter_input
from graph.limits import DEFAULT_PAGE, MAX_PAGE
from graph.loaders import ListRequest
from graph.ordering import order_input, order_of
from graph.permissions import Permission
from graph.tables import RelationField


class ToOne(RelationField):
    """A relation to at most one row."""

    def get_result(self, source: Any, info: Any, args: list[Any], kwargs: Any) -> Awaitable[Any] | None:
        """The row, batched with those of its siblings; None where there is none that may be seen."""
        context = info.context
        self.target.allow(context.viewer)
        self.allow(context.viewer, source)
        key = getattr(source, self.local)
        if key is None:
            return None
        loaded: Awaitable[Any] = context.loaders.one(self.target, self.remote).load(key)
        return loaded


class ToMany(RelationField):
    """A relation to a list, paged per parent."""

    @property
    def forward(self) -> bool:
        """The column is always the rows' own."""
        return False

    @cached_property
    def arguments(self) -> list[StrawberryArgument]:
        """`first`, `after`, `last`, `before`, `filter`, `orderBy`."""
        return list_arguments(self)

    def get_result(self, source: Any, info: Any, args: list[Any], kwargs: Any) -> Awaitable[Any]:
        """The page of `source`, batched with those of its siblings."""
        context = info.context
        self.target.allow(context.viewer)
        self.allow(context.viewer, source)
        parent = getattr(source, self.local)
        # The arguments are a tree of parsed values: their text tells one set from another.
        arguments = repr(kwargs)
        loader = context.loaders.find(self, arguments)
        # A cursor is good under one parent only, so with one in hand every parent is looked at.
        if loader is None or kwargs.get("after") is not None or kwargs.get("before") is not None:
            request = list_request(self, context, kwargs, str(parent))
            loader = context.loaders.many(self, arguments, request)
        loaded: Awaitable[Any] = loader.load(parent)
        return loaded


def list_arguments(item: RelationField) -> list[StrawberryArgument]:
    """The arguments of a connection over the target of `item`."""
    order = order_input(item.target)
    page = f"At most {MAX_PAGE}; {DEFAULT_PAGE} if neither `first` nor `last` is given."
    given: list[tuple[str, Any, str]] = [
        ("first", int | None, f"How many rows from the start, or after `after`. {page}"),
        ("after", str | None, "Only rows after this cursor."),
        (
            "last",
            int | None,
            f"How many rows from the end, or before `before`. At most {MAX_PAGE}.",
        ),
        ("before", str | None, "Only rows before this cursor."),
        ("filter", filter_input(item.target) | None, "Which rows."),
    ]
    if order is not None:
        given.append(("order_by", order | None, "In which order."))
    return [
        StrawberryArgument(name, None, StrawberryAnnotation(annotation), description=help_text)
        for name, annotation, help_text in given
    ]


def list_request(item: RelationField, context: Any, kwargs: dict[str, Any], parent: str = "") -> ListRequest:
    """What the arguments `kwargs` of a list, under `parent` if it has one, ask for; checked."""
    target, viewer = item.target, context.viewer
    order = order_of(target, kwargs.get("order_by"), viewer)
    name = f"{item.origin.__name__}.{item.python_name}"  # type: ignore[union-attr]
    scope = CursorScope(context.cursor_key, viewer.tenant_id, name, parent, order.name)
    page = page_request(
        order, scope, kwargs.get("first"), kwargs.get("after"), kwargs.get("last"), kwargs.get("before")
    )
    source = target.table.alias()
    given = kwargs.get("filter")
    where = sa.and_(
        target.scope(source, viewer), sa.true() if given is None else condition(target, source, given, viewer)
    )
    return ListRequest(target, source, item.remote if parent else None, where, page, scope)


def to_one(
    key: InstrumentedAttribute[Any],
    description: str,
    *,
    target: type[Base] | None = None,
    local: str | None = None,
    needs: Permission | None = None,
    own: str | None = None,
) -> Any:
    """The row that `key`, a foreign key of this type's table, names; or the one row whose `key` names this.

    Reading it takes the target type's permission, and `needs` beside it. `target` names the model where
    the column has no foreign key, `local` the attribute of this type that `key` names, if that is not `id`.
    """
    result = ToOne(type_annotation=None, description=description)
    result.attribute = local
    result.column = key.property.columns[0]
    result.named = None if target is None else target.__table__  # type: ignore[assignment]
    result.gate(needs, own)
    return result


def to_many(
    key: InstrumentedAttribute[Any],
    description: str,
    *,
    needs: Permission | None = None,
    own: str | None = None,
) -> Any:
    """The rows whose `key` names this one, as a connection."""
    result = ToMany(type_annotation=None, description=description)
    result.column = key.property.columns[0]
    result.gate(needs, own)
    return result
