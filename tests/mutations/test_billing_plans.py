"""Choosing a plan and cancelling the subscription."""

import asyncio
from collections import Counter
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Contact, Plan, PlanFeature, TenantSubscription, User
from tests.client import Client
from tests.factories import insert
from tests.mutations.scene import NOWHERE, Scene


@pytest.fixture
async def scene(anyone: Client, owner: AsyncConnection) -> Scene:
    return await Scene.make(anyone, owner, "billing.manage")


async def plan(owner: AsyncConnection, limits: dict[str, int | None] | None = None, **values: Any) -> str:
    made = await insert(owner, Plan, **{"is_active": True, **values})
    for code, limit in (limits or {}).items():
        await insert(owner, PlanFeature, plan_id=made["id"], feature_code=code, limit_value=limit)
    return str(made["id"])


async def subscription(scene: Scene) -> dict[str, Any]:
    (row,) = await scene.rows(TenantSubscription)
    return row


SELECT = "subscription { planId status startedAt renewsAt updatedAt }"


async def test_a_first_plan_begins_a_subscription(scene: Scene) -> None:
    chosen = await plan(scene.owner)
    done = await scene.call("changePlan", SELECT, input={"planId": chosen})
    assert (done["subscription"]["planId"], done["subscription"]["status"]) == (chosen, "ACTIVE")
    assert str((await subscription(scene))["plan_id"]) == chosen
    (entry,) = await scene.audit()
    assert (entry["action"], entry["entity_id"]) == ("tenant_subscription.begin", scene.tenant)
    assert (entry["before_data"], entry["after_data"]["plan_id"]) == (None, chosen)


async def test_another_plan_changes_nothing_else(scene: Scene) -> None:
    first, second = await plan(scene.owner), await plan(scene.owner)
    renews = datetime(2030, 1, 1, tzinfo=UTC)
    await scene.insert(TenantSubscription, plan_id=UUID(first), status="past_due", renews_at=renews)
    before = await subscription(scene)
    await scene.call("changePlan", SELECT, input={"planId": second})
    after = await subscription(scene)
    assert after == before | {"plan_id": UUID(second), "updated_at": after["updated_at"]}
    (entry,) = await scene.audit()
    assert entry["action"] == "tenant_subscription.change_plan"
    assert (entry["before_data"]["plan_id"], entry["after_data"]["plan_id"]) == (first, second)
    async with scene.unchanged():
        await scene.call("changePlan", SELECT, input={"planId": second})


@pytest.mark.parametrize("values", [{"provider": "stripe"}, {"status": "cancelled"}])
async def test_a_plan_that_is_not_ours_to_change(scene: Scene, values: dict[str, str]) -> None:
    await scene.insert(TenantSubscription, plan_id=UUID(await plan(scene.owner)), **values)
    other = await plan(scene.owner)
    assert await scene.refused("changePlan", input={"planId": other}) == [("CONFLICT", None)]


async def test_what_is_no_plan_to_choose(scene: Scene) -> None:
    withdrawn = await plan(scene.owner, is_active=False)
    for id, code in ((NOWHERE, "NOT_FOUND"), (withdrawn, "INVALID"), ("12", "INVALID")):
        assert await scene.refused("changePlan", input={"planId": id}) == [(code, "input.planId")]
    await scene.insert(TenantSubscription)
    for id, code in ((NOWHERE, "NOT_FOUND"), (withdrawn, "INVALID")):
        assert await scene.refused("changePlan", input={"planId": id}) == [(code, "input.planId")]


async def test_what_there_is_fits_into_the_plan(scene: Scene) -> None:
    for _ in range(3):
        await scene.insert(Contact)
    await scene.insert(User, status="deactivated")
    small = await plan(scene.owner, {"contacts.max": 2, "users.max": 0})
    async with scene.unchanged():
        answer = await scene.ask("changePlan", "errors { code field message }", input={"planId": small})
    assert answer["data"]["changePlan"]["errors"] == [
        {
            "code": "LIMIT_REACHED",
            "field": ["input", "planId"],
            "message": "The plan allows less than there is: 1 users of 0, 3 contacts of 2.",
        }
    ]
    exact = await plan(scene.owner, {"contacts.max": 3, "users.max": 1, "messages.monthly": 0})
    await scene.call("changePlan", SELECT, input={"planId": exact})


async def test_nothing_slips_in_while_the_plan_changes(scene: Scene, owner: AsyncConnection) -> None:
    large, small = await plan(owner, {"contacts.max": 100}), await plan(owner, {"contacts.max": 5})
    await scene.insert(TenantSubscription, plan_id=UUID(large))
    clerk = await scene.joined_by("contacts.create")
    await asyncio.gather(
        *(clerk.ask("createContact", "errors { code }", input={"fullName": str(n)}) for n in range(8)),
        scene.ask("changePlan", "errors { code }", input={"planId": small}),
        *(clerk.ask("createContact", "errors { code }", input={"fullName": str(n)}) for n in range(8)),
    )
    contacts, plan_id = len(await scene.rows(Contact)), (await subscription(scene))["plan_id"]
    assert (contacts, plan_id) in {(5, UUID(small)), (16, UUID(large))}


@pytest.mark.parametrize("before", ["trial", "active", "past_due"])
async def test_a_subscription_is_cancelled(scene: Scene, before: str) -> None:
    renews = datetime(2030, 1, 1, tzinfo=UTC)
    await scene.insert(TenantSubscription, status=before, renews_at=renews, provider="stripe")
    done = await scene.call("cancelSubscription", SELECT)
    assert (done["subscription"]["status"], done["subscription"]["renewsAt"]) == ("CANCELLED", None)
    assert (await subscription(scene))["status"] == "cancelled"
    (entry,) = await scene.audit()
    assert (entry["action"], entry["entity_id"]) == ("tenant_subscription.cancel", scene.tenant)
    assert (entry["before_data"]["status"], entry["after_data"]["status"]) == (before, "cancelled")
    assert await scene.refused("cancelSubscription", input={}) == [("CONFLICT", None)]


async def test_without_a_subscription_there_is_none_to_cancel(scene: Scene) -> None:
    assert await scene.refused("cancelSubscription") == [("NOT_FOUND", None)]


async def test_of_many_who_cancel_one_does(scene: Scene) -> None:
    await scene.insert(TenantSubscription)
    answers = await asyncio.gather(*(scene.ask("cancelSubscription", "errors { code }") for _ in range(10)))
    told = Counter(str(answer["data"]["cancelSubscription"]["errors"]) for answer in answers)
    assert told == {"[]": 1, "[{'code': 'CONFLICT'}]": 9}


async def test_of_many_who_begin_one_does(scene: Scene) -> None:
    plans = [await plan(scene.owner) for _ in range(10)]
    await asyncio.gather(
        *(scene.ask("changePlan", "errors { code }", input={"planId": chosen}) for chosen in plans)
    )
    assert len(await scene.audit("tenant_subscription.begin")) == 1
    assert str((await subscription(scene))["plan_id"]) in plans


async def test_a_newer_subscription_is_stale(scene: Scene) -> None:
    await scene.insert(TenantSubscription)
    read = "2020-01-01T00:00:00Z"
    chosen = await plan(scene.owner)
    for name, given in (("changePlan", {"planId": chosen}), ("cancelSubscription", {})):
        assert await scene.refused(name, input={**given, "ifUpdatedAt": read}) == [("STALE", None)]
        answer = await scene.ask(
            name, "subscription { status } errors { code }", input={**given, "ifUpdatedAt": read}
        )
        assert answer["data"][name] == {"subscription": {"status": "TRIAL"}, "errors": [{"code": "STALE"}]}
    now = (await subscription(scene))["updated_at"].isoformat()
    await scene.call("changePlan", SELECT, input={"planId": chosen, "ifUpdatedAt": now})


async def test_it_takes_the_permission(scene: Scene) -> None:
    await scene.insert(TenantSubscription)
    weak = await scene.joined_by("billing.view", "tenant.manage")
    assert await weak.codes("changePlan", input={"planId": await plan(scene.owner)}) == ["FORBIDDEN"]
    assert await weak.codes("cancelSubscription") == ["FORBIDDEN"]


async def test_exactly_as_many_contacts_as_the_plan_allows(scene: Scene) -> None:
    limited = await plan(scene.owner, {"contacts.max": 20})
    await scene.insert(TenantSubscription, plan_id=UUID(limited))
    clerk = await scene.joined_by("contacts.create")
    answers = await asyncio.gather(
        *(clerk.ask("createContact", "errors { code }", input={"fullName": str(n)}) for n in range(60))
    )
    told = Counter(str(answer["data"]["createContact"]["errors"]) for answer in answers)
    assert told == {"[]": 20, "[{'code': 'LIMIT_REACHED'}]": 40}
    assert len(await scene.rows(Contact)) == 20
    assert len(await scene.audit("contact.create")) == 20
