"""Values that no two rows may have: `TAKEN`, by the name of the field, also where two come at once."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from db.base import Base
from graph.inputs import camel_case
from tests.client import Client
from tests.mutations.given import MUTATIONS, Json, arguments, row_of
from tests.mutations.places import places
from tests.mutations.told import answered, complaints
from tests.mutations.world import World

OTHERWISE: Final = {"inviteUser"}
"""What makes a row, and is not called so."""


def unique(table: sa.Table) -> Iterator[set[str]]:
    """The fields that tell the table's rows apart within the tenant."""
    rules: list[Any] = [*table.constraints, *table.indexes]
    for rule in rules:
        if isinstance(rule, sa.UniqueConstraint) or (isinstance(rule, sa.Index) and rule.unique):
            yield {camel_case(column.name) for column in rule.columns if column.name != "tenant_id"}


def cases() -> Iterator[tuple[str, set[str]]]:
    for name in MUTATIONS:
        row = row_of(name)
        if row is None or not (name.startswith(("create", "update")) or name in OTHERWISE):
            continue
        fields = {place.name for place in places(name)}
        for needed in unique(Base.metadata.tables[row[1]]):
            if needed <= fields and needed != {"id"}:
                yield name, needed


CASES: Final = list(cases())


@pytest.fixture(scope="module")
async def world(anyone: Client, owner_engine: AsyncEngine) -> AsyncIterator[World]:
    async with owner_engine.connect() as owner:
        yield await World.make(anyone, owner)


def test_the_tables_with_such_values_are_there() -> None:
    assert {name for name, _ in CASES} >= {
        "createContact",
        "createDealStage",
        "createMessageTemplate",
        "createRole",
        "createUnitTypeCode",
        "inviteUser",
        "updateComponentTypeCode",
        "updateContact",
        "updateUser",
    }


@pytest.mark.parametrize(("name", "needed"), CASES, ids=[name for name, _ in CASES])
async def test_of_several_at_once_with_one_value_one_is_done(
    world: World, name: str, needed: set[str]
) -> None:
    given = [await arguments(world, name) for _ in range(5)]
    same: Json = {field: given[0]["input"][field] for field in needed}
    given = [one | {"input": one["input"] | same} for one in given]
    answers = await asyncio.gather(*(answered(world, name, one) for one in given))
    told = [complaints(answer, name) for answer in answers]
    assert told.count([]) == 1, told
    for found in told:
        for code, field in found:
            assert code == "TAKEN", answers
            assert field[0] == "input"
            assert field[1] in needed
    late = next(place for place, found in enumerate(told) if found)
    async with world.still():
        again = await answered(world, name, given[late])
    assert complaints(again, name) == told[late], "later as well"
