"""Prices of operations: the rows that each of their fields may read.

A page is as many rows as it may have, a relation to one row is a row for each parent, a `totalCount` is one.
A price is worked out once for each operation of a document; with it the variables that decide how many rows
there may be, or whether a field is there at all.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from graphql import (
    DirectiveNode,
    FieldNode,
    FragmentSpreadNode,
    GraphQLNamedType,
    GraphQLSchema,
    ListValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_composite_type,
    is_list_type,
    value_from_ast_untyped,
)

from graph import limits
from graph.admission.cost import Given, Price, Rows, Switches, Times
from graph.admission.documents import Document
from graph.relations import ToMany
from graph.roots import RootMany
from graph.tables import TABLES
from graph.writing.bulk import BulkField


class Pricer:
    """Prices the operations of valid documents."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self.schema = schema
        tables = {shown.name for shown in TABLES.values()}
        self.rows = {
            kind.name
            for kind in schema.type_map.values()
            if kind.name in tables
            or (is_abstract_type(kind) and any(t.name in tables for t in schema.get_possible_types(kind)))
        }
        """The types whose objects are rows."""

    def price(self, document: Document, operation: OperationDefinitionNode) -> Price:
        """The price of an operation of `document`, worked out now or before."""
        name = operation.name.value if operation.name else None
        price: Price | None = document.prices.get(name)
        if price is None:
            price = document.prices[name] = _Pricing(self, document).price(operation)
        return price


class _Selected(NamedTuple):
    """Fields with the same response key, on the type that they are selected of."""

    kind: GraphQLNamedType
    switches: Switches
    nodes: list[FieldNode]

    @property
    def name(self) -> str:
        return self.nodes[0].name.value

    @property
    def sets(self) -> list[SelectionSetNode]:
        return [node.selection_set for node in self.nodes if node.selection_set]

    @property
    def arguments(self) -> dict[str, ValueNode]:
        return {argument.name.value: argument.value for argument in self.nodes[0].arguments or ()}


@dataclass
class _Pricing:
    pricer: Pricer
    document: Document
    mutations: list[Times] = field(default_factory=list)
    bulk: Times | None = None
    """How many rows the bulk mutation has that is looked at, or was last."""

    def price(self, operation: OperationDefinitionNode) -> Price:
        root = self.pricer.schema.get_root_type(operation.operation)
        assert root is not None
        rows = Rows(0, below=tuple(self._below(root, [operation.selection_set])))
        defaults = {
            node.variable.name.value: value_from_ast_untyped(node.default_value)
            for node in operation.variable_definitions or ()
            if node.default_value is not None
        }
        lasting = operation.operation is OperationType.SUBSCRIPTION
        most = limits.MAX_EVENT_NODES if lasting else limits.MAX_NODES
        return Price(rows, tuple(self.mutations), defaults, self.bulk is not None, most)

    def _below(self, kind: GraphQLNamedType, sets: Sequence[SelectionSetNode]) -> Iterator[Rows]:
        for selected in self._selected(kind, sets):
            found = self._rows(selected)
            if found.own or found.below:
                yield found

    def _rows(self, selected: _Selected) -> Rows:
        if selected.name in _INTROSPECTION:
            cost = _INTROSPECTION[selected.name] * self.document.repeats
            return Rows(cost, switches=selected.switches)
        definition = getattr(selected.kind, "fields", {}).get(selected.name)
        if definition is None:
            return _NONE  # __typename
        item = definition.extensions.get("strawberry-definition")
        below, times = get_named_type(definition.type), None
        if selected.kind is self.pricer.schema.mutation_type:
            self._mutation(item, selected.arguments)
        if not is_composite_type(below):
            return _NONE
        if isinstance(item, RootMany | ToMany):
            return self._connection(below, selected)
        if is_list_type(get_nullable_type(definition.type)):
            ids = selected.arguments.get("ids")
            times = self.bulk if ids is None else _length(ids, limits.MAX_PAGE)
        own = int(below.name in self.pricer.rows)
        return Rows(own, times, selected.switches, tuple(self._below(below, selected.sets)))

    def _mutation(self, item: Any, arguments: Mapping[str, ValueNode]) -> None:
        rows: Times = _nothing
        if isinstance(item, BulkField):
            rows = self.bulk = _length(arguments["input"], limits.MAX_BULK)
        self.mutations.append(lambda given: limits.MUTATION_COST + rows(given))

    def _connection(self, kind: GraphQLNamedType, selected: _Selected) -> Rows:
        """A page, whose rows are read whatever is asked of them, and their number, where it is asked for."""
        rows: list[Rows] = []
        counts: list[Rows] = []
        for inner in self._selected(kind, selected.sets):
            if inner.name == "totalCount":
                counts.append(Rows(1, switches=inner.switches))
            for node in self._nodes(inner):
                below = _type_of(node)
                switches = (*inner.switches, *node.switches)
                rows.append(Rows(0, switches=switches, below=tuple(self._below(below, node.sets))))
        page = Rows(1, _page_size(selected.arguments), below=tuple(rows))
        return Rows(0, switches=selected.switches, below=(page, *counts))

    def _nodes(self, selected: _Selected) -> Iterator[_Selected]:
        """Where a connection shows its rows: `nodes`, or `node` in `edges`."""
        if selected.name == "nodes":
            yield selected
        elif selected.name == "edges":
            for inner in self._selected(_type_of(selected), selected.sets):
                if inner.name == "node":
                    yield inner

    def _selected(self, kind: GraphQLNamedType, sets: Sequence[SelectionSetNode]) -> Iterator[_Selected]:
        """The fields of `kind`; those of one response key are one, as they are when it runs."""
        same: dict[tuple[str, str, Switches], _Selected] = {}
        for selections in sets:
            for of, switches, node in self._fields(kind, selections, ()):
                key = node.alias.value if node.alias else node.name.value
                same.setdefault((of.name, key, switches), _Selected(of, switches, [])).nodes.append(node)
        yield from same.values()

    def _fields(
        self, kind: GraphQLNamedType, selections: SelectionSetNode, switches: Switches
    ) -> Iterator[tuple[GraphQLNamedType, Switches, FieldNode]]:
        for selection in selections.selections:
            here = _switched(switches, selection.directives or ())
            if here is None:
                continue
            if isinstance(selection, FieldNode):
                yield kind, here, selection
                continue
            below: Any = selection
            if isinstance(selection, FragmentSpreadNode):
                below = self.document.fragments[selection.name.value]
            condition = below.type_condition
            narrowed = kind if condition is None else self._narrowed(kind, condition.name.value)
            if narrowed is not None:
                yield from self._fields(narrowed, below.selection_set, here)

    def _narrowed(self, kind: GraphQLNamedType, condition: str) -> GraphQLNamedType | None:
        """What objects of `kind` are under a type condition; None if none meets it."""
        schema = self.pricer.schema
        other = schema.type_map[condition]
        if is_abstract_type(kind):
            return other
        met = other is kind or (is_abstract_type(other) and schema.is_sub_type(other, kind))
        return kind if met else None


_NONE: Final = Rows(0)
_INTROSPECTION: Final = {"__schema": limits.SCHEMA_COST, "__type": limits.TYPE_COST}


def _type_of(selected: _Selected) -> GraphQLNamedType:
    fields: Mapping[str, Any] = getattr(selected.kind, "fields", {})
    kind: GraphQLNamedType = get_named_type(fields[selected.name].type)
    return kind


def _nothing(_: Given) -> int:
    return 0


def _switched(switches: Switches, directives: Sequence[DirectiveNode]) -> Switches | None:
    """The switches with those of `directives`; None for what is never there."""
    for directive in directives:
        name = directive.name.value
        if name in ("include", "skip") and directive.arguments:
            wanted, value = name == "include", directive.arguments[0].value
            if isinstance(value, VariableNode):
                switches = (*switches, (value.name.value, wanted))
            elif getattr(value, "value", wanted) is not wanted:
                return None
    return switches


def _page_size(arguments: Mapping[str, ValueNode]) -> Times:
    asked = [arguments[name] for name in ("first", "last") if name in arguments]

    def times(given: Given) -> int:
        for node in asked:
            size = value_from_ast_untyped(node, dict(given))
            if isinstance(size, int | float):
                return int(min(max(size, 0), limits.MAX_PAGE))
        return limits.DEFAULT_PAGE

    if any(isinstance(node, VariableNode) for node in asked):
        return times
    size = times({})
    return lambda _: size


def _length(node: ValueNode, bound: int) -> Times:
    """How long a list is, up to where it is refused; what is no list is one of one."""

    def times(given: Given) -> int:
        if isinstance(node, ListValueNode):
            return min(len(node.values), bound)
        value = given.get(node.name.value) if isinstance(node, VariableNode) else 1
        return min(len(value), bound) if isinstance(value, list) else int(value is not None)

    return times
