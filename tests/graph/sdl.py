"""The schema as a client reads it, to generate queries from: types, the ways between them, what they take."""

from collections import deque
from dataclasses import dataclass
from typing import Final

from graphql import (
    EnumValueNode,
    FieldDefinitionNode,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    ObjectTypeDefinitionNode,
    StringValueNode,
    build_schema,
    get_named_type,
    is_leaf_type,
)
from sqlalchemy import Table

from db.base import Base
from graph.permissions import Permission
from graph.schema import schema

SDL: Final[GraphQLSchema] = build_schema(schema.as_str())


@dataclass(frozen=True)
class Way:
    """A field that leads from an object of one type to the row, or the rows, of another."""

    parent: str
    field: str
    target: str
    many: bool = False
    by_id: bool = False
    needs: Permission | None = None

    def __str__(self) -> str:
        return f"{self.parent}.{self.field}"

    def select(self, inner: str, arguments: str = "") -> str:
        """The field with `inner` of each row; `arguments` as they stand in the parentheses."""
        given = f"({arguments})" if arguments else ""
        return f"{self.field}{given} {{ {f'nodes {{ {inner} }}' if self.many else inner} }}"


def object_type(name: str) -> GraphQLObjectType:
    found = SDL.type_map[name]
    assert isinstance(found, GraphQLObjectType), name
    return found


def fields(name: str) -> dict[str, GraphQLField]:
    found: dict[str, GraphQLField] = object_type(name).fields
    return found


def directive(
    node: ObjectTypeDefinitionNode | FieldDefinitionNode | None, name: str, argument: str
) -> str | None:
    """What a printed directive says in its one argument."""
    assert node is not None
    for found in node.directives or ():
        if found.name.value == name:
            (given,) = [item.value for item in found.arguments or () if item.name.value == argument]
            assert isinstance(given, StringValueNode | EnumValueNode)
            return given.value
    return None


def table_of(name: str) -> Table | None:
    """The table that a type shows, by its `@table`."""
    found = directive(object_type(name).ast_node, "table", "name")
    return None if found is None else Base.metadata.tables[found]


def needs(name: str) -> Permission | None:
    """The `@requires` of a type."""
    found = directive(object_type(name).ast_node, "requires", "permission")
    return None if found is None else Permission[found]


def field_needs(field: GraphQLField) -> Permission | None:
    """The `@requires` of a field."""
    found = directive(field.ast_node, "requires", "permission")
    return None if found is None else Permission[found]


def _tables() -> dict[str, Table]:
    objects = [name for name, kind in SDL.type_map.items() if isinstance(kind, GraphQLObjectType)]
    found = {name: table_of(name) for name in objects if not name.startswith("__")}
    return {name: table for name, table in sorted(found.items()) if table is not None}


TABLES: Final = _tables()
"""The types that show a table, by name."""


def leaves(name: str) -> list[str]:
    """The fields that hold values."""
    return [field for field, item in fields(name).items() if is_leaf_type(get_named_type(item.type))]


def ways(name: str) -> list[Way]:
    """The fields that lead to rows of one type, the two of `Node` and the one union aside."""
    found = []
    for field, item in fields(name).items():
        target = get_named_type(item.type).name
        many = target.endswith("Connection")
        target = target.removesuffix("Connection")
        if target in TABLES or target == "Viewer":
            found.append(Way(name, field, target, many, "id" in item.args, field_needs(item)))
    return found


def counted(inner: str) -> str:
    """All of a connection, with `inner` of each row."""
    return f"totalCount edges {{ cursor }} nodes {{ {inner} }}"


def selection(name: str, depth: int = 0) -> str:
    """All that a row shows, and `depth` levels of what is around it."""
    parts = leaves(name)
    for way in ways(name) if depth else []:
        inner = selection(way.target, depth - 1)
        parts.append(f"{way.field} {{ {counted(inner) if way.many else inner} }}")
    for field, item in fields(name).items():
        if depth and isinstance(union := get_named_type(item.type), GraphQLUnionType):
            # No more than the id: what its types call alike may differ in type.
            parts.append(f"{field} {{ {' '.join(f'... on {kind} {{ id }}' for kind in union.types)} }}")
    return " ".join(parts)


LISTS: Final = [way for way in ways("Query") if way.many]
"""The lists of Query."""

BY_ID: Final = [way for way in ways("Query") if way.by_id]
"""The fields of Query that find a row by its id."""

RELATIONS: Final = [way for name in (*TABLES, "Viewer") for way in ways(name)]
"""The fields of every row that lead to others."""


def route(target: str, *, without: Permission | None = None) -> list[Way]:
    """The shortest way from Query to rows of `target` that needs no id, nor the permission `without`."""
    seen, waiting = {"Query"}, deque([("Query", list[Way]())])
    while waiting:
        name, path = waiting.popleft()
        if name == target:
            return path
        for way in ways(name):
            gates = {way.needs, None if way.target == "Viewer" else needs(way.target)}
            if way.target not in seen and not way.by_id and (without is None or without not in gates):
                seen.add(way.target)
                waiting.append((way.target, [*path, way]))
    raise LookupError(f"no way to {target} without {without}")


def along(path: list[Way], inner: str) -> str:
    """The selection that follows `path` and there takes `inner`."""
    for way in reversed(path):
        inner = way.select(inner, "first: 100" if way.many else "")
    return inner


def needed(path: list[Way]) -> set[Permission]:
    """What following `path` takes."""
    gates = {way.needs for way in path} | {needs(way.target) for way in path if way.target in TABLES}
    return {gate for gate in gates if gate is not None}


def filter_fields(name: str) -> dict[str, str]:
    """The conditions that the filter of a type offers: the field, and the type of its operand."""
    given = SDL.type_map[f"{name}Filter"]
    assert isinstance(given, GraphQLInputObjectType)
    return {
        field: get_named_type(item.type).name
        for field, item in given.fields.items()
        if field not in ("and", "or", "not")
    }


def order_fields(name: str) -> list[str]:
    """What the lists of a type can be sorted by."""
    offered = SDL.type_map.get(f"{name}OrderField")
    return list(offered.values) if isinstance(offered, GraphQLEnumType) else []
