"""Every field of every input with what nobody should send: the answer names the field, and nothing is done.

Generated from the SDL: a field that is added is tested when it is there.
"""

from collections.abc import AsyncIterator

import pytest
from graphql import is_non_null_type
from sqlalchemy.ext.asyncio import AsyncEngine
from structlog.testing import capture_logs

from tests.client import Client
from tests.mutations.bad import bad_values
from tests.mutations.given import MUTATIONS, Field, arguments
from tests.mutations.places import MISSING, Place, places, with_value
from tests.mutations.test_rights import ACCESS
from tests.mutations.told import answered, complaints, leaks
from tests.mutations.undone import Undone, undone
from tests.mutations.world import World

__all__ = ["undone"]

SIGNED_IN = [name for name in MUTATIONS if name not in ACCESS | {"changePassword"}]


@pytest.fixture(scope="module")
async def world(anyone: Client, owner_engine: AsyncEngine) -> AsyncIterator[World]:
    async with owner_engine.connect() as owner:
        yield await World.make(anyone, owner)


@pytest.mark.parametrize("name", [name for name in SIGNED_IN if MUTATIONS[name].args])
async def test_a_bad_value_is_refused_by_the_name_of_its_field(
    world: World, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    given = await arguments(world, name)
    with capture_logs() as logged:
        async with world.still():
            for place in places(name):
                for value in (*bad_values(place), *([MISSING] if place.required else [])):
                    asked = with_value(world, name, given, place, value)
                    answer = await answered(world, name, given | asked, asked)
                    why = f"{place} = {value!r:.100}: {answer!s:.500}"
                    found = complaints(answer, name)
                    assert found, why
                    for code, field in found:
                        assert code in ("BAD_INPUT", "INVALID"), why
                        assert names(field, place), why
                    assert len(str(answer)) < 5000, why
                    assert not leaks(str(answer)), why
    # Beside what ran, which has nothing of what was sent, and what goes on whether anything was sent or not
    others = [line for line in logged if line["event"] != "operation"]
    assert [line for line in others if not line["event"].startswith("events.")] == []
    assert not leaks(str(logged))
    # The client's own log stands in the same book once another test has asked for INFO
    assert [line for line in caplog.messages if not line.startswith("HTTP Request: ")] == []


def names(field: Field, place: Place) -> bool:
    """Whether an error is about the place, or a part of it."""
    # The row that a mutation is about has an argument of its own, and is no field of an input.
    return field[: len(place.path)] == place.path or (place.path == ("id",) and field == ())


@pytest.mark.parametrize("name", SIGNED_IN)
async def test_null_is_taken_or_refused_by_the_name_of_its_field_or_input(
    world: World, undone: Undone, name: str
) -> None:
    given = await arguments(world, name)
    async with world.still():
        for place in places(name):
            if is_non_null_type(place.kind):
                continue
            asked = with_value(world, name, given, place, None)
            answer = await answered(world, name, given | asked, asked)
            for code, field in complaints(answer, name):
                assert code == "INVALID", f"{place}: {answer}"
                assert names(field, place) or place.path[: len(field)] == field != (), f"{place}: {answer}"
