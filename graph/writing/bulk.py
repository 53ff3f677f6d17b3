"""Bulk: up to 500 new rows in one mutation, each with its own result.

Plan: check every row by itself; try all that pass behind one savepoint, in a statement for each set of
columns; if PostgreSQL refuses that, insert them one by one, each behind a savepoint, to learn which row it
refuses and why. Of rows with the same unique value the first in the input is made.
"""

import uuid
from collections.abc import Mapping
from enum import Enum
from functools import cached_property
from typing import Any, Self

import sqlalchemy as sa
import strawberry
from sqlalchemy.exc import DBAPIError
from strawberry.annotation import StrawberryAnnotation
from strawberry.types.arguments import StrawberryArgument

from graph.errors import BadInput, UserError, UserErrorCode
from graph.limits import MAX_BULK
from graph.writing import faults
from graph.writing.editing import Editing
from graph.writing.mutation import MutationField, Payload
from graph.writing.plan_limits import LimitReached
from graph.writing.values import Draft
from graph.writing.work import Refused, Work


@strawberry.enum(description="What a bulk mutation does when some of its rows cannot be made.")
class BulkMode(Enum):
    """All rows or none, or each for itself."""

    ALL_OR_NOTHING = strawberry.enum_value("ALL_OR_NOTHING", description="Then none is made.")
    EACH = strawberry.enum_value("EACH", description="The others are made.")


@strawberry.type
class BulkPayload(Payload):
    """What became of each row; a subclass declares `results`, a list of the table's payloads."""

    @classmethod
    def of(cls, row: Any, **others: Any) -> Self:
        """The payload of a bulk of which nothing is known yet."""
        return super().of(row, **{"results": [], **others})


class BulkField(MutationField):
    """`createThings(input, mode, dryRun)`."""

    editing: Editing

    @cached_property
    def arguments(self) -> list[StrawberryArgument]:
        """`input`, `mode`, `dryRun`."""
        row: Any = self.editing.input(creating=True)
        return [
            _argument("input", list[row], f"The new rows, at most {MAX_BULK}."),
            _argument("mode", BulkMode, "What happens if some cannot be made.", "ALL_OR_NOTHING"),
            _argument("dry_run", bool, "Only tell what would happen; nothing is written.", False),
        ]

    async def perform(self, source: Any, info: Any, args: list[Any], kwargs: Any) -> Any:
        """The results in the order of the input."""
        rows: list[Mapping[str, Any]] = kwargs["input"]
        if len(rows) > MAX_BULK:
            raise BadInput(f"A bulk mutation takes at most {MAX_BULK} rows.")
        work: Work = info.context.work
        results = await insert_all(self.editing, work, rows)
        failed = sum(isinstance(result, Refused) for result in results)
        answer: Any = self.payload.of(None)
        # The default comes as its name: the printer, which sorts, knows no members.
        if failed and kwargs["mode"] is not BulkMode.EACH:
            message = f"{failed} of {len(rows)} rows cannot be made, so none was."
            answer.errors = [UserError(code=UserErrorCode.INVALID, field=None, message=message)]
            results = [result if isinstance(result, Refused) else None for result in results]
        # A dry run did everything, so that what it tells is true; now it is undone.
        work.keep = not kwargs["dry_run"] and not answer.errors
        made = self.editing.payload
        answer.results = [
            made.refused(result) if isinstance(result, Refused) else made.of(result) for result in results
        ]
        return answer


def _argument(
    name: str, annotation: Any, description: str, default: Any = strawberry.UNSET
) -> StrawberryArgument:
    kind = StrawberryAnnotation(annotation)
    return StrawberryArgument(name, None, kind, description=description, default=default)


def create_all(editing: Editing, description: str) -> Any:
    """`createThings` for the table of `editing`."""
    made = BulkField(type_annotation=None, description=description)
    made.editing = editing
    made.gate(editing.permissions["create"])
    return made


async def insert_all(editing: Editing, work: Work, rows: list[Mapping[str, Any]]) -> list[Any]:
    """For each of the rows given by a client the row that was made, or Refused with why it was not."""
    drafts = [Draft(None, str(place)) for place in range(len(rows))]
    results: list[Any] = [None] * len(rows)
    for place, (draft, given) in enumerate(zip(drafts, rows, strict=True)):
        draft.take(editing.columns(creating=True), given)
        draft.values["id"] = uuid.uuid4()
        try:
            await editing.check(work, draft)
        except Refused as refused:
            results[place] = refused
    good = [place for place, result in enumerate(results) if result is None]
    try:
        await editing.make_room(work, len(good))
    except LimitReached as full:
        for place in good[full.free :]:
            results[place] = _at(full, place)
        good = good[: full.free]
    # Batches that add the same unique values wait for each other in this order, and so not in a circle.
    unique = _unique(editing.shown.table)
    good.sort(key=lambda place: [str(drafts[place].values.get(name)).casefold() for name in unique])
    try:
        made = await _insert(editing, work, [drafts[place] for place in good])
        for place in good:
            results[place] = made[drafts[place].values["id"]]
    except DBAPIError:
        for place in good:
            results[place] = await _insert_one(editing, work, drafts[place])
    await _audit(editing, work, [result for result in results if not isinstance(result, Refused)])
    return results


def _unique(table: sa.Table) -> list[str]:
    """The columns that no two rows of a tenant share, alone or together."""
    keys: list[Any] = [key for key in table.constraints if isinstance(key, sa.UniqueConstraint)]
    keys += [index for index in table.indexes if index.unique]
    names = {column.name for key in keys for column in key.columns}
    return sorted(names - {"tenant_id", "id"})


async def _insert(editing: Editing, work: Work, drafts: list[Draft]) -> dict[uuid.UUID, Any]:
    """The rows by id; a statement for each set of columns, since what a row leaves out takes its default."""
    alike: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for draft in drafts:
        values = {"tenant_id": work.viewer.tenant_id, **draft.values}
        alike.setdefault(tuple(sorted(values)), []).append(values)
    shown, table = editing.shown, editing.shown.table
    statement = sa.insert(table).returning(*shown.select(table))
    done = await work.transaction.attempt(*[(statement, values) for values in alike.values()])
    rows = [shown.row(tuple(found)) for result in done for found in result.all()]
    return {row.id: row for row in rows}


def _at(refused: Refused, place: int) -> Refused:
    """What was refused for all rows, said of one."""
    return Refused(
        *[UserError(code=e.code, field=["input", str(place)], message=e.message) for e in refused.errors]
    )


async def _insert_one(editing: Editing, work: Work, draft: Draft) -> Any:
    try:
        (row,) = (await _insert(editing, work, [draft])).values()
    except DBAPIError as error:
        refused = faults.refused(error, editing.shown.table, *draft.path)
        if refused is None:
            raise
        return refused
    return row


async def _audit(editing: Editing, work: Work, rows: list[Any]) -> None:
    if rows:
        entries = [work.entry(f"{editing.entity}.create", editing.shown, after=row) for row in rows]
        await work.write_down(entries)
