"""The suppression list: each address once, in one spelling."""

import asyncio
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import SuppressionEntry
from tests.client import Client
from tests.mutations.scene import Scene

SELECT = "suppressionEntry { id channel normalizedValue reason }"


@pytest.fixture
async def scene(anyone: Client, owner: AsyncConnection) -> Scene:
    return await Scene.make(anyone, owner)


@pytest.mark.parametrize(
    ("channel", "spellings", "normalized"),
    [
        ("EMAIL", ["Mona@Example.TEST", "mona@example.test", "MONA@EXAMPLE.TEST"], "mona@example.test"),
        ("SMS", ["0100 123 4567", "+20 100 123 4567", "+201001234567"], "+201001234567"),
        ("WHATSAPP", ["+971 50 123 4567"], "+971501234567"),
    ],
)
async def test_an_address_is_on_the_list_once(
    scene: Scene, channel: str, spellings: list[str], normalized: str
) -> None:
    ids = set()
    for value in spellings:
        given = {"channel": channel, "value": value, "reason": f"as {value}"}
        entry = (await scene.call("suppress", SELECT, input=given))["suppressionEntry"]
        ids.add(entry.pop("id"))
        first = f"as {spellings[0]}"
        assert entry == {"channel": channel, "normalizedValue": normalized, "reason": first}
    assert len(ids) == len(await scene.rows(SuppressionEntry)) == len(await scene.audit()) == 1
    done = await scene.call("unsuppress", SELECT, input={"channel": channel, "value": spellings[-1]})
    assert {done["suppressionEntry"]["id"]} == ids
    assert await scene.rows(SuppressionEntry) == []
    added, taken = await scene.audit()
    assert (added["action"], taken["action"]) == (
        "suppression_entry.suppress",
        "suppression_entry.unsuppress",
    )
    assert added["after_data"] == taken["before_data"]
    assert added["before_data"] is taken["after_data"] is None


async def test_an_address_is_on_the_list_once_whoever_adds_it_at_the_same_time(scene: Scene) -> None:
    spellings = ["Mona@example.test", "mona@example.test"] * 10
    work = (scene.call("suppress", SELECT, input={"channel": "EMAIL", "value": v}) for v in spellings)
    done = await asyncio.gather(*work)
    assert len({entry["suppressionEntry"]["id"] for entry in done}) == 1
    assert len(await scene.rows(SuppressionEntry)) == len(await scene.audit()) == 1


async def test_channels_and_tenants_are_apart(scene: Scene, anyone: Client, owner: AsyncConnection) -> None:
    other = await Scene.make(anyone, owner)
    for someone, channel in ((scene, "SMS"), (scene, "WHATSAPP"), (other, "SMS")):
        await someone.call("suppress", SELECT, input={"channel": channel, "value": "+201001234567"})
    assert [row["channel"] for row in await scene.rows(SuppressionEntry)] == ["sms", "whatsapp"]
    await scene.call("unsuppress", SELECT, input={"channel": "SMS", "value": "+201001234567"})
    assert [row["channel"] for row in await scene.rows(SuppressionEntry)] == ["whatsapp"]
    assert len(await other.rows(SuppressionEntry)) == 1


async def test_all_entries_that_other_services_wrote_go(scene: Scene) -> None:
    for reason in ("bounce", "complaint"):
        value = {"channel": "email", "normalized_value": "mona@example.test", "reason": reason}
        await scene.insert(SuppressionEntry, **value)
    await scene.call("unsuppress", SELECT, input={"channel": "EMAIL", "value": "Mona@example.test"})
    assert await scene.rows(SuppressionEntry) == []
    assert sorted(entry["before_data"]["reason"] for entry in await scene.audit()) == ["bounce", "complaint"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"channel": "EMAIL", "value": "+201001234567"}, ("INVALID", "input.value")),
        ({"channel": "SMS", "value": "mona@example.test"}, ("INVALID", "input.value")),
        ({"channel": "SMS", "value": "0100\0"}, ("INVALID", "input.value")),
        ({"channel": "INAPP", "value": "mona@example.test"}, ("INVALID", "input.channel")),
        ({"channel": "EMAIL", "value": "a@b.test", "reason": "x" * 501}, ("INVALID", "input.reason")),
        ({"channel": "EMAIL", "value": "a@b.test", "reason": "a\0"}, ("INVALID", "input.reason")),
    ],
)
async def test_what_is_no_address_is_refused(scene: Scene, given: Any, expected: Any) -> None:
    assert await scene.refused("suppress", input=given) == [expected]


async def test_what_is_not_on_the_list_is_not_found(scene: Scene) -> None:
    given = {"channel": "EMAIL", "value": "nobody@example.test"}
    assert await scene.refused("unsuppress", input=given) == [("NOT_FOUND", "input.value")]


async def test_it_takes_the_permission(scene: Scene) -> None:
    viewer = await scene.joined_by("suppression.view")
    given = {"channel": "EMAIL", "value": "mona@example.test"}
    for name in ("suppress", "unsuppress"):
        assert await viewer.codes(name, input=given) == ["FORBIDDEN"]
    manager = await scene.joined_by("suppression.manage")
    await manager.call("suppress", "__typename", input=given)
    await manager.call("unsuppress", "__typename", input=given)
