"""What is deleted while a mutation is about to name it: `NOT_FOUND`, as if it had never been there.

Generated from the SDL. The row is deleted in a transaction that ends when the mutation waits for it.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

import pytest
import sqlalchemy as sa
from graphql import get_named_type
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db.base import Base
from tests.client import Client
from tests.mutations.given import MUTATIONS, REFERENCES, arguments, is_a_list, subject, table_of
from tests.mutations.places import Place, about, places, with_value
from tests.mutations.told import answered, complaints
from tests.mutations.world import World

PASSED_BY: Final = {
    "changePlan.input.planId",  # nobody's, and never deleted
    "previewTemplate.input.id",  # it writes nothing, so nothing is in its way
    "requestApproval.input.campaignLaunch.audience.users",
    "launchCampaign.input.audience.users",  # history keeps ids of what may be gone
    "reorderStages.input.stageIds",  # it looks at those of the pipeline
    "scheduleCampaign.input.audience.users",
    "updateMapShape.input.unitComponentId",  # refused, whatever it names
    "updateTenant.id",  # there is nobody left to ask
}
TIES: Final = {"removeGroupMember", "revokePermission", "unassignRole"}
"""What is about what ties two rows together: without one of them there is none."""
CASES: Final = [
    (name, place)
    for name in MUTATIONS
    for place in places(name)
    if get_named_type(place.kind).name == "ID" and name not in TIES and f"{name}.{place}" not in PASSED_BY
]
BLOCKED: Final = sa.text("SELECT count(*) FROM pg_stat_activity WHERE :mine = ANY (pg_blocking_pids(pid))")


@pytest.fixture(scope="module")
async def world(anyone: Client, owner_engine: AsyncEngine) -> AsyncIterator[World]:
    async with owner_engine.connect() as owner:
        yield await World.make(anyone, owner)


@pytest.fixture
async def other(owner_engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A second connection, in a transaction of its own."""
    async with owner_engine.connect() as connection:
        await connection.execute(sa.text("BEGIN"))
        yield connection
        await connection.execute(sa.text("ROLLBACK"))


@pytest.mark.parametrize(("name", "place"), CASES, ids=[f"{name}-{place}" for name, place in CASES])
async def test_what_has_just_been_deleted_is_not_found(
    world: World, other: AsyncConnection, name: str, place: Place
) -> None:
    given = await arguments(world, name)
    async with world.still():
        table, gone = await doomed(world, name, place)
        asked = with_value(world, name, given, place, [gone] if is_a_list(place.kind) else gone)
        mine = (await other.execute(sa.text("SELECT pg_backend_pid()"))).scalar_one()
        rows = Base.metadata.tables[table]
        await other.execute(rows.delete().where(rows.c.id == gone))
        task = asyncio.create_task(answered(world, name, asked))
        async with asyncio.timeout(20):
            while not task.done() and not await world.owner.scalar(BLOCKED, {"mine": mine}):
                pass
        waited = not task.done()
        await other.execute(sa.text("COMMIT"))
        answer = await task
    assert waited, answer
    ((code, field),) = complaints(answer, name)
    assert code == "NOT_FOUND", answer
    assert field[: len(place.path)] == (() if place.path == ("id",) else place.path)


async def doomed(world: World, name: str, place: Place) -> tuple[str, Any]:
    """A row that the mutation would take, and its table."""
    if place.name == "id":
        whose = about(name, place)
        return table_of(whose), await subject(world, whose)
    table = REFERENCES.get(place.name) or REFERENCES[place.name.removesuffix("s")]
    row = await world.new(table)
    if table == "deal_pipelines":
        await world.new("deal_stages", pipeline_id=row["id"])
    return table, str(row["id"])
