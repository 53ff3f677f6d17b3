"""How large a document may be: a look at its text before it is parsed, one at its tree before validation.

Both are linear in the document. graphql-core's parser and some of its rules are not, or go as deep as the
document does: 1 kB of fragments that spread each other twice expands to millions of fields. What a fragment
amounts to is worked out once, after those that it spreads, and added up wherever it is spread.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
)

from graph import limits
from graph.errors import TooComplex

# Possessive throughout, and there is a match at every place: nothing is looked at twice.
_TOKEN: Final = re.compile(
    r"""[\s,\ufeff]*+(?:
        (?P<bracket>[{}\[\]()]) | (?P<name>[_A-Za-z]\w*+) | (?P<mark>[@:]|\.{3})
      | \#[^\n\r]*+
      | (?P<value>\"{3}(?:[^"\\]|\\(?:\"{3})?|"(?!""))*+(?:\"{3})?
          | "(?:[^"\\\n\r]|\\.)*+"? | -?\d[\w.+\-]*+)
      | (?P<end>\Z) | \S
    )""",
    re.VERBOSE,
)
_INTROSPECTION: Final = frozenset({"__schema", "__type"})
_LISTS: Final = frozenset({"fields", "inputFields", "interfaces", "possibleTypes"})
_MANY: Final = 1_000_000
"""As far as is counted: chained fragments reach numbers that no client could read."""


class Circular(Exception):
    """Fragments spread each other in a circle: validation has the words for it."""


@dataclass(slots=True)
class Size:
    """What a document, or a selection set in it, amounts to with its fragments spread out."""

    depth: int = 0
    fields: int = 0
    aliases: int = 0
    directives: int = 0
    root_fields: int = 0
    introspection_depth: int = 0
    introspection_lists: int = 0
    top: int = 0
    """Fields of the selection set itself, not of those below."""

    def add(self, other: "Size") -> None:
        """What stands beside this."""
        self.depth = max(self.depth, other.depth)
        self.introspection_depth = max(self.introspection_depth, other.introspection_depth)
        self.introspection_lists = max(self.introspection_lists, other.introspection_lists)
        self.top = min(self.top + other.top, _MANY)
        self.fields = min(self.fields + other.fields, _MANY)
        self.aliases = min(self.aliases + other.aliases, _MANY)
        self.directives = min(self.directives + other.directives, _MANY)


# Each with its name in `graph/limits.py`, the name that clients see, and words for people
_BOUNDS: Final = {
    "depth": ("MAX_DEPTH", "depth", "fields within each other"),
    "fields": ("MAX_FIELDS", "fields", "fields, those of fragments wherever spread"),
    "aliases": ("MAX_ALIASES", "aliases", "aliases, those of fragments wherever spread"),
    "directives": ("MAX_DIRECTIVES", "directives", "directives, those of fragments wherever spread"),
    "root_fields": ("MAX_ROOT_FIELDS", "rootFields", "root fields of an operation"),
    "introspection_depth": (
        "MAX_INTROSPECTION_DEPTH",
        "introspectionDepth",
        "fields of the schema within each other",
    ),
    "introspection_lists": (
        "MAX_INTROSPECTION_LISTS",
        "introspectionLists",
        "lists of the schema's types within each other",
    ),
}


def check_text(text: str) -> int:
    """How many tokens a text has; TooComplex if it is not worth parsing, which costs ten times as much.

    Fields, aliases, directives and pairs are counted as they are written: spread out they are no fewer.
    """
    if len(text) > limits.MAX_DOCUMENT:
        words = "characters of a document (what is long goes into variables)"
        raise TooComplex("characters", words, limits.MAX_DOCUMENT, len(text))
    seen = Size()
    nesting = arguments = values = tokens = comparisons = 0
    places: list[dict[str, int]] = []  # how often each response key stands in the braces that are open
    before = ""
    for tokens, found in enumerate(_TOKEN.finditer(text), 1):
        kind = found.lastgroup
        word = "" if kind is None else found[kind]
        if kind == "bracket":
            nesting += 1 if word in "{[(" else -1
            arguments += (word == "(") - (word == ")")
            if word == "{" and not arguments:
                places.append({})
            elif word == "}" and not arguments and places:
                places.pop()
        elif word == "@":
            seen.directives += 1
        elif arguments > 0:
            # The name of an argument is none, which is seen by what follows it
            values += (kind in ("name", "value")) - (word == ":")
        elif nesting > 0:
            if word == ":":
                seen.aliases, seen.fields = seen.aliases + 1, seen.fields - 1
            elif kind == "name" and before == "..." and word == "on":
                word = "..."  # and a type, which is no field either
            elif kind == "name" and before not in ("@", "..."):
                seen.fields += 1
                if places and before != ":":
                    same = places[-1].get(word, 0)
                    places[-1][word], comparisons = same + 1, comparisons + same
        before = word
        if tokens > limits.MAX_TOKENS and kind != "end":
            raise TooComplex("tokens", "tokens", limits.MAX_TOKENS, tokens)
        if nesting > limits.MAX_NESTING:
            raise TooComplex("nesting", "brackets within each other", limits.MAX_NESTING, nesting)
        if values > limits.MAX_VALUES + (kind == "name"):  # which may be an argument's yet
            raise TooComplex("values", "values of arguments", limits.MAX_VALUES, values)
        if seen.fields > limits.MAX_FIELDS or word in ("@", ":"):
            _refuse(seen)
        _compare(comparisons)
    return tokens


def check(document: DocumentNode) -> int:
    """How often the document asks for one field of the schema at most, as `Measured.repeats` counts.

    Raises TooComplex for a document that is larger than the bounds, Circular where it has no size.
    """
    measured = Measured(document)
    _refuse(measured.size)
    measured.flatten()
    comparisons, repeats = measured.comparisons(), measured.repeats()
    _compare(comparisons)
    if repeats > limits.MAX_INTROSPECTION_REPEATS:
        words = "times that one field of the schema is asked for"
        raise TooComplex("introspectionRepeats", words, limits.MAX_INTROSPECTION_REPEATS, repeats)
    return repeats


def _compare(comparisons: int) -> None:
    if comparisons > limits.MAX_COMPARISONS:
        words = "pairs of fields with the same name in the same place"
        raise TooComplex("comparisons", words, limits.MAX_COMPARISONS, comparisons)


def _refuse(size: Size) -> None:
    for attribute, (bound, name, words) in _BOUNDS.items():
        asked, limit = getattr(size, attribute), getattr(limits, bound)
        if asked > limit:
            raise TooComplex(name, words, limit, asked)


class Measured:
    """A document measured; `visited` is how many selections that took."""

    def __init__(self, document: DocumentNode) -> None:
        self.visited = 0
        self.size = Size()
        self._sizes: dict[str, Size] = {}
        self._flat: dict[str, list[FieldNode]] = {}
        named = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        spreads = {name: set(self._spreads(node.selection_set)) for name, node in named.items()}
        self._fragments = {name: named[name] for name in _in_order(spreads) if name in named}
        for name, node in self._fragments.items():
            self._sizes[name] = self._size(node.selection_set)
            self._sizes[name].directives += len(node.directives or ())
        operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
        # What no operation spreads is validated all the same
        used = set().union(*spreads.values(), *(self._spreads(node.selection_set) for node in operations))
        unused = [node for name, node in named.items() if name not in used]
        self._roots = [node.selection_set for node in (*operations, *unused)]
        for operation in operations:
            size = self._size(operation.selection_set)
            size.root_fields = size.top
            self._add(size, len(operation.directives or ()))
            for variable in operation.variable_definitions or ():
                self._add(Size(), len(variable.directives or ()))
        for node in unused:
            self._add(self._size(node.selection_set), len(node.directives or ()))

    def _add(self, size: Size, directives: int) -> None:
        self.size.add(size)
        self.size.root_fields = max(self.size.root_fields, size.root_fields)
        self.size.directives += directives

    def _spreads(self, selections: SelectionSetNode) -> Iterator[str]:
        """The names of the fragments that a selection set spreads, at whatever depth."""
        for selection in selections.selections:
            self.visited += 1
            if isinstance(selection, FragmentSpreadNode):
                yield selection.name.value
            elif (below := _below(selection)) is not None:
                yield from self._spreads(below)

    def _size(self, selections: SelectionSetNode) -> Size:
        # An empty selection set, which graphql-core parses, counts as a field: nothing is spread for free
        empty = not selections.selections
        total = Size(fields=empty, top=empty)
        for selection in selections.selections:
            self.visited += 1
            if isinstance(selection, FragmentSpreadNode):
                here = self._sizes.get(selection.name.value, Size())
            else:
                below = _below(selection)
                here = Size() if below is None else self._size(below)
            if isinstance(selection, FieldNode):
                _within(here, selection)
            total.add(here)
            total.directives += len(selection.directives or ())
        return total

    def _fields(self, selections: SelectionSetNode) -> Iterator[FieldNode]:
        """The fields of a selection set with the fragments in it spread out."""
        for selection in selections.selections:
            if isinstance(selection, FieldNode):
                yield selection
            elif isinstance(selection, FragmentSpreadNode):
                yield from self._flat.get(selection.name.value, ())
            elif (below := _below(selection)) is not None:
                yield from self._fields(below)

    def flatten(self) -> None:
        """Spread the fragments out, of a document whose fields are within the bounds, for what follows."""
        for name, node in self._fragments.items():
            self._flat[name] = list(self._fields(node.selection_set))

    def comparisons(self) -> int:
        """How often validation compares two fields."""
        return sum(self._comparisons(list(self._fields(root))) for root in self._roots)

    def _comparisons(self, fields: list[FieldNode]) -> int:
        total = 0
        for group in self._merged(fields):
            sets = _sets(group)
            total += len(group) * (len(group) - 1) // 2 * (10 if sets else 1)
            if sets:
                total += self._comparisons([field for each in sets for field in self._fields(each)])
        return total

    def repeats(self) -> int:
        """How often one field below a `__schema` or a `__type` is answered, by other aliases; at least 1.

        `{ __schema { a: types { x: name y: name } b: types { name } } }` has three times `types.name`.
        """
        groups = [group for root in self._roots for group in self._merged(self._fields(root))]
        asked = [group for group in groups if group[0].name.value in _INTROSPECTION]
        return max((self._repeats([group]) for group in asked), default=1)

    def _repeats(self, places: list[list[FieldNode]]) -> int:
        below: dict[str, list[list[FieldNode]]] = {}
        for place in places:
            for group in self._merged(field for each in _sets(place) for field in self._fields(each)):
                below.setdefault(group[0].name.value, []).append(group)
        return max([len(places), *map(self._repeats, below.values())])

    def _merged(self, fields: Iterable[FieldNode]) -> Iterable[list[FieldNode]]:
        """The fields that have a response key in common, which are one when it runs."""
        same: dict[str, list[FieldNode]] = {}
        for field in fields:
            self.visited += 1
            same.setdefault(field.alias.value if field.alias else field.name.value, []).append(field)
        return same.values()


def _sets(fields: Iterable[FieldNode]) -> list[SelectionSetNode]:
    return [field.selection_set for field in fields if field.selection_set]


def _below(selection: SelectionNode) -> SelectionSetNode | None:
    return selection.selection_set if isinstance(selection, FieldNode | InlineFragmentNode) else None


def _in_order(spreads: Mapping[str, set[str]]) -> list[str]:
    """The fragments, each after those that it spreads."""
    try:
        return list(TopologicalSorter(spreads).static_order())
    except CycleError:
        raise Circular from None


def _within(size: Size, field: FieldNode) -> None:
    """Make of the size of a field's selections that of the field."""
    name = field.name.value
    size.top = 1
    size.fields += 1
    size.aliases += field.alias is not None
    if name in _INTROSPECTION:
        size.introspection_depth = max(size.introspection_depth, size.depth + 1)
        size.depth = 1
    else:
        size.depth += 1
        size.introspection_lists += name in _LISTS
