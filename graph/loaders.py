"""Loaders: all rows that one level of an operation asks for, in one statement. None is written per table.

They live for one operation (or one event of a subscription), so what they hold is one snapshot of one
tenant's rows as one viewer may see them.
"""

import uuid
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import sqlalchemy as sa
from aiodataloader import DataLoader

from graph.admission.cost import Cost
from graph.auth.viewer import Viewer
from graph.connection import Connection, Page, PageRequest
from graph.cursor import CursorScope
from graph.snapshot import Snapshot
from graph.tables import TableType


@dataclass(frozen=True)
class ListRequest:
    """A page of `source`, an alias of the target's table, under a parent that the column `parent` names."""

    target: TableType
    source: sa.FromClause
    parent: str | None
    where: sa.ColumnElement[bool]
    page: PageRequest
    scope: CursorScope

    def rows(self, parent: sa.ColumnElement[bool] | None = None) -> sa.Select[Any] | sa.CompoundSelect[Any]:
        """The rows of the page, of one `parent`, and one more, which tells whether there are further ones."""
        page = self.page
        return page.order.page(
            self.source,
            self.target.select(self.source),
            sa.and_(self.where, *([] if parent is None else [parent])),
            page.limit + 1,
            after=page.after,
            before=page.before,
            backwards=page.backwards,
        )

    def connection(self, rows: list[Any], count: Any) -> Connection[Any]:
        """The connection over what `rows` found."""
        more = len(rows) > self.page.limit
        rows = rows[: self.page.limit]
        if self.page.backwards:
            rows.reverse()
        return Connection(nodes=rows, page=Page(rows, self.page, self.scope, more, count))


class Loaders:
    """The loaders of one operation, made when first asked for."""

    def __init__(self, snapshot: Snapshot, viewer: Viewer, cost: Cost) -> None:
        self._snapshot = snapshot
        self._viewer = viewer
        self._cost = cost
        self._one: dict[tuple[str, str], DataLoader[Any, Any]] = {}
        self._many: dict[tuple[object, str], DataLoader[Any, Any]] = {}

    def one(self, target: TableType, column: str) -> DataLoader[Any, Any]:
        """Rows of `target` by a column that is unique within the tenant; None where there is none."""
        key = (target.table.name, column)
        if key not in self._one:
            self._one[key] = DataLoader(partial(self._load_one, target, column))
        return self._one[key]

    def find(self, relation: object, arguments: str) -> DataLoader[Any, Any] | None:
        """The loader of `relation` with these arguments, if there is one already."""
        return self._many.get((relation, arguments))

    def many(self, relation: object, arguments: str, request: ListRequest) -> DataLoader[Any, Any]:
        """Connections by parent, for one relation with one set of arguments, which `request` spells out."""
        key = (relation, arguments)
        if key not in self._many:
            counts: DataLoader[Any, Any] = DataLoader(partial(self._load_counts, request))
            self._many[key] = DataLoader(partial(self._load_many, request, counts))
        return self._many[key]

    async def page(self, request: ListRequest) -> Connection[Any]:
        """The connection of a list without a parent."""
        rows = await self._snapshot.fetch(request.rows())
        count = sa.select(sa.func.count()).select_from(request.source).where(request.where)
        self._cost.rows += min(len(rows), request.page.limit)

        async def total() -> int:
            self._cost.rows += 1
            return int((await self._snapshot.fetch(count))[0][0])

        return request.connection([request.target.row(row) for row in rows], total)

    async def _load_one(self, target: TableType, column: str, keys: list[Any]) -> list[Any]:
        source = target.table
        wanted = sa.bindparam("keys", keys, type_=sa.ARRAY(source.c[column].type))
        statement = sa.select(source.c[column], *target.select(source)).where(
            target.scope(source, self._viewer), source.c[column] == sa.any_(wanted)
        )
        found = {row[0]: target.row(tuple(row)[1:]) for row in await self._snapshot.fetch(statement)}
        self._cost.rows += len(found)
        return [found.get(key) for key in keys]

    async def _load_many(
        self, request: ListRequest, counts: DataLoader[Any, Any], parents: list[uuid.UUID]
    ) -> list[Connection[Any]]:
        given, column = self._parents(request, parents)
        page = request.rows(column == given.c.id).lateral()
        # Each parent's rows arrive together and in the order of its own subquery: PostgreSQL runs that once
        # a parent and has no reason to sort again.
        statement = sa.select(given.c.id, page).select_from(given.join(page, sa.true()))
        found: dict[uuid.UUID, list[Any]] = {parent: [] for parent in parents}
        for row in await self._snapshot.fetch(statement):
            found[row[0]].append(request.target.row(tuple(row)[1:]))
        self._cost.rows += sum(min(len(rows), request.page.limit) for rows in found.values())
        return [
            replace(request, scope=request.scope.under(parent)).connection(rows, partial(counts.load, parent))
            for parent, rows in found.items()
        ]

    async def _load_counts(self, request: ListRequest, parents: list[uuid.UUID]) -> list[int]:
        given, column = self._parents(request, parents)
        statement = (
            sa.select(given.c.id, sa.func.count())
            .select_from(given.join(request.source, sa.and_(column == given.c.id, request.where)))
            .group_by(given.c.id)
        )
        found: dict[uuid.UUID, int] = dict(tuple(row) for row in await self._snapshot.fetch(statement))
        self._cost.rows += len(parents)
        return [found.get(parent, 0) for parent in parents]

    @staticmethod
    def _parents(request: ListRequest, parents: list[uuid.UUID]) -> tuple[sa.TableValuedAlias, Any]:
        keys = sa.bindparam("parents", parents, type_=sa.ARRAY(sa.Uuid))
        assert request.parent is not None
        given = sa.func.unnest(keys).table_valued(sa.column("id", sa.Uuid)).render_derived()
        return given, request.source.c[request.parent]
