"""Pipelines and stages: kept while in use, and in one order."""

import asyncio
import itertools
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Deal, DealPipeline, DealStage
from tests.client import Client
from tests.mutations.scene import NOWHERE, Scene


@pytest.fixture
async def scene(anyone: Client, owner: AsyncConnection) -> Scene:
    return await Scene.make(anyone, owner)


async def staged(scene: Scene, *codes: str) -> tuple[str, list[str]]:
    """A pipeline and its stages, by id."""
    pipeline = await scene.insert(DealPipeline)
    stages = [
        await scene.insert(DealStage, pipeline_id=pipeline["id"], code=code, order_index=index)
        for index, code in enumerate(codes)
    ]
    return str(pipeline["id"]), [str(stage["id"]) for stage in stages]


async def order(scene: Scene, pipeline: str) -> list[tuple[int, str]]:
    """Places and ids of the stages, in order."""
    rows = await scene.rows(DealStage)
    return sorted((row["order_index"], str(row["id"])) for row in rows if str(row["pipeline_id"]) == pipeline)


async def test_a_pipeline_is_added_and_renamed(scene: Scene) -> None:
    done = await scene.call("createDealPipeline", "dealPipeline { id name }", input={"name": "Sales"})
    id = done["dealPipeline"]["id"]
    await scene.call("updateDealPipeline", "dealPipeline { id }", id=id, input={"name": "Rentals"})
    assert (await scene.row(DealPipeline, id))["name"] == "Rentals"
    assert [entry["action"] for entry in await scene.audit()] == [
        "deal_pipeline.create",
        "deal_pipeline.update",
    ]


async def test_a_stage_without_a_place_comes_last(scene: Scene) -> None:
    pipeline, stages = await staged(scene)
    select = "dealStage { orderIndex pipeline { id } }"
    for code, given, place in (("a", None, 0), ("b", None, 1), ("c", 5, 5), ("d", None, 6)):
        place_given = {} if given is None else {"orderIndex": given}
        input = {"pipelineId": pipeline, "code": code, **place_given}
        done = await scene.call("createDealStage", select, input=input)
        assert done["dealStage"] == {"orderIndex": place, "pipeline": {"id": pipeline}}
    assert stages == []


async def test_stages_added_at_once_have_places_of_their_own(scene: Scene) -> None:
    pipeline, _ = await staged(scene)
    await asyncio.gather(
        *(
            scene.call("createDealStage", "dealStage { id }", input={"pipelineId": pipeline, "code": f"s{n}"})
            for n in range(10)
        )
    )
    assert [place for place, _ in await order(scene, pipeline)] == list(range(10))


async def test_a_code_is_one_stages_of_a_pipeline(scene: Scene) -> None:
    pipeline, stages = await staged(scene, "new", "won")
    other, _ = await staged(scene)
    taken = [("TAKEN", "input.code")]
    assert await scene.refused("createDealStage", input={"pipelineId": pipeline, "code": "new"}) == taken
    assert await scene.refused("updateDealStage", id=stages[1], input={"code": "new"}) == taken
    await scene.call("createDealStage", "dealStage { id }", input={"pipelineId": other, "code": "new"})


async def test_what_is_in_use_stays_and_its_users_are_counted(scene: Scene) -> None:
    pipeline, (first, second) = await staged(scene, "a", "b")
    for name in ("one", "two"):
        await scene.insert(Deal, pipeline_id=pipeline, stage_id=first, name=name)
    for name, id, payload, message in (
        ("deleteDealPipeline", pipeline, "dealPipeline", "This is still used by 2 deal stages, 2 deals."),
        ("deleteDealStage", first, "dealStage", "This is still used by 2 deals."),
    ):
        async with scene.unchanged():
            answer = await scene.ask(name, f"{payload} {{ id }} errors {{ code field message }}", id=id)
        assert answer["data"][name] == {
            payload: {"id": id},
            "errors": [{"code": "IN_USE", "field": None, "message": message}],
        }
    await scene.call("deleteDealStage", "dealStage { id }", id=second)
    empty, _ = await staged(scene)
    await scene.call("deleteDealPipeline", "dealPipeline { id }", id=empty)
    assert [entry["action"] for entry in await scene.audit()] == ["deal_stage.delete", "deal_pipeline.delete"]


async def test_a_stage_that_a_deal_reaches_meanwhile_stays(scene: Scene) -> None:
    pipeline, stages = await staged(scene, "a", "b", "c", "d", "e", "f")
    work: list[Any] = []
    for stage in stages:
        given = {"pipelineId": pipeline, "stageId": stage, "name": stage}
        work.append(scene.ask("createDeal", "errors { code field }", input=given))
        work.append(scene.ask("deleteDealStage", "errors { code }", id=stage))
    answers = await asyncio.gather(*work)
    left = {id for _, id in await order(scene, pipeline)}
    assert {str(row["stage_id"]) for row in await scene.rows(Deal)} == left
    for stage, opened, deleted in zip(stages, answers[::2], answers[1::2], strict=True):
        told = (opened["data"]["createDeal"]["errors"], deleted["data"]["deleteDealStage"]["errors"])
        missing = [{"code": "NOT_FOUND", "field": ["input", "stageId"]}]
        assert told == (([], [{"code": "IN_USE"}]) if stage in left else (missing, []))


async def test_stages_are_put_into_another_order(scene: Scene) -> None:
    pipeline, (a, b, c) = await staged(scene, "a", "b", "c")
    select = "dealPipeline { stages { nodes { id orderIndex } } }"
    done = await scene.call("reorderStages", select, input={"pipelineId": pipeline, "stageIds": [b, a, c]})
    assert done["dealPipeline"]["stages"]["nodes"] == [
        {"id": b, "orderIndex": 0},
        {"id": a, "orderIndex": 1},
        {"id": c, "orderIndex": 2},
    ]
    moved = {
        str(entry["entity_id"]): (entry["before_data"]["order_index"], entry["after_data"]["order_index"])
        for entry in await scene.audit("deal_stage.reorder")
    }
    assert moved == {b: (1, 0), a: (0, 1)}


async def test_an_order_names_every_stage_once(scene: Scene) -> None:
    pipeline, (a, b, c) = await staged(scene, "a", "b", "c")
    _, (foreign,) = await staged(scene, "x")
    for ids, told in (
        ([a, b], ("INVALID", "input.stageIds")),
        ([a, b, c, a], ("INVALID", "input.stageIds")),
        ([a, b, b], ("INVALID", "input.stageIds")),
        ([], ("INVALID", "input.stageIds")),
        ([a, b, foreign], ("NOT_FOUND", "input.stageIds.2")),
        ([NOWHERE, b, c], ("NOT_FOUND", "input.stageIds.0")),
        ([a, "b", c], ("INVALID", "input.stageIds.1")),
    ):
        assert await scene.refused("reorderStages", input={"pipelineId": pipeline, "stageIds": ids}) == [told]
    missing = await scene.refused("reorderStages", input={"pipelineId": NOWHERE, "stageIds": [a, b, c]})
    assert missing == [("NOT_FOUND", "input.pipelineId")]


async def test_orders_at_once_leave_one_of_them(scene: Scene) -> None:
    pipeline, stages = await staged(scene, "a", "b", "c")
    wanted = [list(ids) for ids in itertools.permutations(stages)] * 3
    await asyncio.gather(
        *(
            scene.call(
                "reorderStages", "dealPipeline { id }", input={"pipelineId": pipeline, "stageIds": ids}
            )
            for ids in wanted
        )
    )
    after = await order(scene, pipeline)
    assert [place for place, _ in after] == [0, 1, 2]
    assert [id for _, id in after] in wanted
    places: dict[str, int] = {id: place for place, id in enumerate(stages)}
    for entry in await scene.audit("deal_stage.reorder"):
        id = str(entry["entity_id"])
        assert entry["before_data"]["order_index"] == places[id]
        places[id] = entry["after_data"]["order_index"]
    assert sorted((place, id) for id, place in places.items()) == after


async def test_an_order_and_a_deletion_take_turns(scene: Scene) -> None:
    for _ in range(5):
        pipeline, stages = await staged(scene, "a", "b", "c")
        reordered, deleted = await asyncio.gather(
            scene.ask(
                "reorderStages", "errors { code }", input={"pipelineId": pipeline, "stageIds": stages[::-1]}
            ),
            scene.ask("deleteDealStage", "errors { code }", id=stages[0]),
        )
        assert deleted["data"]["deleteDealStage"]["errors"] == []
        errors = reordered["data"]["reorderStages"]["errors"]
        expected = [(0, stages[2]), (1, stages[1])] if errors == [] else [(1, stages[1]), (2, stages[2])]
        assert errors in ([], [{"code": "NOT_FOUND"}])
        assert await order(scene, pipeline) == expected
