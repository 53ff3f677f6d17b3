"""The inbox: one's own to read, others' to put something into."""

from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import InboxNotification
from tests.client import Client
from tests.factories import make_user
from tests.mutations.scene import NOWHERE, Scene

SELECT = "inboxNotification { id isRead }"


@pytest.fixture
async def scene(anyone: Client, owner: AsyncConnection) -> Scene:
    return await Scene.make(anyone, owner)


async def notice(scene: Scene, **values: Any) -> str:
    row = await scene.insert(InboxNotification, **{"user_id": scene.client.user_id, **values})
    return str(row["id"])


async def test_a_notification_is_read_once(scene: Scene) -> None:
    id = await notice(scene)
    for _ in range(2):
        done = await scene.call("markNotificationRead", SELECT, input={"id": id})
        assert done["inboxNotification"] == {"id": id, "isRead": True}
    (entry,) = await scene.audit()
    assert entry["action"] == "inbox_notification.read"
    assert (entry["before_data"]["is_read"], entry["after_data"]["is_read"]) == (False, True)


async def test_nobody_reads_the_inbox_of_another(
    scene: Scene, anyone: Client, owner: AsyncConnection
) -> None:
    id = await notice(scene)
    colleague, stranger = await scene.joined_by("*"), await Scene.make(anyone, owner)
    for someone in (colleague, stranger):
        assert await someone.refused("markNotificationRead", input={"id": id}) == [("NOT_FOUND", "input.id")]
        async with scene.unchanged():
            assert await someone.call("markAllNotificationsRead", "marked") == {"marked": 0}
    assert await scene.refused("markNotificationRead", input={"id": NOWHERE}) == [("NOT_FOUND", "input.id")]
    assert await scene.refused("markNotificationRead", input={"id": "x"}) == [("INVALID", "input.id")]


async def test_all_are_read_at_once(scene: Scene) -> None:
    for category in ("tasks", "tasks", "system", "approvals"):
        await notice(scene, category=category)
    await notice(scene, is_read=True)
    colleagues = await notice(scene, user_id=await make_user(scene.owner, scene.tenant))
    done = await scene.call("markAllNotificationsRead", "marked", input={"category": "TASKS"})
    assert done == {"marked": 2}
    assert await scene.call("markAllNotificationsRead", "marked") == {"marked": 2}
    assert await scene.call("markAllNotificationsRead", "marked", input={}) == {"marked": 0}
    unread = [str(row["id"]) for row in await scene.rows(InboxNotification) if not row["is_read"]]
    assert unread == [colleagues]
    assert [(entry["action"], entry["after_data"]) for entry in await scene.audit()] == [
        ("inbox_notification.read_all", {"is_read": True, "marked": 2}),
        ("inbox_notification.read_all", {"is_read": True, "marked": 2}),
    ]


async def test_users_are_told_once_each(scene: Scene) -> None:
    people = [str(await make_user(scene.owner, scene.tenant)) for _ in range(2)]
    given = {"userIds": [*people, people[0]], "category": "SYSTEM", "title": " News ", "meta": {"a": [1]}}
    assert await scene.call("notifyUsers", "notified", input=given) == {"notified": 2}
    rows = await scene.rows(InboxNotification)
    assert sorted(str(row["user_id"]) for row in rows) == sorted(people)
    for row in rows:
        told = (row["category"], row["title"], row["body"], row["meta"], row["is_read"])
        assert told == ("system", "News", None, {"a": [1]}, False)
    entries = await scene.audit("inbox_notification.create")
    assert {str(entry["after_data"]["user_id"]) for entry in entries} == set(people)
    assert {entry["entity_id"] for entry in entries} == {row["id"] for row in rows}


async def test_one_who_cannot_be_told_stops_all(scene: Scene, anyone: Client, owner: AsyncConnection) -> None:
    active = str(await make_user(owner, scene.tenant))
    gone = str(await make_user(owner, scene.tenant, status="suspended"))
    stranger = str((await Scene.make(anyone, owner)).client.user_id)
    for id, code in ((gone, "INVALID"), (stranger, "NOT_FOUND"), (NOWHERE, "NOT_FOUND"), ("x", "INVALID")):
        given = {"userIds": [active, id], "category": "SYSTEM", "title": "News"}
        assert await scene.refused("notifyUsers", input=given) == [(code, "input.userIds.1")]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"userIds": []}, "userIds"),
        ({"userIds": [NOWHERE] * 501}, "userIds"),
        ({"title": " "}, "title"),
        ({"title": "x" * 501}, "title"),
        ({"title": "a\0"}, "title"),
        ({"body": "x" * 100_001}, "body"),
    ],
)
async def test_what_cannot_be_a_notice_is_refused(scene: Scene, wrong: dict[str, Any], field: str) -> None:
    given = {"userIds": [str(scene.client.user_id)], "category": "SYSTEM", "title": "News", **wrong}
    assert await scene.refused("notifyUsers", input=given) == [("INVALID", f"input.{field}")]


async def test_telling_others_takes_the_permission(scene: Scene) -> None:
    given = {"userIds": [str(scene.client.user_id)], "category": "SYSTEM", "title": "News"}
    nobody, sender = await scene.joined_by("users.view"), await scene.joined_by("notifications.send")
    assert await nobody.codes("notifyUsers", input=given) == ["FORBIDDEN"]
    assert await sender.call("notifyUsers", "notified", input=given) == {"notified": 1}
