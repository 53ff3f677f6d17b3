"""Running a plan: every source of a level is one statement for all parents, then comes the next level.

The snapshot, the rights and the words of the statements are those of the loaders; what differs is that there
is no future and no coroutine per row. Objects are made when all is read, children before their parents.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from graphql import GraphQLError, is_list_type
from graphql.execution.values import VariableValues, get_argument_values

from db.compiled import Statement
from graph.auth.viewer import Viewer
from graph.connection import PageRequest, page_request
from graph.cursor import CursorScope
from graph.engine import statements
from graph.engine.build import compile_build
from graph.engine.collect import Unplanned
from graph.engine.kept import Statements
from graph.engine.pages import Pages, connections, slices
from graph.engine.plan import Child, Entry, NodeSource, ObjectPlan, Plan, Source
from graph.engine.statements import AnyViewer, Shape
from graph.engine.weigh import at_most
from graph.errors import GatewayError, NotFound
from graph.filters import parse_id
from graph.node import wanted
from graph.ordering import Order, order_of
from graph.size import MAX_AT_ONCE

_STATEMENTS: Final = Statements()
_NONE: Final[Mapping[Any, Any]] = {}


@dataclass
class _Request:
    """What the pages of a source are read by."""

    page: PageRequest
    rows: Statement
    count: Statement | None


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
        self._me = str(viewer.user_id)
        self._given = {"tenant": viewer.tenant_id, "user": viewer.user_id}
        self._queries = True
        """Whether the root is that of a query, with no rows of its own."""
        self._rows: list[list[Any]] = [[] for _ in plan.objects]
        self._made: list[list[Any]] = [[] for _ in plan.objects]
        self._pages: dict[Child, Pages] = {}
        self._nodes: dict[Child, list[tuple[ObjectPlan | None, str]]] = {}
        """The ids that `nodes` was given, and what is made of their rows."""
        self._failed: dict[Child, GatewayError] = {}
        """What is null, under every parent, and why."""
        self.rows_read = 0
        """Rows that were read to be shown; a list's number is one."""

    async def read(self, given: list[Any] | None = None) -> None:
        """Read all there is to read; Unplanned where graphql-core has to find out what becomes of it.

        `given` are rows for the root to begin with; a query has one of its own.
        """
        self._queries = given is None
        self._take(self._plan.root, [self._root_row()] if given is None else given)
        for level in self._plan.levels:
            for source in level:
                if isinstance(source, NodeSource):
                    await self._read_nodes(source)
                elif source.relation is None:
                    await self._read_rows(source)
                else:
                    await self._read_pages(source)

    @property
    def given(self) -> list[Any]:
        """The root's rows."""
        return self._rows[0]

    def drop_partial(self) -> None:
        """Make nothing of the root's rows that lack another where no null may stand."""
        for child in self._plan.root.children:
            if child.required and child.one is not None:
                found = {row[-1] for row in self._rows[child.one.number]}
                self._rows[0] = [row for row in self._rows[0] if row[child.key] in found]

    async def objects(self) -> list[dict[str, Any]]:
        """What is made of the root's rows: of a query, its `data` alone. Unplanned as in `read`."""
        for plan in reversed(self._plan.objects):
            if self._rows[plan.number]:
                await self._make(plan)
        return self._made[0]

    def weight(self, times: int) -> int:
        """The bytes of `data` in JSON, at most, if the objects of no plan stand in it more often together."""
        return at_most(self._plan.objects, self._rows, self._pages, self._nodes, times)

    def errors(self, made: dict[str, Any], path: list[Any]) -> Iterator[GraphQLError]:
        """What was refused or failed in one of `objects`, at each place where it was asked for."""
        if self._failed or self._plan.refuses:
            yield from self._errors(self._plan.root, made, path)

    def _root_row(self) -> tuple[Any, ...]:
        """The root's row: the id of each root field that has one."""
        row = []
        for child in self._plan.root.children:
            key = None
            if child.one is not None and child.source is None:
                self._rows[child.one.number] = [(self._me, str(self._viewer.tenant_id), None)]
            elif child.one is not None:
                try:
                    key = str(parse_id(self._arguments(child)["id"]))
                except GatewayError as error:
                    self._failed[child] = error
            row.append(key)
        return tuple(row)

    def _arguments(self, child: Child) -> Mapping[str, Any]:
        if child.arguments is not None:
            return child.arguments
        if child.variables is not None and self._variables is not None:
            values = self._variables.coerced
            if all(name in values for name in child.variables.values()):
                return {argument: values[name] for argument, name in child.variables.items()}
        try:
            return get_argument_values(child.definition, child.nodes[0], self._variables)
        except GraphQLError as error:
            raise Unplanned(error.message) from None

    def _keys(self, children: list[Child]) -> dict[Any, None]:
        """The keys that some children of one source look for."""
        keys: dict[Any, None] = {}
        for child in children:
            place = child.key
            keys |= dict.fromkeys([row[place] for row in self._rows[child.parent.number]])
        return keys

    def _take(self, plan: ObjectPlan, rows: list[Any]) -> None:
        for place in plan.own:
            if any(row[place] != self._me for row in rows):
                raise Unplanned("a field of somebody else's own is refused")
        self._rows[plan.number] = rows

    async def _read_rows(self, source: Source) -> None:
        keys = self._keys(source.children)
        keys.pop(None, None)
        rows = []
        if keys:
            statement = self._kept(source, None, lambda viewer: statements.by_key(source, viewer))
            rows = await self._query(statement, keys=keys)
            self.rows_read += len(rows)
        for child in source.children:
            assert child.one is not None
            mine = rows
            if len(source.children) > 1:
                own = self._keys([child])
                mine = [row for row in rows if row[-1] in own]
            self._take(child.one, mine)
            if child.parent is self._plan.root and self._queries and not mine:
                self._failed.setdefault(child, NotFound())

    async def _read_nodes(self, source: NodeSource) -> None:
        child = source.child
        arguments = self._arguments(child)
        try:
            ids = wanted(arguments["ids"] if "ids" in arguments else [arguments["id"]])
        except GatewayError as error:
            self._failed[child] = error
            return
        keys = dict.fromkeys(str(key) for key in ids if key is not None)
        found: dict[str, tuple[ObjectPlan, Any]] = {}
        if keys and child.kinds:
            if source.statement is None:
                source.statement = statements.nodes(child.kinds, AnyViewer.like(self._viewer))
            for table, key, shows in await self._query(source.statement, keys=keys):
                plan = child.kinds[table]
                found[key] = plan, statements.node_row(plan, key, shows)
        self.rows_read += len(found)
        for plan in {plan for plan, _ in found.values()}:
            self._take(plan, [row for kind, row in found.values() if kind is plan])
        self._nodes[child] = [(found[key][0] if key in found else None, key) for key in map(str, ids)]

    async def _read_pages(self, source: Source) -> None:
        keys = [None] if source.remote is None else list(self._keys(source.children))
        if not keys:
            return
        try:
            request = source.request or self._request(source, keys)
        except GatewayError as error:
            self._fail(source, error)
            return
        page = request.page
        given: dict[str, Any] = {"limit": page.limit + source.further, "keys": keys}
        for name, place in (("after", page.after), ("before", page.before)):
            given |= {f"{name}_{key}": value for key, value in (place or _NONE).items()}
        found = slices(await self._query(request.rows, **given) if source.lists else [], keys, page)
        self.rows_read += sum(len(rows) for rows, _ in found.values())
        counts: Mapping[Any, int] = {}
        if request.count is not None:
            counted = await self._query(request.count, keys=keys)
            alone = source.remote is None or source.one
            counts = {keys[0]: counted[0][0]} if alone else dict(map(tuple, counted))
        scope = self._scope(source, page.order)
        for child in source.children:
            own = found if len(source.children) == 1 else {key: found[key] for key in self._keys([child])}
            self.rows_read += len(own) if child.asks("totalCount") else 0
            pages = self._pages[child] = Pages(page, scope, request.rows.places, own, counts)
            for plan in child.objects():
                self._take(plan, pages.rows())

    def _request(self, source: Source, keys: list[Any]) -> _Request:
        first = source.children[0]
        arguments = self._arguments(first)
        after, before, filter_ = (arguments.get(name) for name in ("after", "before", "filter"))
        anywhere = after is None and before is None
        if len(keys) > 1 and not anywhere:
            raise Unplanned("a cursor is good under one parent, and there are several")
        order = order_of(source.target, arguments.get("orderBy"), self._viewer)
        scope = self._scope(source, order).under(keys[0])
        page = page_request(order, scope, arguments.get("first"), after, arguments.get("last"), before)
        limit = source.limit(page.limit)
        shape = Shape(order, page.backwards, page.after, page.before, limit, source.cursors)
        text = None if first.arguments is not None or filter_ is None else repr(filter_)
        rows = self._kept(
            source, (shape.key, text), lambda viewer: statements.page(source, shape, filter_, viewer)
        )
        count = None
        if source.counts:
            count = self._kept(source, text, lambda viewer: statements.count(source, filter_, viewer))
        request = _Request(page, rows, count)
        if first.arguments is not None and anywhere:
            source.request = request
        return request

    def _scope(self, source: Source, order: Order) -> CursorScope:
        relation = source.relation
        assert relation is not None
        name = f"{getattr(relation.origin, '__name__', '')}.{relation.python_name}"
        return CursorScope(self._cursor_key, self._viewer.tenant_id, name, "", order.name)

    def _fail(self, source: Source, error: GatewayError) -> None:
        for child in source.children:
            if child.required:
                raise Unplanned("an error where no null may stand")
            self._failed[child] = error

    def _kept(self, source: Source, key: Any, make: Callable[[AnyViewer], Statement]) -> Statement:
        return _STATEMENTS.get(source.serial, key, lambda: make(AnyViewer.like(self._viewer)))

    async def _query(self, statement: Statement, *, keys: Iterable[Any] = (), **given: Any) -> Any:
        if "keys" in statement.names:
            given["keys"] = f"{{{','.join(keys)}}}"
        elif "key" in statement.names:
            (given["key"],) = keys
        return await self._fetch(statement.sql, *statement.parameters(self._given | given))

    async def _make(self, plan: ObjectPlan) -> None:
        """Make the objects of a plan, whose children's are there already."""
        values = []
        for child in plan.children:
            found: Mapping[Any, Any] = _NONE
            if child in self._failed:
                pass
            elif child.one is not None:
                found = self._by_key(child.one)
            elif child in self._pages:
                found = await connections(child, self._pages[child], self._made)
            elif child in self._nodes:
                found = {None: self._node(child)}
            values.append(found.__getitem__ if child.required else found.get)
        if plan.build is None:
            permissions = sorted(permission.name for permission in self._viewer.permissions)
            plan.build = compile_build(plan, permissions)
        rows, made = self._rows[plan.number], self._made[plan.number]
        try:
            for start in range(0, len(rows), MAX_AT_ONCE):
                if start:
                    await asyncio.sleep(0)
                made += plan.build(rows[start : start + MAX_AT_ONCE], values)
        except KeyError:
            raise Unplanned("there is nothing where no null may stand") from None

    def _by_key(self, plan: ObjectPlan) -> dict[Any, Any]:
        """The objects of a plan by the key that their rows were found by."""
        return dict(zip([row[-1] for row in self._rows[plan.number]], self._made[plan.number], strict=True))

    def _node(self, child: Child) -> Any:
        by_plan = {plan: self._by_key(plan) for plan, _ in self._nodes[child] if plan is not None}
        found = [None if plan is None else by_plan[plan][key] for plan, key in self._nodes[child]]
        return found if is_list_type(child.definition.type) else found[0]

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
                elif child in self._nodes:
                    listed = is_list_type(child.definition.type)
                    for place, (one, _) in enumerate(self._nodes[child]):
                        if one is not None:
                            at, below = ([*here, place], made[key][place]) if listed else (here, made[key])
                            yield from self._errors(one, below, at)
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
