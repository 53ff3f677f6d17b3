"""Mutations that wait for each other: the one that PostgreSQL ends is done again, and nobody hears of it."""

import asyncio
from collections import Counter
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Contact, Deal, DealPipeline, DealStage, Lead
from graph.errors import Overtaken
from graph.limits import MAX_TRIES
from graph.snapshot import Change
from tests.client import Client
from tests.mutations.scene import Scene, document


@pytest.fixture
async def scene(anyone: Client, owner: AsyncConnection) -> Scene:
    return await Scene.make(anyone, owner)


def overtake(monkeypatch: pytest.MonkeyPatch, times: int) -> Counter[str]:
    """Let PostgreSQL find a deadlock in so many inserts of a contact; what was tried, by name."""
    seen: Counter[str] = Counter()
    execute = Change.execute

    async def overtaken(self: Change, statement: Any, parameters: Any = None) -> Any:
        if isinstance(statement, sa.Insert) and statement.table is Contact.__table__:
            seen["tried"] += 1
            if seen["tried"] <= times:
                await self.rollback()
                raise Overtaken
        return await execute(self, statement, parameters)

    monkeypatch.setattr(Change, "execute", overtaken)
    return seen


async def test_what_was_overtaken_is_done_again_once(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = overtake(monkeypatch, 2)
    done = await scene.call("createContact", "contact { fullName }", input={"fullName": "Mona"})
    assert done["contact"] == {"fullName": "Mona"}
    assert seen["tried"] == 3
    assert len(await scene.rows(Contact)) == len(await scene.audit()) == 1


async def test_who_is_overtaken_again_and_again_is_told(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = overtake(monkeypatch, MAX_TRIES)
    assert await scene.codes("createContact", input={"fullName": "Mona"}) == ["UNAVAILABLE"]
    assert seen["tried"] == MAX_TRIES


async def test_a_twin_that_was_quicker_has_given_the_answer(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = {"input": {"fullName": "Mona"}}
    query = document("createContact", "contact { id } errors { code }", arguments)
    seen = overtake(monkeypatch, 1)
    headers = {"Idempotency-Key": "once"}
    first, second = await asyncio.gather(*(scene.client.post(query, arguments, **headers) for _ in range(2)))
    assert first.json() == second.json()
    assert seen["tried"] == 2
    (contact,) = await scene.rows(Contact)
    assert first.json()["data"]["createContact"]["contact"]["id"] == str(contact["id"])
    assert len(await scene.audit()) == 1


async def test_batches_that_cross_each_other_all_end(scene: Scene) -> None:
    rows = [{"fullName": "Mona", "email": f"p{number}@example.org"} for number in range(200)]
    payload = "errors { code } results { errors { code } }"
    answers = await asyncio.gather(
        *(
            scene.ask("createContacts", payload, input=batch, mode="EACH")
            for batch in (rows, rows[::-1], rows, rows[::-1])
        )
    )
    assert ["errors" in answer for answer in answers] == [False] * 4, answers
    made = [result["errors"] for answer in answers for result in answer["data"]["createContacts"]["results"]]
    assert Counter(map(str, made)) == {"[]": 200, "[{'code': 'TAKEN'}]": 600}
    assert len(await scene.rows(Contact)) == len(await scene.audit()) == 200


async def test_a_contact_that_goes_while_its_lead_is_converted(scene: Scene) -> None:
    pipeline = await scene.insert(DealPipeline)
    await scene.insert(DealStage, pipeline_id=pipeline["id"])
    for number in range(4):
        contact = await scene.insert(Contact)
        lead = await scene.insert(Lead, contact_id=contact["id"])
        deal = {"pipelineId": str(pipeline["id"]), "name": f"Villa {number}"}
        converted, deleted = await asyncio.gather(
            scene.ask("convertLead", "errors { code }", input={"id": str(lead["id"]), "deal": deal}),
            scene.ask("deleteContact", "errors { code }", id=str(contact["id"])),
        )
        assert deleted["data"]["deleteContact"]["errors"] == []
        errors = converted["data"]["convertLead"]["errors"]
        assert errors in ([], [{"code": "INVALID"}], [{"code": "NOT_FOUND"}])
        opened = await scene.rows(Deal, name=f"Villa {number}")
        assert len(opened) == (errors == [])
        assert all(row["contact_id"] is None for row in opened)
        assert (await scene.row(Lead, lead["id"]))["contact_id"] is None
