"""Scheduled campaigns: launched when they are due, once, as whoever scheduled them."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncConnection

from db.gateway import launches
from db.models import Campaign, CampaignSend, InboxNotification, Lead, MessageTemplate, OutboxMessage, User
from db.session import Scope
from graph.commands.campaigns import Ran, run_due
from graph.settings import Settings
from tests.client import Client
from tests.mutations.campaigning import SELECT, campaign, contact, launch, reached, templates
from tests.mutations.scene import Scene
from tests.server import Urls

PAST, FUTURE = "2026-01-01T08:00:00.000001Z", "2090-01-01T08:00:00Z"


@pytest.fixture
async def scene(anyone: Client, owner: AsyncConnection) -> Scene:
    scene = await templates(await Scene.make(anyone, owner))
    for name in ("adel", "mona"):
        await contact(scene, name)
    return scene


@pytest.fixture
def settings(urls: Urls) -> Settings:
    return Settings(database_url=SecretStr(urls.gateway))


def later(id: str, at: str = PAST, **values: Any) -> dict[str, Any]:
    return {**launch(id, **values), "scheduledAt": at}


async def waiting(scene: Scene) -> list[dict[str, Any]]:
    found = await scene.owner.execute(sa.select(launches).where(launches.c.tenant_id == scene.tenant))
    return [dict(row) for row in found.mappings()]


async def change(scene: Scene, model: Any, values: dict[str, Any], **equal: Any) -> None:
    where = [
        model.tenant_id == scene.tenant,
        *(getattr(model, name) == value for name, value in equal.items()),
    ]
    await scene.owner.execute(sa.update(model).where(*where).values(**values))


async def status(scene: Scene, id: str) -> str:
    found: str = (await scene.row(Campaign, id))["status"]
    return found


async def test_a_campaign_waits_for_its_time(scene: Scene, settings: Settings) -> None:
    id = await campaign(scene)
    done = await scene.call("scheduleCampaign", "campaign { status scheduledAt }", input=later(id, FUTURE))
    assert done["campaign"] == {"status": "SCHEDULED", "scheduledAt": FUTURE}
    await run_due(settings)
    assert await status(scene, id) == "scheduled"
    await scene.call("scheduleCampaign", "campaign { id }", input=later(id, PAST))
    row = await scene.row(Campaign, id)
    assert row["scheduled_at"] == datetime(2026, 1, 1, 8, 0, 0, 1, UTC)
    await run_due(settings)
    assert await status(scene, id) == "sending"
    assert await reached(scene, id) == ["adel@example.test", "mona@example.test"]
    entries = await scene.audit()
    assert [entry["action"] for entry in entries] == ["campaign.schedule"] * 2 + ["campaign.launch"]
    assert (entries[2]["user_id"], entries[2]["user_agent"]) == (scene.client.user_id, "m3")


async def test_what_was_said_last_is_done(scene: Scene, settings: Settings) -> None:
    id = await campaign(scene)
    await scene.call("scheduleCampaign", SELECT, input=later(id))
    only = {"contacts": {"fullName": {"eq": "mona"}}}
    await scene.call("scheduleCampaign", SELECT, input=later(id, audience=only, variables={"name": "Mona"}))
    await run_due(settings)
    assert await reached(scene, id) == ["mona@example.test"]
    assert [row["payload"]["name"] for row in await scene.rows(OutboxMessage)] == ["Mona"]


async def test_three_places_at_once_launch_each_once(scene: Scene, settings: Settings) -> None:
    ids = [await campaign(scene) for _ in range(9)]
    for id in ids:
        await scene.call("scheduleCampaign", SELECT, input=later(id))
    ran = await asyncio.gather(*(run_due(settings) for _ in range(3)))
    # Whoever comes when all that is left is locked by others goes home.
    assert sum(one.launched for one in ran) == 9
    assert [one.refused + one.failed for one in ran] == [[], [], []]
    for id in ids:
        assert await reached(scene, id) == ["adel@example.test", "mona@example.test"]
    assert len(await scene.audit("campaign.launch")) == 9


async def test_a_launch_by_hand_comes_first_or_not_at_all(scene: Scene, settings: Settings) -> None:
    id = await campaign(scene)
    await scene.call("scheduleCampaign", SELECT, input=later(id))
    select = "errors { code }"
    answer, ran = await asyncio.gather(
        scene.ask("launchCampaign", select, input=launch(id)), run_due(settings)
    )
    by_hand = answer["data"]["launchCampaign"]["errors"] == []
    assert ran.launched == (0 if by_hand else 1)
    assert await reached(scene, id) == ["adel@example.test", "mona@example.test"]
    assert len(await scene.audit("campaign.launch")) == 1


async def test_the_rest_of_a_campaign_is_waited_for(scene: Scene, settings: Settings) -> None:
    id = await campaign(scene)
    await scene.call("launchCampaign", SELECT, input=launch(id))
    for left in ({"status": "sent"}, {"status": "failed"}):
        await run_due(settings)
        assert await status(scene, id) == "sending"
        send = next(row for row in await scene.rows(CampaignSend) if row["status"] == "queued")
        await change(scene, CampaignSend, left, id=send["id"])
    ran = await run_due(settings)
    assert (ran.launched, ran.finished >= 1) == (0, True)
    row = await scene.row(Campaign, id)
    assert (row["status"], row["completed_at"] > row["sent_at"]) == ("sent", True)
    assert await waiting(scene) == []
    assert [entry["action"] for entry in await scene.audit()] == ["campaign.launch", "campaign.finish"]


async def test_a_cancelled_campaign_is_not_launched(scene: Scene, settings: Settings) -> None:
    id = await campaign(scene)
    await scene.call("scheduleCampaign", SELECT, input=later(id))
    await scene.call("cancelCampaign", SELECT, input={"id": id})
    assert await waiting(scene) == []
    await run_due(settings)
    assert (await status(scene, id), await reached(scene, id)) == ("cancelled", [])


async def given_up(scene: Scene, settings: Settings, id: str, reason: str) -> Ran:
    """The run that did not launch a campaign, for `reason`."""
    ran = await run_due(settings)
    assert ran.refused == [f"{id} of tenant {scene.tenant}: {reason}"]
    row = await scene.row(Campaign, id)
    assert (row["status"], row["scheduled_at"], row["sent_at"]) == ("draft", None, None)
    assert await waiting(scene) == []
    assert await scene.rows(OutboxMessage) == await scene.rows(CampaignSend) == []
    (notice,) = await scene.rows(InboxNotification)
    assert (notice["title"], notice["body"]) == (f"Not launched: {row['name']}", reason)
    assert notice["meta"] == {"campaignId": id}
    actions = [entry["action"] for entry in await scene.audit()]
    assert actions == ["campaign.schedule", "campaign.unschedule", "inbox_notification.create"]
    assert (await run_due(settings)).refused == []
    return ran


async def test_a_right_lost_since_stops_it(scene: Scene, settings: Settings, owner: AsyncConnection) -> None:
    sender = await scene.joined_by("marketing.send", "contacts.view")
    id = await campaign(scene)
    await sender.call("scheduleCampaign", "__typename", input=later(id))
    await owner.execute(
        sa.text("DELETE FROM role_permissions WHERE tenant_id = :t AND permission = 'contacts.view'"),
        {"t": scene.tenant},
    )
    ran = await given_up(scene, settings, id, "This takes the permission contacts.view.")
    assert (ran.launched, ran.failed) == (0, [])
    (notice,) = await scene.rows(InboxNotification)
    assert notice["user_id"] == sender.client.user_id


async def test_a_user_who_is_gone_stops_it(scene: Scene, settings: Settings) -> None:
    sender = await scene.joined_by("marketing.send", "contacts.view")
    id = await campaign(scene)
    await sender.call("scheduleCampaign", "__typename", input=later(id))
    await change(scene, User, {"status": "suspended"}, id=sender.client.user_id)
    await given_up(scene, settings, id, "Whoever scheduled it is not an active user any more.")


async def test_a_template_retired_since_stops_it(scene: Scene, settings: Settings) -> None:
    id = await campaign(scene)
    await scene.call("scheduleCampaign", SELECT, input=later(id))
    await change(scene, MessageTemplate, {"version_status": "retired"}, code="email")
    await given_up(scene, settings, id, "This template is retired: only an approved one is sent.")


async def test_an_audience_is_kept_with_all_its_kinds_of_values(scene: Scene, settings: Settings) -> None:
    person = await contact(scene, "zeina")
    lead = await scene.insert(Lead, contact_id=person, score=7, attributes={"rooms": [2, 3.5]})
    filter = {
        "or": [{"score": {"in": [7, 8]}}, {"id": {"eq": str(lead["id"])}}],
        "createdAt": {"gt": "2020-02-03T04:05:06.789012+02:00"},
        "attributes": {"contains": {"rooms": [3.5]}},
        "contact": {"fullName": {"startsWith": "ZEI"}},
        "not": {"statusCode": {"isNull": True}},
        "assignedTo": {"isNull": True},
    }
    id = await campaign(scene)
    await scene.call("scheduleCampaign", SELECT, input=later(id, audience={"leads": filter}))
    (row,) = await waiting(scene)
    assert row["audience"]["leads"] == {**filter, "createdAt": {"gt": "2020-02-03T02:05:06.789012+00:00"}}
    assert row["user_id"] == scene.client.user_id
    assert (await run_due(settings)).refused == []
    assert await reached(scene, id) == ["zeina@example.test"]


async def test_launches_are_the_tenants_own(
    scene: Scene, urls: Urls, anyone: Client, owner: AsyncConnection
) -> None:
    other = await templates(await Scene.make(anyone, owner))
    id = await campaign(scene)
    await scene.call("scheduleCampaign", SELECT, input=later(id, FUTURE))
    database = scene.client.services.database
    for tenant, expected in ((scene.tenant, [UUID(id)]), (other.tenant, []), (None, [])):
        async with database.read(Scope(tenant_id=tenant)) as connection:
            found = await connection.execute(sa.select(launches.c.campaign_id))
            assert found.scalars().all() == expected
