"""Deals: opened, worth something, somebody's, moved, and won or lost once."""

import asyncio
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Activity, Company, Contact, Deal, DealPipeline, DealStage, User
from tests.client import Client
from tests.mutations.scene import NOWHERE, Scene


@pytest.fixture
async def scene(anyone: Client, owner: AsyncConnection) -> Scene:
    return await Scene.make(anyone, owner)


async def staged(scene: Scene, places: int = 2) -> tuple[str, list[str]]:
    """A pipeline and its stages, by id."""
    pipeline = await scene.insert(DealPipeline)
    stages = [
        await scene.insert(DealStage, pipeline_id=pipeline["id"], code=f"s{index}", order_index=index)
        for index in range(places)
    ]
    return str(pipeline["id"]), [str(stage["id"]) for stage in stages]


async def a_deal(scene: Scene, **values: Any) -> tuple[str, list[str]]:
    """A deal on the first of three stages, and the stages."""
    pipeline, stages = await staged(scene, 3)
    deal = await scene.insert(Deal, pipeline_id=pipeline, stage_id=stages[0], **values)
    return str(deal["id"]), stages


async def test_a_deal_is_opened_at_the_first_stage_by_its_owner(scene: Scene) -> None:
    pipeline, (first, _) = await staged(scene)
    given = {"pipelineId": pipeline, "name": "Villa", "amountMinor": "900000000000", "currency": "EGP"}
    select = "deal { id name status amountMinor currency expectedCloseAt tags stageId owner { id } }"
    done = await scene.call("createDeal", select, input={**given, "expectedCloseAt": "2027-01-31"})
    assert done["deal"] | {"id": ""} == {
        "id": "",
        "name": "Villa",
        "status": "OPEN",
        "amountMinor": "900000000000",
        "currency": "EGP",
        "expectedCloseAt": "2027-01-31",
        "tags": [],
        "stageId": first,
        "owner": {"id": str(scene.client.user_id)},
    }
    (entry,) = await scene.audit()
    assert (entry["action"], entry["after_data"]["amount_minor"]) == ("deal.create", 900000000000)
    nobodys = await scene.call("createDeal", "deal { ownerUserId }", input={**given, "ownerUserId": None})
    assert nobodys["deal"]["ownerUserId"] is None


async def test_a_deal_stands_on_a_stage_of_its_pipeline(scene: Scene) -> None:
    pipeline, (first, second) = await staged(scene)
    other, (foreign, _) = await staged(scene)
    empty, _ = await staged(scene, 0)
    elsewhere = await Scene.make(scene.client, scene.owner)
    theirs, (their_stage, _) = await staged(elsewhere)
    for given, told in (
        ({"pipelineId": pipeline, "stageId": foreign}, ("NOT_FOUND", "input.stageId")),
        ({"pipelineId": pipeline, "stageId": their_stage}, ("NOT_FOUND", "input.stageId")),
        ({"pipelineId": pipeline, "stageId": NOWHERE}, ("NOT_FOUND", "input.stageId")),
        ({"pipelineId": pipeline, "stageId": None}, ("INVALID", "input.stageId")),
        ({"pipelineId": theirs}, ("NOT_FOUND", "input.pipelineId")),
        ({"pipelineId": NOWHERE}, ("NOT_FOUND", "input.pipelineId")),
        ({"pipelineId": empty}, ("INVALID", "input.pipelineId")),
    ):
        assert await scene.refused("createDeal", input={"name": "Villa", **given}) == [told]
    assert other != pipeline
    done = await scene.call(
        "createDeal", "deal { stageId }", input={"name": "V", "pipelineId": pipeline, "stageId": second}
    )
    assert done["deal"]["stageId"] == second != first


async def test_an_amount_takes_a_currency(scene: Scene) -> None:
    pipeline, _ = await staged(scene)
    new = {"pipelineId": pipeline, "name": "Villa"}
    told = [("INVALID", "input.currency")]
    assert await scene.refused("createDeal", input={**new, "amountMinor": 100}) == told
    assert await scene.refused("createDeal", input={**new, "amountMinor": 100, "currency": None}) == told
    negative = {**new, "amountMinor": -1, "currency": "EGP"}
    assert await scene.refused("createDeal", input=negative) == [("INVALID", "input.amountMinor")]
    assert await scene.codes("createDeal", input={**new, "currency": "XXQ"}) == ["BAD_INPUT"]

    bare, _ = await a_deal(scene)
    assert await scene.refused("updateDeal", id=bare, input={"amountMinor": 100}) == told
    await scene.call("updateDeal", "deal { id }", id=bare, input={"currency": "EGP"})
    await scene.call("updateDeal", "deal { id }", id=bare, input={"amountMinor": 100})
    assert await scene.refused("updateDeal", id=bare, input={"currency": None}) == told
    await scene.call("updateDeal", "deal { id }", id=bare, input={"currency": None, "amountMinor": None})
    row = await scene.row(Deal, bare)
    assert (row["amount_minor"], row["currency"]) == (None, None)


async def test_a_deals_state_and_owner_are_in_no_update(scene: Scene) -> None:
    deal, stages = await a_deal(scene)
    for given in ({"status": "WON"}, {"stageId": stages[1]}, {"ownerUserId": None}, {"pipelineId": NOWHERE}):
        assert await scene.codes("updateDeal", id=deal, input=given) == ["BAD_INPUT"]


async def test_an_open_deal_moves_within_its_pipeline(scene: Scene) -> None:
    deal, (first, second, _) = await a_deal(scene)
    _, (foreign, _) = await staged(scene)
    done = await scene.call("moveDeal", "deal { stage { id } }", input={"id": deal, "stageId": second})
    assert done["deal"]["stage"]["id"] == second
    (entry,) = await scene.audit("deal.move")
    assert (entry["before_data"]["stage_id"], entry["after_data"]["stage_id"]) == (first, second)
    async with scene.unchanged():
        await scene.call("moveDeal", "deal { id }", input={"id": deal, "stageId": second})
    for stage in (foreign, NOWHERE):
        told = await scene.refused("moveDeal", input={"id": deal, "stageId": stage})
        assert told == [("NOT_FOUND", "input.stageId")]
    told = await scene.refused("moveDeal", input={"id": NOWHERE, "stageId": second})
    assert told == [("NOT_FOUND", "input.id")]
    assert await scene.refused("moveDeal", input={"id": "7", "stageId": second}) == [("INVALID", "input.id")]


STEPS = {"winDeal": ("open", "won"), "loseDeal": ("open", "lost"), "reopenDeal": ("won lost", "open")}


@pytest.mark.parametrize("status", ["open", "won", "lost"])
@pytest.mark.parametrize("name", STEPS)
async def test_a_deal_takes_its_steps_and_no_others(scene: Scene, name: str, status: str) -> None:
    deal, (first, *_) = await a_deal(scene, status=status)
    origins, after = STEPS[name]
    if status in origins.split():
        done = await scene.call(name, "deal { status stageId }", input={"id": deal})
        assert done["deal"] == {"status": after.upper(), "stageId": first}
        (entry,) = await scene.audit()
        assert entry["action"] == f"deal.{name.removesuffix('Deal')}"
        assert (entry["before_data"]["status"], entry["after_data"]["status"]) == (status, after)
    else:
        async with scene.unchanged():
            answer = await scene.ask(name, "deal { status } errors { code }", input={"id": deal})
        expected = {"deal": {"status": status.upper()}, "errors": [{"code": "CONFLICT"}]}
        assert answer["data"][name] == expected


@pytest.mark.parametrize("status", ["won", "lost"])
async def test_a_closed_deal_does_not_move(scene: Scene, status: str) -> None:
    deal, stages = await a_deal(scene, status=status)
    given = {"id": deal, "stageId": stages[1]}
    assert await scene.refused("moveDeal", input=given) == [("CONFLICT", None)]
    await scene.call("reopenDeal", "deal { id }", input={"id": deal})
    await scene.call("moveDeal", "deal { id }", input=given)


async def test_of_all_who_close_a_deal_one_does(scene: Scene) -> None:
    deal, _ = await a_deal(scene)
    names = ["winDeal", "loseDeal"] * 5
    answers = await asyncio.gather(*(scene.ask(n, "errors { code }", input={"id": deal}) for n in names))
    told = [answer["data"][name]["errors"] for name, answer in zip(names, answers, strict=True)]
    assert sorted(map(str, told)) == ["[]"] + ["[{'code': 'CONFLICT'}]"] * 9
    winner = names[told.index([])]
    assert (await scene.row(Deal, deal))["status"] == STEPS[winner][1]
    assert len(await scene.audit()) == 1


async def test_a_deal_is_given_to_an_active_user_or_to_nobody(scene: Scene) -> None:
    deal, _ = await a_deal(scene, owner_user_id=scene.client.user_id)
    seller = str((await scene.insert(User))["id"])
    done = await scene.call("assignDeal", "deal { owner { id } }", input={"id": deal, "ownerUserId": seller})
    assert done["deal"]["owner"]["id"] == seller
    await scene.call("assignDeal", "deal { id }", input={"id": deal, "ownerUserId": None})
    assert (await scene.row(Deal, deal))["owner_user_id"] is None
    assert [entry["action"] for entry in await scene.audit()] == ["deal.assign"] * 2


async def test_only_an_active_user_of_the_tenant_can_own_a_deal(scene: Scene) -> None:
    deal, _ = await a_deal(scene)
    pipeline, _ = await staged(scene)
    elsewhere = await Scene.make(scene.client, scene.owner)
    theirs = str((await elsewhere.insert(User))["id"])
    away = str((await scene.insert(User, status="suspended"))["id"])
    for user, code in ((theirs, "NOT_FOUND"), (NOWHERE, "NOT_FOUND"), (away, "INVALID"), ("me", "INVALID")):
        told = [(code, "input.ownerUserId")]
        assert await scene.refused("assignDeal", input={"id": deal, "ownerUserId": user}) == told
        new = {"pipelineId": pipeline, "name": "Villa", "ownerUserId": user}
        assert await scene.refused("createDeal", input=new) == told
    forgotten = await scene.refused("assignDeal", input={"id": deal})
    assert forgotten == [("INVALID", "input.ownerUserId")]


async def test_a_deals_parties_are_the_tenants_own(scene: Scene) -> None:
    deal, _ = await a_deal(scene)
    elsewhere = await Scene.make(scene.client, scene.owner)
    for field, model in (("contactId", Contact), ("companyId", Company)):
        ours, theirs = await scene.insert(model), await elsewhere.insert(model)
        told = await scene.refused("updateDeal", id=deal, input={field: str(theirs["id"])})
        assert told == [("NOT_FOUND", f"input.{field}")]
        await scene.call("updateDeal", "deal { id }", id=deal, input={field: str(ours["id"])})


async def test_a_deleted_deal_leaves_what_was_done_about_it(scene: Scene) -> None:
    deal, _ = await a_deal(scene)
    activity = await scene.insert(Activity, deal_id=deal)
    await scene.call("deleteDeal", "deal { id }", id=deal)
    assert (await scene.row(Activity, activity["id"]))["deal_id"] is None
    assert await scene.rows(Deal) == []
