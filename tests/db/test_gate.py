"""The line in front of a pool."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from db import gate
from db.gate import Gate
from db.scope import DatabaseUnavailable
from db.session import Database, Scope
from tests.server import Urls


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "STUCK_SECONDS", 0.05)


async def waits(line: Gate, number: int) -> None:
    async with asyncio.timeout(10):
        while line.waiting != number:  # noqa: ASYNC110  # a line tells nobody of its length
            await asyncio.sleep(0)


async def test_places_are_given_in_the_order_of_asking() -> None:
    line = Gate(1)
    served: list[int] = []

    async def wait(number: int) -> None:
        async with line.place():
            served.append(number)

    async with line.place():
        asked = [asyncio.create_task(wait(number)) for number in range(5)]
        await waits(line, 5)
    await asyncio.gather(*asked)
    assert served == [0, 1, 2, 3, 4]


async def test_spare_places_are_for_those_who_have_waited() -> None:
    line = Gate(3, spare=2)
    async with asyncio.timeout(10), line.place():
        assert line.free == 2
        assert not line.try_enter()
        async with line.place(), line.place():
            assert line.free == 0
        assert (line.free, line.called, line.waiting) == (2, 0, 0)
    assert line.free == 3


@pytest.mark.usefixtures("impatient")
async def test_a_line_that_does_not_move_is_left() -> None:
    line = Gate(2)
    async with line.place(), line.place():
        with pytest.raises(DatabaseUnavailable, match="no connection came free"):
            async with line.place():
                pytest.fail("there was no place")
        assert line.waiting == 0
    async with line.place(), line.place():
        pass


async def test_a_line_that_moves_is_stayed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "STUCK_SECONDS", 0.5)
    line = Gate(1)
    turns = 0

    async def hold() -> None:
        nonlocal turns
        async with line.place():
            await asyncio.sleep(0.02)
            turns += 1

    await asyncio.gather(*(hold() for _ in range(30)))
    assert turns == 30
    monkeypatch.setattr(gate, "PATIENCE_SECONDS", 0.1)
    ended = await asyncio.gather(*(hold() for _ in range(20)), return_exceptions=True)
    assert {type(error) for error in ended} == {type(None), DatabaseUnavailable}


async def test_a_line_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "MAX_WAITING", 0)
    line = Gate(1)
    async with line.place():
        with pytest.raises(DatabaseUnavailable, match="too many"):
            async with line.place():
                pytest.fail("there was no place")


async def test_who_is_cancelled_in_line_or_in_its_turn_leaves_the_place_to_the_next() -> None:
    line = Gate(1)

    async def wait() -> None:
        async with line.place():
            pass

    holding = AsyncExitStack()
    await holding.enter_async_context(line.place())
    in_line, at_its_turn, last = (asyncio.create_task(wait()) for _ in range(3))
    await waits(line, 3)
    in_line.cancel()
    await waits(line, 2)
    await holding.aclose()
    at_its_turn.cancel()
    await last
    assert in_line.cancelled()
    assert at_its_turn.cancelled()
    async with line.place():
        pass


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("way", ["read", "write", "snapshot"])
async def test_a_pool_in_use_is_unavailable_soon(urls: Urls, way: str) -> None:
    database = Database(urls.gateway, pool_size=1)
    open_one = database.readers.snapshot if way == "snapshot" else getattr(database, way)
    try:
        async with open_one(Scope()):
            with pytest.raises(DatabaseUnavailable):
                async with open_one(Scope()):
                    pytest.fail("there was no connection")
        async with open_one(Scope()):
            pass
    finally:
        await database.close()
