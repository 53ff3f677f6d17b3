"""Variables in texts, and the part of JSON Schema that describes them."""

from typing import Any

import pytest

from graph import templates
from graph.templates import names, render, render_line, schema_faults, stray, variable_faults

NAME = {"type": "string", "maxLength": 10}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"name": NAME, "rooms": {"type": "integer", "minimum": 1}},
    "required": ["name"],
}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", set()),
        ("{{ name }} and {{name}}, {{  floor_2\n}}", {"name", "floor_2"}),
        ("{ name } {{ 2nd }} {{ a b }} {{ a.b }} {{ naïve }} {{}}", set()),
        ("{{{ name }}}", {"name"}),
    ],
)
def test_variables_are_found(text: str, found: set[str]) -> None:
    assert names(text, None) == found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ name }}", False),
        ("a { b } }} @media print{a{color:red}}", False),
        ("{{", True),
        ("{{ name", True),
        ("{{ name | upper }}", True),
        ("{{# if name }}", True),
        ("{{ name }} {{ 2 }}", True),
        ("{{{ name }}}", True),
    ],
)
def test_what_begins_no_variable_is_found(text: str, expected: bool) -> None:
    assert stray(text) is expected


def test_variables_are_replaced_once_and_escaped_in_html_alone() -> None:
    given = {"name": "<b>\"Mona\" & 'Ali'</b> {{ rooms }}", "rooms": 3, "new": True, "size": 12.5}
    text = "<p>{{ name }}: {{rooms}}, {{ new }}, {{ size }} { name }</p>"
    assert render(text, given, html=True) == (
        "<p>&lt;b&gt;&quot;Mona&quot; &amp; &#x27;Ali&#x27;&lt;/b&gt; {{ rooms }}: 3, true, 12.5 { name }</p>"
    )
    assert render("{{ name }}", given) == given["name"]
    assert render("\\1 {{ name }}", {"name": "\\g<0>"}) == "\\1 \\g<0>"


def test_a_subject_stays_a_line() -> None:
    given = {"name": "Mona\r\nBcc: all@example.test\n"}
    assert render_line("Dear {{ name }}!", given) == "Dear Mona Bcc: all@example.test !"


@pytest.mark.parametrize("keyword", sorted({*templates.SUBSET}))
def test_the_listed_keywords_are_taken(keyword: str) -> None:
    value: Any = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": ["string", "null"],
        "properties": {"x": {}},
        "items": {"type": "string"},
        "additionalProperties": False,
    }.get(keyword, ["a"] if keyword in ("enum", "examples", "required") else 1)
    if keyword in ("title", "description"):
        value = "words"
    assert schema_faults({"type": "object", "properties": {"a": {keyword: value}}}) == []


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        (None, ()),
        ([], ()),
        ({"type": "array"}, ("type",)),
        ({"properties": []}, ("properties",)),
        ({"properties": {"a": 1}}, ("properties", "a")),
        ({"properties": {"a": {"$ref": "#"}}}, ("properties", "a")),
        ({"properties": {"a": {"pattern": "(a+)+$"}}}, ("properties", "a")),
        ({"properties": {"a": {"format": "email"}}}, ("properties", "a")),
        ({"properties": {"a": {"type": "text"}}}, ("properties", "a", "type")),
        ({"properties": {"a": {"minLength": -1}}}, ("properties", "a", "minLength")),
        ({"properties": {"a": {"items": {"items": {"allOf": []}}}}}, ("properties", "a", "items", "items")),
        ({"properties": {"a b": {}}}, ("properties",)),
        ({"properties": {"locale": {}}}, ("properties",)),
        ({"$defs": {}}, ()),
        ({"patternProperties": {}}, ()),
        ({"required": "a"}, ("required",)),
    ],
)
def test_other_schemas_are_not(schema: Any, path: tuple[str, ...]) -> None:
    assert path in [fault.path for fault in schema_faults(schema)]


@pytest.mark.parametrize(
    ("variables", "paths"),
    [
        ({"name": "Mona"}, []),
        ({"name": "Mona", "rooms": 2}, []),
        ({}, [("name",)]),
        (None, [()]),
        (["name"], [()]),
        ({"name": "Mona", "colour": "red"}, [("colour",)]),
        ({"name": "Mona", "locale": "en"}, [("locale",)]),
        ({"name": "a much too long name"}, [("name",)]),
        ({"name": "Mona", "rooms": 0}, [("rooms",)]),
        ({"name": "Mona", "rooms": 1.5}, [("rooms",)]),
        ({"name": "Mona", "rooms": True}, [("rooms",)]),
        ({"name": None}, [("name",), ("name",)]),
        ({"rooms": "three", "colour": 1}, [("name",), ("colour",), ("rooms",)]),
    ],
)
def test_variables_fit_their_schema_or_the_name_is_told(variables: Any, paths: list[tuple[str, ...]]) -> None:
    assert [fault.path for fault in variable_faults(SCHEMA, {"name"}, variables)] == paths


def test_without_a_schema_what_a_text_uses_is_needed_and_stands_in_it() -> None:
    assert variable_faults(None, {"name"}, {"name": "Mona", "more": {"a": [1]}}) == []
    assert [fault.path for fault in variable_faults(None, {"name"}, {"more": 1})] == [("name",)]
    assert [fault.path for fault in variable_faults(None, {"name"}, {"name": ["a"]})] == [("name",)]


@pytest.mark.parametrize(
    ("more", "free"), [(False, False), (True, True), ({}, True), ({"type": "null"}, False)]
)
def test_a_schema_may_leave_names_open(more: Any, free: bool) -> None:
    faults = variable_faults({**SCHEMA, "additionalProperties": more}, {"name"}, {"name": "Mona", "x": 1})
    assert [fault.path for fault in faults] == ([] if free else [("x",)])


def test_what_was_said_does_not_come_back() -> None:
    faults = variable_faults(SCHEMA, {"name"}, {"name": "a secret that is long"})
    assert "secret" not in str(faults)
