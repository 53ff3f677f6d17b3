"""Asking for approval: what a policy holds back, that nobody gets round it, what is asked for without one."""

import asyncio
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Approval, ApprovalStep, Campaign, Deal, DealPipeline, DealStage, Lead, Project, Unit
from tests.client import Client
from tests.mutations.approving import ONE, SELECT, TWO, Team
from tests.mutations.campaigning import campaign, contact, launch, templates
from tests.mutations.scene import NOWHERE, SCHEMA

ALL = (
    "deals.create",
    "deals.update",
    "leads.convert",
    "inventory.price",
    "inventory.manage",
    "inventory.view",
)
SENDS = ("marketing.send", "marketing.view", "contacts.view")


@pytest.fixture
async def team(anyone: Client, owner: AsyncConnection) -> Team:
    return await Team.make(anyone, owner, *ALL, *SENDS)


async def priced(team: Team) -> str:
    """A unit at a price of 100 pounds."""
    return str((await team.asks.insert(Unit, price_minor=100_00, currency="EGP"))["id"])


async def test_under_a_policy_a_deal_stays_and_the_payload_has_the_approval(team: Team) -> None:
    await team.govern()
    deal, stage = await team.deal()
    before = await team.stage(deal)
    select = "deal { stageId } approval { domain subjectEntity subjectId payload state level requiredLevels }"
    done = await team.asks.call("moveDeal", select, input={"id": deal, "stageId": stage})
    assert done == {
        "deal": {"stageId": before},
        "approval": {
            "domain": "deal.stage.move",
            "subjectEntity": "deal",
            "subjectId": deal,
            "payload": {"stageId": stage, "from": {"stageId": before}},
            "state": "PENDING",
            "level": 1,
            "requiredLevels": 2,
        },
    }
    assert await team.stage(deal) == before
    assert [entry["action"] for entry in await team.asks.audit()] == [
        "approval_policy.set",
        "approval.request",
    ]


async def test_a_price_waits_too(team: Team) -> None:
    await team.govern("UNIT_PRICE_CHANGE", ONE)
    unit = await priced(team)
    given = {"id": unit, "priceMinor": "900000000000", "currency": "USD"}
    done = await team.asks.call("changeUnitPrice", "approval { payload }", input=given)
    assert done["approval"]["payload"] == {
        "priceMinor": "900000000000",
        "currency": "USD",
        "from": {"priceMinor": "10000", "currency": "EGP"},
    }
    assert (await team.asks.row(Unit, unit))["price_minor"] == 100_00


async def test_a_launch_waits_too_at_once_or_later(team: Team) -> None:
    await templates(team.asks)
    await contact(team.asks, "mona")
    await team.govern("CAMPAIGN_LAUNCH", ONE)
    first, second = await campaign(team.asks), await campaign(team.asks)
    at = "2090-01-01T08:00:00Z"
    select = "campaign { status } approval { id payload }"
    now = await team.asks.call("launchCampaign", select, input=launch(first))
    later = await team.asks.call("scheduleCampaign", select, input={**launch(second), "scheduledAt": at})
    assert now["campaign"] == later["campaign"] == {"status": "DRAFT"}
    assert now["approval"]["payload"].pop("from") == later["approval"]["payload"].pop("from")
    assert later["approval"]["payload"].pop("scheduledAt") == "2090-01-01T08:00:00+00:00"
    asked = {name: value for name, value in launch(first).items() if name != "id"}
    assert now["approval"]["payload"] == later["approval"]["payload"] == asked


async def test_without_a_policy_all_is_done_at_once(team: Team) -> None:
    deal, stage = await team.deal()
    done = await team.asks.call("moveDeal", SELECT, input={"id": deal, "stageId": stage})
    assert done["approval"] is None
    unit = await priced(team)
    given = {"id": unit, "priceMinor": "2", "currency": "EGP"}
    assert (await team.asks.call("changeUnitPrice", SELECT, input=given))["approval"] is None
    assert await team.stage(deal) == stage
    assert await team.asks.rows(Approval) == []


async def test_what_changes_nothing_needs_nobody(team: Team) -> None:
    await team.govern()
    await team.govern("UNIT_PRICE_CHANGE")
    deal, _ = await team.deal()
    unit = await priced(team)
    same = {"id": deal, "stageId": await team.stage(deal)}
    assert (await team.asks.call("moveDeal", SELECT, input=same))["approval"] is None
    price = {"id": unit, "priceMinor": "10000", "currency": "EGP"}
    assert (await team.asks.call("changeUnitPrice", SELECT, input=price))["approval"] is None
    for name, given in (("dealStageMove", same), ("unitPriceChange", price)):
        assert await team.asks.refused("requestApproval", input={name: given}) == [("CONFLICT", None)]


async def test_what_could_not_be_done_cannot_be_asked_for(team: Team) -> None:
    await team.govern()
    deal, stage = await team.deal()
    _, elsewhere = await team.deal()
    for given, told in (
        ({"id": deal, "stageId": elsewhere}, ("NOT_FOUND", "stageId")),
        ({"id": deal, "stageId": NOWHERE}, ("NOT_FOUND", "stageId")),
        ({"id": NOWHERE, "stageId": stage}, ("NOT_FOUND", "id")),
        ({"id": deal, "stageId": "x"}, ("INVALID", "stageId")),
    ):
        code, field = told
        assert await team.asks.refused("moveDeal", input=given) == [(code, f"input.{field}")]
        asked = await team.asks.refused("requestApproval", input={"dealStageMove": given})
        assert asked == [(code, f"input.dealStageMove.{field}")]
    await team.change(Deal, deal, status="won")
    given = {"id": deal, "stageId": stage}
    assert await team.asks.refused("moveDeal", input=given) == [("CONFLICT", None)]
    assert await team.asks.refused("requestApproval", input={"dealStageMove": given}) == [("CONFLICT", None)]


async def test_of_one_deal_one_request_waits(team: Team) -> None:
    await team.govern()
    deal, stage = await team.deal()
    given = {"id": deal, "stageId": stage}
    errors = "errors { code }"
    answers = await asyncio.gather(*(team.asks.ask("moveDeal", errors, input=given) for _ in range(6)))
    told = [answer["data"]["moveDeal"]["errors"] for answer in answers]
    assert sorted(map(str, told)) == ["[]"] + ["[{'code': 'CONFLICT'}]"] * 5
    (approval,) = await team.asks.rows(Approval)
    assert len(await team.asks.rows(ApprovalStep)) == len(await team.asks.audit("approval.request")) == 1
    assert await team.asks.refused("requestApproval", input={"dealStageMove": given}) == [("CONFLICT", None)]
    await team.asks.call("cancelApproval", SELECT, input={"id": str(approval["id"])})
    await team.asks.call("moveDeal", SELECT, input=given)


async def test_the_same_request_sent_again_asks_once(team: Team) -> None:
    await team.govern()
    deal, stage = await team.deal()
    asked = f'mutation {{ moveDeal(input: {{ id: "{deal}", stageId: "{stage}" }}) {{ approval {{ id }} }} }}'
    answers = [(await team.asks.client.post(asked, {}, **{"Idempotency-Key": "k"})).text for _ in range(2)]
    assert answers[0] == answers[1]
    (approval,) = await team.asks.rows(Approval)
    assert str(approval["id"]) in answers[0]


async def test_a_new_deal_is_no_way_round(team: Team) -> None:
    pipeline = (await team.asks.insert(DealPipeline))["id"]
    first, second = [
        str((await team.asks.insert(DealStage, pipeline_id=pipeline, order_index=place))["id"])
        for place in (1, 2)
    ]
    lead = await team.asks.insert(Lead, contact_id=await contact(team.asks, "mona"))
    ahead = {"pipelineId": str(pipeline), "name": "Villa", "stageId": second}
    await team.govern()
    for name, given, path in (
        ("createDeal", ahead, "input"),
        ("convertLead", {"id": str(lead["id"]), "deal": ahead}, "input.deal"),
    ):
        assert await team.asks.refused(name, input=given) == [("INVALID", f"{path}.stageId")]
    async with team.asks.unchanged():
        answer = await team.asks.ask(
            "createDeals", "results { errors { field } }", input=[ahead | {"stageId": first}, ahead]
        )
    results = answer["data"]["createDeals"]["results"]
    assert [result["errors"] for result in results] == [[], [{"field": ["input", "1", "stageId"]}]]
    for stage in (first, None):
        given = {"pipelineId": str(pipeline), "name": "Villa"} | ({"stageId": stage} if stage else {})
        done = await team.asks.call("createDeal", "deal { stageId }", input=given)
        assert done["deal"]["stageId"] == first


async def test_a_new_unit_is_no_way_round(team: Team) -> None:
    project = str((await team.asks.insert(Project))["id"])
    plain = {"projectId": project, "code": "A1", "unitTypeCode": "APT_1BR"}
    given = {**plain, "priceMinor": "5", "currency": "EGP"}
    await team.govern("UNIT_PRICE_CHANGE")
    assert await team.asks.refused("createUnit", input=given) == [("INVALID", "input.priceMinor")]
    async with team.asks.unchanged():
        answer = await team.asks.ask("createUnits", "results { errors { field } }", input=[given])
    assert answer["data"]["createUnits"]["results"] == [{"errors": [{"field": ["input", "0", "priceMinor"]}]}]
    unit = (await team.asks.call("createUnit", "unit { id }", input=plain))["unit"]["id"]
    first = {"id": unit, "priceMinor": "5", "currency": "EGP"}
    await team.asks.call("changeUnitPrice", SELECT, input=first)
    assert (await team.asks.row(Unit, unit))["price_minor"] is None


def test_no_update_changes_what_is_under_a_policy() -> None:
    for kind, fields in (
        ("UpdateDealInput", {"stageId", "pipelineId", "status"}),
        ("UpdateUnitInput", {"priceMinor", "currency", "status"}),
        ("UpdateCampaignInput", {"status", "scheduledAt"}),
    ):
        assert fields.isdisjoint(SCHEMA.type_map[kind].fields)  # type: ignore[attr-defined]


async def test_winning_and_losing_are_no_moves(team: Team) -> None:
    await team.govern()
    deal, _ = await team.deal()
    for name in ("winDeal", "reopenDeal", "loseDeal"):
        assert (await team.asks.call(name, SELECT, input={"id": deal}))["approval"] is None


async def test_without_a_policy_any_other_decider_will_do(team: Team) -> None:
    deal, stage = await team.deal()
    given = {"dealStageMove": {"id": deal, "stageId": stage}, "note": "Please look"}
    select = "approval { id state requiredLevels slaDueAt }"
    asked = (await team.asks.call("requestApproval", select, input=given))["approval"]
    assert asked | {"id": ""} == {"id": "", "state": "PENDING", "requiredLevels": 1, "slaDueAt": None}
    assert await team.steps(asked["id"]) == [("submitted", team.asks.client.user_id, "Please look")]
    assert await team.notices(team.first) == await team.notices(team.second) == ["Your approval is wanted"]
    done = await team.second.call("approve", SELECT, input={"id": asked["id"]})
    assert done["approval"]["state"] == "APPLIED"
    assert await team.stage(deal) == stage


async def test_asking_takes_the_operations_own_permission(team: Team) -> None:
    deal, stage = await team.deal()
    asker = await team.asks.joined_by("approvals.request")
    given = {"dealStageMove": {"id": deal, "stageId": stage}}
    async with team.asks.unchanged():
        answer = await asker.ask("requestApproval", SELECT, input=given)
    assert answer["errors"][0]["extensions"] == {"code": "FORBIDDEN", "permission": "deals.move"}
    await team.govern()
    assert await asker.codes("moveDeal", input=given["dealStageMove"]) == ["FORBIDDEN"]
    mover = await team.asks.joined_by("deals.move")
    assert await mover.codes("requestApproval", input=given) == ["FORBIDDEN"]
    done = await mover.call("moveDeal", SELECT, input=given["dealStageMove"])
    assert done["approval"]["state"] == "PENDING", "the policy asks, not the person"


async def test_a_request_is_for_one_thing(team: Team) -> None:
    deal, stage = await team.deal()
    move = {"id": deal, "stageId": stage}
    price = {"id": await priced(team), "priceMinor": "1", "currency": "EGP"}
    none: list[dict[str, Any]] = [{}, {"note": "x"}, {"dealStageMove": None}]
    for given in (*none, {"dealStageMove": move, "unitPriceChange": price}):
        assert await team.asks.refused("requestApproval", input=given) == [("INVALID", "input")]
    only = {"dealStageMove": move, "unitPriceChange": None}
    await team.asks.call("requestApproval", SELECT, input=only)


async def test_a_request_has_the_levels_of_its_time(team: Team) -> None:
    await team.govern(levels=TWO)
    id, _, _ = await team.asked()
    await team.govern(levels=ONE)
    assert (await team.first.call("approve", SELECT, input={"id": id}))["approval"]["level"] == 2
    await team.manages.call("deleteApprovalPolicy", "errors { code }", input={"domain": "DEAL_STAGE_MOVE"})
    assert (await team.second.call("approve", SELECT, input={"id": id}))["approval"]["state"] == "APPLIED"


async def test_a_campaign_that_was_scheduled_before_the_policy_is_listed_as_before(team: Team) -> None:
    await templates(team.asks)
    await contact(team.asks, "mona")
    id = await campaign(team.asks)
    given = {**launch(id), "scheduledAt": "2090-01-01T08:00:00Z"}
    await team.asks.call("scheduleCampaign", SELECT, input=given)
    await team.govern("CAMPAIGN_LAUNCH")
    asked = await team.asks.call("scheduleCampaign", SELECT, input=given)
    assert asked["approval"]["state"] == "PENDING"
    assert (await team.asks.row(Campaign, id))["status"] == "scheduled"
