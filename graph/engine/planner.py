"""Planning: an operation's selections are walked once, and rights are checked.

What is found that the engine does not do raises Unplanned, and graphql-core runs the operation.
"""

from collections.abc import Mapping
from typing import Any, Final

from graphql import (
    FieldNode,
    GraphQLError,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    NameNode,
    OperationDefinitionNode,
    Undefined,
    VariableNode,
    get_named_type,
    is_non_null_type,
    print_ast,
)
from graphql.execution.values import get_argument_values

from db import models
from graph.admission.documents import Document
from graph.auth.viewer import Viewer
from graph.engine.collect import Collector, Fields, Unplanned
from graph.engine.plan import Child, Entry, NodeSource, ObjectPlan, Plan, Source
from graph.errors import Forbidden, GatewayError
from graph.node import readable_nodes
from graph.relations import ToMany, ToOne
from graph.roots import RootField, RootMany, RootOne
from graph.tables import TABLES, ColumnField, GatedField, RelationField, TableType
from graph.types.identity import ViewerType

_USERS: Final = TABLES[models.User.__table__]  # type: ignore[index]
VIEWERS_ROW: Final = ("id", "tenant_id")
"""The row that stands for the viewer: what its relations start from."""


class Planner:
    """Plans one operation for viewers with the same permissions."""

    def __init__(
        self, schema: GraphQLSchema, document: Document, variables: Mapping[str, Any], viewer: Viewer
    ) -> None:
        self._schema, self._viewer = schema, viewer
        self._select = Collector(schema, document, variables)
        self._objects: list[ObjectPlan] = []
        self._sources: dict[Any, Source] = {}
        self._levels: list[list[Source | NodeSource]] = []
        self._refuses = False

    def plan(self, operation: OperationDefinitionNode) -> Plan:
        """The plan of a query."""
        query = self._schema.query_type
        if query is None or operation.operation.value != "query":
            raise Unplanned("only queries are planned")
        root = self._object(Source(_USERS, None), 0, single=True)
        self._fill(root, query, self._select.collect(query, [operation.selection_set]))
        return Plan(root, self._objects, self._levels, self._refuses)

    def rows(self, target: TableType, nodes: list[FieldNode], always: str | None) -> Plan:
        """The plan of what `nodes` show of rows that are there, with the relation `always` in any case."""
        kind = self._schema.get_type(target.name)
        assert isinstance(kind, GraphQLObjectType)
        root = self._object(Source(target, None), 0)
        self._fill(root, kind, self._select.fields(kind, nodes))
        if always is not None and all(child.nodes[0].name.value != always for child in root.children):
            definition = kind.fields[always]
            item = definition.extensions["strawberry-definition"]
            self._child(root, item, definition, [FieldNode(name=NameNode(value=always))])
        return Plan(root, self._objects, self._levels, self._refuses)

    def _object(self, source: Source, depth: int, *, single: bool = False) -> ObjectPlan:
        plan = ObjectPlan(source, len(self._objects), depth, single)
        self._objects.append(plan)
        return plan

    def _filled(
        self,
        definition: GraphQLField,
        nodes: list[FieldNode],
        source: Source,
        depth: int,
        *,
        single: bool = False,
    ) -> ObjectPlan:
        kind = _object_type(definition)
        plan = self._object(source, depth, single=single)
        self._fill(plan, kind, self._select.fields(kind, nodes))
        return plan

    def _fill(self, plan: ObjectPlan, kind: GraphQLObjectType, fields: Fields) -> None:
        for key, nodes in fields.items():
            name = nodes[0].name.value
            definition = kind.fields.get(name)
            item = definition and definition.extensions.get("strawberry-definition")
            if name == "__typename":
                entry: tuple[str, Any] = ("constant", kind.name)
            elif definition is None or item is None:
                raise Unplanned("introspection is not planned")
            elif (error := self._refusal(item, plan)) is not None:
                if is_non_null_type(definition.type):
                    raise Unplanned(f"{name} is refused where no null may stand")
                entry, self._refuses = ("refused", (error, nodes)), True
            elif isinstance(item, RelationField):
                entry = ("child", self._child(plan, item, definition, nodes))
            elif item.origin is ViewerType and name == "permissions":
                entry = ("permissions", None)
            elif kind is self._schema.query_type and name == "viewer":
                entry = ("child", self._viewers(plan, definition, nodes))
            elif kind is self._schema.query_type and name in ("node", "nodes"):
                entry = ("child", self._node(plan, definition, nodes))
            elif isinstance(item, ColumnField) and item.shown is not None:
                raise Unplanned(f"{kind.name}.{name} is not shown as it is stored")
            elif item.base_resolver is None and item.python_name in plan.source.target.table.c:
                entry = ("column", plan.source.at(item.python_name))
            else:
                raise Unplanned(f"{kind.name}.{name} has a resolver of its own")
            plan.entries.append((key, *entry))

    def _refusal(self, item: Any, plan: ObjectPlan) -> GatewayError | None:
        """Why the viewer may not read a field; a field of one's own makes `plan` look whose the rows are."""
        needs = [item.target.needs] if isinstance(item, RelationField) else []
        own = item.own if isinstance(item, GatedField) else None
        if isinstance(item, RelationField | ColumnField):
            needs.append(item.needs if own is None else None)
        for permission in needs:
            if permission is not None and not self._viewer.has(permission):
                return Forbidden(permission)
        if own is not None and item.needs is not None and not self._viewer.has(item.needs):
            plan.own.add(plan.source.at(own))
        return None

    def _viewers(self, plan: ObjectPlan, definition: GraphQLField, nodes: list[FieldNode]) -> int:
        source = Source(_USERS, None, columns=list(VIEWERS_ROW))
        child = _follow(plan, len(plan.children), definition, nodes)
        child.one = self._filled(definition, nodes, source, plan.depth, single=plan.single)
        return child.key

    def _node(self, plan: ObjectPlan, definition: GraphQLField, nodes: list[FieldNode]) -> int:
        child = _follow(plan, len(plan.children), definition, nodes)
        for shown in readable_nodes(self._viewer):
            kind = self._schema.get_type(shown.name)
            assert isinstance(kind, GraphQLObjectType)
            made = child.kinds[shown.table.name] = self._object(Source(shown, "id"), plan.depth + 1)
            self._fill(made, kind, self._select.fields(kind, nodes))
        self._level(plan.depth).append(NodeSource(child))
        return child.key

    def _child(
        self, plan: ObjectPlan, item: RelationField, definition: GraphQLField, nodes: list[FieldNode]
    ) -> int:
        place = len(plan.children)
        key = place if isinstance(item, RootField) else plan.source.at(item.local)
        child = _follow(plan, key, definition, nodes)
        if isinstance(item, ToOne | RootOne):
            column = "id" if isinstance(item, RootOne) else item.remote
            child.source = self._source((plan.depth, item.target, column), Source(item.target, column))
            child.source.children.append(child)
            child.one = self._filled(definition, nodes, child.source, plan.depth + 1, single=plan.single)
        elif isinstance(item, ToMany | RootMany):
            spelled = ",".join(sorted(print_ast(argument) for argument in nodes[0].arguments or ()))
            remote = None if isinstance(item, RootMany) else item.remote
            child.source = self._source((plan.depth, item, spelled), Source(item.target, remote, item))
            child.source.children.append(child)
            child.entries = self._connection(definition, nodes, child.source, plan.depth + 1)
        else:
            raise Unplanned(f"{item.name} is no relation that is known")
        return place

    def _source(self, key: tuple[int, Any, Any], made: Source) -> Source:
        """The source of the same level, relation and arguments, if there is one already, or this one."""
        if key not in self._sources:
            self._sources[key] = made
            self._level(key[0]).append(made)
        return self._sources[key]

    def _level(self, depth: int) -> list[Source | NodeSource]:
        while len(self._levels) <= depth:
            self._levels.append([])
        return self._levels[depth]

    def _connection(
        self, definition: GraphQLField, nodes: list[FieldNode], source: Source, depth: int
    ) -> list[Entry]:
        """The entries of a connection, an edge or a page's info: rows, what holds rows, or names."""
        kind = _object_type(definition)
        entries: list[Entry] = []
        for key, inner in self._select.fields(kind, nodes).items():
            name = inner[0].name.value
            if name == "__typename":
                entries.append((key, "constant", kind.name))
            elif name in ("nodes", "node"):
                entries.append((key, name, self._filled(kind.fields[name], inner, source, depth)))
            elif name in ("edges", "pageInfo"):
                entries.append((key, name, self._connection(kind.fields[name], inner, source, depth)))
            else:
                entries.append((key, name, None))
        return entries


def _follow(plan: ObjectPlan, key: int, definition: GraphQLField, nodes: list[FieldNode]) -> Child:
    """A new child of `plan`, its arguments read where they are always the same."""
    arguments, spelled = None, "".join(print_ast(argument) for argument in nodes[0].arguments or ())
    if "$" not in spelled:
        try:
            arguments = get_argument_values(definition, nodes[0])
        except GraphQLError as error:
            raise Unplanned(error.message) from None
    variables = _variables(definition, nodes[0]) if arguments is None else None
    given = 0 if arguments is None else len(spelled)
    sized = not any(
        argument.name.value in ("first", "last") and isinstance(argument.value, VariableNode)
        for argument in nodes[0].arguments or ()
    )
    plan.children.append(Child(plan, key, definition, nodes, arguments, variables, sized, given))
    return plan.children[-1]


def _variables(definition: GraphQLField, node: FieldNode) -> dict[str, str] | None:
    """The variables that a field's arguments are, if they are nothing else."""
    given = {argument.name.value: argument.value for argument in node.arguments or ()}
    left_out = [argument for name, argument in definition.args.items() if name not in given]
    if any(argument.default or argument.default_value is not Undefined for argument in left_out):
        return None
    found = {
        definition.args[name].out_name or name: value.name.value
        for name, value in given.items()
        if isinstance(value, VariableNode)
    }
    return found if len(found) == len(given) else None


def _object_type(definition: GraphQLField) -> GraphQLObjectType:
    kind = get_named_type(definition.type)
    if not isinstance(kind, GraphQLObjectType):
        raise Unplanned(f"{kind.name} is known only once the rows are read")
    return kind
