"""The kinds of columns, with values to store and to look for, and what each operator says in Python."""

import datetime as dt
import operator as operators
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from ipaddress import ip_interface
from typing import Any, Final
from uuid import UUID

from db import models
from db.base import Base

EQUALITY: Final = ("eq", "ne", "in", "notIn", "isNull")
RANGE: Final = ("lt", "lte", "gt", "gte")
TEXT: Final = ("contains", "startsWith")
ARRAY: Final = ("has", "hasAny", "hasAll", "isNull")


@dataclass(frozen=True)
class Kind:
    """A kind of column: the list that one is in, what it may hold, what else to look for."""

    root: str
    model: type[Base]
    column: str
    stored: Sequence[Any]
    operators: tuple[str, ...]
    others: Sequence[Any] = ()
    given: Callable[[Any], Any] = str
    """A value as a variable has it."""

    def operands(self, operator: str, chance: random.Random) -> list[Any]:
        """What to try `operator` with."""
        known = [value for value in (*self.stored, *self.others) if value is not None]
        match operator:
            case "isNull":
                return [True, False]
            case "in" | "notIn":
                return [
                    [],
                    known,
                    *([chance.choice(known)] for _ in range(3)),
                    chance.sample(known, len(known) // 2),
                ]
            case "hasAny" | "hasAll":
                return [[], ["a"], ["b", "a"], ["a", "z"], ["z"], ["%"], ["b", "b"], ["a"] * 100]
            case "has":
                return ["a", "b", "z", "%", "", "A"]
            case "contains" if self.column == "attributes":
                return [value for value in (*JSONS, *PARTS_OF_JSON) if value is not None]
        return known


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def same(value: Any) -> Any:
    return value


FANCY = (
    "",
    "50%",
    "500",
    "a_b",
    "axb",
    "back\\slash",
    "a/b",
    "'quoted'",
    "Straße",
    "STRASSE",
    "ÄRGER",
    "ärger",
    "فيلا بحرية",
    "فيلا",
    "\u0131spanak",
    "Ispanak",
    "ç\u0131nar",
    "🏠 home",
    " home",
    None,
)
PARTS = (
    "",
    "%",
    "_",
    "\\",
    "/",
    "50%",
    "0%",
    "a_",
    "STRAßE",
    "strasse",
    "ärg",
    "فيلا",
    "لا",
    "ISPANAK",
    "🏠",
    "'",
)
WORDS = ("alpha", "bravo", "brave", "charlie", None)
UUIDS = [UUID(int=number << 96 | number) for number in (1, 2, 3)]
INSTANTS = [utc(t) for t in ("2026-01-01T00:00:00", "2026-01-01T00:00:00.000001", "0001-01-02", "9999-12-30")]
DAYS = [dt.date(1, 1, 2), dt.date(2026, 2, 28), dt.date(2026, 3, 1), dt.date(9999, 12, 30)]
SIZES = [Decimal(text) for text in ("-0.01", "0", "12.34", "12.35", "9999999999.99")]
NUMBERS = [Decimal(text) for text in ("0", "0.1", "1e-20", "123456789012345678901234567890.5", "-7")]
JSONS: Sequence[Any] = (
    {},
    {"a": 1},
    {"a": 1, "b": [1, 2, {"c": None}]},
    {"a": "1"},
    {"b": [2]},
    [],
    [1, [2]],
    "text",
    True,
    1.5,
    {"ü": {"ß": "%"}},
    None,
)
PARTS_OF_JSON: Sequence[Any] = (
    1,
    False,
    2,
    [1],
    [[2]],
    [2, 1],
    {"b": [{"c": None}]},
    {"b": [{}]},
    {"a": 1.0},
)
ADDRESSES = [ip_interface(text) for text in ("192.0.2.1", "192.0.2.1/24", "192.0.2.0/24", "2001:db8::1/64")]

KINDS = [
    Kind("deals", models.Deal, "status", ("open", "won", "lost"), EQUALITY, given=str.upper),
    Kind(
        "campaignSends",
        models.CampaignSend,
        "recipient_type",
        ("contact", "lead", None),
        EQUALITY,
        ["user"],
        str.upper,
    ),
    Kind("auditLogs", models.AuditLog, "entity_id", [*UUIDS, None], EQUALITY, [UUID(int=9)]),
    Kind(
        "unitTypeCodes",
        models.UnitTypeCode,
        "is_active",
        (True, False, None),
        ("eq", "ne", "isNull"),
        (),
        same,
    ),
    Kind(
        "leads",
        models.Lead,
        "score",
        (-(2**31), -1, 0, 1, 2**31 - 1, None),
        (*EQUALITY, *RANGE),
        [5],
        same,
    ),
    Kind(
        "deals",
        models.Deal,
        "amount_minor",
        (-(2**63), -1, 0, 2**53 + 1, 2**63 - 1, None),
        (*EQUALITY, *RANGE),
        [2**53],
    ),
    Kind(
        "units",
        models.Unit,
        "size_sqm",
        [*SIZES, None],
        (*EQUALITY, *RANGE),
        [Decimal("12.345"), Decimal("1e30")],
    ),
    Kind(
        "usageCounters",
        models.UsageCounter,
        "value",
        NUMBERS,
        (*EQUALITY, *RANGE),
        [Decimal("0.10"), Decimal("1e-21"), Decimal("9e999")],
    ),
    Kind(
        "activities",
        models.Activity,
        "due_at",
        [*INSTANTS, None],
        (*EQUALITY, *RANGE),
        [utc("2026-06-01")],
        lambda value: value.isoformat(),
    ),
    Kind(
        "deals", models.Deal, "expected_close_at", [*DAYS, None], (*EQUALITY, *RANGE), [dt.date(2024, 2, 29)]
    ),
    Kind("leads", models.Lead, "source_code", WORDS, (*EQUALITY, *RANGE), ["", "bravf", "ALPHA"]),
    Kind("activities", models.Activity, "subject", FANCY, (*EQUALITY, *TEXT), PARTS),
    Kind("units", models.Unit, "code", FANCY, (*EQUALITY, *TEXT), PARTS),
    Kind(
        "deals",
        models.Deal,
        "currency",
        ("EGP", "EUR", "USD", None),
        (*EQUALITY, *TEXT),
        ["eg", "EGPX", "E", "egp"],
    ),
    Kind("auditLogs", models.AuditLog, "ip_address", [*ADDRESSES, None], EQUALITY, [ip_interface("::1")]),
    Kind(
        "leads", models.Lead, "tags", ([], ["a"], ["a", "b"], ["b", "b", "%"], ["A"], None), ARRAY, (), same
    ),
    Kind("leads", models.Lead, "attributes", JSONS, ("contains", "isNull"), (), same),
]


def holds(operator: str, stored: Any, given: Any) -> bool:
    """Whether a row that stores this matches, in Python's words."""
    match operator:
        case "isNull":
            return bool((stored is None) == given)
        case "ne":
            return bool(stored != given)
        case "notIn":
            return stored not in given
    if stored is None:
        return False
    match operator:
        case "in":
            return stored in given
        case "contains" if isinstance(stored, str) and isinstance(given, str):
            return given.lower() in stored.lower()
        case "contains":
            return includes(stored, given)
        case "startsWith":
            return bool(stored.lower().startswith(given.lower()))
        case "has":
            return given in stored
        case "hasAny":
            return any(value in stored for value in given)
        case "hasAll":
            return all(value in stored for value in given)
    return bool(getattr(operators, {"lte": "le", "gte": "ge"}.get(operator, operator))(stored, given))


def includes(whole: Any, part: Any, *, top: bool = True) -> bool:
    """`whole @> part`, as PostgreSQL defines it for jsonb."""
    if isinstance(whole, dict) and isinstance(part, dict):
        return all(name in whole and includes(whole[name], value, top=False) for name, value in part.items())
    if isinstance(whole, list) and isinstance(part, list):
        return all(any(includes(item, value, top=False) for item in whole) for value in part)
    if top and isinstance(whole, list) and not isinstance(part, dict):
        return any(includes(item, part, top=False) for item in whole)
    return (type(whole) is type(part) and bool(whole == part)) or bool(
        {type(whole), type(part)} == {int, float} and whole == part
    )
