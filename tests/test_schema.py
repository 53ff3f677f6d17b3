"""The schema as it is handed out: `schema.graphql`, its permissions, its scalars, its directives."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLScalarType,
    build_schema,
    introspection_from_schema,
    is_specified_scalar_type,
    parse,
)
from graphql.language import ast

from graph.permissions import Permission
from graph.scalars import SCALARS
from graph.schema import export, schema

FILE: Final = Path(__file__).parents[1] / "schema.graphql"
SDL: Final = build_schema(export())

VOCABULARY: Final = {
    "activities companies contacts deals leads": "view create update delete",
    "deals": "move",
    "leads": "assign convert",
    "inventory": "view manage price",
    "pipelines tenant": "manage",
    "users roles groups telemarketing templates suppression billing integrations": "view manage",
    "audit reports platform": "view",
    "marketing": "view manage send",
    "outbox": "view send",
    "approvals": "view request decide manage",
    "notifications": "send",
}
"""The permissions, resources and their actions, as clients rely on them."""


def test_the_exported_schema_is_current() -> None:
    current = FILE.read_text(encoding="utf-8") == export()
    assert current, "schema.graphql is stale: run `m3 export-schema` and commit what it writes"


def test_the_exported_schema_is_sorted() -> None:
    definitions = [item for item in parse(export()).definitions if isinstance(item, ast.TypeDefinitionNode)]
    names = [item.name.value for item in definitions]
    assert names == sorted(names)
    for item in definitions:
        if isinstance(item, ast.ObjectTypeDefinitionNode | ast.InputObjectTypeDefinitionNode):
            fields = [field.name.value for field in item.fields or ()]
            assert fields == sorted(fields), item.name.value


def test_what_is_exported_is_what_is_served() -> None:
    served = introspection_from_schema(build_schema(schema.as_str()), specified_by_url=True)
    exported = introspection_from_schema(SDL, specified_by_url=True)
    assert {kind["name"]: kind["kind"] for kind in served["__schema"]["types"]} == {
        kind["name"]: kind["kind"] for kind in exported["__schema"]["types"]
    }


def test_the_permissions_are_the_whole_vocabulary_in_alphabetical_order() -> None:
    expected = {
        f"{resource}.{action}"
        for resources, actions in VOCABULARY.items()
        for resource in resources.split()
        for action in actions.split()
    }
    assert {item.value for item in Permission} == expected
    assert [item.name for item in Permission] == sorted(item.name for item in Permission)
    assert [item.name for item in Permission] == [item.value.upper().replace(".", "_") for item in Permission]


@pytest.mark.parametrize("printed", [export(), schema.as_str()], ids=["exported", "served"])
def test_the_permissions_are_printed_in_that_order(printed: str) -> None:
    enum = build_schema(printed).type_map["Permission"]
    assert isinstance(enum, GraphQLEnumType)
    assert list(enum.values) == [item.name for item in Permission]


@pytest.mark.parametrize("definition", SCALARS.values(), ids=lambda definition: str(definition.name))
def test_a_scalar_says_what_it_is_and_where_that_is_written(definition: object) -> None:
    found = dataclasses.asdict(definition)  # type: ignore[call-overload]
    assert found["description"]
    assert found["specified_by_url"].startswith("https://")


def test_the_printed_scalars_are_specified() -> None:
    scalars = [
        kind
        for kind in SDL.type_map.values()
        if isinstance(kind, GraphQLScalarType) and not is_specified_scalar_type(kind)
    ]
    by_name = {definition.name: definition for definition in SCALARS.values()}
    assert len(by_name) == 11
    # No feed is there yet, so nothing takes a place in one
    assert {kind.name for kind in scalars} == by_name.keys()
    for kind in scalars:
        assert kind.specified_by_url == by_name[kind.name].specified_by_url
        assert kind.description == by_name[kind.name].description


def descriptions() -> Iterator[tuple[str, str | None]]:
    """Each type, field, argument, input field and enum value by its name, with its description."""
    for name, kind in SDL.type_map.items():
        if name.startswith("__") or is_specified_scalar_type(kind):
            continue
        yield name, kind.description
        members: dict[str, Any] = getattr(kind, "fields", {}) | getattr(kind, "values", {})
        for member, item in members.items():
            yield f"{name}.{member}", item.description
            for argument, value in getattr(item, "args", {}).items():
                yield f"{name}.{member}({argument}:)", value.description


def test_everything_is_described() -> None:
    found = dict(descriptions())
    assert {"Deal", "Deal.name", "Query.deals(first:)", "DealFilter.name", "DealStatus.WON"} <= found.keys()
    assert [name for name, words in found.items() if not words or not words.endswith((".", "`", ")"))] == []


def test_the_directives_stand_where_clients_look_for_them() -> None:
    found = {
        item.name: (
            {location.name for location in item.locations},
            {name: str(argument.type) for name, argument in item.args.items()},
        )
        for item in SDL.directives
        if item.ast_node is not None
    }
    assert found == {
        "requires": ({"FIELD_DEFINITION", "OBJECT"}, {"permission": "Permission!"}),
        "table": ({"OBJECT"}, {"name": "String!"}),
    }
