"""Templates of messages: `{{ name }}` is replaced by a variable, and nothing else happens.

    schema_faults(schema)                        # before a template is stored
    variable_faults(schema, used, variables)     # before a message is made of it
    render(text, variables, html=True)

The variables are described by a JSON Schema (draft 2020-12) of the keywords in `SUBSET`. `$ref` and `pattern`
are not among them: the one makes schemas that never end, the other expressions that take for ever.
"""

import html as markup
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from jsonschema import Draft202012Validator

_NAME = r"\s*([A-Za-z_][A-Za-z0-9_]*)\s*"
_VARIABLE = re.compile(r"\{\{" + _NAME + r"\}\}", re.ASCII)
_STRAY = re.compile(r"\{\{(?!" + _NAME + r"\}\})", re.ASCII)

RESERVED: Final = "locale"
"""The variable that each message carries for its sender: the language of the template it was made from."""

_COUNT: Final = {"type": "integer", "minimum": 0, "maximum": 1_000_000}
_SCHEMA: Final = {"$ref": "#/$defs/schema"}
_KIND: Final = {"enum": ["array", "boolean", "integer", "null", "number", "object", "string"]}
_KEYWORDS: Final[Mapping[str, Any]] = {
    "$schema": {"type": "string"},
    "title": {"type": "string"},
    "description": {"type": "string"},
    "default": {},
    "examples": {"type": "array"},
    "type": {"anyOf": [_KIND, {"type": "array", "items": _KIND, "minItems": 1, "uniqueItems": True}]},
    "enum": {"type": "array", "minItems": 1, "maxItems": 1000},
    "const": {},
    "properties": {"type": "object", "additionalProperties": _SCHEMA},
    "required": {"type": "array", "items": {"type": "string"}},
    "additionalProperties": {"anyOf": [{"type": "boolean"}, _SCHEMA]},
    "items": _SCHEMA,
    "minItems": _COUNT,
    "maxItems": _COUNT,
    "minLength": _COUNT,
    "maxLength": _COUNT,
    "minimum": {"type": "number"},
    "maximum": {"type": "number"},
    "exclusiveMinimum": {"type": "number"},
    "exclusiveMaximum": {"type": "number"},
}
SUBSET: Final = tuple(_KEYWORDS)
"""The keywords that a schema of variables may have; the first five say nothing about a value."""

_META = Draft202012Validator(
    {
        "$ref": "#/$defs/variables",
        "$defs": {
            "schema": {"type": "object", "properties": _KEYWORDS, "additionalProperties": False},
            "variables": {
                **_SCHEMA,
                "properties": {
                    "type": {"const": "object"},
                    "properties": {
                        "propertyNames": {"pattern": "^[A-Za-z_][A-Za-z0-9_]*$", "not": {"const": RESERVED}}
                    },
                },
            },
        },
    }
)


class Fault(NamedTuple):
    """What is wrong with a part of a value; the path to it, empty for the whole."""

    path: tuple[str, ...]
    message: str


def names(*texts: str | None) -> frozenset[str]:
    """The variables that texts use."""
    return frozenset(name for text in texts if text is not None for name in _VARIABLE.findall(text))


def stray(text: str) -> bool:
    """Whether there is a `{{` in the text that begins no variable."""
    return _STRAY.search(text) is not None


def schema_faults(schema: Any) -> list[Fault]:
    """Why a JSON value cannot be the schema of a template's variables."""
    listed = f"A schema here is an object of the keywords {', '.join(SUBSET)}"
    top = "at the top its `type` is `object`, and its `properties` are the variables by name"
    paths = dict.fromkeys(tuple(map(str, error.absolute_path)) for error in _META.iter_errors(schema))
    return [Fault(path, f"{listed}; {top}.") for path in paths]


def variable_faults(schema: Any, used: Iterable[str], variables: Any) -> list[Fault]:
    """Why `variables` cannot be those of a template that has `schema` (None for any) and uses `used`."""
    if not isinstance(variables, Mapping):
        return [Fault((), "The variables are an object: a value for each name.")]
    schema = {} if schema is None else schema
    required = set(schema.get("required", ()))
    faults = [Fault((RESERVED,), "This name is not free.")] if RESERVED in variables else []
    faults += [
        Fault((name,), "The template takes this.") for name in sorted({*used, *required} - set(variables))
    ]
    if "properties" in schema and schema.get("additionalProperties", False) is False:
        unknown = sorted(set(variables) - set(schema["properties"]) - required - {RESERVED})
        faults += [Fault((name,), "The template has no such variable.") for name in unknown]
    for name in sorted(set(used) & set(variables)):
        if not isinstance(variables[name], str | int | float):
            faults.append(Fault((name,), "What stands in a text is a string, a number, or true or false."))
    return faults + _misfits(schema, variables)


def _misfits(schema: Mapping[str, Any], variables: Mapping[str, Any]) -> list[Fault]:
    # Of variables that are missing or too many, the names have been told already.
    rest = {key: value for key, value in schema.items() if key != "required" and value is not False}
    return [
        Fault(
            tuple(map(str, error.absolute_path)),
            f"This does not fit `{error.validator}` in the template's schema.",
        )
        for error in Draft202012Validator(rest).iter_errors(variables)
    ]


def render(text: str, variables: Mapping[str, Any], *, html: bool = False) -> str:
    """The text with its variables replaced, all of which are in `variables`; escaped in HTML."""

    def replaced(found: re.Match[str]) -> str:
        value = as_text(variables[found[1]])
        return markup.escape(value) if html else value

    return _VARIABLE.sub(replaced, text)


def render_line(text: str, variables: Mapping[str, Any]) -> str:
    """The same for a subject: it stays one line, so that no variable adds a header to an e-mail."""
    return " ".join(render(text, variables).split())


def as_text(value: Any) -> str:
    """A variable as it stands in a text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
