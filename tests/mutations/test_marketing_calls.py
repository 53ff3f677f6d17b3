"""Calls: planned, begun once and ended once."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Campaign, Contact, Lead, TelemarketingCall
from tests.client import Client
from tests.factories import make_user
from tests.mutations.scene import NOWHERE, Scene, told

SELECT = (
    "telemarketingCall { id phoneNumber agentUserId scheduledAt startedAt endedAt talkTimeSec outcomeCode }"
)
LATER = "2027-01-01T08:00:00Z"


@pytest.fixture
async def scene(anyone: Client, owner: AsyncConnection) -> Scene:
    return await Scene.make(anyone, owner)


async def call(scene: Scene, state: str = "planned", **values: Any) -> str:
    """A call that has come so far; a minute and a half ago if it has begun."""
    begun = datetime.now(UTC) - timedelta(seconds=90, milliseconds=500)
    times = {
        "planned": {},
        "running": {"started_at": begun},
        "ended": {"started_at": begun, "ended_at": begun},
    }
    row = await scene.insert(TelemarketingCall, phone_number="+201001234567", **times[state], **values)
    return str(row["id"])


async def test_a_call_is_planned_changed_and_deleted(scene: Scene) -> None:
    given = {
        "phoneNumber": "0100 123 4567",
        "scheduledAt": LATER,
        "agentUserId": str(await make_user(scene.owner, scene.tenant)),
        "campaignId": str((await scene.insert(Campaign))["id"]),
        "contactId": str((await scene.insert(Contact))["id"]),
        "leadId": str((await scene.insert(Lead))["id"]),
    }
    done = await scene.call("createTelemarketingCall", SELECT, input=given)
    id = done["telemarketingCall"]["id"]
    assert (done["telemarketingCall"]["phoneNumber"], done["telemarketingCall"]["scheduledAt"]) == (
        "+201001234567",
        LATER,
    )
    change = {"notes": "Ask for the wife.", "agentUserId": None, "recordingUrl": "https://calls.test/1"}
    await scene.call("updateTelemarketingCall", SELECT, id=id, input=change)
    row = await scene.row(TelemarketingCall, id)
    assert (row["notes"], row["agent_user_id"], row["recording_url"]) == tuple(change.values())
    assert str(row["campaign_id"]) == given["campaignId"]
    await scene.call("deleteTelemarketingCall", SELECT, id=id)
    assert await scene.rows(TelemarketingCall) == []


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"phoneNumber": "call me"}, ("INVALID", "phoneNumber")),
        ({"phoneNumber": "0100\0"}, ("INVALID", "phoneNumber")),
        ({"contactId": NOWHERE}, ("NOT_FOUND", "contactId")),
        ({"leadId": NOWHERE}, ("NOT_FOUND", "leadId")),
        ({"campaignId": NOWHERE}, ("NOT_FOUND", "campaignId")),
        ({"agentUserId": NOWHERE}, ("NOT_FOUND", "agentUserId")),
        ({"outcomeCode": "sold"}, ("CONFLICT", "outcomeCode")),
    ],
)
async def test_what_cannot_be_a_call_is_refused(scene: Scene, wrong: dict[str, Any], expected: Any) -> None:
    code, field = expected
    given = {"phoneNumber": "+201001234567", **wrong}
    assert await scene.refused("createTelemarketingCall", input=given) == [(code, f"input.{field}")]
    id = await call(scene)
    assert await scene.refused("updateTelemarketingCall", id=id, input=wrong) == [(code, f"input.{field}")]


async def test_a_call_is_scheduled_begun_and_ended(scene: Scene) -> None:
    id = await call(scene)
    done = await scene.call("scheduleCall", SELECT, input={"id": id, "scheduledAt": LATER})
    assert done["telemarketingCall"]["scheduledAt"] == LATER
    done = await scene.call("startCall", SELECT, input={"id": id})
    begun = done["telemarketingCall"]
    assert begun["agentUserId"] == str(scene.client.user_id)
    assert (begun["startedAt"] is None, begun["endedAt"]) == (False, None)
    done = await scene.call("endCall", SELECT, input={"id": id, "outcomeCode": "visit"})
    ended = done["telemarketingCall"]
    assert (ended["outcomeCode"], ended["talkTimeSec"]) == ("visit", 0)
    assert ended["endedAt"] > begun["startedAt"]
    entries = await scene.audit()
    assert [entry["action"] for entry in entries] == [
        "telemarketing_call.schedule",
        "telemarketing_call.start",
        "telemarketing_call.end",
    ]
    assert entries[2]["before_data"]["ended_at"] is None
    assert entries[2]["after_data"]["talk_time_sec"] == 0


async def test_how_long_was_talked_is_worked_out(scene: Scene) -> None:
    id = await call(scene, "running", notes="before")
    said = {"notes": "He will come.", "recordingUrl": "https://calls.test/2"}
    done = await scene.call("endCall", SELECT, input={"id": id, **said})
    assert 90 <= done["telemarketingCall"]["talkTimeSec"] <= 120
    row = await scene.row(TelemarketingCall, id)
    assert (row["notes"], row["recording_url"], row["outcome_code"]) == (*said.values(), None)
    await scene.call("updateTelemarketingCall", SELECT, id=id, input={"outcomeCode": "visit"})
    assert (await scene.row(TelemarketingCall, id))["outcome_code"] == "visit"


async def test_a_call_that_begins_in_the_future_took_no_time(scene: Scene) -> None:
    id = await call(scene, started_at=datetime.now(UTC) + timedelta(hours=1))
    done = await scene.call("endCall", SELECT, input={"id": id, "notes": None})
    assert done["telemarketingCall"]["talkTimeSec"] == 0


async def test_whoever_has_the_call_keeps_it(scene: Scene) -> None:
    agent = await make_user(scene.owner, scene.tenant)
    done = await scene.call("startCall", SELECT, input={"id": await call(scene, agent_user_id=agent)})
    assert done["telemarketingCall"]["agentUserId"] == str(agent)


@pytest.mark.parametrize(
    ("state", "refused"),
    [("planned", {"endCall"}), ("running", {"scheduleCall", "startCall"}), ("ended", set())],
)
async def test_other_steps_are_conflicts(scene: Scene, state: str, refused: set[str]) -> None:
    steps = {"scheduleCall": {"scheduledAt": LATER}, "startCall": {}, "endCall": {}}
    for name in refused or steps:
        given = {"id": await call(scene, state), **steps[name]}
        assert await scene.refused(name, input=given) == [("CONFLICT", None)], name


@pytest.mark.parametrize(("state", "name"), [("planned", "startCall"), ("running", "endCall")])
async def test_of_several_at_once_one_does_it(scene: Scene, state: str, name: str) -> None:
    id = await call(scene, state)
    answers = await asyncio.gather(
        *(scene.ask(name, "errors { code field }", input={"id": id}) for _ in range(8))
    )
    refused = [told(answer["data"][name]["errors"]) for answer in answers]
    assert sorted(refused) == [[], *[[("CONFLICT", None)]] * 7]
    assert len(await scene.audit()) == 1


async def test_what_is_said_at_the_end_is_checked(scene: Scene) -> None:
    id = await call(scene, "running")
    for wrong, field in (({"outcomeCode": " "}, "outcomeCode"), ({"notes": "a\0"}, "notes")):
        assert await scene.refused("endCall", input={"id": id, **wrong}) == [("INVALID", f"input.{field}")]


async def test_times_are_in_no_update(scene: Scene) -> None:
    id = await call(scene)
    for name in ("scheduledAt", "startedAt", "endedAt", "talkTimeSec"):
        given = f'id: "{id}", input: {{{name}: null}}'
        query = f"mutation {{ updateTelemarketingCall({given}) {{ errors {{ code }} }} }}"
        assert await scene.client.codes(query) == ["GRAPHQL_VALIDATION_FAILED"]


async def test_calls_take_their_permission_and_their_tenant(
    scene: Scene, anyone: Client, owner: AsyncConnection
) -> None:
    id = await call(scene)
    viewer, other = await scene.joined_by("telemarketing.view"), await Scene.make(anyone, owner)
    manager = await scene.joined_by("telemarketing.manage")
    for name in ("scheduleCall", "startCall", "endCall"):
        given = {"id": id, **({"scheduledAt": LATER} if name == "scheduleCall" else {})}
        assert await viewer.codes(name, input=given) == ["FORBIDDEN"]
        assert await other.refused(name, input=given) == [("NOT_FOUND", "input.id")]
        await manager.call(name, "__typename", input=given)
