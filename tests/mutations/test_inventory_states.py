"""Whether a unit can be sold: the steps there are, and no others, also where many try at once."""

import asyncio
from collections import Counter
from typing import Any, Final

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Unit
from tests.client import Client
from tests.mutations.scene import NOWHERE, Scene

STEPS: Final = {
    "reserveUnit": ({"available"}, "reserved"),
    "releaseUnit": ({"reserved", "withdrawn"}, "available"),
    "sellUnit": ({"available", "reserved"}, "sold"),
    "withdrawUnit": ({"available"}, "withdrawn"),
}
STATES: Final = ("available", "reserved", "sold", "withdrawn")


@pytest.fixture
async def scene(anyone: Client, owner: AsyncConnection) -> Scene:
    return await Scene.make(anyone, owner, "inventory.manage", "inventory.view")


async def unit(scene: Scene, **values: Any) -> str:
    return str((await scene.insert(Unit, **values))["id"])


@pytest.mark.parametrize(("step", "before"), [(s, b) for s, (froms, _) in STEPS.items() for b in sorted(froms)])
async def test_a_step_is_taken_and_written_down(scene: Scene, step: str, before: str) -> None:
    id, after = await unit(scene, status=before), STEPS[step][1]
    done = await scene.call(step, "unit { id status }", input={"id": id})
    assert done == {"unit": {"id": id, "status": after.upper()}}
    assert (await scene.row(Unit, id))["status"] == after
    (entry,) = await scene.audit()
    assert (entry["action"], str(entry["entity_id"])) == (f"unit.{step.removesuffix('Unit')}", id)
    assert (entry["before_data"]["status"], entry["after_data"]["status"]) == (before, after)


@pytest.mark.parametrize(
    ("step", "before"), [(s, b) for s, (froms, _) in STEPS.items() for b in STATES if b not in froms]
)
async def test_any_other_step_is_refused(scene: Scene, step: str, before: str) -> None:
    id = await unit(scene, status=before)
    async with scene.unchanged():
        answer = await scene.ask(step, "unit { status } errors { code field }", input={"id": id})
    assert answer == {
        "data": {step: {"unit": {"status": before.upper()}, "errors": [{"code": "CONFLICT", "field": None}]}}
    }


@pytest.mark.parametrize("step", STEPS)
async def test_it_takes_a_unit_of_the_tenant(
    scene: Scene, anyone: Client, owner: AsyncConnection, step: str
) -> None:
    other = await Scene.make(anyone, owner)
    others = await unit(other)
    for id in (NOWHERE, others):
        assert await scene.refused(step, input={"id": id}) == [("NOT_FOUND", "input.id")]
    assert await scene.refused(step, input={"id": "12"}) == [("INVALID", "input.id")]
    assert (await other.row(Unit, others))["status"] == "available"


@pytest.mark.parametrize("step", STEPS)
async def test_it_takes_the_permission(scene: Scene, step: str) -> None:
    id = await unit(scene)
    weak = await scene.joined_by("inventory.view", "inventory.price", "deals.move")
    assert await weak.codes(step, input={"id": id}) == ["FORBIDDEN"]


async def test_of_two_hundred_who_reserve_a_unit_one_succeeds(scene: Scene) -> None:
    id = await unit(scene)
    answers = await asyncio.gather(
        *(scene.ask("reserveUnit", "errors { code }", input={"id": id}) for _ in range(200))
    )
    told = Counter(
        error["code"]
        for answer in answers
        for error in answer["data"]["reserveUnit"]["errors"] or [{"code": ""}]
    )
    assert told == {"": 1, "CONFLICT": 199}
    assert len(await scene.audit("unit.reserve")) == 1


async def test_of_a_sale_and_a_withdrawal_at_once_one_succeeds(scene: Scene) -> None:
    id = await unit(scene)
    answers = await asyncio.gather(
        *(scene.ask(step, "errors { code }", input={"id": id}) for step in ("sellUnit", "withdrawUnit") * 10)
    )
    errors = [
        errors for answer in answers for payload in answer["data"].values() for errors in payload.values()
    ]
    assert sorted(errors, key=len) == [[]] + [[{"code": "CONFLICT"}]] * 19
    (entry,) = await scene.audit()
    assert entry["after_data"]["status"] == (await scene.row(Unit, id))["status"]
