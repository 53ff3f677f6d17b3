"""A writer of operations: random queries, valid by the schema but for a few, about the rows of the demo.

What takes arguments gets a name of its own, so that whatever else is repeated or put into fragments can be
merged. A plain operation repeats nothing instead, and calls everything by its name.
"""

from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_leaf_type,
    is_non_null_type,
)

from tests.engine.values import Known, Values, literal

NESTED: Final = (None, 0, 1, 1, 2, 2, 3, 3, 4)
AT_THE_ROOT: Final = (None, 0, 1, 2, 2, 3, 3, 4, 5, 12)
OUTSIDE: Final = (101, -1, 100)


@dataclass
class Operation:
    """A document with its variables, and where its answer has cursors."""

    text: str
    variables: dict[str, Any]
    name: str | None
    lists: list[tuple[tuple[str, ...], tuple[str, ...]]]
    """The paths of connections in the answer, and what list each is a page of."""


@dataclass
class Writer:
    """Writes one operation; `known` is what it may point at."""

    schema: GraphQLSchema
    chance: Random
    known: Known
    plain: bool = False
    fuel: int = 0
    names: int = 0
    declared: list[str] = field(default_factory=list)
    variables: dict[str, Any] = field(default_factory=dict)
    fragments: list[str] = field(default_factory=list)
    spreadable: dict[str, list[str]] = field(default_factory=dict)
    lists: list[tuple[tuple[str, ...], tuple[str, ...]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.values = Values(self.chance, self.known)

    def operation(self) -> Operation:
        """An operation."""
        self.plain, self.fuel = self.often(0.35), self.chance.randint(1, 10)
        roots: dict[str, str] = {}
        for _ in range(self.chance.choice((1, 1, 1, 1, 2, 3))):
            root = self.root()
            roots.setdefault(root.partition("(")[0].partition(" ")[0] if self.plain else root, root)
        name = f"Q{self.chance.randint(0, 9)}" if self.declared or self.often(0.3) else ""
        declared = f"({', '.join(self.declared)})" if self.declared else ""
        text = f"query {name}{declared} {{ {' '.join(roots.values())} }} {' '.join(self.fragments)}"
        given = self.chance.choice((None, name or None))
        return Operation(text, self.variables, given, self.lists)

    def often(self, share: float) -> bool:
        """Yes, in this share of the cases."""
        return self.chance.random() < share

    def fresh(self, letter: str) -> str:
        """A name that nothing else has."""
        self.names += 1
        return f"{letter}{self.names}"

    def root(self) -> str:
        """A field of Query."""
        query = self.schema.query_type
        assert query is not None
        kinds = {"one": [], "many": []}  # type: dict[str, list[str]]
        for name, item in query.fields.items():
            if "id" in item.args and name != "node":
                kinds["one"].append(name)
            elif "first" in item.args:
                kinds["many"].append(name)
        roll = self.chance.random()
        if roll < 0.03:
            return self.chance.choice(
                ("__typename", "type: __typename", '__type(name: "Deal") { name kind }')
            )
        if roll < 0.05:
            return self.nodes(query)
        if roll < 0.15:
            return self.field("viewer", query.fields["viewer"], ("viewer",), ())
        name = self.chance.choice(kinds["one" if roll < 0.42 else "many"])
        return self.field(name, query.fields[name], (), ())

    def nodes(self, query: GraphQLObjectType) -> str:
        """`node` or `nodes`, with what some of the types have."""
        ids = [
            self.values.id(self.chance.choice(list(self.known.ids))) for _ in range(self.chance.randint(1, 3))
        ]
        parts = ["id __typename"]
        for name in self.chance.sample(sorted(self.known.ids), 3):
            kind = self.schema.get_type(name)
            assert isinstance(kind, GraphQLObjectType)
            shown = [leaf for leaf, item in kind.fields.items() if is_leaf_type(get_named_type(item.type))]
            chosen = self.chance.sample(shown, min(3, len(shown)))
            parts.append(f"... on {name} {{ {' '.join(f'{name}_{leaf}: {leaf}' for leaf in chosen)} }}")
        own = "" if self.plain else f"{self.fresh('n')}: "
        below = " ".join(parts)
        if self.often(0.5):
            given = self.argument(query.fields["node"].args["id"].type, ids[0])
            return f"{own}node(id: {given}) {{ {below} }}"
        given = self.argument(query.fields["nodes"].args["ids"].type, ids)
        return f"{own}nodes(ids: {given}) {{ {below} }}"

    def field(
        self, name: str, item: GraphQLField, parent: tuple[str, ...] | None, path: tuple[str, ...] | None
    ) -> str:
        """A field with all it has; `parent` is the one row that its list is bound to, if it is one."""
        kind = get_named_type(item.type)
        key = name
        if (item.args and not self.plain) or (not self.plain and self.often(0.15)):
            key = self.fresh("f" if not is_leaf_type(kind) else "l")
        alias = "" if key == name else f"{key}: "
        here = None if path is None else (*path, key)
        arguments, parent = self.arguments(name, item, kind.name, parent, here)
        below = ""
        if isinstance(kind, GraphQLObjectType) and kind.name.endswith("Connection"):
            below = f" {{ {self.connection(kind)} }}"
            if not self.plain and self.often(0.08):
                below += f" {alias}{name}{arguments} {{ {self.connection(kind)} }}"
        elif isinstance(kind, GraphQLObjectType):
            below = f" {{ {self.selection(kind, parent, here)} }}"
        elif isinstance(kind, GraphQLUnionType):
            members = [f"... on {member.name} {{ __typename id }}" for member in kind.types]
            below = f" {{ __typename {self.chance.choice(members)} }}"
        elif isinstance(kind, GraphQLInterfaceType):
            below = " { id }"
        return f"{alias}{name}{arguments}{self.directive()}{below}"

    def arguments(
        self,
        name: str,
        item: GraphQLField,
        kind: str,
        parent: tuple[str, ...] | None,
        path: tuple[str, ...] | None,
    ) -> tuple[str, tuple[str, ...] | None]:
        """The arguments, and what lists below are bound to."""
        given: dict[str, Any] = {}
        if "id" in item.args:
            listed = [place[0] for place in self.known.cursors if place[0].startswith(f"{kind} ")]
            row = self.values.id(kind)
            if listed and self.often(0.5):
                row = self.chance.choice(listed).partition(" ")[2]
            given["id"] = self.chance.choice(("x", "", row)) if self.often(0.03) else row
            parent = (f"{kind} {given['id']}",)
        elif "first" in item.args:
            given = self.page(name, item.args, parent, path, kind.removesuffix("Connection"))
            parent = None
        elif name != "viewer":
            parent = None
        if not given:
            return "", parent
        texts = [f"{key}: {self.argument(item.args[key].type, value)}" for key, value in given.items()]
        return f"({', '.join(texts)})", parent

    def page(
        self,
        name: str,
        arguments: dict[str, GraphQLArgument],
        parent: tuple[str, ...] | None,
        path: tuple[str, ...] | None,
        kind: str,
    ) -> dict[str, Any]:
        """The arguments of a list."""
        given: dict[str, Any] = {}
        at_root = path is not None and len(path) == 1
        size = self.chance.choice(AT_THE_ROOT if at_root else NESTED)
        if self.often(0.015):
            size = self.chance.choice(OUTSIDE)
        way = "last" if self.often(0.25) else "first"
        if size is not None or not at_root:
            given[way] = 2 if size is None else size
        if self.often(0.01):
            given |= {"first": 1, "last": 1}
        if "orderBy" in arguments and self.often(0.3):
            given["orderBy"] = self.values.some(arguments["orderBy"].type)
        if self.often(0.3):
            given["filter"] = self.values.some(arguments["filter"].type, near=kind)
        order = literal(given.get("orderBy"))
        if parent is not None and path is not None:
            place = (*(parent or ("Query",)), name, order)
            self.lists.append((path, place))
            cursors = self.known.cursors.get(place, [])
            if cursors and self.often(0.6):
                given["before" if way == "last" else "after"] = self.chance.choice(cursors)
                if self.often(0.2):
                    given["after" if way == "last" else "before"] = self.chance.choice(cursors)
        if self.often(0.02):
            others = [cursor for found in self.known.cursors.values() for cursor in found] or ["e30"]
            given["after"] = self.chance.choice((self.chance.choice(others), "no cursor", others[0][:-1]))
        return given

    def argument(self, kind: GraphQLInputType, value: Any) -> str:
        """A value as the document has it, or a variable that has it."""
        if not self.often(0.2):
            return literal(value)
        name = self.fresh("v")
        declared = str(kind)
        if self.often(0.25) and value is not None:
            declared = f"{str(kind).removesuffix('!')} = {literal(value)}"
            if self.often(0.4):
                self.variables[name] = None if self.often(0.1) else value
        else:
            if value is not None and not is_non_null_type(kind) and self.often(0.2):
                declared += "!"
            if value is not None or self.often(0.5):
                self.variables[name] = value
        self.declared.append(f"${name}: {declared}")
        return f"${name}"

    def directive(self) -> str:
        """`@include` or `@skip`, or, mostly, nothing."""
        if not self.often(0.06):
            return ""
        name = self.chance.choice(("include", "skip"))
        value: Any = self.often(0.75 if name == "include" else 0.25)
        if self.often(0.5):
            variable = self.fresh("b")
            default = self.often(0.3)
            self.declared.append(f"${variable}: Boolean{f' = {literal(not value)}' if default else '!'}")
            if not default or self.often(0.5):
                self.variables[variable] = None if default and self.often(0.05) else value
            return f" @{name}(if: ${variable})"
        return f" @{name}(if: {literal(value)})"

    def selection(
        self, kind: GraphQLObjectType, parent: tuple[str, ...] | None, path: tuple[str, ...] | None
    ) -> str:
        """What to show of an object."""
        leaves = [name for name, item in kind.fields.items() if is_leaf_type(get_named_type(item.type))]
        ways = [name for name in kind.fields if name not in leaves]
        chosen = self.chance.sample(leaves, min(len(leaves), self.chance.choice((1, 1, 2, 2, 3, 4, 5, 30))))
        while ways and self.fuel > 0 and self.often(0.55):
            self.fuel -= 1
            chosen.append(ways.pop(self.chance.randrange(len(ways))))
        if self.often(0.2):
            chosen.append("__typename")
        self.chance.shuffle(chosen)
        parts = [
            name if name == "__typename" else self.field(name, kind.fields[name], parent, path)
            for name in chosen
        ] or ["__typename"]
        if not self.plain:
            parts = self.wrapped(kind, parts, parent, path)
        return " ".join(parts)

    def wrapped(
        self,
        kind: GraphQLObjectType,
        parts: list[str],
        parent: tuple[str, ...] | None,
        path: tuple[str, ...] | None,
    ) -> list[str]:
        """The same, some of it in fragments, some of it twice."""
        if self.often(0.15):
            parts = [*parts, self.chance.choice(parts)]
        if self.often(0.12) and kind.interfaces:
            inside = self.chance.choice(("id", "__typename id", f"{self.fresh('l')}: id"))
            parts.append(f"... on Node{self.directive()} {{ {inside} }}")
        if self.often(0.12):
            condition = self.chance.choice((f" on {kind.name}", ""))
            cut = self.chance.randrange(len(parts))
            parts = [*parts[:cut], f"...{condition}{self.directive()} {{ {' '.join(parts[cut:])} }}"]
        if self.often(0.12):
            name = self.fresh("F")
            cut = self.chance.randrange(len(parts))
            self.fragments.append(f"fragment {name} on {kind.name} {{ {' '.join(parts[cut:])} }}")
            parts = [*parts[:cut], f"...{name}{self.directive()}"]
            self.spreadable.setdefault(kind.name, []).append(name)
        elif self.often(0.3) and kind.name in self.spreadable:
            parts.append(f"...{self.chance.choice(self.spreadable[kind.name])}")
        to_one = [
            name
            for name, item in kind.fields.items()
            if not item.args and isinstance(get_named_type(item.type), GraphQLObjectType)
        ]
        if to_one and self.fuel > 0 and self.often(0.15):
            self.fuel -= 2
            name = self.chance.choice(to_one)
            below = get_named_type(kind.fields[name].type)
            assert isinstance(below, GraphQLObjectType)
            parts += [f"{name} {{ {self.selection(below, None, None)} }}" for _ in range(2)]
        return parts

    def connection(self, kind: GraphQLObjectType) -> str:
        """What to show of a page."""
        rows = get_named_type(kind.fields["nodes"].type)
        assert isinstance(rows, GraphQLObjectType)
        parts = []
        if self.often(0.75):
            parts.append(
                f"{self.alias('nodes')}nodes{self.directive()} {{ {self.selection(rows, None, None)} }}"
            )
        if self.often(0.3):
            inner = [self.alias("cur") + "cursor"] if self.often(0.8) else ["__typename"]
            if self.often(0.6):
                inner.append(f"{self.alias('n')}node {{ {self.selection(rows, None, None)} }}")
            self.chance.shuffle(inner)
            parts.append(f"{self.alias('edges')}edges {{ {' '.join(inner)} }}")
        if self.often(0.35):
            names = self.chance.sample(("hasNextPage", "hasPreviousPage", "startCursor", "endCursor"), 2)
            shown = [
                (self.alias("cur") if name.endswith("Cursor") else self.alias("has")) + name for name in names
            ]
            parts.append(f"{self.alias('info')}pageInfo {{ {' '.join(shown)} }}")
        if self.often(0.25):
            parts.append(f"{self.alias('count')}totalCount{self.directive()}")
        if self.often(0.1) or not parts:
            parts.append("__typename")
        self.chance.shuffle(parts)
        return " ".join(parts)

    def alias(self, stem: str) -> str:
        """An alias, or nothing."""
        return f"{self.fresh(stem)}: " if not self.plain and self.often(0.2) else ""
