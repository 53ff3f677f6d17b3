"""What is shown of rows that are there already: those that a mutation wrote, the events of a feed."""

from collections.abc import Callable, Sequence
from enum import Enum
from functools import partial
from typing import Any, NamedTuple

import orjson
import sqlalchemy as sa
from graphql import GraphQLError
from graphql.execution.values import VariableValues
from sqlalchemy.dialects.postgresql import JSONB

from graph.auth.viewer import Fetch, Viewer
from graph.engine.plan import Plan
from graph.engine.run import Run


class Shown(NamedTuple):
    """What an answer has of a row, and what is wrong in it by the path at which it stands."""

    data: dict[str, Any]
    errors: Callable[[list[Any]], list[GraphQLError]]


async def show(
    plan: Plan,
    rows: Sequence[Any],
    fetch: Fetch,
    viewer: Viewer,
    cursor_key: bytes,
    variables: VariableValues | None,
    *,
    whole: bool = False,
) -> tuple[list[Shown | None], int]:
    """What `plan`, one of `Plans.rows`, shows of instances of its type, and how many rows were read for it.

    If it has to be `whole`, there is None for a row that lacks another where no null may stand. Otherwise,
    as for all that graphql-core has to find out, raises Unplanned.
    """
    target = plan.root.source.target
    columns = [target.table.c[name] for name in plan.root.source.columns]
    run = Run(plan, fetch, viewer, cursor_key, variables)
    given = [
        (*(as_read(getattr(row, column.name), column) for column in columns), number)
        for number, row in enumerate(rows)
    ]
    await run.read(given)
    if whole:
        run.drop_partial()
    shown: list[Shown | None] = [None] * len(rows)
    for (*_, number), one in zip(run.given, await run.objects(), strict=True):
        shown[number] = Shown(one, partial(_errors, run, one))
    return shown, run.rows_read


def _errors(run: Run, one: dict[str, Any], path: list[Any]) -> list[GraphQLError]:
    return list(run.errors(one, path))


def as_read(value: Any, stored: sa.Column[Any]) -> Any:
    """A row's attribute as the statements of the engine read the column."""
    if value is None:
        return None
    if isinstance(value, Enum):
        return value.value
    if isinstance(stored.type, sa.Uuid):
        return str(value)
    if isinstance(stored.type, sa.Numeric):
        return format(value, "f")
    return orjson.dumps(value).decode() if isinstance(stored.type, JSONB) else value
