"""The plan of an operation: a tree of what to read and how the answer is laid out.

Planning walks the selections once, with fragments, aliases, `@include` and `@skip` resolved and rights
checked. What it finds that the engine does not do raises Unplanned, and graphql-core runs the operation.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as default
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLAbstractType,
    GraphQLField,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    print_ast,
)
from graphql.type import is_abstract_type

from graph.auth.viewer import Viewer
from graph.engine.documents import Document
from graph.relations import ToMany, ToOne
from graph.roots import RootMany, RootOne
from graph.tables import TABLES, ColumnField, GatedField, RelationField, TableType
from graph.types.identity import ViewerType

Fields = dict[str, list[FieldNode]]


class Unplanned(Exception):
    """Something that the engine leaves to graphql-core."""


@dataclass
class Layout:
    """The columns of one statement, in the order in which rows have them.

    `shown` columns are in the form of the answer, `raw` ones as they are stored, for cursors.
    """

    table: TableType
    columns: list[tuple[str, bool]] = default(default_factory=list)
    by_key: Any = None
    """The statement that finds rows by key, once it is written."""

    def at(self, column: str, *, raw: bool = False) -> int:
        """The place of a column in the rows, which has one from now on."""
        wanted = (column, raw)
        if wanted not in self.columns:
            self.columns.append(wanted)
        return self.columns.index(wanted)


@dataclass
class Child:
    """A relation to follow: the place of its key in the parent's rows, and what is read at the other end."""

    key: int
    layout: Layout
    remote: str
    required: bool = False
    one: "ObjectPlan | None" = None
    many: "ListPlan | None" = None


@dataclass
class ObjectPlan:
    """Objects made of the rows of a layout: for each response key a constant, a column or a child."""

    layout: Layout
    entries: list[tuple[str, str, Any]] = default(default_factory=list)
    children: list[Child] = default(default_factory=list)
    build: Any = None


@dataclass
class ListPlan:
    """A connection: its arguments, and what of it is asked for. Equal lists share `layout` and `key`."""

    relation: RelationField
    field: GraphQLField
    node: FieldNode
    layout: Layout
    key: str
    constant: bool
    """Whether the arguments hold no variable."""
    entries: list[tuple[str, str, Any]] = default(default_factory=list)
    statements: dict[Any, Any] = default(default_factory=dict)

    def objects(self) -> list[ObjectPlan]:
        """The plans of the rows, as `nodes` and in `edges`."""
        found = []
        for _, kind, detail in self.entries:
            if kind == "nodes":
                found.append(detail)
            elif kind == "edges":
                found += [plan for _, inner, plan in detail if inner == "node"]
        return found

    def counts(self) -> bool:
        """Whether `totalCount` is asked for."""
        return any(kind == "totalCount" for _, kind, _ in self.entries)


@dataclass
class Plan:
    """A whole operation: its root fields by response key."""

    roots: list[tuple[str, str, Any]]
    nodes: Fields


class Planner:
    """Plans one operation for viewers with the same permissions."""

    def __init__(
        self, schema: GraphQLSchema, document: Document, variables: Mapping[str, Any], viewer: Viewer
    ) -> None:
        self._schema, self._viewer, self._variables = schema, viewer, variables
        self._fragments: dict[str, FragmentDefinitionNode] = document.fragments

    def plan(self, operation: OperationDefinitionNode) -> Plan:
        """The plan of a query."""
        query = self._schema.query_type
        if query is None or operation.operation.value != "query":
            raise Unplanned
        roots: list[tuple[str, str, Any]] = []
        fields = self._collect(query, [operation.selection_set])
        for key, nodes in fields.items():
            name = nodes[0].name.value
            if name == "__typename":
                roots.append((key, "constant", query.name))
                continue
            definition = query.fields.get(name)
            item = definition.extensions.get("strawberry-definition") if definition else None
            if definition is not None and isinstance(item, RootOne):
                self._allow(item, item.target)
                layout = Layout(item.target)
                layout.at("id")
                plan = self._object(definition, nodes, layout)
                roots.append((key, "one", (Child(0, layout, "id", one=plan), nodes[0], definition)))
            elif definition is not None and isinstance(item, RootMany):
                roots.append((key, "many", self._list(item, definition, nodes, {})))
            elif definition is not None and name == "viewer":
                roots.append((key, "viewer", self._viewer_object(definition, nodes)))
            else:
                raise Unplanned
        return Plan(roots, fields)

    def _allow(self, item: GatedField, target: TableType | None) -> None:
        needs = (item.needs, None if target is None else target.needs)
        if any(permission is not None and not self._viewer.has(permission) for permission in needs):
            raise Unplanned

    def _viewer_object(self, definition: GraphQLField, nodes: list[FieldNode]) -> ObjectPlan:
        kind = get_named_type(definition.type)
        if not isinstance(kind, GraphQLObjectType):
            raise Unplanned
        layout = Layout(next(shown for shown in TABLES.values() if shown.table.name == "users"))
        # The row that stands for the viewer: the ids that its relations start from.
        layout.columns = [("id", False), ("tenant_id", False)]
        return self._fill(kind, nodes, layout)

    def _object(self, definition: GraphQLField, nodes: list[FieldNode], layout: Layout) -> ObjectPlan:
        kind = get_named_type(definition.type)
        if not isinstance(kind, GraphQLObjectType):
            raise Unplanned
        return self._fill(kind, nodes, layout)

    def _fill(self, kind: GraphQLObjectType, nodes: list[FieldNode], layout: Layout) -> ObjectPlan:
        plan = ObjectPlan(layout)
        lists: dict[tuple[Any, str], ListPlan] = {}
        ones: dict[Any, Layout] = {}
        for key, inner in self._collect(kind, [n.selection_set for n in nodes if n.selection_set]).items():
            name = inner[0].name.value
            if name == "__typename":
                plan.entries.append((key, "constant", kind.name))
                continue
            definition = kind.fields[name]
            item = definition.extensions["strawberry-definition"]
            if isinstance(item, ToOne):
                self._allow(item, item.target)
                child_layout = ones.setdefault(item, Layout(item.target))
                child = Child(
                    layout.at(item.local),
                    child_layout,
                    item.remote,
                    required=isinstance(definition.type, GraphQLNonNull),
                    one=self._object(definition, inner, child_layout),
                )
                plan.entries.append((key, "child", len(plan.children)))
                plan.children.append(child)
            elif isinstance(item, ToMany):
                made = self._list(item, definition, inner, lists)
                plan.entries.append((key, "child", len(plan.children)))
                plan.children.append(
                    Child(layout.at(item.local), made.layout, item.remote, required=True, many=made)
                )
            elif item.base_resolver is None and item.python_name in layout.table.table.c:
                if isinstance(item, ColumnField):
                    self._allow(item, None)
                plan.entries.append((key, "column", layout.at(item.python_name)))
            elif item.python_name == "permissions" and item.origin is ViewerType:
                plan.entries.append((key, "permissions", None))
            else:
                raise Unplanned
        return plan

    def _list(
        self,
        item: RelationField,
        definition: GraphQLField,
        nodes: list[FieldNode],
        lists: dict[tuple[Any, str], ListPlan],
    ) -> ListPlan:
        self._allow(item, item.target)
        spelled = ",".join(sorted(print_ast(argument) for argument in nodes[0].arguments or ()))
        twin = lists.get((item, spelled))
        layout = twin.layout if twin else Layout(item.target)
        made = ListPlan(item, definition, nodes[0], layout, spelled, "$" not in spelled)
        lists.setdefault((item, spelled), made)
        connection = get_named_type(definition.type)
        if not isinstance(connection, GraphQLObjectType):
            raise Unplanned
        for key, inner in self._children(connection, nodes).items():
            name = inner[0].name.value
            if name == "__typename":
                made.entries.append((key, "constant", connection.name))
            elif name == "nodes":
                made.entries.append((key, name, self._object(connection.fields[name], inner, layout)))
            elif name == "edges":
                made.entries.append((key, name, self._edges(connection.fields[name], inner, layout)))
            elif name == "pageInfo":
                made.entries.append((key, name, self._names(connection.fields[name], inner)))
            else:
                made.entries.append((key, name, None))
        return made

    def _edges(
        self, definition: GraphQLField, nodes: list[FieldNode], layout: Layout
    ) -> list[tuple[str, str, Any]]:
        edge = get_named_type(definition.type)
        if not isinstance(edge, GraphQLObjectType):
            raise Unplanned
        entries: list[tuple[str, str, Any]] = []
        for key, inner in self._children(edge, nodes).items():
            name = inner[0].name.value
            if name == "__typename":
                entries.append((key, "constant", edge.name))
            elif name == "node":
                entries.append((key, name, self._object(edge.fields[name], inner, layout)))
            else:
                entries.append((key, name, None))
        return entries

    def _names(self, definition: GraphQLField, nodes: list[FieldNode]) -> list[tuple[str, str, Any]]:
        kind = get_named_type(definition.type)
        if not isinstance(kind, GraphQLObjectType):
            raise Unplanned
        return [
            (key, "constant", kind.name)
            if inner[0].name.value == "__typename"
            else (key, inner[0].name.value, None)
            for key, inner in self._children(kind, nodes).items()
        ]

    def _children(self, kind: GraphQLObjectType, nodes: list[FieldNode]) -> Fields:
        return self._collect(kind, [node.selection_set for node in nodes if node.selection_set])

    def _collect(self, kind: GraphQLObjectType, sets: list[SelectionSetNode]) -> Fields:
        """The selected fields by response key, in the order of their first appearance (section 6.3.2)."""
        found: Fields = {}
        seen: set[str] = set()
        for selections in sets:
            self._gather(kind, selections, found, seen)
        return found

    def _gather(
        self, kind: GraphQLObjectType, selections: SelectionSetNode, found: Fields, seen: set[str]
    ) -> None:
        for selection in selections.selections:
            if not self._included(selection):
                continue
            if isinstance(selection, FieldNode):
                key = selection.alias.value if selection.alias else selection.name.value
                found.setdefault(key, []).append(selection)
            elif isinstance(selection, InlineFragmentNode):
                condition = selection.type_condition
                if condition is None or self._applies(condition.name.value, kind):
                    self._gather(kind, selection.selection_set, found, seen)
            elif isinstance(selection, FragmentSpreadNode) and selection.name.value not in seen:
                seen.add(selection.name.value)
                fragment = self._fragments[selection.name.value]
                if self._applies(fragment.type_condition.name.value, kind):
                    self._gather(kind, fragment.selection_set, found, seen)

    def _applies(self, condition: str, kind: GraphQLObjectType) -> bool:
        if condition == kind.name:
            return True
        other = self._schema.get_type(condition)
        return is_abstract_type(other) and self._schema.is_sub_type(_abstract(other), kind)

    def _included(self, selection: Any) -> bool:
        for directive in selection.directives or ():
            name = directive.name.value
            if name not in ("include", "skip"):
                raise Unplanned
            given = directive.arguments[0].value
            value = self._variables[given.name.value] if isinstance(given, VariableNode) else given.value
            if bool(value) is (name == "skip"):
                return False
        return True


def _abstract(kind: Any) -> GraphQLAbstractType:
    abstract: GraphQLAbstractType = kind
    return abstract
