"""What is past its retention goes, and nothing else."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from tests.server import Urls

if TYPE_CHECKING:
    Raw = asyncpg.Connection[Any]

HOUR = timedelta(hours=1)
LOG = "SELECT seq FROM gateway.event_log ORDER BY seq"


@pytest.fixture
async def owner(scratch_database: Urls) -> AsyncIterator["Raw"]:
    """Ten events that took nine days to be committed; five were logged two hours ago, five just now."""
    connection = await asyncpg.connect(scratch_database.owner, server_settings={"app.maintenance": "on"})
    await connection.execute(
        "INSERT INTO gateway.event_log (seq, tenant_id, topic, action, entity_id, at, logged_at) "
        "SELECT seq, id, 'approval', 'requested', id, now() - interval '9 days', "
        "now() - (CASE WHEN seq <= 5 THEN 2 ELSE 0 END) * interval '1 hour' "
        "FROM (SELECT seq, gen_random_uuid() AS id FROM generate_series(1, 10) seq) events"
    )
    yield connection
    await connection.close()


@pytest.fixture
async def gateway(scratch_database: Urls, owner: "Raw") -> AsyncIterator["Raw"]:
    connection = await asyncpg.connect(scratch_database.gateway)
    yield connection
    await connection.close()


async def forget(gateway: "Raw", age: timedelta = HOUR, most: int = 100) -> int:
    forgotten: int = await gateway.fetchval("SELECT gateway.forget_events($1, $2)", age, most)
    return forgotten


async def bounds(gateway: "Raw") -> tuple[int, int]:
    row = await gateway.fetchrow("SELECT oldest, newest FROM gateway.event_bounds()")
    assert row is not None
    return row["oldest"], row["newest"]


async def test_what_was_logged_long_ago_goes_whenever_it_happened(owner: "Raw", gateway: "Raw") -> None:
    assert await bounds(gateway) == (1, 10)
    assert await forget(gateway, 3 * HOUR) == 0
    assert await forget(gateway, most=2) == 2
    assert await bounds(gateway) == (3, 10)
    assert await forget(gateway) == 3
    assert await forget(gateway) == 0
    assert await bounds(gateway) == (6, 10)
    assert [seq for (seq,) in await owner.fetch(LOG)] == [6, 7, 8, 9, 10]


async def test_the_newest_stays_since_the_next_number_follows_from_it(owner: "Raw", gateway: "Raw") -> None:
    await owner.execute("UPDATE gateway.event_log SET logged_at = now() - interval '1 day'")
    assert await forget(gateway) == 9
    assert await forget(gateway) == 0
    assert await bounds(gateway) == (10, 10)


async def test_nobody_makes_others_forget_what_they_had_no_time_to_read(gateway: "Raw") -> None:
    with pytest.raises(asyncpg.InvalidParameterValueError):
        await forget(gateway, timedelta(minutes=59))
    assert await bounds(gateway) == (1, 10)
