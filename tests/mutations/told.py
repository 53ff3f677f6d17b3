"""What the answer to a mutation tells of what is wrong, and what no answer and no log may tell."""

import re
from typing import Any, Final

from graphql import GraphQLObjectType, get_named_type

from db import gateway
from db.base import Base
from tests.mutations.given import MUTATIONS, Field, Json
from tests.mutations.scene import document
from tests.mutations.world import World


def select(name: str) -> str:
    """All that a payload says of errors."""
    errors = "errors { code field message }"
    payload = get_named_type(MUTATIONS[name].type)
    assert isinstance(payload, GraphQLObjectType)
    return f"{errors} results {{ {errors} }}" if "results" in payload.fields else errors


async def answered(world: World, name: str, given: Json, variables: Json | None = None) -> Json:
    """The whole answer to a mutation; `variables` where what is sent is not what is declared."""
    return await world.client.ask(
        document(name, select(name), given), **(given if variables is None else variables)
    )


def complaints(answer: Json, name: str) -> list[tuple[str, Field]]:
    """The code of every error, and the path of the argument that it names, empty if it names none."""
    found = [(error["extensions"]["code"], _named(error["message"])) for error in answer.get("errors", ())]
    payload: Json = (answer.get("data") or {}).get(name) or {"errors": ()}
    rows = [error for result in payload.get("results", ()) for error in result["errors"]]
    return found + [(error["code"], _path(error["field"] or ())) for error in rows or payload["errors"]]


def _named(message: str) -> Field:
    """The path in what graphql-core says of a variable."""
    at = re.match(r"Variable '\$(\w+)' has invalid value(?: at ([\w.\[\]]+))?: ", message)
    missing = re.search(r" to include required field '(\w+)'", message)
    return _path(
        [
            *((at and re.findall(r"\w+", f"{at[1]} {at[2] or ''}")) or ()),
            *(missing.groups() if missing else ()),
        ]
    )


def _path(steps: Any) -> Field:
    return tuple(int(step) if step.isdecimal() else step for step in steps)


_NAMES: Final = {
    str(name)
    for table in (*Base.metadata.tables.values(), *gateway.metadata.tables.values())
    for item in (*table.constraints, *table.indexes)
    if (name := getattr(item, "name", None))
}
_WORDS: Final = re.compile(
    r"\b(SELECT|INSERT|UPDATE|DELETE) .*\b(FROM|INTO|SET|WHERE)\b|asyncpg|sqlalchemy|psycopg|violates|"
    r"constraint|duplicate key|relation \"|syntax error at|Traceback|[a-z_]+_(pkey|fkey|uq|key|check|ck|ix)\b"
)


def leaks(text: str) -> set[str]:
    """The names of constraints and the words of SQL in a text."""
    return {name for name in _NAMES if name in text} | {found[0] for found in _WORDS.finditer(text)}
