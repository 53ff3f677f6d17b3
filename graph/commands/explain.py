"""`m3 explain`: the plan of a query, or of a feed's events, by level and with its SQL; without a database."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson
from graphql import OperationDefinitionNode, print_ast
from graphql.execution.values import VariableValues, get_argument_values

from db.compiled import Statement, compile_statement
from graph.admission.documents import Document, Documents
from graph.auth.viewer import VIEWER
from graph.commands.report import CommandFailed
from graph.engine import statements
from graph.engine.answer import ANYBODY
from graph.engine.collect import Unplanned
from graph.engine.plan import Child, Entry, NodeSource, ObjectPlan, Plan, Source
from graph.engine.plans import Plans
from graph.engine.statements import AnyViewer, Shape
from graph.limits import DEFAULT_PAGE
from graph.ordering import Order, order_of
from graph.schema import schema
from graph.subscriptions.feed import FeedField

_UNSHOWN: Final = "the row of each event, or it is not told"


def explain(text: str, json: str, name: str | None) -> str:
    """The plan of the operation `name` of a document, or of its only one, with variables in JSON."""
    try:
        given = orjson.loads(json)
    except orjson.JSONDecodeError:
        given = None
    if not isinstance(given, dict):
        raise CommandFailed("--variables is a JSON object")
    document = Documents(schema._schema).get(text)
    if document.errors:
        raise CommandFailed("; ".join(error.message for error in document.errors))
    operation = document.operation(name)
    if operation is None:
        raise CommandFailed("the document has no such operation, or several: name one with --operation")
    plans = Plans(schema._schema)
    try:
        variables = plans.coerced(document, operation, given)
        if operation.operation.value == "subscription":
            plan = _events(plans, document, operation, variables)
        else:
            plan = plans.query(document, operation, variables, ANYBODY)
    except Unplanned as why:
        return f"graphql-core runs this: {why}."
    return "\n".join(_lines(plan, variables))


def _events(
    plans: Plans, document: Document, operation: OperationDefinitionNode, variables: VariableValues | None
) -> Plan:
    """What is read for each event, or for several that wait for each other."""
    _, nodes = plans.root(document, operation, variables)
    kind = schema._schema.subscription_type
    assert kind is not None
    field = kind.fields[nodes[0].name.value].extensions["strawberry-definition"]
    assert isinstance(field, FeedField)
    return plans.rows(document, field.events, nodes, variables, ANYBODY, always=field.row)


def _lines(plan: Plan, variables: VariableValues | None) -> Iterator[str]:
    paths: dict[Source, list[str]] = {}
    _find(plan.root, "", paths)
    yield "The viewer, unless still as read before"
    yield from _sql(compile_statement(VIEWER))
    for number, level in enumerate(plan.levels, 1):
        yield f"\nLevel {number}"
        for source in level:
            if isinstance(source, NodeSource):
                (path,) = (key for key, *entry in plan.root.entries if entry == ["child", source.child.key])
                yield f"  Any type by id, for {path}"
                yield from _sql(statements.nodes(source.child.kinds, AnyViewer.like(ANYBODY)))
            else:
                yield from _source(source, paths.get(source, [_UNSHOWN]), variables)


def _source(source: Source, paths: list[str], variables: VariableValues | None) -> Iterator[str]:
    viewer = AnyViewer.like(ANYBODY)
    first, found = source.children[0], ", ".join(paths)
    if source.relation is None:
        yield f"  {source.target.name} by {source.remote}, for {found}"
        yield from _sql(statements.by_key(source, viewer))
        return
    arguments = ", ".join(print_ast(argument) for argument in first.nodes[0].arguments or ())
    pages = "the page of one" if source.one else "a page for each"
    under = "" if source.remote is None else f", {pages} {source.remote}"
    yield f"  {source.target.name}({arguments}){under}, for {found}"
    given = get_argument_values(first.definition, first.nodes[0], variables)
    filter_ = given.get("filter")
    if source.lists:
        yield from _sql(
            statements.page(source, _shape(source, given), filter_, viewer),
            limit=_limit(given) + source.further,
        )
    if source.counts:
        yield "    and how many there are"
        yield from _sql(statements.count(source, filter_, viewer))


def _shape(source: Source, given: Mapping[str, Any]) -> Shape:
    order = order_of(source.target, given.get("orderBy"), ANYBODY)
    after, before = (
        _somewhere(order) if given.get(name) is not None else None for name in ("after", "before")
    )
    limit = source.limit(_limit(given))
    return Shape(order, given.get("last") is not None, after, before, limit, source.cursors)


def _somewhere(order: Order) -> dict[str, Any]:
    """A place in a list such as most cursors hold: what it is does not show in the SQL."""
    return {column.name: "" for column in order.place}


def _limit(given: Mapping[str, Any]) -> int:
    sizes = [given[name] for name in ("first", "last") if given.get(name) is not None]
    return int(sizes[0] if sizes else DEFAULT_PAGE)


def _sql(statement: Statement, **known: Any) -> Iterator[str]:
    for line in statement.sql.splitlines():
        yield f"    {line.strip()}"
    own = {name: value for name, value in (dict(statement.own) | known).items() if value is not None}
    shown = [
        f"${place} {name}" + (f" = {_plain(own[name])!r}" if name in own else "")
        for place, name in enumerate(statement.names, 1)
    ]
    if shown:
        yield f"    -- {', '.join(shown)}"


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, str) else value  # an enum's member is both


def _find(plan: ObjectPlan, path: str, found: dict[Source, list[str]]) -> None:
    """The paths of response keys at which each source's rows stand in the answer."""
    for key, kind, detail in plan.entries:
        if kind == "child":
            child: Child = plan.children[detail]
            here = f"{path}.{key}".removeprefix(".")
            if child.source is not None:
                found.setdefault(child.source, []).append(here)
            for below in [child.one, *child.kinds.values()]:
                if below is not None:
                    _find(below, here, found)
            _find_in(child.entries, here, found)


def _find_in(entries: list[Entry], path: str, found: dict[Source, list[str]]) -> None:
    for key, kind, detail in entries:
        if kind in ("nodes", "node"):
            _find(detail, f"{path}.{key}", found)
        elif kind == "edges":
            _find_in(detail, f"{path}.{key}", found)
