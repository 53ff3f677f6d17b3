"""What takes approval, and who sees the approvals: by the policy's levels, the same with both engines."""

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from db.gateway import approval_policies
from db.models import Approval, Role, RolePermission, UserRole
from graph.limits import MAX_APPROVAL_LEVELS, MAX_SLA_MINUTES
from tests.client import Client
from tests.mutations.approving import ONE, SELECT, TWO, Team
from tests.mutations.scene import Scene

LEVELS = "levels { level permission slaMinutes }"
POLICIES = f"{{ approvalPolicies {{ domain {LEVELS} createdAt updatedAt }} }}"


@pytest.fixture
async def team(anyone: Client, owner: AsyncConnection) -> Team:
    return await Team.make(anyone, owner)


async def test_a_policy_is_set_changed_and_deleted(team: Team) -> None:
    given: dict[str, Any] = {"domain": "UNIT_PRICE_CHANGE", "levels": TWO}
    select = f"approvalPolicy {{ domain {LEVELS} createdAt updatedAt }}"
    first = (await team.manages.call("setApprovalPolicy", select, input=given))["approvalPolicy"]
    assert first["levels"] == [
        {"level": 1, "permission": "LEADS_ASSIGN", "slaMinutes": 60},
        {"level": 2, "permission": "REPORTS_VIEW", "slaMinutes": None},
    ]
    assert (await team.manages.client.read(POLICIES))["approvalPolicies"] == [first]
    given["levels"] = ONE
    second = (await team.manages.call("setApprovalPolicy", select, input=given))["approvalPolicy"]
    assert second["levels"] == [{"level": 1, "permission": None, "slaMinutes": None}]
    assert second["createdAt"] == first["createdAt"]
    assert second["updatedAt"] > first["updatedAt"]
    domain = {"domain": "UNIT_PRICE_CHANGE"}
    gone = (await team.manages.call("deleteApprovalPolicy", select, input=domain))["approvalPolicy"]
    assert gone == second
    assert (await team.manages.client.read(POLICIES))["approvalPolicies"] == []
    assert await team.manages.refused("deleteApprovalPolicy", input=domain) == [("NOT_FOUND", "input.domain")]
    two = [
        {"permission": "leads.assign", "slaMinutes": 60},
        {"permission": "reports.view", "slaMinutes": None},
    ]
    one = [{"permission": None, "slaMinutes": None}]
    shown = [
        (entry["action"], entry["entity_type"], entry["before_data"], entry["after_data"])
        for entry in await team.manages.audit()
    ]
    domains = {"domain": "unit.price.change"}
    assert shown == [
        ("approval_policy.set", "approval_policy", None, {**domains, "levels": two}),
        ("approval_policy.set", "approval_policy", {**domains, "levels": two}, {**domains, "levels": one}),
        ("approval_policy.delete", "approval_policy", {**domains, "levels": one}, None),
    ]


async def test_policies_are_listed_by_domain(team: Team) -> None:
    for domain in ("UNIT_PRICE_CHANGE", "CAMPAIGN_LAUNCH", "DEAL_STAGE_MOVE"):
        await team.govern(domain)
    listed = (await team.manages.client.read(POLICIES))["approvalPolicies"]
    domains = [policy["domain"] for policy in listed]
    assert domains == ["CAMPAIGN_LAUNCH", "DEAL_STAGE_MOVE", "UNIT_PRICE_CHANGE"]


@pytest.mark.parametrize(
    ("levels", "field"),
    [
        ([], "levels"),
        ([{}] * (MAX_APPROVAL_LEVELS + 1), "levels"),
        ([{}, {"permission": "PLATFORM_VIEW"}], "levels.1.permission"),
        ([{"slaMinutes": 0}], "levels.0.slaMinutes"),
        ([{"slaMinutes": MAX_SLA_MINUTES + 1}], "levels.0.slaMinutes"),
    ],
    ids=str,
)
async def test_a_policy_that_nobody_could_follow_is_refused(team: Team, levels: Any, field: str) -> None:
    given = {"domain": "DEAL_STAGE_MOVE", "levels": levels}
    assert await team.manages.refused("setApprovalPolicy", input=given) == [("INVALID", f"input.{field}")]
    assert (await team.manages.client.read(POLICIES))["approvalPolicies"] == []


async def test_a_policy_may_have_as_many_levels_as_it_says(team: Team) -> None:
    await team.govern(levels=[{"slaMinutes": MAX_SLA_MINUTES}] * MAX_APPROVAL_LEVELS)
    (policy,) = (await team.manages.client.read(POLICIES))["approvalPolicies"]
    assert [level["level"] for level in policy["levels"]] == list(range(1, MAX_APPROVAL_LEVELS + 1))


async def test_policies_are_for_those_who_manage_approvals(team: Team) -> None:
    await team.govern()
    answer = await team.either.client.ask(POLICIES)
    assert answer["data"] == {"approvalPolicies": None}
    (error,) = answer["errors"]
    assert error["extensions"] == {"code": "FORBIDDEN", "permission": "approvals.manage"}
    assert await Client(team.asks.client.app).codes(POLICIES) == ["UNAUTHENTICATED"]


async def test_a_policy_is_its_tenants_own(team: Team) -> None:
    elsewhere = await Team.make(team.asks.client, team.asks.owner)
    await team.govern()
    assert (await elsewhere.manages.client.read(POLICIES))["approvalPolicies"] == []
    deal, stage = await elsewhere.deal()
    done = await elsewhere.asks.call("moveDeal", SELECT, input={"id": deal, "stageId": stage})
    assert done["approval"] is None
    domain = {"domain": "DEAL_STAGE_MOVE"}
    assert await elsewhere.manages.refused("deleteApprovalPolicy", input=domain) == [
        ("NOT_FOUND", "input.domain")
    ]
    mine = sa.select(sa.func.count()).where(approval_policies.c.tenant_id == team.asks.tenant)
    assert (await team.asks.owner.execute(mine)).scalar_one() == 1


SEEN = """query($id: ID!) {
  node(id: $id) { id }
  approvals { totalCount nodes { id steps { totalCount nodes { action approval { id } } } } }
}"""


SEERS = {
    "approvals.view": True,
    "approvals.decide leads.assign": True,
    "approvals.decide reports.view": True,
    "approvals.decide": False,
    "leads.assign reports.view": False,
    "approvals.manage approvals.request deals.move": False,
}
"""Whether somebody with these permissions sees what others have asked for."""


async def sees(who: Scene, id: str) -> bool:
    """Whether somebody sees an approval, its history and all, in whichever way they ask."""
    found = await who.client.read(SEEN, id=id)
    single = await who.client.ask("query($id: ID!) { approval(id: $id) { id } }", id=id)
    listed = [node["id"] for node in found["approvals"]["nodes"]]
    assert (single["data"]["approval"] is not None) == (found["node"] is not None) == (listed == [id])
    assert found["approvals"]["totalCount"] == len(listed)
    for node in found["approvals"]["nodes"]:
        step = {"action": "SUBMITTED", "approval": {"id": id}}
        assert node["steps"] == {"totalCount": 1, "nodes": [step]}
    return listed == [id]


async def test_an_approval_is_seen_by_who_asked_may_decide_or_may_view(
    planned: Client, stock: Client, owner: AsyncConnection
) -> None:
    for client in (planned, stock):
        team = await Team.make(client, owner)
        await team.govern()
        id, _, _ = await team.asked()
        assert await sees(team.asks, id)
        for permissions, seen in SEERS.items():
            person = await team.asks.joined_by(*permissions.split())
            assert await sees(person, id) == seen, permissions


async def test_an_approval_of_another_service_is_seen_by_all_who_decide(team: Team) -> None:
    row = await team.asks.insert(Approval, requested_by=team.asks.client.user_id)
    decider = await team.asks.joined_by("approvals.decide")
    asked = "query($id: ID!) { approval(id: $id) { id } }"
    assert (await decider.client.read(asked, id=str(row["id"])))["approval"] == {"id": str(row["id"])}


async def test_a_deciders_right_given_by_a_role_above_counts(team: Team) -> None:
    await team.govern()
    above = await team.asks.insert(Role)
    role = await team.asks.insert(Role, parent_role_id=above["id"])
    for permission in ("approvals.decide", "leads.assign"):
        await team.asks.insert(RolePermission, role_id=above["id"], permission=permission)
    person = await team.asks.joined_by()
    await team.asks.insert(UserRole, user_id=person.client.user_id, role_id=role["id"])
    everything = await team.asks.joined_by("*")
    id, _, _ = await team.asked()
    assert await team.notices(person) == await team.notices(everything) == ["Your approval is wanted"]
    done = await person.call("approve", SELECT, input={"id": id})
    assert done["approval"]["level"] == 2


async def test_a_request_is_withdrawn_by_who_asked_or_manages(team: Team) -> None:
    await team.govern()
    for who, told in ((team.asks, []), (team.manages, ["Withdrawn"])):
        id, deal, stage = await team.asked()
        before = await team.stage(deal)
        async with team.asks.unchanged():
            answer = await team.first.ask("cancelApproval", SELECT, input={"id": id})
        assert answer["errors"][0]["extensions"]["permission"] == "approvals.manage"
        done = await who.call("cancelApproval", SELECT, input={"id": id, "note": "Not now"})
        assert done["approval"]["state"] == "CANCELLED"
        assert (await team.steps(id))[-1] == ("cancelled", who.client.user_id, "Not now")
        assert await team.notices(team.asks) == told
        assert await team.stage(deal) == before != stage
        for other, name in ((team.first, "approve"), (team.asks, "cancelApproval")):
            assert await other.refused(name, input={"id": id}) == [("CONFLICT", None)]
    wanted = ["Your approval is wanted", "No longer wanted, your approval"]
    assert await team.notices(team.first) == wanted * 2
    actions = [entry["action"] for entry in await team.asks.audit("approval.cancel")]
    assert actions == ["approval.cancel"] * 2


async def test_withdrawing_and_agreeing_at_once_are_one_of_the_two(team: Team) -> None:
    await team.govern(levels=ONE)
    id, deal, stage = await team.asked()
    errors = "errors { code }"
    cancelled, approved = await asyncio.gather(
        team.asks.ask("cancelApproval", errors, input={"id": id}),
        team.first.ask("approve", errors, input={"id": id}),
    )
    told = [cancelled["data"]["cancelApproval"]["errors"], approved["data"]["approve"]["errors"]]
    assert sorted(map(str, told)) == ["[]", "[{'code': 'CONFLICT'}]"]
    state, _ = await team.state(id)
    assert state == ("cancelled" if told[0] == [] else "applied")
    assert (await team.stage(deal) == stage) == (state == "applied")
