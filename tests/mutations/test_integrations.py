"""Providers' calls that have been dealt with."""

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import IntegrationWebhookLog
from tests.client import Client
from tests.mutations.scene import NOWHERE, Scene


@pytest.fixture
async def scene(anyone: Client, owner: AsyncConnection) -> Scene:
    return await Scene.make(anyone, owner, "integrations.manage", "integrations.view")


async def call(scene: Scene, **values: object) -> str:
    return str((await scene.insert(IntegrationWebhookLog, raw={"token": "s3cret"}, **values))["id"])


async def test_a_call_is_marked_and_unmarked(scene: Scene) -> None:
    id, other = await call(scene), await call(scene)
    select = "integrationWebhookLog { id processed }"
    done = await scene.call("markWebhookProcessed", select, input={"id": id})
    assert done == {"integrationWebhookLog": {"id": id, "processed": True}}
    assert (await scene.row(IntegrationWebhookLog, id))["processed"] is True
    assert (await scene.row(IntegrationWebhookLog, other))["processed"] is False
    (entry,) = await scene.audit()
    assert (entry["action"], str(entry["entity_id"])) == ("integration_webhook_log.mark_processed", id)
    assert (entry["before_data"]["processed"], entry["after_data"]["processed"]) == (False, True)
    assert "s3cret" not in str(entry)
    async with scene.unchanged():
        await scene.call("markWebhookProcessed", select, input={"id": id})
    done = await scene.call("markWebhookProcessed", select, input={"id": id, "processed": False})
    assert done == {"integrationWebhookLog": {"id": id, "processed": False}}


async def test_anothers_call_is_not_there(scene: Scene, anyone: Client, owner: AsyncConnection) -> None:
    other = await Scene.make(anyone, owner)
    theirs = await call(other)
    async with other.unchanged():
        for id in (NOWHERE, theirs):
            assert await scene.refused("markWebhookProcessed", input={"id": id}) == [
                ("NOT_FOUND", "input.id")
            ]


async def test_it_takes_the_permission(scene: Scene) -> None:
    id = await call(scene)
    weak = await scene.joined_by("integrations.view")
    assert await weak.codes("markWebhookProcessed", input={"id": id}) == ["FORBIDDEN"]
