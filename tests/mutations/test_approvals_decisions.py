"""Agreeing and disagreeing: levels passed one by one, each by another person, and never by who asked."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db.models import Approval, Deal, InboxNotification
from tests.client import Client
from tests.mutations.approving import ONE, SELECT, Team
from tests.mutations.scene import NOWHERE, Scene


@pytest.fixture
async def team(anyone: Client, owner: AsyncConnection) -> Team:
    team = await Team.make(anyone, owner)
    await team.govern()
    return team


LOCKED_OUT = sa.text(
    "SELECT count(*) FROM pg_stat_activity "
    "WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0"
)


async def decide(who: Scene, id: str, name: str = "approve", **values: Any) -> tuple[str, int]:
    """State and level after a decision that was made."""
    done = await who.call(name, SELECT, input={"id": id, **values})
    return done["approval"]["state"], done["approval"]["level"]


async def test_a_move_of_two_levels(team: Team) -> None:
    id, deal, stage = await team.asked()
    before = await team.stage(deal)
    assert await team.state(id) == ("pending", 1)
    assert await decide(team.first, id, note="Good") == ("PENDING", 2)
    assert await team.stage(deal) == before != stage
    assert await decide(team.second, id) == ("APPLIED", 2)
    assert await team.stage(deal) == stage
    asks, first, second = (who.client.user_id for who in (team.asks, team.first, team.second))
    assert await team.steps(id) == [
        ("submitted", asks, None),
        ("approved", first, "Good"),
        ("approved", second, None),
        ("applied", second, None),
    ]
    assert [(entry["action"], entry["user_id"]) for entry in await team.asks.audit()] == [
        ("approval_policy.set", team.manages.client.user_id),
        ("approval.request", asks),
        ("approval.approve", first),
        ("approval.approve", second),
        ("deal.move", asks),
        ("approval.apply", second),
    ]
    (moved,) = await team.asks.audit("deal.move")
    assert (moved["ip_address"], moved["user_agent"]) == (None, f"approval {id}")
    assert (moved["before_data"]["stage_id"], moved["after_data"]["stage_id"]) == (before, stage)


async def test_all_concerned_are_told_of_each_step(team: Team) -> None:
    id, deal, _ = await team.asked()
    assert await team.notices(team.first) == await team.notices(team.either) == ["Your approval is wanted"]
    assert await team.notices(team.second) == await team.notices(team.asks) == []
    await decide(team.either, id, note="Good")
    assert await team.notices(team.second) == ["Your approval is wanted"]
    assert await team.notices(team.either) == ["Your approval is wanted"], "not who has agreed already"
    assert await team.notices(team.asks) == ["Level 1 of 2 agreed"]
    await decide(team.second, id)
    assert await team.notices(team.asks) == ["Level 1 of 2 agreed", "Approved and done"]
    assert await team.notices(team.manages) == []
    (first, _) = await team.asks.rows(InboxNotification, user_id=team.asks.client.user_id)
    assert (first["title"], first["body"]) == ("Level 1 of 2 agreed: move a deal", "Good")
    assert first["meta"] == {
        "approvalId": id,
        "domain": "deal.stage.move",
        "state": "pending",
        "subjectEntity": "deal",
        "subjectId": deal,
    }


async def test_a_level_has_its_own_time(team: Team) -> None:
    id, _, _ = await team.asked()
    row = await team.asks.row(Approval, id)
    assert 3590 < (row["sla_due_at"] - row["created_at"]).total_seconds() < 3610
    await decide(team.first, id)
    assert (await team.asks.row(Approval, id))["sla_due_at"] is None


async def test_who_asked_does_not_decide(anyone: Client, owner: AsyncConnection) -> None:
    team = await Team.make(anyone, owner, "approvals.decide", "leads.assign")
    await team.govern()
    id, _, _ = await team.asked()
    assert await team.notices(team.asks) == []
    for name in ("approve", "reject"):
        assert await team.asks.refused(name, input={"id": id}) == [("CONFLICT", None)]


async def test_one_person_does_not_pass_two_levels(team: Team) -> None:
    id, deal, _ = await team.asked()
    before = await team.stage(deal)
    await decide(team.either, id)
    for name in ("approve", "reject"):
        assert await team.either.refused(name, input={"id": id}) == [("CONFLICT", None)]
    assert await team.stage(deal) == before
    assert await decide(team.second, id) == ("APPLIED", 2)


async def test_a_level_takes_its_permission(team: Team) -> None:
    id, _, _ = await team.asked()
    for name in ("approve", "reject"):
        async with team.asks.unchanged():
            answer = await team.second.ask(name, SELECT, input={"id": id})
        (error,) = answer["errors"]
        assert error["extensions"] == {"code": "FORBIDDEN", "permission": "leads.assign"}
    await decide(team.first, id)
    another = await team.asks.joined_by("approvals.decide", "leads.assign")
    async with team.asks.unchanged():
        answer = await another.ask("approve", SELECT, input={"id": id})
    assert answer["errors"][0]["extensions"]["permission"] == "reports.view"


async def test_a_rejection_leaves_the_deal_and_is_final(team: Team) -> None:
    id, deal, _ = await team.asked()
    before = await team.stage(deal)
    await decide(team.first, id)
    assert await decide(team.second, id, "reject", note="Too early") == ("REJECTED", 2)
    assert await team.stage(deal) == before
    assert (await team.steps(id))[-1] == ("rejected", team.second.client.user_id, "Too early")
    assert await team.notices(team.asks) == ["Level 1 of 2 agreed", "Rejected"]
    for who, name in ((team.either, "approve"), (team.either, "reject"), (team.asks, "cancelApproval")):
        assert await who.refused(name, input={"id": id}) == [("CONFLICT", None)]
    assert await team.asks.refused("applyApproval", input={"id": id}) == [("CONFLICT", None)]
    assert len(await team.asks.audit("deal.move")) == 0


@pytest.mark.parametrize("names", [["approve"] * 4, ["approve", "reject"] * 2, ["reject"] * 4], ids=str)
async def test_of_decisions_at_once_one_is_made(team: Team, names: list[str]) -> None:
    await team.govern(levels=ONE)
    id, deal, stage = await team.asked()
    people = [await team.asks.joined_by("approvals.decide") for _ in names]
    answers = await asyncio.gather(
        *(
            who.ask(name, "approval { state } errors { code }", input={"id": id})
            for who, name in zip(people, names, strict=True)
        )
    )
    told = [answer["data"][name]["errors"] for answer, name in zip(answers, names, strict=True)]
    assert sorted(map(str, told)) == ["[]"] + ["[{'code': 'CONFLICT'}]"] * 3
    made = names[told.index([])]
    assert await team.state(id) == ("applied" if made == "approve" else "rejected", 1)
    assert (await team.stage(deal) == stage) == (made == "approve")
    assert [action for action, *_ in await team.steps(id)] == (
        ["submitted", "approved", "applied"] if made == "approve" else ["submitted", "rejected"]
    )
    assert len(await team.asks.audit("deal.move")) == (made == "approve")


async def test_a_decision_about_a_level_that_has_just_been_passed_is_not_made(
    team: Team, owner_engine: AsyncEngine
) -> None:
    await team.govern(levels=[{}, {}])
    id, _, _ = await team.asked()
    async with owner_engine.connect() as other:
        # Somebody else holds the approval, so both find it at level 1, and wait
        await other.execute(sa.text("BEGIN"))
        await other.execute(sa.select(Approval.id).where(Approval.id == UUID(id)).with_for_update())
        tasks = [
            asyncio.create_task(who.ask("approve", "errors { code }", input={"id": id}))
            for who in (team.first, team.second)
        ]
        async with asyncio.timeout(20):
            while (await other.execute(LOCKED_OUT)).scalar_one() < 2:
                assert not any(task.done() for task in tasks)
        await other.execute(sa.text("ROLLBACK"))
    told = [answer["data"]["approve"]["errors"] for answer in await asyncio.gather(*tasks)]
    assert sorted(map(str, told)) == ["[]", "[{'code': 'STALE'}]"]
    assert await team.state(id) == ("pending", 2)


async def test_a_decision_may_be_bound_to_what_was_read(team: Team) -> None:
    await team.govern(levels=[{}, {}])
    id, _, _ = await team.asked()
    read = (await team.first.client.read("query($id: ID!) { approval(id: $id) { updatedAt } }", id=id))[
        "approval"
    ]["updatedAt"]
    await decide(team.first, id, ifUpdatedAt=read)
    given = {"id": id, "ifUpdatedAt": read}
    assert await team.second.refused("approve", input=given) == [("STALE", None)]
    assert await team.second.refused("reject", input=given) == [("STALE", None)]
    assert await decide(team.second, id) == ("APPLIED", 2)


async def test_an_approval_that_is_not_seen_is_not_there(team: Team) -> None:
    id, _, _ = await team.asked()
    elsewhere = await Team.make(team.asks.client, team.asks.owner)
    stranger = await team.asks.joined_by("approvals.decide", "approvals.manage")
    for who, name in (
        (stranger, "approve"),
        (stranger, "reject"),
        (stranger, "cancelApproval"),
        (stranger, "applyApproval"),
        (elsewhere.either, "approve"),
        (elsewhere.manages, "cancelApproval"),
    ):
        async with team.asks.unchanged():
            found = await who.refused(name, input={"id": id})
        assert found == await who.refused(name, input={"id": NOWHERE}) == [("NOT_FOUND", "input.id")]


async def test_a_note_is_short_and_not_blank(team: Team) -> None:
    id, _, _ = await team.asked()
    for note in (" ", "x" * 501):
        for who, name in ((team.first, "approve"), (team.first, "reject"), (team.asks, "cancelApproval")):
            assert await who.refused(name, input={"id": id, "note": note}) == [("INVALID", "input.note")]


async def test_two_levels_at_once_by_many_move_the_deal_once(team: Team) -> None:
    id, deal, stage = await team.asked()
    people = [await team.asks.joined_by("approvals.decide", "leads.assign", "reports.view") for _ in range(8)]

    async def insist(who: Scene) -> None:
        for _ in range(3):
            await who.ask("approve", "errors { code }", input={"id": id})

    await asyncio.gather(*map(insist, people))
    assert await team.state(id) == ("applied", 2)
    assert await team.stage(deal) == stage
    steps = await team.steps(id)
    assert [action for action, *_ in steps] == ["submitted", "approved", "approved", "applied"]
    assert steps[1][1] != steps[2][1] == steps[3][1]
    assert len(await team.asks.audit("deal.move")) == 1
    assert (await team.asks.row(Deal, deal))["stage_id"] is not None
