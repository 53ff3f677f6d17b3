"""Documents of a size that a test gives, valid but for their size."""

from collections.abc import Callable
from itertools import cycle, islice
from typing import Final

from graphql import GraphQLObjectType, get_nullable_type, is_leaf_type

from graph import limits
from graph.schema import schema


def leaves(kind: str) -> list[str]:
    """The fields of a type that have none below them."""
    found = schema._schema.type_map[kind]
    assert isinstance(found, GraphQLObjectType)
    return [name for name, item in found.fields.items() if is_leaf_type(get_nullable_type(item.type))]


def characters(count: int) -> str:
    """One text, which the parser takes longest over."""
    return f'{{ nodes(ids: ["{"a" * (count - 27)}"]) {{ id }} }}'


def tokens(count: int) -> str:
    """Comments count."""
    return "#\n" * (count - 3) + "{ __typename }"


def depth(count: int) -> str:
    return _nested(["viewer", *islice(cycle(("user", "profile")), count - 2), "__typename"])


def fields(count: int) -> str:
    """No more of one name in one place than validation can compare."""
    left = count - 4
    every = [("companies", name) for name in leaves("Company")] + [("deals", name) for name in leaves("Deal")]
    chosen = list(islice(cycle(every), left))
    parts = [
        f"{root} {{ nodes {{ {' '.join(name for of, name in chosen if of == root)} }} }}"
        for root in ("companies", "deals")
    ]
    return f"{{ {' '.join(parts)} }}"


def aliases(count: int) -> str:
    return f"{{ viewer {{ {' '.join(f'a{n}: __typename' for n in range(count))} }} }}"


def directives(count: int) -> str:
    return f"{{ viewer {{ {'__typename @include(if: true) ' * count} }} }}"


def root_fields(count: int) -> str:
    return f"{{ {'viewer { __typename } ' * count} }}"


def introspection_depth(count: int) -> str:
    return _nested(['__type(name: "Deal")', *["ofType"] * (count - 2), "name"])


def introspection_lists(count: int) -> str:
    return _nested(["__schema", "types", *["fields", "type"] * (count - 1), "fields", "name"])


def introspection_repeats(count: int) -> str:
    names = " ".join(f"a{n}: name" for n in range(count))
    return f'{{ __type(name: "Deal") {{ {names} fields {{ name }} }} }}'


def comparisons(count: int) -> str:
    """The same field as often as makes so many pairs, or nearly: fewer up to the bound, more beyond it."""
    more = next(n for n in range(count) if n * (n - 1) // 2 >= count)
    fewer = more - (more * (more - 1) // 2 > count)
    same = fewer if count <= limits.MAX_COMPARISONS else more
    return f"{{ viewer {{ {'__typename ' * same} }} }}"


def nodes(count: int) -> str:
    """A hundred companies, and a page of deals for each."""
    deals = -(-count // 100) - 1
    return f"{{ companies(first: 100) {{ nodes {{ deals(first: {deals}) {{ nodes {{ id }} }} }} }} }}"


def values(count: int) -> str:
    """Ids, a page of them at a time."""
    pages = [min(limits.MAX_PAGE, count - at) for at in range(0, count, limits.MAX_PAGE)]
    found = [f"a{at}: nodes(ids: [{'1 ' * page}]) {{ id }}" for at, page in enumerate(pages)]
    return f"{{ {' '.join(found)} }}"


def nesting(count: int) -> str:
    """Brackets of arguments; a filter may not be as deep, which is found out later."""
    lists, objects = (count - 2) // 2, count % 2
    value = "{and: [" * lists + "{" * objects + "}" * objects + "]}" * lists
    return f"{{ deals(filter: {value}) {{ totalCount }} }}"


def _nested(names: list[str]) -> str:
    return "{ " + " { ".join(names) + " }" * len(names)


BOUNDS: Final[dict[str, tuple[int, Callable[[int], str]]]] = {
    "characters": (limits.MAX_DOCUMENT, characters),
    "tokens": (limits.MAX_TOKENS, tokens),
    "values": (limits.MAX_VALUES, values),
    "nesting": (limits.MAX_NESTING, nesting),
    "depth": (limits.MAX_DEPTH, depth),
    "fields": (limits.MAX_FIELDS, fields),
    "aliases": (limits.MAX_ALIASES, aliases),
    "directives": (limits.MAX_DIRECTIVES, directives),
    "rootFields": (limits.MAX_ROOT_FIELDS, root_fields),
    "introspectionDepth": (limits.MAX_INTROSPECTION_DEPTH, introspection_depth),
    "introspectionLists": (limits.MAX_INTROSPECTION_LISTS, introspection_lists),
    "introspectionRepeats": (limits.MAX_INTROSPECTION_REPEATS, introspection_repeats),
    "comparisons": (limits.MAX_COMPARISONS, comparisons),
    "nodes": (limits.MAX_NODES, nodes),
}
"""By the name that clients see: the bound, and a document of a size."""


def chained(spreads: int, levels: int, end: str = "__typename") -> str:
    """Fragments that each spread the next `spreads` times: so many fields to the power of `levels`."""
    names = [f"fragment F{level} on Query {{ {f'...F{level + 1} ' * spreads} }}" for level in range(levels)]
    return f"{{ ...F0 }} {' '.join(names)} fragment F{levels} on Query {{ {end} }}"


HOSTILE: Final = {
    "chained fragments": (chained(2, 40), "fields"),
    "chained fragments of nothing": (chained(2, 40, ""), "fields"),
    "chained fragments of aliases": (chained(2, 6, "a: __typename"), "aliases"),
    "overlapping fields": (f"{{ {'__typename ' * 1300} }}", "comparisons"),
    "overlapping objects": (f"{{ viewer {{ {'tenant { id } ' * 240} }} }}", "comparisons"),
    "many aliases": (f"{{ {' '.join(f'a{n}: __typename' for n in range(1000))} }}", "aliases"),
    "many directives": (f"{{ __typename {'@include(if: true) ' * 300} }}", "directives"),
    "unknown directives": (f"{{ __typename {'@a' * 900} }}", "directives"),
    "circular introspection": (introspection_lists(8), "introspectionLists"),
    "repeated introspection": (
        f"{{ __schema {{ {' '.join(f'a{n}: types {{ fields {{ name }} }}' for n in range(20))} }} }}",
        "introspectionRepeats",
    ),
    "repeated introspection of fields": (
        '{ __type(name: "Mutation") { a: fields { ...F } b: fields { ...F } } }'
        " fragment F on __Field { a: args { name } b: args { name } }",
        "introspectionRepeats",
    ),
    "nested braces": ("{a" * 24_000, "nesting"),
    "nested lists": (f"{{ nodes(ids: {'[' * 40_000}", "nesting"),
    "comments": ("#\n" * 24_000 + "{ __typename }", "tokens"),
    "a long comment": (f"#{'a' * 250_000}\n{{ __typename }}", "characters"),
    "a long text": (characters(250_000), "characters"),
    "a long name": (f"{{ {'a' * 250_000} }}", "characters"),
    "spaces": (f"{{{' ' * 250_000}__typename }}", "characters"),
}
"""Documents of the kinds that stock servers spend seconds on, with what they exceed."""
