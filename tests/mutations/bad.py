"""What nobody should send, for each kind of field of an input."""

from collections.abc import Iterator
from typing import Any, Final

import orjson
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    get_named_type,
    get_nullable_type,
    is_list_type,
    is_non_null_type,
)

from tests.mutations.places import Place
from tests.mutations.scene import NOWHERE

LONG: Final = "9" * 100_001
KINDS: Final[dict[str, list[Any]]] = {
    "BigInt": ["7.5", 2**63, str(2**63), True, "x", LONG],
    "Boolean": ["true", 1, {"a": 1}],
    "CurrencyCode": ["egp", "XXQ", "", 7, LONG, "E\0P"],
    "Date": ["2026-02-30", "tomorrow", 7, LONG, "2026-01-0\0"],
    "DateTime": ["2026-02-03", "2026-02-03T10:00:00", 7, LONG, "2026-02-03T10:00:00Z\0"],
    "Decimal": ["NaN", "Infinity", "x", True, LONG, "1\0"],
    "EmailAddress": ["mona", "mona@", "a b@example.org", 7, LONG, f"{LONG}@example.org", "m\0@example.org"],
    "ID": [7, "7", 1.5, NOWHERE + "0", {"a": 1}, LONG, "x\0y"],
    "Int": ["7", 2**31, 1.5, True],
    "JSON": [{"a": ["x\0"]}, {"a\0": 1}, orjson.loads("[" * 40 + "]" * 40)],
    "PhoneNumber": ["12", "hello", "+0", 7, LONG, "+2010012345\0"],
    "String": [7, True, {"a": 1}, ["a", "b"], "x\0y", LONG],
    "URL": [
        "nile",
        "javascript:alert(1)",
        "ftp://nile.test/",
        "https://",
        7,
        f"https://{LONG}",
        "https://\0",
    ],
}


def bad_values(place: Place) -> Iterator[Any]:
    """What the field cannot take; null is one of them where it takes a value."""
    kind, named = get_nullable_type(place.kind), get_named_type(place.kind)
    if is_non_null_type(place.kind):
        yield None
    if isinstance(named, GraphQLInputObjectType):
        items: list[Any] = [7, "x", {"nonsense": 1}]
    elif isinstance(named, GraphQLEnumType):
        items = ["NOTHING", "nothing\0", 7, True, LONG]
    else:
        items = KINDS[named.name]
    if is_list_type(kind):
        yield from ([item] for item in (*items, None))
    else:
        yield from items
        yield [items[0]]
