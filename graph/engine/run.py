"""Running a plan: every source of a level is one statement for all parents, then comes the next level.

The snapshot, the rights and the words of the statements are those of the loaders; what differs is that there
is no future and no coroutine per row. Objects are made when all is read, children before their parents.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from graphql import GraphQLError
from graphql.execution.values import VariableValues, get_argument_values

from graph.auth.viewer import Viewer
from graph.connection import PageRequest, page_request
from graph.cursor import CursorScope
from graph.engine import statements
from graph.engine.build import compile_build
from graph.engine.collect import Unplanned
from graph.engine.pages import Pages, connections, slices
from graph.engine.plan import Child, Entry, ObjectPlan, Plan, Source
from graph.engine.statements import AnyViewer, Shape, Statement
from graph.errors import GatewayError, NotFound
from graph.filters import parse_id
from graph.ordering import order_of

MAX_STATEMENTS: Final = 200
"""Statements kept for one list of a plan, by filter."""

_NONE: Final[Mapping[Any, Any]] = {}


class Run:
    """One run of a plan for one viewer, within one snapshot."""

    def __init__(
        self,
        plan: Plan,
        fetch: Callable[..., Any],
        viewer: Viewer,
        cursor_key: bytes,
        variables: VariableValues | None,
    ) -> None:
        self._plan, self._fetch, self._viewer = plan, fetch, viewer
        self._cursor_key, self._variables = cursor_key, variables
        self._given = {"tenant": viewer.tenant_id, "user": viewer.user_id}
        self._me = str(viewer.user_id)
        self._rows: list[list[Any]] = [[] for _ in plan.objects]
        self._made: list[list[Any]] = [[] for _ in plan.objects]
        self._pages: dict[Child, Pages] = {}
        self._failed: dict[Child, GatewayError] = {}
        """What is null, under every parent, and why."""
        self.rows_read = 0
        """Rows that were read to be shown; a list's number is one."""

    async def read(self) -> None:
        """Read all there is to read; Unplanned where graphql-core has to find out what becomes of it."""
        self._rows[0] = [self._root_row()]
        for level in self._plan.levels:
            for source in level:
                await (self._read_rows(source) if source.relation is None else self._read_pages(source))

    async def data(self) -> dict[str, Any]:
        """The `data` of the response, made of what was read; Unplanned as in `read`."""
        for plan in reversed(self._plan.objects):
            await self._make(plan)
        data: dict[str, Any] = self._made[0][0]
        return data

    def errors(self, data: dict[str, Any]) -> list[GraphQLError]:
        """What was refused or failed, at each place of `data` where it was asked for."""
        if not self._failed and not self._plan.refuses:
            return []
        return list(self._errors(self._plan.root, data, []))

    def _root_row(self) -> tuple[Any, ...]:
        """The root's row: the id of each root field that has one."""
        row = []
        for child in self._plan.root.children:
            key = None
            if child.one is not None and child.source is None:
                self._rows[child.one.number] = [(self._me, str(self._viewer.tenant_id), None)]
            elif child.one is not None:
                arguments = get_argument_values(child.definition, child.nodes[0], self._variables)
                try:
                    key = str(parse_id(arguments["id"]))
                except GatewayError as error:
                    self._failed[child] = error
            row.append(key)
        return tuple(row)

    def _keys(self, source: Source) -> tuple[dict[Child, dict[Any, None]], list[Any]]:
        """The keys that each child of a source looks for, and all of them together."""
        wanted = {
            child: dict.fromkeys(row[child.key] for row in self._rows[child.parent.number])
            for child in source.children
        }
        first, *others = wanted.values()
        return wanted, list(
            first if not others else dict.fromkeys(key for keys in wanted.values() for key in keys)
        )

    def _take(self, plan: ObjectPlan, rows: list[Any]) -> None:
        for place in plan.own:
            if any(row[place] != self._me for row in rows):
                raise Unplanned("a field of somebody else's own is refused")
        self._rows[plan.number] = rows

    async def _read_rows(self, source: Source) -> None:
        wanted, keys = self._keys(source)
        keys = [key for key in keys if key is not None]
        found = {}
        if keys:
            statement = self._kept(source, None, lambda viewer: statements.by_key(source, viewer))
            found = {row[-1]: row for row in await self._query(statement, keys=keys)}
            self.rows_read += len(found)
        for child, own in wanted.items():
            assert child.one is not None
            self._take(child.one, [found[key] for key in own if key in found])
            if child.parent is self._plan.root and not self._rows[child.one.number]:
                self._failed.setdefault(child, NotFound())

    async def _read_pages(self, source: Source) -> None:
        wanted, keys = self._keys(source)
        if not keys:
            return
        first = source.children[0]
        arguments = get_argument_values(first.definition, first.nodes[0], self._variables)
        filter_ = arguments.get("filter")
        text = source.constant or filter_ is None or repr(filter_)
        count = None
        try:
            page, scope = self._page(source, arguments, keys)
            shape = Shape(page.order, page.backwards, page.after, page.before, source.cursors)
            statement = self._kept(
                source, (shape.key, text), lambda viewer: statements.page(source, shape, filter_, viewer)
            )
            if source.counts:
                count = self._kept(source, text, lambda viewer: statements.count(source, filter_, viewer))
        except GatewayError as error:
            self._fail(source, error)
            return
        given: dict[str, Any] = {"limit": page.limit + 1, "keys": keys}
        for name, place in (("after", page.after), ("before", page.before)):
            given |= {f"{name}_{key}": value for key, value in (place or _NONE).items()}
        found = slices(await self._query(statement, **given) if source.lists else [], keys, page)
        self.rows_read += sum(len(rows) for rows, _ in found.values())
        counts: Mapping[Any, int] = {}
        if count is not None:
            counted = await self._query(count, keys=keys)
            self.rows_read += sum(len(own) for child, own in wanted.items() if child.asks("totalCount"))
            counts = {None: counted[0][0]} if source.remote is None else dict(map(tuple, counted))
        for child, own in wanted.items():
            pages = Pages(page, scope, statement.places, {key: found[key] for key in own}, counts)
            self._pages[child] = pages
            for plan in child.objects():
                self._take(plan, pages.rows())

    def _page(
        self, source: Source, arguments: dict[str, Any], keys: list[Any]
    ) -> tuple[PageRequest, CursorScope]:
        relation = source.relation
        assert relation is not None
        after, before = arguments.get("after"), arguments.get("before")
        if len(keys) > 1 and (after is not None or before is not None):
            raise Unplanned("a cursor is good under one parent, and there are several")
        order = order_of(source.target, arguments.get("orderBy"), self._viewer)
        name = f"{getattr(relation.origin, '__name__', '')}.{relation.python_name}"
        scope = CursorScope(self._cursor_key, self._viewer.tenant_id, name, "", order.name)
        first, last = arguments.get("first"), arguments.get("last")
        return page_request(order, scope.under(keys[0]), first, after, last, before), scope

    def _fail(self, source: Source, error: GatewayError) -> None:
        for child in source.children:
            if child.required:
                raise Unplanned("an error where no null may stand")
            self._failed[child] = error

    def _kept(self, source: Source, key: Any, make: Callable[[AnyViewer], Statement]) -> Statement:
        kept: Statement | None = source.statements.get(key)
        if kept is None:
            if len(source.statements) >= MAX_STATEMENTS:
                source.statements.clear()
            kept = source.statements[key] = make(AnyViewer.like(self._viewer))
        return kept

    async def _query(self, statement: Statement, **given: Any) -> Any:
        return await self._fetch(statement.sql, *statement.parameters({**self._given, **given}))

    async def _make(self, plan: ObjectPlan) -> None:
        """Make the objects of a plan, whose children's are there already."""
        values = []
        for child in plan.children:
            found: Mapping[Any, Any] = _NONE
            if child in self._failed:
                pass
            elif child.one is not None:
                number = child.one.number
                found = {
                    row[-1]: made for row, made in zip(self._rows[number], self._made[number], strict=True)
                }
            elif child in self._pages:
                found = await connections(child, self._pages[child], self._made)
            values.append(found.__getitem__ if child.required else found.get)
        if plan.build is None:
            permissions = sorted(permission.name for permission in self._viewer.permissions)
            plan.build = compile_build(plan, permissions)
        try:
            self._made[plan.number] = plan.build(self._rows[plan.number], values)
        except KeyError:
            raise Unplanned("there is nothing where no null may stand") from None

    def _errors(self, plan: ObjectPlan, made: dict[str, Any], path: list[Any]) -> Iterator[GraphQLError]:
        for key, kind, detail in plan.entries:
            here = [*path, key]
            if kind == "refused":
                error, nodes = detail
                yield GraphQLError(str(error), nodes, path=here, original_error=error)
            elif kind == "child":
                child = plan.children[detail]
                failed = self._failed.get(child)
                if failed is not None:
                    yield GraphQLError(str(failed), child.nodes, path=here, original_error=failed)
                elif made[key] is not None and child.one is not None:
                    yield from self._errors(child.one, made[key], here)
                elif made[key] is not None:
                    yield from self._errors_of_rows(child.entries, made[key], here)

    def _errors_of_rows(
        self, entries: list[Entry], made: dict[str, Any], path: list[Any]
    ) -> Iterator[GraphQLError]:
        for key, kind, detail in entries:
            if kind == "node":
                yield from self._errors(detail, made[key], [*path, key])
            elif kind in ("nodes", "edges"):
                for place, row in enumerate(made[key]):
                    here = [*path, key, place]
                    below = self._errors if kind == "nodes" else self._errors_of_rows
                    yield from below(detail, row, here)
