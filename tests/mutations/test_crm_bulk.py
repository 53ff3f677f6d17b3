"""Bulk: up to 500 rows, each with its own result."""

import asyncio
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import (
    Company,
    Contact,
    Deal,
    DealPipeline,
    DealStage,
    Lead,
    Plan,
    PlanFeature,
    TenantSubscription,
    User,
)
from tests.client import Client
from tests.factories import insert
from tests.mutations.scene import NOWHERE, Scene, told

RESULTS = "errors { code field message } results { errors { code field } contact { id fullName } }"


@pytest.fixture
async def scene(anyone: Client, owner: AsyncConnection) -> Scene:
    return await Scene.make(anyone, owner)


async def add(scene: Scene, rows: list[dict[str, Any]], **more: Any) -> tuple[Any, list[Any], list[Any]]:
    """The errors of the whole, the errors of each, and the names that were made."""
    answer = await scene.ask("createContacts", RESULTS, input=rows, **more)
    assert "errors" not in answer, answer["errors"]
    payload = answer["data"]["createContacts"]
    results = payload["results"]
    names = [result["contact"] and result["contact"]["fullName"] for result in results]
    return told(payload["errors"]), [told(result["errors"]) for result in results], names


def people(*emails: str | None) -> list[dict[str, Any]]:
    """Contacts with these addresses, numbered; one without an address has other columns than one with."""
    return [
        {"fullName": f"Person {number}"} | ({} if email is None else {"email": email})
        for number, email in enumerate(emails)
    ]


async def test_500_rows_are_made_in_their_order_and_written_down(scene: Scene) -> None:
    rows = people(*(None if number % 3 else f"p{number}@example.org" for number in range(500)))
    errors, each, names = await add(scene, rows)
    assert (errors, each) == ([], [[]] * 500)
    assert names == [row["fullName"] for row in rows]
    stored = await scene.rows(Contact)
    assert sorted(row["full_name"] for row in stored) == sorted(names)
    audit = await scene.audit("contact.create")
    assert {str(row["entity_id"]): row["after_data"]["full_name"] for row in audit} == {
        str(row["id"]): row["full_name"] for row in stored
    }
    assert len(audit) == 500


async def test_501_rows_are_too_many_and_none_are_few(scene: Scene) -> None:
    async with scene.unchanged():
        answer = await scene.ask("createContacts", RESULTS, input=people(*[None] * 501))
        (error,) = answer["errors"]
        assert error["extensions"]["code"] == "BAD_INPUT"
        assert "500" in error["message"]
        assert await add(scene, []) == ([], [], [])


BAD = [
    *people("a@example.org", None, "A@example.org", "taken@example.org", "b@example.org"),
    {"fullName": "x\0y"},
    {"fullName": " "},
    {"fullName": "Nobody", "companyId": NOWHERE},
    {"fullName": "Last", "tags": ["x"]},
]
BECAUSE: list[list[tuple[str, str]]] = [
    [],
    [],
    [("TAKEN", "input.2.email")],
    [("TAKEN", "input.3.email")],
    [],
    [("INVALID", "input.5.fullName")],
    [("INVALID", "input.6.fullName")],
    [("NOT_FOUND", "input.7.companyId")],
    [],
]
MADE = ["Person 0", "Person 1", None, None, "Person 4", None, None, None, "Last"]


async def test_each_for_itself_makes_the_others(scene: Scene) -> None:
    await scene.insert(Contact, email="taken@example.org", full_name="Taken")
    assert await add(scene, BAD, mode="EACH") == ([], BECAUSE, MADE)
    assert {row["full_name"] for row in await scene.rows(Contact)} == {"Taken", *filter(None, MADE)}
    audit = await scene.audit()
    assert sorted(row["after_data"]["full_name"] for row in audit) == sorted(filter(None, MADE))


@pytest.mark.parametrize("mode", [{}, {"mode": "ALL_OR_NOTHING"}])
async def test_all_or_nothing_tells_of_each_and_makes_none(scene: Scene, mode: dict[str, str]) -> None:
    await scene.insert(Contact, email="taken@example.org")
    async with scene.unchanged():
        assert await add(scene, BAD, **mode) == ([("INVALID", None)], BECAUSE, [None] * 9)


async def test_a_dry_run_tells_the_same_and_writes_nothing(scene: Scene) -> None:
    await scene.insert(Contact, email="taken@example.org")
    async with scene.unchanged():
        assert await add(scene, BAD, mode="EACH", dryRun=True) == ([], BECAUSE, MADE)
        assert await add(scene, BAD, dryRun=True) == ([("INVALID", None)], BECAUSE, [None] * 9)
        assert await add(scene, people(None), dryRun=True) == ([], [[]], ["Person 0"])
    assert await add(scene, people("a@example.org")) == ([], [[]], ["Person 0"])


async def test_who_comes_first_in_the_batch_has_the_address(scene: Scene) -> None:
    rows = people("a@example.org", "a@example.org", "a@example.org")
    rows[0]["tags"] = ["another set of columns than the others"]
    assert await add(scene, rows, mode="EACH") == (
        [],
        [[], [("TAKEN", "input.1.email")], [("TAKEN", "input.2.email")]],
        ["Person 0", None, None],
    )


async def test_batches_with_the_same_addresses_share_them(scene: Scene) -> None:
    addresses = [f"p{number}@example.org" for number in range(30)]
    batches = [people(*addresses), people(*reversed(addresses)), people(*addresses)]
    done = await asyncio.gather(*(add(scene, batch, mode="EACH") for batch in batches))
    assert sorted(str(row["email"]) for row in await scene.rows(Contact)) == sorted(addresses)
    assert sum(name is not None for _, _, names in done for name in names) == 30
    assert len(await scene.audit()) == 30


async def test_a_plan_with_room_for_some_takes_those(scene: Scene) -> None:
    plan = await insert(scene.owner, Plan)
    await insert(scene.owner, PlanFeature, plan_id=plan["id"], feature_code="contacts.max", limit_value=2)
    await insert(scene.owner, TenantSubscription, tenant_id=scene.tenant, plan_id=plan["id"])
    full = [[], [], [("LIMIT_REACHED", "input.2")]]
    async with scene.unchanged():
        assert await add(scene, people(*[None] * 3)) == ([("INVALID", None)], full, [None] * 3)
    assert await add(scene, people(*[None] * 3), mode="EACH") == ([], full, ["Person 0", "Person 1", None])
    assert len(await scene.rows(Contact)) == 2


async def test_companies_leads_and_deals_come_in_bulk_too(scene: Scene) -> None:
    pipeline = await scene.insert(DealPipeline)
    stages = [
        await scene.insert(DealStage, pipeline_id=pipeline["id"], order_index=index, code=f"s{index}")
        for index in (7, 3)
    ]
    company = str((await scene.insert(Company))["id"])
    seller = str((await scene.insert(User))["id"])
    for name, one, model, rows in (
        ("createCompanies", "company", Company, [{"name": "A"}, {"name": "B", "city": "Giza"}]),
        ("createLeads", "lead", Lead, [{"companyId": company}, {"assignedTo": seller, "score": 5}]),
        (
            "createDeals",
            "deal",
            Deal,
            [
                {"pipelineId": str(pipeline["id"]), "name": "First"},
                {
                    "pipelineId": str(pipeline["id"]),
                    "stageId": str(stages[0]["id"]),
                    "name": "Second",
                    "ownerUserId": seller,
                },
            ],
        ),
    ):
        before = len(await scene.rows(model))
        done = await scene.call(name, f"results {{ errors {{ code }} {one} {{ id }} }}", input=rows)
        assert [result["errors"] for result in done["results"]] == [[], []]
        assert len(await scene.rows(model)) == before + 2
        assert len(await scene.audit(f"{one}.create")) == 2
    first, second = sorted(await scene.rows(Deal), key=lambda row: str(row["name"]))
    assert (first["stage_id"], first["owner_user_id"]) == (stages[1]["id"], scene.client.user_id)
    assert (second["stage_id"], str(second["owner_user_id"])) == (stages[0]["id"], seller)
