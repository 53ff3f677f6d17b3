"""Root fields, one line each: `deal: Deal | None = one(models.Deal, …)`, `deals: … = many(…)`."""

from functools import cached_property
from typing import Any

import strawberry
from strawberry.annotation import StrawberryAnnotation
from strawberry.types.arguments import StrawberryArgument

from db.base import Base
from graph.connection import Connection
from graph.errors import NotFound
from graph.filters import parse_id
from graph.permissions import Permission
from graph.relations import list_arguments, list_request
from graph.tables import TABLES, RelationField, TableType


class RootField(RelationField):
    """A field of Query over one table."""

    model: type[Base]
    is_async = True

    @cached_property
    def forward(self) -> bool:
        """There is no row at this end."""
        return False

    @cached_property
    def target(self) -> TableType:
        """The table that is read."""
        return TABLES[self.model.__table__]  # type: ignore[index]


class RootOne(RootField):
    """One row by its id."""

    @cached_property
    def arguments(self) -> list[StrawberryArgument]:
        """`id`."""
        help_text = f"The id of the {self.target.name}."
        return [StrawberryArgument("id", None, StrawberryAnnotation(strawberry.ID), description=help_text)]

    async def get_result(self, source: Any, info: Any, args: list[Any], kwargs: Any) -> Any:
        """The row; NotFound, in the same words, whether it does not exist or may not be seen."""
        viewer = await info.context.authenticate()
        self.target.allow(viewer)
        self.allow(viewer)
        row = await info.context.loaders.one(self.target, "id").load(parse_id(kwargs["id"]))
        if row is None:
            raise NotFound
        return row


class RootMany(RootField):
    """All rows of a table, as a connection."""

    @cached_property
    def arguments(self) -> list[StrawberryArgument]:
        """`first`, `after`, `last`, `before`, `filter`, `orderBy`."""
        return list_arguments(self)

    async def get_result(self, source: Any, info: Any, args: list[Any], kwargs: Any) -> Connection[Any]:
        """A page of the rows that the viewer may see."""
        viewer = await info.context.authenticate()
        self.target.allow(viewer)
        self.allow(viewer)
        connection: Connection[Any] = await info.context.loaders.page(
            list_request(self, info.context, kwargs)
        )
        return connection


def one(model: type[Base], description: str, *, needs: Permission | None = None) -> Any:
    """The row of `model` with a given id."""
    result = RootOne(type_annotation=None, description=description)
    result.model = model
    result.gate(needs)
    return result


def many(model: type[Base], description: str, *, needs: Permission | None = None) -> Any:
    """The rows of `model`, paged."""
    result = RootMany(type_annotation=None, description=description)
    result.model = model
    result.gate(needs)
    return result
