"""Input types made from what tables and columns say, instead of being written out for each."""

from typing import Any

import strawberry
from graphql import Undefined, coerce_input_value
from strawberry import UNSET
from strawberry.annotation import StrawberryAnnotation

from graph.errors import BadInput
from graph.tables import type_namespace


def make_input(
    name: str,
    description: str,
    fields: dict[str, tuple[str, Any, str]],
    namespace: dict[str, Any] = type_namespace,
) -> type:
    """The input type made of `{GraphQL name: (python name, annotation, description)}`, registered by `name`.

    An annotation may be text; the names in it are looked up in `namespace` when the schema is built, so that
    inputs can refer to each other. Resolvers get such an input as the mapping that graphql-core parsed,
    keyed by GraphQL name, in which what the client left out is not there.
    """
    body: dict[str, Any] = {"__annotations__": {item[0]: object for item in fields.values()}}
    for graphql_name, (python_name, _, help_text) in fields.items():
        body[python_name] = strawberry.field(name=graphql_name, description=help_text, default=UNSET)
    made = strawberry.input(type(name, (), body), name=name, description=description)
    annotations = {python_name: annotation for python_name, annotation, _ in fields.values()}
    for item in made.__strawberry_definition__.fields:  # type: ignore[attr-defined]
        item.type_annotation = StrawberryAnnotation(annotations[item.python_name], namespace=namespace)
    as_mapping(made)
    type_namespace[name] = made
    return made


def as_mapping(made: type) -> None:
    """Let resolvers get this input as the plain mapping that graphql-core parsed."""
    made.__strawberry_definition__.from_input = lambda cls, value, context: dict(value)  # type: ignore[attr-defined]


def read_input(name: str, stored: Any) -> Any:
    """JSON that was kept, as the input type `name` parses it now; BadInput where it is none any more."""
    from graph.schema import schema  # which is made of what imports this module

    kind: Any = schema._schema.type_map[name]
    found = coerce_input_value(stored, kind)
    if found is Undefined:
        raise BadInput("What was asked for cannot be read any more.")
    return found


def camel_case(name: str) -> str:
    """A column's name as GraphQL has it."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
