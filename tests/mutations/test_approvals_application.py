"""What was agreed to is done: in the requester's name, as it was asked for, once, or later."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncConnection

from db.gateway import launches
from db.models import (
    Approval,
    Campaign,
    CampaignSend,
    Contact,
    Deal,
    DealStage,
    InboxNotification,
    MessageTemplate,
    OutboxMessage,
    Unit,
    UnitPriceChange,
    User,
)
from graph.commands.campaigns import run_due
from graph.settings import Settings
from tests.client import Client
from tests.mutations.approving import ONE, SELECT, Team
from tests.mutations.campaigning import TEXTS, campaign, contact, launch, reached, templates
from tests.server import Urls

SENDS = ("marketing.send", "marketing.view", "contacts.view")
PAST = "2026-01-01T08:00:00Z"


@pytest.fixture
async def team(anyone: Client, owner: AsyncConnection) -> Team:
    team = await Team.make(anyone, owner, "inventory.price", *SENDS)
    for domain in ("DEAL_STAGE_MOVE", "UNIT_PRICE_CHANGE", "CAMPAIGN_LAUNCH"):
        await team.govern(domain, ONE)
    return team


@pytest.fixture
def settings(urls: Urls) -> Settings:
    return Settings(database_url=SecretStr(urls.gateway))


async def agree(team: Team, id: str) -> str:
    """The state of an approval after its one level has agreed."""
    done = await team.first.call("approve", SELECT, input={"id": id})
    state: str = done["approval"]["state"]
    return state


async def test_a_price_is_changed_by_who_asked(team: Team) -> None:
    unit = await team.asks.insert(Unit, price_minor=1, currency="EGP")
    given = {"id": str(unit["id"]), "priceMinor": "900000000000", "currency": "USD"}
    id = (await team.asks.call("changeUnitPrice", SELECT, input=given))["approval"]["id"]
    assert await agree(team, id) == "APPLIED"
    row = await team.asks.row(Unit, unit["id"])
    assert (row["price_minor"], row["currency"]) == (900000000000, "USD")
    _, change = await team.asks.rows(UnitPriceChange)
    assert change["changed_by_user_id"] == team.asks.client.user_id
    (entry,) = await team.asks.audit("unit.change_price")
    assert (entry["user_id"], entry["user_agent"]) == (team.asks.client.user_id, f"approval {id}")


async def test_a_campaign_is_launched_with_the_rights_of_who_asked(team: Team) -> None:
    await templates(team.asks)
    for name in ("adel", "mona"):
        await contact(team.asks, name)
    campaign_id = await campaign(team.asks)
    only = {"contacts": {"fullName": {"in": ["mona"]}, "createdAt": {"gt": PAST}}}
    asked = await team.asks.call("launchCampaign", SELECT, input=launch(campaign_id, audience=only))
    assert await agree(team, asked["approval"]["id"]) == "APPLIED"
    assert await reached(team.asks, campaign_id) == ["mona@example.test"]
    (entry,) = await team.asks.audit("campaign.launch")
    assert entry["user_id"] == team.asks.client.user_id


async def test_an_approved_campaign_waits_for_its_time(team: Team, settings: Settings) -> None:
    await templates(team.asks)
    await contact(team.asks, "mona")
    id = await campaign(team.asks)
    given = {**launch(id), "scheduledAt": PAST}
    asked = await team.asks.call("scheduleCampaign", SELECT, input=given)
    await run_due(settings)
    assert (await team.asks.row(Campaign, id))["status"] == "draft"
    assert await agree(team, asked["approval"]["id"]) == "APPLIED"
    assert (await team.asks.row(Campaign, id))["status"] == "scheduled"
    await run_due(settings)
    assert (await team.asks.row(Campaign, id))["status"] == "sending"
    assert await reached(team.asks, id) == ["mona@example.test"]


async def test_what_nobody_agreed_to_is_not_launched_when_it_is_due(team: Team, settings: Settings) -> None:
    await templates(team.asks)
    await contact(team.asks, "mona")
    id = await campaign(team.asks)
    gone = {"domain": "CAMPAIGN_LAUNCH"}
    await team.manages.call("deleteApprovalPolicy", "approvalPolicy { domain }", input=gone)
    await team.asks.call("scheduleCampaign", SELECT, input={**launch(id), "scheduledAt": PAST})
    await team.govern("CAMPAIGN_LAUNCH", ONE)
    reason = "Launching takes approval now, and nobody was asked: schedule it again to ask for it."
    assert (await run_due(settings)).refused == [f"{id} of tenant {team.asks.tenant}: {reason}"]
    assert (await team.asks.row(Campaign, id))["status"] == "draft"
    (notice,) = await team.asks.rows(InboxNotification, user_id=team.asks.client.user_id)
    assert notice["body"] == reason
    assert await team.asks.rows(OutboxMessage) == []
    waiting = sa.select(sa.func.count()).where(launches.c.tenant_id == team.asks.tenant)
    assert (await team.asks.owner.execute(waiting)).scalar_one() == 0


Meanwhile = Callable[[Team, str], Awaitable[Any]]
MEANWHILE: dict[str, tuple[Meanwhile, str, Meanwhile | None]] = {
    "the requester is suspended": (
        lambda team, deal: team.change(User, team.asks.client.user_id, status="suspended"),
        "Whoever asked for it is not an active user any more.",
        lambda team, deal: team.change(User, team.asks.client.user_id, status="active"),
    ),
    "the requester may not any more": (
        lambda team, deal: team.without("deals.move"),
        "This takes the permission deals.move.",
        None,
    ),
    "the deal is won": (
        lambda team, deal: team.change(Deal, UUID(deal), status="won"),
        "This deal is won: open it again before you move it.",
        lambda team, deal: team.change(Deal, UUID(deal), status="open"),
    ),
    "the deal has moved": (
        lambda team, deal: another_stage(team, deal),
        "What it is about has changed since it was asked for.",
        None,
    ),
    "the deal is gone": (
        lambda team, deal: removed(team, Deal, UUID(deal)),
        "There is nothing with this id.",
        None,
    ),
}


async def another_stage(team: Team, deal: str) -> None:
    pipeline = (await team.asks.row(Deal, deal))["pipeline_id"]
    stage = await team.asks.insert(DealStage, pipeline_id=pipeline)
    await team.change(Deal, UUID(deal), stage_id=stage["id"])


async def removed(team: Team, model: Any, id: Any) -> None:
    table = model.__table__
    await team.asks.owner.execute(
        sa.delete(table).where(table.c.tenant_id == team.asks.tenant, table.c.id == id)
    )


@pytest.mark.parametrize("case", MEANWHILE)
async def test_what_cannot_be_done_any_more_stays_approved_and_says_why(team: Team, case: str) -> None:
    happens, reason, mended = MEANWHILE[case]
    id, deal, stage = await team.asked()
    await happens(team, deal)
    before = await team.asks.rows(Deal)
    assert await agree(team, id) == "APPROVED"
    assert await team.asks.rows(Deal) == before
    assert (await team.steps(id))[1:] == [
        ("approved", team.first.client.user_id, None),
        ("approved", None, f"Not applied: {reason}"),
    ]
    assert await team.notices(team.asks) == ["Approved, but not done"]
    assert [e["action"] for e in await team.asks.audit() if e["entity_type"] != "approval_policy"] == [
        "approval.request",
        "approval.approve",
    ]
    async with team.asks.unchanged():
        answer = await team.second.ask("applyApproval", "errors { code message }", input={"id": id})
    assert answer["data"]["applyApproval"]["errors"] == [{"code": "CONFLICT", "message": reason}]
    if mended is not None:
        await mended(team, deal)
        done = await team.second.call("applyApproval", SELECT, input={"id": id})
        assert done["approval"]["state"] == "APPLIED"
        assert await team.stage(deal) == stage
        assert (await team.steps(id))[-1] == ("applied", team.second.client.user_id, None)
        assert (await team.notices(team.asks))[1:] == ["Done, as approved"]


async def test_a_price_that_has_changed_is_not_changed_again(team: Team) -> None:
    unit = await team.asks.insert(Unit, price_minor=1, currency="EGP")
    given = {"id": str(unit["id"]), "priceMinor": "2", "currency": "EGP"}
    id = (await team.asks.call("changeUnitPrice", SELECT, input=given))["approval"]["id"]
    await team.change(Unit, unit["id"], price_minor=3)
    assert await agree(team, id) == "APPROVED"
    assert (await team.asks.row(Unit, unit["id"]))["price_minor"] == 3


async def test_a_campaign_is_not_launched_with_another_text_or_without_its_audience(team: Team) -> None:
    await templates(team.asks)
    person = await contact(team.asks, "mona")
    ids = []
    for _ in range(2):
        asked = await team.asks.call("launchCampaign", SELECT, input=launch(await campaign(team.asks)))
        ids.append(asked["approval"]["id"])
    (email,) = await team.asks.rows(MessageTemplate, code="email")
    await team.change(MessageTemplate, email["id"], version_status="retired", code="old")
    await team.asks.insert(MessageTemplate, code="email", channel="email", subject="B", text_body="C")
    assert await agree(team, ids[0]) == "APPROVED"
    await removed(team, Contact, UUID(person))
    await team.without("contacts.view")
    assert await agree(team, ids[1]) == "APPROVED"
    reasons = [(await team.steps(id))[-1][2] for id in ids]
    assert reasons == [
        "Not applied: What it is about has changed since it was asked for.",
        "Not applied: This takes the permission contacts.view.",
    ]
    assert await team.asks.rows(CampaignSend) == await team.asks.rows(OutboxMessage) == []


async def test_a_launch_that_fails_half_way_leaves_nothing_but_the_approval(team: Team) -> None:
    await templates(team.asks)
    person = await contact(team.asks, "mona")
    id = await campaign(team.asks)
    asked = await team.asks.call("launchCampaign", SELECT, input=launch(id))
    await team.change(Contact, UUID(person), email=None)
    assert await agree(team, asked["approval"]["id"]) == "APPROVED"
    assert (await team.steps(asked["approval"]["id"]))[-1][2] == (
        "Not applied: Nobody in this audience can get it."
    )
    assert (await team.asks.row(Campaign, id))["status"] == "draft"
    assert await team.asks.rows(CampaignSend) == []
    await team.change(Contact, UUID(person), email="mona@example.test")
    await team.asks.call("applyApproval", SELECT, input={"id": asked["approval"]["id"]})
    assert await reached(team.asks, id) == ["mona@example.test"]


async def test_what_the_database_refuses_leaves_the_approval(team: Team) -> None:
    id, deal, _ = await team.asked()
    # A trigger of the tenant's that nobody here knows of
    function, trigger = f"no_{uuid4().hex}", f"no_{uuid4().hex}"
    for statement in (
        f"CREATE FUNCTION public.{function}() RETURNS trigger LANGUAGE plpgsql AS "
        "$$BEGIN RAISE check_violation USING TABLE = 'deals'; END$$",
        f"CREATE TRIGGER {trigger} BEFORE UPDATE ON deals FOR EACH ROW WHEN (NEW.id = '{deal}') "
        f"EXECUTE FUNCTION public.{function}()",
    ):
        await team.asks.owner.execute(sa.text(statement))
    try:
        assert await agree(team, id) == "APPROVED"
    finally:
        await team.asks.owner.execute(sa.text(f"DROP FUNCTION public.{function}() CASCADE"))
    assert (await team.steps(id))[-1][2] == "Not applied: This value is not allowed."
    done = await team.asks.call("applyApproval", SELECT, input={"id": id})
    assert done["approval"]["state"] == "APPLIED"


async def test_of_all_who_apply_one_does(team: Team) -> None:
    id, deal, stage = await team.asked()
    await team.change(Deal, UUID(deal), status="won")
    assert await agree(team, id) == "APPROVED"
    await team.change(Deal, UUID(deal), status="open")
    people = [team.asks, team.first, team.second, team.either]
    errors = "errors { code }"
    answers = await asyncio.gather(*(who.ask("applyApproval", errors, input={"id": id}) for who in people))
    told = [answer["data"]["applyApproval"]["errors"] for answer in answers]
    assert sorted(map(str, told)) == ["[]"] + ["[{'code': 'CONFLICT'}]"] * 3
    assert await team.stage(deal) == stage
    assert len(await team.asks.audit("deal.move")) == 1


async def test_applying_takes_having_asked_or_deciding(team: Team) -> None:
    id, deal, _ = await team.asked()
    await team.change(Deal, UUID(deal), status="won")
    await agree(team, id)
    reader = await team.asks.joined_by("approvals.view")
    async with team.asks.unchanged():
        answer = await reader.ask("applyApproval", SELECT, input={"id": id})
    assert answer["errors"][0]["extensions"] == {"code": "FORBIDDEN", "permission": "approvals.decide"}


@pytest.mark.parametrize("payload", [None, [], {}, {"stageId": 7}, {"stageId": "x", "from": {}}], ids=str)
async def test_what_another_service_wrote_is_not_trusted(team: Team, payload: Any) -> None:
    deal, _ = await team.deal()
    values: dict[str, Any] = {"domain": "deal.stage.move", "subject_entity": "deal", "subject_id": deal}
    requester = team.asks.client.user_id
    row = await team.asks.insert(Approval, requested_by=requester, payload=payload, **values)
    before = await team.stage(deal)
    assert await agree(team, str(row["id"])) == "APPROVED"
    assert (await team.steps(str(row["id"])))[-1][2].startswith("Not applied: ")  # type: ignore[union-attr]
    assert await team.stage(deal) == before


async def test_another_services_domain_is_decided_here_and_applied_there(team: Team) -> None:
    values = {"domain": "invoice.discount", "requested_by": team.asks.client.user_id}
    id = str((await team.asks.insert(Approval, **values))["id"])
    assert await agree(team, id) == "APPROVED"
    assert [action for action, *_ in await team.steps(id)] == ["approved"]
    assert await team.notices(team.asks) == ["Approved"]
    assert await team.asks.refused("applyApproval", input={"id": id}) == [("CONFLICT", None)]


async def test_an_approved_campaign_is_not_sent_with_a_text_that_came_later(
    team: Team, settings: Settings
) -> None:
    await templates(team.asks)
    await contact(team.asks, "mona")
    id = await campaign(team.asks)
    given = {**launch(id), "scheduledAt": PAST}
    asked = await team.asks.call("scheduleCampaign", SELECT, input=given)
    assert await agree(team, asked["approval"]["id"]) == "APPLIED"
    (old,) = await team.asks.rows(MessageTemplate, code="email")
    await team.change(MessageTemplate, old["id"], version_status="retired", code="old")
    await team.asks.insert(MessageTemplate, code="email", channel="email", **TEXTS)
    reason = "What it is about has changed since it was asked for."
    assert (await run_due(settings)).refused == [f"{id} of tenant {team.asks.tenant}: {reason}"]
    assert (await team.asks.row(Campaign, id))["status"] == "draft"
    assert await reached(team.asks, id) == []
    asked = await team.asks.call("scheduleCampaign", SELECT, input=given)
    assert await agree(team, asked["approval"]["id"]) == "APPLIED"
    assert (await run_due(settings)).refused == []
    assert await reached(team.asks, id) == ["mona@example.test"]
