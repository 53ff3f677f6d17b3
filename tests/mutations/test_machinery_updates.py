"""Updates and deletes of every table: no change writes nothing, and `ifUpdatedAt` is a condition."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.client import Client
from tests.mutations.given import MUTATIONS, Json, arguments, row_of
from tests.mutations.world import World

CONDITIONAL: Final = [name for name in MUTATIONS if "ifUpdatedAt" in MUTATIONS[name].args]
UPDATES: Final = [name for name in CONDITIONAL if "input" in MUTATIONS[name].args]
OLD: Final = "2020-01-01T00:00:00Z"


@pytest.fixture(scope="module")
async def world(anyone: Client, owner_engine: AsyncEngine) -> AsyncIterator[World]:
    async with owner_engine.connect() as owner:
        yield await World.make(anyone, owner)


def field_of(name: str) -> str:
    row = row_of(name)
    assert row is not None
    return row[0]


async def asked(world: World, name: str, given: Json) -> tuple[Any, list[str]]:
    """When the row of the payload was changed last, and the codes of the errors."""
    field = field_of(name)
    answer = await world.ask(name, f"{field} {{ updatedAt }} errors {{ code }}", **given)
    assert "errors" not in answer, answer["errors"]
    payload = answer["data"][name]
    return payload[field] and payload[field]["updatedAt"], [error["code"] for error in payload["errors"]]


@pytest.mark.parametrize("name", UPDATES)
async def test_an_update_that_changes_nothing_writes_nothing(world: World, name: str) -> None:
    given = await arguments(world, name)
    changed, errors = await asked(world, name, given)
    assert (bool(changed), errors) == (True, [])
    async with world.still():
        assert await asked(world, name, given) == (changed, [])
        assert await asked(world, name, given | {"input": {}}) == (changed, [])
        assert await asked(world, name, given | {"ifUpdatedAt": changed}) == (changed, [])


@pytest.mark.parametrize("name", CONDITIONAL)
async def test_a_row_that_is_newer_is_stale_and_shown_as_it_is(world: World, name: str) -> None:
    given = await arguments(world, name)
    async with world.still():
        for when in (OLD, "2120-01-01T00:00:00Z"):
            current, errors = await asked(world, name, given | {"ifUpdatedAt": when})
            assert (bool(current), errors) == (True, ["STALE"])
    # To the microsecond, and in any zone: what was read is what it is compared with
    early = current.replace("Z", "-00:00")
    now, errors = await asked(world, name, given | {"ifUpdatedAt": early})
    assert errors == []
    assert name.startswith("delete") or now > current


@pytest.mark.parametrize("name", UPDATES)
async def test_of_several_at_once_with_one_condition_one_is_done(world: World, name: str) -> None:
    given = await arguments(world, name)
    current, _ = await asked(world, name, given | {"ifUpdatedAt": OLD})
    given["ifUpdatedAt"] = current
    before = len(await world.audit())
    done = await asyncio.gather(*(asked(world, name, given) for _ in range(5)))
    assert sorted(errors for _, errors in done) == [[], *[["STALE"]] * 4]
    (changed,) = {when for when, _ in done}
    assert changed > current
    assert len(await world.audit()) == before + 1


@pytest.mark.parametrize("name", [name for name in CONDITIONAL if name.startswith("delete")])
async def test_of_several_deletes_at_once_one_is_done(world: World, name: str) -> None:
    given = await arguments(world, name)
    before = len(await world.audit())
    done = await asyncio.gather(*(asked(world, name, given) for _ in range(5)))
    assert sorted(errors for _, errors in done) == [[], *[["NOT_FOUND"]] * 4]
    assert len(await world.audit()) == before + 1


async def test_json_is_compared_as_json(world: World) -> None:
    given = await arguments(world, "updateLead")
    for attributes in ({"a": 1}, {"a": True}, {"a": "1"}):
        before = len(await world.audit("lead.update"))
        for _ in range(2):
            await asked(world, "updateLead", given | {"input": {"attributes": attributes}})
        assert len(await world.audit("lead.update")) == before + 1
