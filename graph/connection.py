"""Connections: pages of a list by keyset, as the Relay specification has them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import strawberry

from graph.cursor import CursorScope
from graph.errors import BadInput
from graph.limits import DEFAULT_PAGE, MAX_PAGE
from graph.ordering import Order

T = TypeVar("T")


@dataclass(frozen=True)
class PageRequest:
    """What part of a list is asked for: `limit` rows from the start, or `backwards` from the end."""

    order: Order
    limit: int
    backwards: bool
    after: dict[str, Any] | None
    before: dict[str, Any] | None


@dataclass(frozen=True)
class Page:
    """The rows of a page, in the list's order, and what is beyond them."""

    rows: list[Any]
    request: PageRequest
    scope: CursorScope
    more: bool
    count: Callable[[], Awaitable[int]]
    """How many rows the whole list has; costs a statement."""

    def cursor(self, row: Any) -> str:
        """The cursor of one of the rows."""
        return self.scope.encode(self.request.order.place, row)


def page_request(
    order: Order,
    scope: CursorScope,
    first: int | None,
    after: str | None,
    last: int | None,
    before: str | None,
) -> PageRequest:
    """The page that the arguments ask for; BadInput or BadCursor where they do not fit."""
    if first is not None and last is not None:
        raise BadInput("Give `first` or `last`, not both.")
    for name, value in (("first", first), ("last", last)):
        if value is not None and not 0 <= value <= MAX_PAGE:
            raise BadInput(f"`{name}` is from 0 to {MAX_PAGE}.")
    limit = first if first is not None else last if last is not None else DEFAULT_PAGE
    return PageRequest(
        order,
        limit,
        last is not None,
        None if after is None else scope.decode(order.place, after),
        None if before is None else scope.decode(order.place, before),
    )


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    """Relay's PageInfo."""

    has_next_page: bool = strawberry.field(description="Whether rows follow this page.")
    has_previous_page: bool = strawberry.field(description="Whether rows precede this page.")
    start_cursor: str | None = strawberry.field(description="The first row's cursor; null on an empty page.")
    end_cursor: str | None = strawberry.field(description="The last row's cursor; null on an empty page.")


@strawberry.type(description="A row and its place in the list.")
class Edge(Generic[T]):
    """Relay's Edge."""

    node: T = strawberry.field(description="The row.")
    page: strawberry.Private[Page]

    @strawberry.field(description="The place of this row: opaque, for `after` and `before` of the same list.")
    def cursor(self) -> str:
        """Signed when asked for, not before."""
        return self.page.cursor(self.node)


@strawberry.type(description="A page of a list.")
class Connection(Generic[T]):
    """Relay's Connection, with the rows also at hand as `nodes`."""

    nodes: list[T] = strawberry.field(description="The rows of this page.")
    page: strawberry.Private[Page]

    @strawberry.field(description="The rows of this page, each with its cursor.")
    def edges(self) -> list[Edge[T]]:
        """One edge a row."""
        return [Edge(node=row, page=self.page) for row in self.nodes]

    @strawberry.field(description="Where this page stands in the list.")
    def page_info(self) -> PageInfo:
        """What is before and after, as far as the request tells without another statement.

        A cursor names a row that was in the list, so there is something on its far side.
        """
        request, rows = self.page.request, self.page.rows
        return PageInfo(
            has_next_page=request.before is not None if request.backwards else self.page.more,
            has_previous_page=self.page.more if request.backwards else request.after is not None,
            start_cursor=self.page.cursor(rows[0]) if rows else None,
            end_cursor=self.page.cursor(rows[-1]) if rows else None,
        )

    @strawberry.field(description="How many rows the list has under its filter; counted only when asked.")
    async def total_count(self) -> int:
        """Costs a statement, one for all parents."""
        return await self.page.count()
