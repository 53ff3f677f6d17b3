"""Running a plan: the rows of a level in one statement, then the next level with the keys found.

The snapshot, the rights and the words of the statements are those of the loaders; what differs is that there
is no future and no coroutine per row. Whatever goes wrong ends in Unplanned: graphql-core then runs the
operation anew, and words the errors.
"""

from collections.abc import Callable, Mapping
from typing import Any

from graphql.execution.values import VariableValues, get_argument_values

from graph.auth.viewer import Viewer
from graph.connection import PageRequest, page_request
from graph.cursor import CursorScope
from graph.engine import statements
from graph.engine.build import compile_build
from graph.engine.plan import Child, ListPlan, ObjectPlan, Unplanned
from graph.engine.statements import AnyViewer, Shape, Statement
from graph.errors import GatewayError, NotFound
from graph.filters import parse_id
from graph.ordering import order_of

MAX_STATEMENTS = 200
"""Statements kept for one list of a plan, by filter."""

Fetch = Callable[..., Any]


class Run:
    """One run of a plan for one viewer, within one snapshot."""

    def __init__(
        self, fetch: Fetch, viewer: Viewer, cursor_key: bytes, variables: VariableValues | None
    ) -> None:
        self._fetch, self._viewer, self._cursor_key = fetch, viewer, cursor_key
        self._variables = variables
        self._given = {"tenant": viewer.tenant_id, "user": viewer.user_id}

    async def root(self, kind: str, detail: Any) -> Any:
        """The value of a root field."""
        if kind == "constant":
            return detail
        if kind == "viewer":
            ids = (str(self._viewer.user_id), str(self._viewer.tenant_id))
            return (await self._objects(detail, [ids]))[0]
        if kind == "one":
            child, node, definition = detail
            arguments = get_argument_values(definition, node, self._variables)
            key = str(parse_id(arguments["id"]))
            found = (await self._one([child], [key]))[0]
            if key not in found:
                raise NotFound
            return found[key]
        return (await self._lists([detail], None))[0][None]

    async def _objects(self, plan: ObjectPlan, rows: Any) -> list[Any]:
        """The objects of `rows`, their children read first: one statement for each relation and arguments."""
        values: list[Any] = [None] * len(plan.children)
        for group in _groups(plan.children):
            children = [plan.children[place] for place in group]
            keys = list({row[children[0].key]: None for row in rows})
            if children[0].one is not None:
                keys = [key for key in keys if key is not None]
                found = await self._one(children, keys)
            else:
                found = await self._lists([child.many for child in children if child.many], keys)
            for place, child, mapping in zip(group, children, found, strict=True):
                values[place] = mapping.__getitem__ if child.required else mapping.get
        if plan.build is None:
            permissions = sorted(permission.name for permission in self._viewer.permissions)
            plan.build = compile_build(plan, permissions)
        try:
            built: list[Any] = plan.build(rows, values)
        except KeyError:
            raise Unplanned from None  # a required relation leads nowhere: an error, for graphql-core to word
        return built

    async def _one(self, children: list[Child], keys: list[Any]) -> list[dict[Any, Any]]:
        """For each of `children`, all the same relation, the objects by key."""
        first = children[0]
        rows: Any = []
        if keys:
            if first.layout.by_key is None:
                viewer = AnyViewer.like(self._viewer)
                first.layout.by_key = statements.by_key(first.layout, first.remote, viewer)
            rows = await self._query(first.layout.by_key, keys=keys)
        found = []
        for child in children:
            assert child.one is not None
            objects = await self._objects(child.one, rows)
            found.append({row[-1]: made for row, made in zip(rows, objects, strict=True)})
        return found

    async def _lists(self, lists: list[ListPlan], keys: list[Any] | None) -> list[dict[Any, Any]]:
        """For each of `lists`, all the same relation and arguments, the connections by key of the parent."""
        first = lists[0]
        arguments = get_argument_values(first.field, first.node, self._variables)
        try:
            page, scope = self._page(first, arguments, nested=keys is not None)
        except GatewayError:
            if keys is None:
                raise
            raise Unplanned from None  # wrong under each parent: graphql-core says so one by one
        parent = None if keys is None else first.relation.remote
        filter_ = arguments.get("filter")
        order = page.order
        for wanted in lists:
            if _cursors(wanted):
                for column in order.place:
                    wanted.layout.at(column.name, raw=True)
        shape = Shape(order, page.backwards, page.after, page.before)
        text = first.constant or filter_ is None or repr(filter_)
        statement = self._kept(
            first,
            ("page", shape.key, len(first.layout.columns), text),
            lambda viewer: statements.page(first.layout, shape, parent, filter_, viewer),
        )
        given: dict[str, Any] = {"limit": page.limit + 1, "keys": keys}
        for name, place in (("after", page.after), ("before", page.before)):
            given |= {f"{name}_{key}": value for key, value in (place or {}).items()}
        rows = await self._query(statement, **given) if keys is None or keys else []
        counts: Mapping[Any, int] = {}
        if any(wanted.counts() for wanted in lists) and (keys is None or keys):
            counting = self._kept(
                first, ("count", text), lambda viewer: statements.count(first.layout, parent, filter_, viewer)
            )
            counted = await self._query(counting, keys=keys)
            counts = {None: counted[0][0]} if keys is None else {row[0]: row[1] for row in counted}
        slices = _slices(rows, [None] if keys is None else keys, page)
        rows = [row for of_parent, _ in slices.values() for row in of_parent]
        return [await self._connections(wanted, rows, slices, page, scope, counts) for wanted in lists]

    def _page(
        self, wanted: ListPlan, arguments: dict[str, Any], *, nested: bool
    ) -> tuple[PageRequest, CursorScope]:
        target = wanted.relation.target
        after, before = arguments.get("after"), arguments.get("before")
        if nested and (after is not None or before is not None):
            raise Unplanned  # a cursor is good under one parent: graphql-core asks each of them
        order = order_of(target, arguments.get("orderBy"), self._viewer)
        origin = wanted.relation.origin
        name = f"{getattr(origin, '__name__', '')}.{wanted.relation.python_name}"
        scope = CursorScope(self._cursor_key, self._viewer.tenant_id, name, "", order.name)
        page = page_request(order, scope, arguments.get("first"), after, arguments.get("last"), before)
        return page, scope

    def _kept(self, wanted: ListPlan, key: Any, make: Callable[[AnyViewer], Statement]) -> Statement:
        kept: Statement | None = wanted.statements.get(key)
        if kept is None:
            if len(wanted.statements) >= MAX_STATEMENTS:
                wanted.statements.clear()
            kept = wanted.statements[key] = make(AnyViewer.like(self._viewer))
        return kept

    async def _connections(
        self,
        wanted: ListPlan,
        rows: list[Any],
        slices: dict[Any, tuple[list[Any], bool]],
        page: PageRequest,
        scope: CursorScope,
        counts: Mapping[Any, int],
    ) -> dict[Any, Any]:
        objects = {id(plan): await self._objects(plan, rows) for plan in wanted.objects()}
        places = (
            [wanted.layout.at(column.name, raw=True) for column in page.order.place]
            if _cursors(wanted)
            else []
        )
        found: dict[Any, Any] = {}
        start = 0
        for key, (of_parent, more) in slices.items():
            end = start + len(of_parent)
            under = scope.under(key)
            connection: dict[str, Any] = {}
            for name, kind, detail in wanted.entries:
                if kind == "nodes":
                    connection[name] = objects[id(detail)][start:end]
                elif kind == "edges":
                    connection[name] = _edges(detail, objects, of_parent, start, under, places)
                elif kind == "pageInfo":
                    connection[name] = _page_info(detail, page, of_parent, more, under, places)
                elif kind == "totalCount":
                    connection[name] = counts.get(key, 0)
                else:
                    connection[name] = detail
            found[key] = connection
            start = end
        return found

    async def _query(self, statement: Statement, **given: Any) -> Any:
        return await self._fetch(statement.sql, *statement.parameters({**self._given, **given}))


def _groups(children: list[Child]) -> list[list[int]]:
    """The places of the children that share a statement."""
    groups: dict[Any, list[int]] = {}
    for place, child in enumerate(children):
        groups.setdefault((id(child.layout), child.key), []).append(place)
    return list(groups.values())


def _cursors(wanted: ListPlan) -> bool:
    """Whether any cursor is asked for."""
    for _, kind, detail in wanted.entries:
        if kind == "edges" and any(inner == "cursor" for _, inner, _ in detail):
            return True
        if kind == "pageInfo" and any(inner in ("startCursor", "endCursor") for _, inner, _ in detail):
            return True
    return False


def _slices(rows: Any, keys: list[Any], page: PageRequest) -> dict[Any, tuple[list[Any], bool]]:
    """The rows of each parent in the list's order, and whether there are more."""
    by_key: dict[Any, list[Any]] = {key: [] for key in keys}
    if keys == [None]:
        by_key[None] = list(rows)
    else:
        for row in rows:
            by_key[row[-1]].append(row)
    return {
        key: (
            of_parent[: page.limit][::-1] if page.backwards else of_parent[: page.limit],
            len(of_parent) > page.limit,
        )
        for key, of_parent in by_key.items()
    }


def _edges(
    entries: list[tuple[str, str, Any]],
    objects: dict[int, list[Any]],
    rows: list[Any],
    start: int,
    scope: CursorScope,
    places: list[int],
) -> list[dict[str, Any]]:
    edges = []
    for number, row in enumerate(rows, start):
        edge: dict[str, Any] = {}
        for name, kind, detail in entries:
            if kind == "node":
                edge[name] = objects[id(detail)][number]
            elif kind == "cursor":
                edge[name] = scope.sign([row[place] for place in places])
            else:
                edge[name] = detail
        edges.append(edge)
    return edges


def _page_info(
    entries: list[tuple[str, str, Any]],
    page: PageRequest,
    rows: list[Any],
    more: bool,
    scope: CursorScope,
    places: list[int],
) -> dict[str, Any]:
    info: dict[str, Any] = {}
    for name, kind, detail in entries:
        if kind == "hasNextPage":
            info[name] = page.before is not None if page.backwards else more
        elif kind == "hasPreviousPage":
            info[name] = more if page.backwards else page.after is not None
        elif kind in ("startCursor", "endCursor"):
            row = rows[0 if kind == "startCursor" else -1] if rows else None
            info[name] = None if row is None else scope.sign([row[place] for place in places])
        else:
            info[name] = detail
    return info
