"""Values for arguments: random, of a given input type, mostly fit for the demo, sometimes not fit at all."""

import json
from collections import defaultdict
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final
from uuid import UUID

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLNonNull,
    get_nullable_type,
    is_list_type,
    is_required_input_field,
)

TEXTS: Final = (
    "a",
    "E",
    "مصر",
    "cairo",
    "10",
    "%",
    "_",
    "\\",
    "",
    "call",
    "new",
    "EGP",
    "EG",
    "admin@demo.test",
)
NUMBERS: Final = (0, 1, 2, 5, 30, 100, -1, 2**31 - 1)
SIZES: Final = ("0", "1.50", "120", "85.00", "1e3", "-2.5", 100)
AMOUNTS: Final = ("0", 1, "250000000", 9_000_000_00, "-1", "9223372036854775807")
DAYS: Final = ("2026-11-02", "2026-01-31", "0001-01-01", "9999-12-31")
DOCUMENTS: Final[tuple[Any, ...]] = (
    {},
    {"lat": 30},
    {"a": [1, None]},
    [],
    [1.5],
    "x",
    1,
    True,
    {"channel": "email"},
)
ADDRESSES: Final = ("192.0.2.1", "10.0.0.0/8", "::1", "::ffff:192.0.2.1")
WRONG: Final[dict[str, tuple[Any, ...]]] = {
    "ID": ("", "no id", "7f3c1f9e5a7e4c399a0e1d2b3c4d5e6f"),
    "Int": (2**31, "1", 1.5),
    "BigInt": ("9223372036854775808", 1.5),
    "Decimal": ("NaN", "twelve"),
    "DateTime": ("2026-11-02", "2026-11-02T09:30:00", "now"),
    "Date": ("2026-02-30", 2026),
    "IPAddress": ("192.0.2.300", "fe80::1%eth0"),
    "String": ("\0", "x" * 1001, 1),
    "Boolean": ("true", 1),
}
"""What is refused, by the document's validation or when it runs."""


class Symbol(str):
    """The name of an enum's value: bare in a document, text in variables."""

    __slots__ = ()


@dataclass
class Known:
    """What one user's operations may point at."""

    ids: dict[str, list[str]]
    """By type."""
    times: list[str]
    cursors: dict[tuple[str, ...], list[str]] = field(default_factory=lambda: defaultdict(list))
    """By list: its parent's id, its field, its order."""


class Values:
    """Makes values."""

    def __init__(self, chance: Random, known: Known) -> None:
        self._chance, self._known = chance, known

    def some(self, kind: GraphQLInputType, depth: int = 0, near: str | None = None) -> Any:
        """A value of `kind`, in Python's form of JSON; ids are those of the type `near`."""
        bare = get_nullable_type(kind)
        if not isinstance(kind, GraphQLNonNull) and self._chance.random() < 0.01:
            return None
        if is_list_type(bare):
            several = range(self._chance.choice((0, 1, 1, 2, 3)))
            return [self.some(bare.of_type, depth + 1, near) for _ in several]
        if isinstance(bare, GraphQLEnumType):
            return Symbol(self._chance.choice(list(bare.values)))
        if isinstance(bare, GraphQLInputObjectType):
            return self._object(bare, depth, near)
        name = str(bare)
        if name in WRONG and self._chance.random() < 0.01:
            return self._chance.choice(WRONG[name])
        return self._scalar(name, near)

    def _object(self, kind: GraphQLInputObjectType, depth: int, near: str | None) -> dict[str, Any]:
        required = [name for name, item in kind.fields.items() if is_required_input_field(item)]
        others = [name for name in kind.fields if name not in required]
        if depth > 3:
            others = [name for name in others if name not in ("and", "or", "not")]
        count = self._chance.choice((0, 1, 1, 1, 2)) if not required else self._chance.randint(0, 1)
        chosen = required + self._chance.sample(others, min(count, len(others)))
        related = kind.name.removesuffix("Filter")
        if related not in ("ID", "String", "StringList") and kind.name.endswith("Filter"):
            near = related if related in self._known.ids else near
        found = {}
        for name in chosen:
            about = name[0].upper() + name[1:].removesuffix("Id") if name.endswith("Id") else near
            found[name] = self.some(kind.fields[name].type, depth + 1, about)
        return found

    def _scalar(self, name: str, near: str | None) -> Any:
        chance = self._chance
        match name:
            case "ID":
                return self.id(near)
            case "Int":
                return chance.choice(NUMBERS)
            case "Boolean":
                return chance.random() < 0.5
            case "BigInt":
                return chance.choice(AMOUNTS)
            case "Decimal":
                return chance.choice(SIZES)
            case "DateTime":
                return chance.choice(
                    (*self._known.times, "2026-06-01T12:00:00+03:00", "9999-12-31T23:59:59.999999Z")
                )
            case "Date":
                return chance.choice(DAYS)
            case "JSON":
                return chance.choice(DOCUMENTS)
            case "IPAddress":
                return chance.choice(ADDRESSES)
        return chance.choice(TEXTS)

    def id(self, near: str | None) -> str:
        """An id, of a row of the type `near` if there is one."""
        roll = self._chance.random()
        if roll < 0.04:
            return str(UUID(int=self._chance.getrandbits(128)))
        there = self._known.ids.get(near or "") or self._known.ids["Deal"]
        found = self._chance.choice(there)
        return found.upper() if roll < 0.08 else found


def literal(value: Any) -> str:
    """A value as a document has it."""
    if isinstance(value, Symbol):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {literal(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(literal(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)
