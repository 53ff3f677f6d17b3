"""Enums whose members say in the schema what they mean."""

from collections.abc import Callable
from enum import EnumMeta
from typing import Any, TypeVar

import strawberry

_Kind = TypeVar("_Kind", bound=EnumMeta)


def described(description: str) -> Callable[[_Kind], _Kind]:
    """Makes an enum one of the schema; each member has a `description`."""

    def process(kind: _Kind) -> _Kind:
        strawberry.enum(kind, description=description)
        definition: Any = getattr(kind, "__strawberry_definition__")  # noqa: B009  # mypy knows of none
        members: Any = kind
        for value, member in zip(definition.values, members, strict=True):
            value.description = member.description
        return kind

    return process
