"""Overdue approvals: told once for each time that they were due, whoever looks, and left at their level."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db.models import Approval, InboxNotification
from graph.commands.approvals import escalate
from graph.settings import Settings
from tests.client import Client
from tests.mutations.approving import SELECT, Team
from tests.server import Urls

NOTE = "Level 1 of 2 was to be decided by then."


@pytest.fixture
async def team(anyone: Client, owner: AsyncConnection) -> Team:
    team = await Team.make(anyone, owner)
    await team.govern()
    return team


@pytest.fixture
def settings(urls: Urls) -> Settings:
    return Settings(database_url=SecretStr(urls.gateway))


async def overdue(team: Team, minutes: int = 1) -> str:
    """The id of an approval that was due some minutes ago."""
    id, _, _ = await team.asked()
    await late(team, id, minutes)
    return id


async def late(team: Team, id: str, minutes: int) -> None:
    due = datetime.now(UTC) - timedelta(minutes=minutes)
    await team.change(Approval, UUID(id), sla_due_at=due)


async def test_what_is_overdue_is_told_to_those_who_manage_approvals(team: Team, settings: Settings) -> None:
    id = await overdue(team)
    elsewhere = await Team.make(team.asks.client, team.asks.owner)
    before = await team.asks.row(Approval, id)
    await escalate(settings)
    assert (await team.steps(id))[1:] == [("escalated", None, NOTE)]
    assert await team.notices(team.manages) == ["Overdue, and not decided"]
    (notice,) = await team.asks.rows(InboxNotification, user_id=team.manages.client.user_id)
    assert (notice["body"], notice["meta"]["approvalId"]) == (NOTE, id)
    assert await team.notices(elsewhere.manages) == await team.notices(team.asks) == []
    assert await team.asks.row(Approval, id) == before, "no level is skipped"
    (entry,) = await team.asks.audit("approval.escalate")
    assert (entry["user_id"], entry["user_agent"], entry["entity_id"]) == (None, "m3", UUID(id))
    done = await team.first.call("approve", SELECT, input={"id": id})
    assert done["approval"]["level"] == 2


async def test_it_is_told_once_for_each_time_that_it_was_due(team: Team, settings: Settings) -> None:
    id = await overdue(team, 2)
    for _ in range(3):
        await escalate(settings)
    assert await team.notices(team.manages) == ["Overdue, and not decided"]
    await late(team, id, 1)
    for _ in range(2):
        await escalate(settings)
    assert [action for action, *_ in await team.steps(id)] == ["submitted", "escalated", "escalated"]
    assert await team.notices(team.manages) == ["Overdue, and not decided"] * 2


async def test_what_is_decided_or_not_yet_due_is_left(team: Team, settings: Settings) -> None:
    waiting, _, _ = await team.asked()
    rejected, cancelled = await overdue(team), await overdue(team)
    await team.first.call("reject", SELECT, input={"id": rejected})
    await team.asks.call("cancelApproval", SELECT, input={"id": cancelled})
    await escalate(settings)
    for id in (waiting, rejected, cancelled):
        assert "escalated" not in [action for action, *_ in await team.steps(id)]
    assert await team.notices(team.manages) == []


async def test_four_places_at_once_tell_each_once(team: Team, settings: Settings) -> None:
    ids = [await overdue(team) for _ in range(6)]
    ran = await asyncio.gather(*(escalate(settings) for _ in range(4)))
    assert [one.failed for one in ran] == [[]] * 4
    # Whoever comes when all that is left is locked by others goes home
    await escalate(settings)
    for id in ids:
        assert [action for action, *_ in await team.steps(id)] == ["submitted", "escalated"]
    assert await team.notices(team.manages) == ["Overdue, and not decided"] * 6
    assert len(await team.asks.audit("approval.escalate")) == 6


async def test_who_is_deciding_is_not_waited_for(
    team: Team, settings: Settings, owner_engine: AsyncEngine
) -> None:
    held, free = await overdue(team), await overdue(team)
    async with owner_engine.connect() as other:
        await other.execute(sa.text("BEGIN"))
        await other.execute(sa.select(Approval.id).where(Approval.id == UUID(held)).with_for_update())
        await escalate(settings)
        await other.execute(sa.text("ROLLBACK"))
    assert len(await team.steps(held)) == 1
    assert len(await team.steps(free)) == 2
    await escalate(settings)
    assert len(await team.steps(held)) == 2


async def test_an_approval_of_another_service_is_told_of_too(team: Team, settings: Settings) -> None:
    due = datetime.now(UTC) - timedelta(days=1)
    requester = team.asks.client.user_id
    row = await team.asks.insert(Approval, requested_by=requester, sla_due_at=due, domain="discount")
    await escalate(settings)
    assert [action for action, *_ in await team.steps(str(row["id"]))] == ["escalated"]
    (notice,) = await team.asks.rows(InboxNotification, user_id=team.manages.client.user_id)
    assert notice["title"] == "Overdue, and not decided: discount"
