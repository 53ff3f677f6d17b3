"""The custom scalars: what they take, as what, and how they show what is stored."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from graphql import parse_value
from strawberry.types.scalar import ScalarDefinition

from graph.limits import MAX_JSON_BYTES
from graph.scalars import MAX_BIGINT, MAX_JSON_DEPTH, SCALARS

BY_NAME = {definition.name: definition for definition in SCALARS.values()}


def scalar(name: str) -> ScalarDefinition:
    return BY_NAME[name]


def read(name: str, value: object) -> Any:
    """What a variable with this value becomes."""
    parse = scalar(name).parse_value
    assert parse is not None
    return parse(value)


def read_literal(name: str, text: str) -> Any:
    """What this in a document becomes."""
    parse = scalar(name).parse_literal
    assert parse is not None
    return parse(parse_value(text), None)


def shown(name: str, value: object) -> Any:
    serialize = scalar(name).serialize
    assert serialize is not None
    return serialize(value)


def utc(*parts: int) -> dt.datetime:
    return dt.datetime(*parts, tzinfo=dt.UTC)  # type: ignore[arg-type,misc]


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


ACCEPTED: list[tuple[str, object, object]] = [
    ("DateTime", "2026-01-02T03:04:05Z", utc(2026, 1, 2, 3, 4, 5)),
    ("DateTime", "2026-01-02t03:04:05z", utc(2026, 1, 2, 3, 4, 5)),
    ("DateTime", "2026-01-02 03:04:05Z", utc(2026, 1, 2, 3, 4, 5)),
    ("DateTime", "2026-01-02T03:04:05+02:00", utc(2026, 1, 2, 1, 4, 5)),
    ("DateTime", "2026-01-02T03:04:05-23:59", utc(2026, 1, 3, 3, 3, 5)),
    ("DateTime", "2026-01-02T03:04:05-00:00", utc(2026, 1, 2, 3, 4, 5)),
    ("DateTime", "2026-01-02T03:04:05.000001Z", utc(2026, 1, 2, 3, 4, 5, 1)),
    ("DateTime", "2026-01-02T03:04:05.1Z", utc(2026, 1, 2, 3, 4, 5, 100_000)),
    ("DateTime", "2024-02-29T23:59:59Z", utc(2024, 2, 29, 23, 59, 59)),
    ("DateTime", "0001-01-01T00:00:00Z", utc(1, 1, 1)),
    ("DateTime", "9999-12-31T23:59:59.999999Z", utc(9999, 12, 31, 23, 59, 59, 999_999)),
    ("Date", "2024-02-29", dt.date(2024, 2, 29)),
    ("Date", "0001-01-01", dt.date(1, 1, 1)),
    ("Date", "9999-12-31", dt.date(9999, 12, 31)),
    ("BigInt", "0", 0),
    ("BigInt", "-0", 0),
    ("BigInt", "007", 7),
    ("BigInt", 2**53 + 1, 2**53 + 1),
    ("BigInt", str(MAX_BIGINT), MAX_BIGINT),
    ("BigInt", MAX_BIGINT, MAX_BIGINT),
    ("BigInt", str(-MAX_BIGINT - 1), -MAX_BIGINT - 1),
    ("Decimal", "12.50", Decimal("12.50")),
    ("Decimal", "-.5", Decimal("-0.5")),
    ("Decimal", "+5.", Decimal(5)),
    ("Decimal", "1e3", Decimal(1000)),
    ("Decimal", "1E-99", Decimal("1E-99")),
    ("Decimal", "9" * 1000, Decimal("9" * 1000)),
    ("Decimal", 12, Decimal(12)),
    ("Decimal", 0.1, Decimal("0.1")),
    ("JSON", {"a": [1, 1.5, "x", True, None, {}]}, {"a": [1, 1.5, "x", True, None, {}]}),
    ("JSON", nested(MAX_JSON_DEPTH), nested(MAX_JSON_DEPTH)),
    ("JSON", "é" * (MAX_JSON_BYTES // 2 - 1), "é" * (MAX_JSON_BYTES // 2 - 1)),
    ("EmailAddress", "mona@example.com", "mona@example.com"),
    ("EmailAddress", "Mona+deals@EXAMPLE.com", "Mona+deals@example.com"),
    ("EmailAddress", "info@bücher.example.com", "info@bücher.example.com"),
    ("PhoneNumber", "+201001234567", "+201001234567"),
    ("PhoneNumber", "+20 100 123-4567", "+201001234567"),
    ("PhoneNumber", "tel:+1-212-555-2368", "+12125552368"),
    ("PhoneNumber", "+٢٠١٠٠١٢٣٤٥٦٧", "+201001234567"),
    ("CurrencyCode", "EGP", "EGP"),
    ("CurrencyCode", "SAR", "SAR"),
    ("IPAddress", "192.0.2.1", "192.0.2.1/32"),
    ("IPAddress", "192.0.2.1/24", "192.0.2.1/24"),
    ("IPAddress", "2001:DB8:0:0::1/64", "2001:db8::1/64"),
    ("URL", "https://example.com", "https://example.com"),
    ("URL", "http://example.com:8080/a%20b?c=d#e", "http://example.com:8080/a%20b?c=d#e"),
    ("URL", "HTTPS://Example.com/", "HTTPS://Example.com/"),
    ("URL", "https://bücher.example.com/ü?q=فيلا", "https://bücher.example.com/ü?q=فيلا"),
    ("URL", "https://[2001:db8::1]/", "https://[2001:db8::1]/"),
    ("URL", "https://example.com/" + "a" * 2028, "https://example.com/" + "a" * 2028),
    ("Cursor", "abc", "abc"),
]


@pytest.mark.parametrize(("name", "given", "value"), ACCEPTED)
def test_what_fits_is_taken(name: str, given: object, value: object) -> None:
    found = read(name, given)
    assert (type(found), found) == (type(value), value)


def test_an_offset_is_brought_to_utc() -> None:
    assert read("DateTime", "2026-06-01T00:30:00+03:00").tzinfo is dt.UTC


@pytest.mark.parametrize(
    ("name", "stored", "text"),
    [
        ("DateTime", utc(2026, 1, 2, 3, 4, 5), "2026-01-02T03:04:05Z"),
        ("DateTime", utc(2026, 1, 2, 3, 4, 5, 10), "2026-01-02T03:04:05.000010Z"),
        (
            "DateTime",
            dt.datetime(2026, 1, 2, 3, tzinfo=dt.timezone(dt.timedelta(hours=2))),
            "2026-01-02T01:00:00Z",
        ),
        ("DateTime", utc(1, 1, 1), "0001-01-01T00:00:00Z"),
        ("Date", dt.date(1, 1, 1), "0001-01-01"),
        ("BigInt", 2**80, str(2**80)),
        ("BigInt", -1, "-1"),
        ("Decimal", Decimal("1E+3"), "1000"),
        ("Decimal", Decimal("0.00"), "0.00"),
        ("Decimal", Decimal("1E-20"), "0.00000000000000000001"),
        ("Decimal", Decimal("NaN"), "NaN"),
        ("Decimal", Decimal("-Infinity"), "-Infinity"),
        ("EmailAddress", "no address", "no address"),
        ("PhoneNumber", "0100 / home", "0100 / home"),
        ("CurrencyCode", "egp", "egp"),
        ("URL", "javascript:alert(1)", "javascript:alert(1)"),
    ],
)
def test_what_is_stored_is_shown(name: str, stored: object, text: str) -> None:
    assert shown(name, stored) == text


@pytest.mark.parametrize(("name", "given", "value"), [case for case in ACCEPTED if case[0] != "JSON"])
def test_what_is_shown_is_taken_again(name: str, given: object, value: object) -> None:
    assert read(name, shown(name, value)) == value


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("Decimal", "12", Decimal(12)),
        ("Decimal", "0.12345678901234567890123", Decimal("0.12345678901234567890123")),
        ("Decimal", '"1.50"', Decimal("1.50")),
        ("JSON", '{ a: [1, 1.5, "x", true, null] }', {"a": [1, 1.5, "x", True, None]}),
        ("JSON", "null", None),
        ("JSON", "[" * MAX_JSON_DEPTH + "]" * MAX_JSON_DEPTH, nested(MAX_JSON_DEPTH)),
    ],
)
def test_a_literal_is_taken_as_it_is_written(name: str, text: str, value: object) -> None:
    if isinstance(value, list):
        text = text.replace("[]", "[1]")
    assert read_literal(name, text) == value
