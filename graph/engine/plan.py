"""The plan of an operation: what to read, level by level, and how the answer is laid out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from typing import Any, Final

from graphql import FieldNode, GraphQLField, is_non_null_type

from graph.limits import USUAL_PAGES
from graph.tables import RelationField, TableType

_GIVEN_BYTES: Final = 60
"""Bytes that a character of an argument may become: its values, and the request that is made of them."""

Entry = tuple[str, str, Any]
"""A response key, what stands there, and the particulars: a constant, a column's place, a child's …"""


@dataclass(eq=False)
class Source:
    """What one statement reads: rows by the keys that their parents hold, or a list's pages.

    The lists of a source are one relation with one set of arguments.
    """

    target: TableType
    remote: str | None
    """The column that the keys are compared with; None for a list without a parent."""
    relation: RelationField | None = None
    """The relation of the lists; None where the rows are read by key."""
    columns: list[str] = field(default_factory=list)
    """What the answer shows or a child is found by, in the order in which rows have it."""
    children: list["Child"] = field(default_factory=list)
    serial: int = field(default_factory=count().__next__)
    """What its statements are kept under: it does not come again, as an id does."""
    request: Any = None
    """The request for the pages, once it is known to be always the same."""

    @cached_property
    def one(self) -> bool:
        """Whether there is never more than one key."""
        return len(self.children) == 1 and self.children[0].parent.single

    @cached_property
    def lists(self) -> bool:
        """Whether rows are asked for, or what is known from them: a count alone needs none."""
        return any(child.asks(kind) for child in self.children for kind in ("nodes", "edges", "pageInfo"))

    @cached_property
    def counts(self) -> bool:
        """Whether any list of the source asks for its `totalCount`."""
        return any(child.asks("totalCount") for child in self.children)

    @cached_property
    def further(self) -> bool:
        """Whether a row more than the page has is read, to know that there are further ones."""
        return any(child.asks("pageInfo", "hasNextPage", "hasPreviousPage") for child in self.children)

    @cached_property
    def cursors(self) -> bool:
        """Whether any cursor is asked for."""
        return any(
            child.asks("edges", "cursor") or child.asks("pageInfo", "startCursor", "endCursor")
            for child in self.children
        )

    def limit(self, size: int) -> int | None:
        """How many rows the SQL of a page of this size names; None where that is a parameter."""
        return size + self.further if self.children[0].sized or size in USUAL_PAGES else None

    def at(self, column: str) -> int:
        """The place of a column in the rows, which has one from now on."""
        if column not in self.columns:
            self.columns.append(column)
        return self.columns.index(column)


@dataclass(eq=False)
class NodeSource:
    """What `node` or `nodes` reads: rows of any type by their ids, with one statement over all tables."""

    child: "Child"
    statement: Any = None


@dataclass(eq=False)
class Child:
    """A relation to follow: the place of its key in the parent's rows, and what is made at the other end."""

    parent: "ObjectPlan"
    key: int
    definition: GraphQLField
    nodes: list[FieldNode]
    arguments: Mapping[str, Any] | None
    """The values of its arguments; None where variables are among them."""
    variables: Mapping[str, str] | None = None
    """The variable that each argument is, where all are variables and none that is left out has a default."""
    sized: bool = True
    """Whether the size of its pages stands in the document."""
    given: int = 0
    """How many characters spell them, if they are kept."""
    source: Source | None = None
    one: "ObjectPlan | None" = None
    """What is made of the row that the key names; None where there is a list."""
    entries: list[Entry] = field(default_factory=list)
    """What is asked for of the connection."""
    kinds: "dict[str, ObjectPlan]" = field(default_factory=dict)
    """What is made of a row by the table that it turns out to be of: that of `node` and `nodes`."""

    @cached_property
    def required(self) -> bool:
        """Whether null may not stand there."""
        return is_non_null_type(self.definition.type)

    def objects(self) -> list["ObjectPlan"]:
        """The plans of a connection's rows, as `nodes` and in `edges`."""
        found = []
        for _, kind, detail in self.entries:
            if kind == "nodes":
                found.append(detail)
            elif kind == "edges":
                found += [plan for _, inner, plan in detail if inner == "node"]
        return found

    def below(self) -> "list[ObjectPlan]":
        """The plans of all that is made at the other end."""
        one = [] if self.one is None else [self.one]
        return [*one, *self.objects(), *self.kinds.values()]

    def asks(self, kind: str, *inside: str) -> bool:
        """Whether a field of the connection is asked for, or in it one of those `inside`."""
        return any(
            found == kind and (not inside or any(name in inside for _, name, _ in detail))
            for _, found, detail in self.entries
        )


@dataclass(eq=False)
class ObjectPlan:
    """Objects made of the rows of a source: for each response key a constant, a column or a child."""

    source: Source
    number: int
    depth: int
    """The level that its children are read at."""
    single: bool = False
    """Whether there is never more than one row."""
    entries: list[Entry] = field(default_factory=list)
    children: list[Child] = field(default_factory=list)
    own: set[int] = field(default_factory=set)
    """Places that must hold the viewer's id, or some field is refused."""
    build: Any = None
    weight: Any = None


@dataclass
class Plan:
    """A whole operation. The root is an object of one row, which holds a key for each of its children."""

    root: ObjectPlan
    objects: list[ObjectPlan]
    """All of them, parents before their children."""
    levels: list[list[Source | NodeSource]]
    refuses: bool
    """Whether anything is refused for want of a permission."""

    @property
    def size(self) -> int:
        """The bytes of memory that it takes, about, with the functions that are compiled for it."""
        objects = sum(3000 + 300 * len(each.entries) + 1000 * len(each.children) for each in self.objects)
        given = sum(child.given for each in self.objects for child in each.children)
        return objects + _GIVEN_BYTES * given
