"""`m3 db`: up and down, checked, and partitioned."""

from datetime import UTC, datetime

import asyncpg
import pytest

from db import migrate
from tests.cli.conftest import M3
from tests.server import Server, Urls


@pytest.fixture
def roles(server: Server) -> dict[str, str]:
    """The settings that name the roles of this run."""
    return {"gateway_role": server.gateway_role, "service_role": server.service_role}


async def test_a_database_goes_up_and_down(m3: M3, empty_database: Urls, roles: dict[str, str]) -> None:
    url = empty_database.owner
    up = await m3("db", "upgrade", owner_database_url=url, **roles)
    assert (up.code, up.out, up.err) == (0, "", "")
    assert await migrate.current(url) == migrate.head()

    asked = await m3("db", "downgrade", "base", stdin="n\n", owner_database_url=url, **roles)
    assert asked.code == 1
    assert await migrate.current(url) == migrate.head()

    down = await m3("db", "downgrade", "base", "--yes", owner_database_url=url, **roles)
    assert (down.code, down.out, down.err) == (0, "", "")
    assert await migrate.current(url) is None


async def test_a_sound_database_passes_and_a_damaged_one_does_not(
    m3: M3, scratch_database: Urls, roles: dict[str, str]
) -> None:
    url = scratch_database.owner
    sound = await m3("db", "check", owner_database_url=url, **roles)
    assert (sound.code, sound.out, sound.err) == (0, "The database is as it should be.\n", "")

    owner = await asyncpg.connect(url)
    await owner.execute("DROP POLICY tenant ON deals")
    await owner.close()
    damaged = await m3("db", "check", owner_database_url=url, **roles)
    assert (damaged.code, damaged.err) == (1, "")
    assert "deals" in damaged.out


async def test_partitions_are_made_once(m3: M3, scratch_database: Urls) -> None:
    url = scratch_database.owner
    this_month = datetime.now(UTC).date().replace(day=1)
    made = await m3("db", "partitions", "--ahead", "1", owner_database_url=url)
    assert (made.code, made.err) == (0, "")
    first, second = made.out.splitlines()
    assert first.startswith(f"audit_logs: made audit_logs_{this_month:%Y_%m}, ")
    assert second.startswith(f"integration_webhook_logs: made integration_webhook_logs_{this_month:%Y_%m}, ")
    again = await m3("db", "partitions", "--ahead", "1", owner_database_url=url)
    assert [line.split("; ")[0] for line in again.out.splitlines()] == [
        "audit_logs: made none",
        "integration_webhook_logs: made none",
    ]
