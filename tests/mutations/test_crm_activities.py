"""Activities: somebody's, about something, and done or cancelled once."""

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Activity, Contact, Deal, User
from tests.client import Client
from tests.mutations.scene import NOWHERE, Scene


@pytest.fixture
async def scene(anyone: Client, owner: AsyncConnection) -> Scene:
    return await Scene.make(anyone, owner)


async def test_an_activity_is_the_viewers_unless_said_otherwise(scene: Scene) -> None:
    contact = await scene.insert(Contact)
    given = {
        "typeCode": "CALL",
        "contactId": str(contact["id"]),
        "subject": "Ask about the villa",
        "description": "First floor?\n\nOr second?",
        "dueAt": "2026-12-01T10:00:00.000001+02:00",
    }
    select = "activity { id typeCode subject description dueAt status ownerUserId contact { id } }"
    done = await scene.call("createActivity", select, input=given)
    assert done["activity"] | {"id": ""} == {
        "id": "",
        "typeCode": "CALL",
        "subject": given["subject"],
        "description": given["description"],
        "dueAt": "2026-12-01T08:00:00.000001Z",
        "status": "OPEN",
        "ownerUserId": str(scene.client.user_id),
        "contact": {"id": given["contactId"]},
    }
    (entry,) = await scene.audit()
    assert (entry["action"], entry["after_data"]["status"]) == ("activity.create", "open")
    nobodys = await scene.call("createActivity", select, input={"typeCode": "TASK", "ownerUserId": None})
    assert nobodys["activity"]["ownerUserId"] is None


async def test_an_activity_passes_to_an_active_user(scene: Scene) -> None:
    away = str((await scene.insert(User, status="deactivated"))["id"])
    seller = str((await scene.insert(User))["id"])
    activity = await scene.insert(Activity, owner_user_id=away)
    id = str(activity["id"])
    await scene.call(
        "updateActivity", "activity { id }", id=id, input={"ownerUserId": away, "subject": "Same"}
    )
    await scene.call("updateActivity", "activity { id }", id=id, input={"ownerUserId": seller})
    assert str((await scene.row(Activity, id))["owner_user_id"]) == seller
    elsewhere = await Scene.make(scene.client, scene.owner)
    theirs = str((await elsewhere.insert(User))["id"])
    for user, code in ((away, "INVALID"), (theirs, "NOT_FOUND"), (NOWHERE, "NOT_FOUND")):
        told = [(code, "input.ownerUserId")]
        assert await scene.refused("updateActivity", id=id, input={"ownerUserId": user}) == told
        assert await scene.refused("createActivity", input={"typeCode": "TASK", "ownerUserId": user}) == told


@pytest.mark.parametrize("status", ["open", "done", "cancelled"])
@pytest.mark.parametrize(("name", "after"), [("completeActivity", "done"), ("cancelActivity", "cancelled")])
async def test_an_open_activity_is_done_or_cancelled_once(
    scene: Scene, name: str, after: str, status: str
) -> None:
    activity = await scene.insert(Activity, status=status)
    id = str(activity["id"])
    if status == "open":
        done = await scene.call(name, "activity { status }", input={"id": id})
        assert done["activity"]["status"] == after.upper()
        (entry,) = await scene.audit()
        assert entry["action"] == f"activity.{name.removesuffix('Activity')}"
        assert (entry["before_data"]["status"], entry["after_data"]["status"]) == ("open", after)
    else:
        assert await scene.refused(name, input={"id": id}) == [("CONFLICT", None)]


async def test_an_activitys_status_is_in_no_update(scene: Scene) -> None:
    activity = await scene.insert(Activity)
    codes = await scene.codes("updateActivity", id=str(activity["id"]), input={"status": "DONE"})
    assert codes == ["BAD_INPUT"]


async def test_a_deal_of_another_tenant_is_not_found(scene: Scene) -> None:
    elsewhere = await Scene.make(scene.client, scene.owner)
    theirs = await elsewhere.insert(Deal)
    given = {"typeCode": "TASK", "dealId": str(theirs["id"])}
    assert await scene.refused("createActivity", input=given) == [("NOT_FOUND", "input.dealId")]


async def test_a_deleted_activity_is_written_down(scene: Scene) -> None:
    activity = await scene.insert(Activity, subject="Ask")
    await scene.call("deleteActivity", "activity { subject }", id=str(activity["id"]))
    (entry,) = await scene.audit()
    assert (entry["action"], entry["before_data"]["subject"]) == ("activity.delete", "Ask")
    assert await scene.rows(Activity) == []
