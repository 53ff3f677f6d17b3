"""Turns: of what has the same key one at a time, and nothing is kept of it."""

import asyncio
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from db.session import SERVER_SETTINGS, Database, Scope
from graph.auth.viewer import NOBODYS_SESSION, Viewer
from graph.encoding import encode
from graph.errors import Timeout
from graph.snapshot import Change
from graph.writing import turns
from graph.writing.idempotency import IdempotencyKey, claim, keep
from graph.writing.turns import Turns
from tests.factories import make_tenant, make_user
from tests.mutations.test_billing_limits import held_up
from tests.server import Urls


async def test_one_at_a_time_by_key_first_come_first_served() -> None:
    turns, order = Turns(), []
    async with turns.of("a"):

        async def wait(number: int) -> None:
            async with turns.of("a"):
                order.append(number)
                assert len(turns) == 1

        waiting = [asyncio.create_task(wait(number)) for number in range(5)]
        await asyncio.sleep(0)
        async with turns.of("b"):
            assert (order, len(turns)) == ([], 2)
        waiting[1].cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert (order, len(turns)) == ([0, 2, 3, 4], 0)


async def test_a_turn_that_does_not_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "LAUNCH_SECONDS", 0.01)
    line = Turns()
    async with line.of("a"):
        with pytest.raises(Timeout):
            async with line.of("a"):
                raise AssertionError
    assert len(line) == 0


async def test_what_fails_gives_its_turn_to_the_next() -> None:
    line = Turns()
    with pytest.raises(LookupError):
        async with line.of("a"):
            raise LookupError
    async with line.of("a"):
        assert len(line) == 1


async def test_a_twin_elsewhere_waits_as_long_as_a_launch_may_take(
    urls: Urls, owner: AsyncConnection
) -> None:
    tenant = await make_tenant(owner)
    viewer = Viewer(tenant, await make_user(owner, tenant), NOBODYS_SESSION, frozenset())
    key = IdempotencyKey.of(str(uuid4()), "mutation", None, None)
    hasty = {**SERVER_SETTINGS, "lock_timeout": "1ms", "statement_timeout": "900ms"}
    database = Database(urls.gateway, pool_size=2, server_settings=hasty)
    try:
        first, second = (Change(database, Scope(tenant_id=tenant)) for _ in range(2))
        assert await claim(first, viewer, key) is None
        times = sa.select(*(sa.func.current_setting(f"{what}_timeout") for what in ("lock", "statement")))
        assert tuple((await first.execute(times)).one()) == ("1ms", "900ms")
        pid = (await first.execute(sa.select(sa.func.pg_backend_pid()))).scalar_one()
        twin = asyncio.create_task(claim(second, viewer, key))
        assert await held_up(twin, owner, pid)
        await keep(first, viewer, key, {"done": True}, [])
        await first.commit()
        answered = await twin
        assert answered is not None
        assert encode(answered.data) == b'{"done":true}'
        await second.rollback()
    finally:
        await database.close()
