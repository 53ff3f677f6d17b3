"""Campaigns: drafts that are launched once, to everybody once, or cancelled."""

import asyncio
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import (
    Campaign,
    CampaignSend,
    InboxNotification,
    OutboxMessage,
    Plan,
    PlanFeature,
    TenantSubscription,
    UsageCounter,
)
from tests.client import Client
from tests.factories import insert, make_user
from tests.mutations.campaigning import SELECT, campaign, contact, launch, reached, templates
from tests.mutations.scene import NOWHERE, Scene, told


@pytest.fixture
async def scene(anyone: Client, owner: AsyncConnection) -> Scene:
    return await templates(await Scene.make(anyone, owner))


async def test_a_draft_is_made_changed_and_deleted(scene: Scene) -> None:
    select = "campaign { id status createdBy { id } scheduledAt sentAt }"
    done = await scene.call("createCampaign", select, input={"name": "Autumn", "type": "SMS"})
    id = done["campaign"].pop("id")
    me = {"id": str(scene.client.user_id)}
    assert done["campaign"] == {"status": "DRAFT", "createdBy": me, "scheduledAt": None, "sentAt": None}
    await scene.call("updateCampaign", select, id=id, input={"name": "Winter", "type": "EMAIL"})
    row = await scene.row(Campaign, id)
    assert (row["name"], row["type"]) == ("Winter", "email")
    await scene.call("deleteCampaign", select, id=id)
    assert await scene.rows(Campaign) == []
    assert [entry["action"] for entry in await scene.audit()] == [
        "campaign.create",
        "campaign.update",
        "campaign.delete",
    ]


@pytest.mark.parametrize("status", ["scheduled", "sending", "sent", "cancelled"])
async def test_only_a_draft_changes(scene: Scene, status: str) -> None:
    id = await campaign(scene, status=status)
    assert await scene.refused("updateCampaign", id=id, input={"name": "A"}) == [("CONFLICT", None)]
    assert await scene.refused("deleteCampaign", id=id) == [("CONFLICT", None)]


async def test_everybody_gets_it_once(scene: Scene) -> None:
    people = {await contact(scene, name) for name in ("adel", "mona", "samir")}
    id = await campaign(scene)
    done = await scene.call("launchCampaign", SELECT, input=launch(id))
    assert done["campaign"]["status"] == "SENDING"
    assert done["campaign"]["sentAt"] is not None
    assert done["campaign"]["completedAt"] is None
    assert await reached(scene, id) == [f"{name}@example.test" for name in ("adel", "mona", "samir")]
    for send in await scene.rows(CampaignSend):
        assert (send["channel"], send["status"], send["recipient_type"]) == ("email", "queued", "contact")
        assert str(send["recipient_id"]) in people
        assert send["queued_at"] is not None
    for message in await scene.rows(OutboxMessage):
        assert (message["channel"], message["status"], message["template_code"]) == (
            "email",
            "pending",
            "email",
        )
        assert message["payload"] == {"name": "buyer", "locale": "en"}
    (entry,) = await scene.audit()
    assert (entry["action"], entry["before_data"]["status"]) == ("campaign.launch", "draft")
    assert entry["after_data"]["status"] == "sending"
    assert [int(row["value"]) for row in await scene.rows(UsageCounter)] == [3]


async def test_two_launches_at_once_are_one(scene: Scene) -> None:
    for number in range(30):
        await contact(scene, f"buyer{number}")
    id = await campaign(scene)
    select = "campaign { status } errors { code field }"
    answers = await asyncio.gather(*(scene.ask("launchCampaign", select, input=launch(id)) for _ in range(6)))
    payloads = [answer["data"]["launchCampaign"] for answer in answers]
    assert sorted(told(payload["errors"]) for payload in payloads) == [[], *[[("CONFLICT", None)]] * 5]
    assert {payload["campaign"]["status"] for payload in payloads} == {"SENDING"}
    assert await reached(scene, id) == sorted(f"buyer{number}@example.test" for number in range(30))
    assert len(await scene.audit()) == 1


@pytest.mark.parametrize("status", ["sending", "sent", "cancelled"])
async def test_what_was_launched_or_cancelled_is_not_launched(scene: Scene, status: str) -> None:
    await contact(scene, "mona")
    id = await campaign(scene, status=status)
    assert await scene.refused("launchCampaign", input=launch(id)) == [("CONFLICT", None)]


async def test_a_notice_is_in_the_inbox_at_once(scene: Scene) -> None:
    users = [str(await make_user(scene.owner, scene.tenant)) for _ in range(2)]
    id = await campaign(scene, "inapp")
    given = launch(id, "inapp", audience={"users": users}, variables={"name": "<all>"})
    done = await scene.call("launchCampaign", SELECT, input=given)
    assert done["campaign"]["status"] == "SENT"
    assert done["campaign"]["completedAt"] >= done["campaign"]["sentAt"]
    notices = await scene.rows(InboxNotification)
    assert sorted(str(notice["user_id"]) for notice in notices) == sorted(users)
    for notice in notices:
        said = (notice["category"], notice["title"], notice["body"], notice["meta"])
        assert said == ("marketing", "Hello <all>", "Dear <all>", {"campaignId": id})
    assert await reached(scene, id) == ["None"] * 2
    for row in (*await scene.rows(CampaignSend), *await scene.rows(OutboxMessage)):
        assert row["status"] == "delivered"
        assert row["delivered_at"] is not None
    assert [entry["action"] for entry in await scene.audit()] == ["campaign.launch", "campaign.finish"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"id": NOWHERE}, ("NOT_FOUND", "id")),
        ({"id": "x"}, ("INVALID", "id")),
        ({"templateCode": "absent"}, ("NOT_FOUND", "templateCode")),
        ({"templateCode": "sms"}, ("INVALID", "templateCode")),
        ({"locale": "fr"}, ("NOT_FOUND", "templateCode")),
        ({"variables": None}, ("INVALID", "variables.name")),
        ({"variables": {"name": None}}, ("INVALID", "variables.name")),
        ({"variables": [1]}, ("INVALID", "variables")),
        ({"audience": {"contacts": {"fullName": {"eq": "nobody"}}}}, ("INVALID", "audience")),
    ],
)
async def test_what_cannot_be_launched_is_refused(
    scene: Scene, change: dict[str, Any], expected: tuple[str, str]
) -> None:
    await contact(scene, "mona")
    id = await campaign(scene)
    code, field = expected
    assert await scene.refused("launchCampaign", input={**launch(id), **change}) == [(code, f"input.{field}")]


async def test_the_plan_bounds_the_messages_of_a_month(scene: Scene) -> None:
    plan = await insert(scene.owner, Plan)
    feature = {"plan_id": plan["id"], "feature_code": "messages.monthly"}
    await insert(scene.owner, PlanFeature, **feature, limit_value=5)
    await scene.insert(TenantSubscription, plan_id=plan["id"])
    for name in ("adel", "mona", "samir"):
        await contact(scene, name)
    ids = [await campaign(scene) for _ in range(3)]
    answers = await asyncio.gather(
        *(scene.ask("launchCampaign", "errors { code field }", input=launch(id)) for id in ids)
    )
    refused = [told(answer["data"]["launchCampaign"]["errors"]) for answer in answers]
    assert sorted(refused) == [[], [("LIMIT_REACHED", None)], [("LIMIT_REACHED", None)]]
    assert sorted([len(await reached(scene, id)) for id in ids]) == [0, 0, 3]
    assert sorted(row["status"] for row in await scene.rows(Campaign)) == ["draft", "draft", "sending"]


@pytest.mark.parametrize("status", ["draft", "scheduled", "sending"])
async def test_a_campaign_is_cancelled_for_good(scene: Scene, status: str) -> None:
    id = await campaign(scene, status=status)
    done = await scene.call("cancelCampaign", SELECT, input={"id": id})
    assert done["campaign"]["status"] == "CANCELLED"
    assert await scene.refused("cancelCampaign", input={"id": id}) == [("CONFLICT", None)]


async def test_cancelling_takes_back_what_no_sender_has_taken(scene: Scene) -> None:
    for name in ("adel", "mona", "samir"):
        await contact(scene, name)
    id, other = await campaign(scene), await campaign(scene)
    for which in (id, other):
        await scene.call("launchCampaign", SELECT, input=launch(which))
    first = (await scene.rows(OutboxMessage))[0]
    table = OutboxMessage.__table__
    taken = table.update().where(table.c.id == first["id"]).values(status="sent")  # type: ignore[attr-defined]
    await scene.owner.execute(taken)
    await scene.call("cancelCampaign", SELECT, input={"id": id})
    after = {row["idempotency_key"]: row["status"] for row in await scene.rows(OutboxMessage)}
    for send in await scene.rows(CampaignSend):
        key = f"campaign:{send['campaign_id']}:contact:{send['recipient_id']}"
        if key == first["idempotency_key"]:
            assert (after[key], send["status"]) == ("sent", "queued")
        elif str(send["campaign_id"]) == id:
            assert (after[key], send["status"]) == ("cancelled", "cancelled")
        else:
            assert (after[key], send["status"]) == ("pending", "queued")


async def test_a_launch_and_a_cancellation_at_once_take_turns(scene: Scene) -> None:
    for name in ("adel", "mona"):
        await contact(scene, name)
    id = await campaign(scene)
    launched, cancelled = await asyncio.gather(
        scene.ask("launchCampaign", "errors { code }", input=launch(id)),
        scene.ask("cancelCampaign", "errors { code }", input={"id": id}),
    )
    assert cancelled["data"]["cancelCampaign"]["errors"] == []
    assert (await scene.row(Campaign, id))["status"] == "cancelled"
    done = launched["data"]["launchCampaign"]["errors"] == []
    statuses = [row["status"] for row in (*await scene.rows(CampaignSend), *await scene.rows(OutboxMessage))]
    assert statuses == (["cancelled"] * 4 if done else [])


async def test_campaigns_of_others_are_not_there(
    scene: Scene, anyone: Client, owner: AsyncConnection
) -> None:
    id = await campaign(scene)
    other = await templates(await Scene.make(anyone, owner))
    assert await other.refused("cancelCampaign", input={"id": id}) == [("NOT_FOUND", "input.id")]
    assert await other.refused("launchCampaign", input=launch(id)) == [("NOT_FOUND", "input.id")]
    assert await other.refused("updateCampaign", id=id, input={}) == [("NOT_FOUND", None)]


async def test_managing_is_not_sending(scene: Scene) -> None:
    await contact(scene, "mona")
    id = await campaign(scene)
    later = {**launch(id), "scheduledAt": "2030-01-01T00:00:00Z"}
    manager = await scene.joined_by("marketing.manage", "contacts.view")
    assert await manager.codes("launchCampaign", input=launch(id)) == ["FORBIDDEN"]
    assert await manager.codes("scheduleCampaign", input=later) == ["FORBIDDEN"]
    assert await manager.codes("cancelCampaign", input={"id": id}) == ["FORBIDDEN"]
    sender = await scene.joined_by("marketing.send", "contacts.view")
    assert await sender.codes("updateCampaign", id=id, input={"name": "A"}) == ["FORBIDDEN"]
    await sender.call("scheduleCampaign", "__typename", input=later)
    await sender.call("launchCampaign", "__typename", input=launch(id))
    await sender.call("cancelCampaign", "__typename", input={"id": id})
