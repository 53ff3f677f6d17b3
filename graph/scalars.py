"""The custom scalars: strict on the way in, and whatever is stored is readable on the way out."""

import datetime as dt
import decimal
import ipaddress
import json
import math
import re
from collections.abc import Callable
from contextvars import ContextVar
from enum import Enum
from typing import Any, NewType
from urllib.parse import urlsplit

import iso4217
import phonenumbers
import strawberry
from email_validator import EmailNotValidError, validate_email
from graphql import (
    BooleanValueNode,
    FloatValueNode,
    IntValueNode,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    StringValueNode,
    ValueNode,
    VariableNode,
)
from strawberry.types.scalar import ScalarDefinition

from graph.errors import BadInput
from graph.limits import MAX_JSON_BYTES, MAX_URL

DateTime = NewType("DateTime", dt.datetime)
Date = NewType("Date", dt.date)
BigInt = NewType("BigInt", int)
Decimal = NewType("Decimal", decimal.Decimal)
JSON = NewType("JSON", object)
EmailAddress = NewType("EmailAddress", str)
PhoneNumber = NewType("PhoneNumber", str)
CurrencyCode = NewType("CurrencyCode", str)
IPAddress = NewType("IPAddress", str)
URL = NewType("URL", str)
Cursor = NewType("Cursor", str)

phone_region: ContextVar[str] = ContextVar("phone_region", default="EG")
"""The country whose phone numbers need no `+`; `Context` sets it for its operation."""

MAX_BIGINT = 2**63 - 1
MAX_DIGITS = 1000
"""Digits a Decimal may have: PostgreSQL's numeric holds more, nobody means them."""
MAX_JSON_DEPTH = 32

_RFC3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_INTEGER = re.compile(r"-?\d{1,19}", re.ASCII)
_DECIMAL = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_NOT_IN_URL = re.compile(r"[\s\\\x00-\x1f\x7f]")
_CURRENCIES = frozenset(currency.code for currency in iso4217.Currency)


def text(value: object, what: str) -> str:
    """`value` as text that PostgreSQL can hold, or a ValueError that names `what` was expected."""
    if not isinstance(value, str):
        raise ValueError(f"{what} is a string.")
    if "\0" in value or any("\ud800" <= char <= "\udfff" for char in value):
        raise ValueError(f"{what} cannot hold U+0000 or lone surrogates.")
    return value


def _parse_datetime(value: object) -> dt.datetime:
    value = text(value, "DateTime")
    if not _RFC3339.fullmatch(value):
        raise ValueError("DateTime is RFC 3339 with an offset, such as 2026-11-02T09:30:00Z.")
    try:
        return dt.datetime.fromisoformat(value.upper()).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise ValueError("DateTime is not a time of the calendar.") from None


def _serialize_datetime(value: dt.datetime) -> str:
    return value.astimezone(dt.UTC).replace(tzinfo=None).isoformat() + "Z"


def _parse_date(value: object) -> dt.date:
    value = text(value, "Date")
    try:
        if _DAY.fullmatch(value):
            return dt.date.fromisoformat(value)
    except ValueError:
        pass
    raise ValueError("Date is a day of the calendar, such as 2026-11-02.")


def _parse_bigint(value: object) -> int:
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not -MAX_BIGINT - 1 <= value <= MAX_BIGINT:
        raise ValueError("BigInt is a whole number of 64 bits, as digits in a string or as a number.")
    return value


def _parse_decimal(value: object) -> decimal.Decimal:
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or len(value) > MAX_DIGITS or not _DECIMAL.fullmatch(value):
        raise ValueError("Decimal is a finite number in a string, such as 12.50.")
    return decimal.Decimal(value)


def _decimal_literal(node: ValueNode, variables: dict[str, Any] | None = None) -> decimal.Decimal:
    # From the digits in the document: as a float some would be gone.
    return _parse_decimal(getattr(node, "value", None))


def _serialize_decimal(value: decimal.Decimal) -> str:
    return format(value, "f")


def _parse_json(value: object) -> object:
    checked = _checked_json(value, 0)
    size = len(json.dumps(checked, ensure_ascii=False, separators=(",", ":")).encode())
    if size > MAX_JSON_BYTES:
        raise ValueError(f"JSON has at most {MAX_JSON_BYTES:,} bytes.")
    return checked


def _checked_json(value: object, depth: int) -> object:
    if depth > MAX_JSON_DEPTH:
        raise ValueError(f"JSON is nested deeper than {MAX_JSON_DEPTH}.")
    if isinstance(value, str) and not isinstance(value, Enum):
        return text(value, "JSON")
    if isinstance(value, list):
        return [_checked_json(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {text(key, "JSON"): _checked_json(item, depth + 1) for key, item in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("JSON numbers are finite.")
    if value is not None and not isinstance(value, bool | int | float):
        raise ValueError("JSON cannot hold a variable of this type.")
    return value


def _json_literal(node: ValueNode, variables: dict[str, Any] | None = None) -> object:
    try:
        return _parse_json(_literal_value(node, variables or {}))
    except ValueError as error:
        if variables:  # validation is over, where this would be the client's fault
            raise BadInput(str(error)) from None
        raise


def _literal_value(node: ValueNode, variables: dict[str, Any]) -> object:
    match node:
        case NullValueNode():
            return None
        case StringValueNode() | BooleanValueNode():
            return node.value
        case IntValueNode():
            return _parse_bigint(node.value)
        case FloatValueNode():
            return float(node.value)
        case VariableNode():
            return variables.get(node.name.value)
        case ListValueNode():
            return [_literal_value(item, variables) for item in node.values]
        case ObjectValueNode():
            # A variable without a value leaves its member out; to validation all of them are such
            return {
                field.name.value: _literal_value(field.value, variables)
                for field in node.fields
                if not isinstance(field.value, VariableNode) or field.value.name.value in variables
            }
    raise ValueError("JSON literals cannot hold this.")


def parse_email(value: object) -> str:
    """The address as it is stored; ValueError if it is none."""
    try:
        # test_environment lets .test through, where the demo's accounts are.
        checked = validate_email(
            text(value, "EmailAddress"), check_deliverability=False, test_environment=True
        )
        return checked.normalized
    except EmailNotValidError:
        raise ValueError("EmailAddress is not an e-mail address.") from None


def _parse_phone(value: object) -> str:
    value, region = text(value, "PhoneNumber"), phone_region.get()
    try:
        number = phonenumbers.parse(value, region)
    except phonenumbers.NumberParseException:
        number = None
    if number is None or len(value) > 32 or number.extension or not _dialled(number, value):
        raise ValueError(f"PhoneNumber is E.164, such as +201001234567, or a number of {region}.")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _dialled(number: phonenumbers.PhoneNumber, value: str) -> bool:
    """Whether there can be such a number: what says its country is believed, a guess at it must be right."""
    if value.lstrip().startswith(("+", "\uff0b")):
        return phonenumbers.is_possible_number(number)
    return phonenumbers.is_valid_number(number)


def _parse_currency(value: object) -> str:
    if not isinstance(value, str) or value not in _CURRENCIES:
        raise ValueError("CurrencyCode is a code of ISO 4217 in capitals, such as EGP.")
    return value


def _parse_ip(value: object) -> str:
    value = text(value, "IPAddress")
    try:
        if "%" not in value:  # a zone means something on one machine alone
            return str(ipaddress.ip_interface(value))
    except ValueError:
        pass
    raise ValueError("IPAddress is an IPv4 or IPv6 address.")


def _parse_url(value: object) -> str:
    value = text(value, "URL")
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    # A browser reads a backslash as a slash, and what stands before an @ may look like the host.
    if not usable or _NOT_IN_URL.search(value) or "@" in parts.netloc or len(value) > MAX_URL:
        raise ValueError(f"URL is an absolute http or https address of at most {MAX_URL:,} characters.")
    return value


def _parse_cursor(value: object) -> str:
    return text(value, "Cursor")


def _scalar(
    name: str,
    description: str,
    specified_by: str,
    parse: Callable[[object], object],
    serialize: Callable[[Any], object] = str,
    literal: Callable[[ValueNode, dict[str, Any] | None], object] | None = None,
) -> ScalarDefinition:
    return strawberry.scalar(
        name=name,
        description=description,
        specified_by_url=specified_by,
        parse_value=parse,
        serialize=serialize,
        parse_literal=literal,
    )


def _same(value: object) -> object:
    return value


SCALARS: dict[object, ScalarDefinition] = {
    DateTime: _scalar(
        "DateTime",
        "A point in time, RFC 3339. Answers are in UTC with the microseconds kept; input needs an offset.",
        "https://www.rfc-editor.org/rfc/rfc3339",
        _parse_datetime,
        _serialize_datetime,
    ),
    Date: _scalar(
        "Date",
        "A day of the calendar, `YYYY-MM-DD`.",
        "https://www.rfc-editor.org/rfc/rfc3339#section-5.6",
        _parse_date,
        lambda value: value.isoformat(),
    ),
    BigInt: _scalar(
        "BigInt",
        "A whole number of 64 bits: digits in a string in answers, a string or a number in input.",
        "https://www.postgresql.org/docs/current/datatype-numeric.html#DATATYPE-INT",
        _parse_bigint,
    ),
    Decimal: _scalar(
        "Decimal",
        "An exact, finite number, as a string.",
        "https://www.postgresql.org/docs/current/datatype-numeric.html#DATATYPE-NUMERIC-DECIMAL",
        _parse_decimal,
        _serialize_decimal,
        _decimal_literal,
    ),
    JSON: _scalar(
        "JSON",
        f"Any JSON value; in input at most {MAX_JSON_BYTES:,} bytes, nested at most {MAX_JSON_DEPTH} deep.",
        "https://www.rfc-editor.org/rfc/rfc8259",
        _parse_json,
        _same,
        _json_literal,
    ),
    EmailAddress: _scalar(
        "EmailAddress",
        "An e-mail address.",
        "https://www.rfc-editor.org/rfc/rfc5321#section-4.1.2",
        parse_email,
    ),
    PhoneNumber: _scalar(
        "PhoneNumber",
        "A phone number in E.164, such as `+201001234567`. Input may also be a national number of the "
        "deployment's own country, such as `0100 123 4567`.",
        "https://www.itu.int/rec/T-REC-E.164",
        _parse_phone,
    ),
    CurrencyCode: _scalar(
        "CurrencyCode",
        "A currency of ISO 4217, three capitals.",
        "https://www.iso.org/iso-4217-currency-codes.html",
        _parse_currency,
    ),
    IPAddress: _scalar(
        "IPAddress",
        "An IPv4 or IPv6 address, with a prefix length where one is stored.",
        "https://www.rfc-editor.org/rfc/rfc4291#section-2.2",
        _parse_ip,
    ),
    URL: _scalar(
        "URL",
        "An absolute http or https address, without a name or password in front of the host.",
        "https://url.spec.whatwg.org/",
        _parse_url,
    ),
    Cursor: _scalar(
        "Cursor",
        "A place in a feed: opaque, and good only for the feed that gave it out.",
        "https://relay.dev/graphql/connections.htm#sec-Cursor",
        _parse_cursor,
    ),
}
"""The scalar definitions, as `StrawberryConfig.scalar_map` takes them."""
