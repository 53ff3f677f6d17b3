"""Leads: followed up by somebody, and converted once."""

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
from tests.mutations.scene import NOWHERE, Scene

CONVERTED = """
lead { statusCode contactId companyId } contact { id fullName companyId } company { id name }
deal { id contactId companyId stageId ownerUserId }
"""


@pytest.fixture
async def scene(anyone: Client, owner: AsyncConnection) -> Scene:
    return await Scene.make(anyone, owner)


async def a_deal(scene: Scene, **more: Any) -> dict[str, Any]:
    """What a new deal holds, on a pipeline of two stages."""
    pipeline = await scene.insert(DealPipeline)
    for index in (1, 0):
        await scene.insert(DealStage, pipeline_id=pipeline["id"], code=f"s{index}", order_index=index)
    return {"pipelineId": str(pipeline["id"]), "name": "Villa", **more}


async def test_a_lead_is_new_and_nobodys_at_first(scene: Scene) -> None:
    given = {"sourceCode": "web", "score": -3, "attributes": {"budget": [1, None, "2"]}}
    select = "lead { id statusCode assignedTo score attributes }"
    done = await scene.call("createLead", select, input=given)
    assert done["lead"] | {"id": ""} == {
        "id": "",
        "statusCode": "new",
        "assignedTo": None,
        "score": -3,
        "attributes": {"budget": [1, None, "2"]},
    }
    await scene.call(
        "updateLead", select, id=done["lead"]["id"], input={"attributes": None, "statusCode": "hot"}
    )
    row = await scene.row(Lead, done["lead"]["id"])
    assert (row["attributes"], row["status_code"], row["score"]) == (None, "hot", -3)
    assert [entry["action"] for entry in await scene.audit()] == ["lead.create", "lead.update"]


async def test_a_lead_is_given_to_an_active_user_or_to_nobody(scene: Scene) -> None:
    lead = str((await scene.insert(Lead))["id"])
    seller = str((await scene.insert(User))["id"])
    away = str((await scene.insert(User, status="suspended"))["id"])
    elsewhere = await Scene.make(scene.client, scene.owner)
    theirs = str((await elsewhere.insert(User))["id"])
    done = await scene.call(
        "assignLead", "lead { assignee { id } }", input={"id": lead, "assignedTo": seller}
    )
    assert done["lead"]["assignee"]["id"] == seller
    for user, code in ((theirs, "NOT_FOUND"), (NOWHERE, "NOT_FOUND"), (away, "INVALID"), ("me", "INVALID")):
        told = [(code, "input.assignedTo")]
        assert await scene.refused("assignLead", input={"id": lead, "assignedTo": user}) == told
        assert await scene.refused("createLead", input={"assignedTo": user}) == told
    assert await scene.refused("assignLead", input={"id": lead}) == [("INVALID", "input.assignedTo")]
    assert await scene.codes("updateLead", id=lead, input={"assignedTo": seller}) == ["BAD_INPUT"]
    await scene.call("assignLead", "lead { id }", input={"id": lead, "assignedTo": None})
    assert (await scene.row(Lead, lead))["assigned_to"] is None
    assert [entry["action"] for entry in await scene.audit()] == ["lead.assign"] * 2


async def test_a_new_lead_is_another_users_only_by_the_right_to_assign(scene: Scene) -> None:
    seller = str((await scene.insert(User))["id"])
    maker = await scene.joined_by("leads.create")
    async with scene.unchanged():
        for name, given in (("createLead", {}), ("createLeads", [])):
            rows = {"assignedTo": seller} if name == "createLead" else [{}, {"assignedTo": seller}]
            answer = await maker.ask(name, "errors { code }", input=rows)
            (error,) = answer["errors"]
            assert error["extensions"] == {"code": "FORBIDDEN", "permission": "leads.assign"}
            assert not given
    await maker.call("createLead", "errors { code }", input={"assignedTo": str(maker.client.user_id)})


async def test_converted_is_no_status_to_be_set_or_left(scene: Scene) -> None:
    lead = str((await scene.insert(Lead))["id"])
    done = str((await scene.insert(Lead, status_code="converted"))["id"])
    told = [("INVALID", "input.statusCode")]
    for code in ("converted", " Converted "):
        assert await scene.refused("createLead", input={"statusCode": code}) == told
        assert await scene.refused("updateLead", id=lead, input={"statusCode": code}) == told
    conflict = [("CONFLICT", "input.statusCode")]
    assert await scene.refused("updateLead", id=done, input={"statusCode": "new"}) == conflict
    await scene.call("updateLead", "lead { id }", id=done, input={"statusCode": "converted", "score": 1})


async def test_a_bare_lead_becomes_contact_company_and_deal(scene: Scene) -> None:
    seller = await scene.insert(User)
    lead = str((await scene.insert(Lead, assigned_to=seller["id"]))["id"])
    deal = await a_deal(scene, amountMinor=100, currency="EGP")
    given = {
        "id": lead,
        "deal": deal,
        "contact": {"fullName": "Mona", "email": "mona@example.org"},
        "company": {"name": "Nile"},
    }
    done = await scene.call("convertLead", CONVERTED, input=given)
    contact, company = done["contact"]["id"], done["company"]["id"]
    assert done["lead"] == {"statusCode": "converted", "contactId": contact, "companyId": company}
    assert done["contact"] == {"id": contact, "fullName": "Mona", "companyId": company}
    assert done["company"] == {"id": company, "name": "Nile"}
    assert done["deal"] | {"id": ""} == {
        "id": "",
        "contactId": contact,
        "companyId": company,
        "stageId": done["deal"]["stageId"],
        "ownerUserId": str(seller["id"]),
    }
    stage = await scene.row(DealStage, done["deal"]["stageId"])
    assert stage["order_index"] == 0
    audit = await scene.audit()
    assert [entry["action"] for entry in audit] == [
        "company.create",
        "contact.create",
        "deal.create",
        "lead.convert",
    ]
    assert audit[-1]["before_data"]["status_code"] == "new"
    assert audit[-1]["after_data"]["contact_id"] == contact
    assert await scene.refused("convertLead", input=given) == [("CONFLICT", None)]


async def test_what_the_lead_has_is_used_again(scene: Scene) -> None:
    contact, company = await scene.insert(Contact), await scene.insert(Company)
    lead = await scene.insert(Lead, contact_id=contact["id"], company_id=company["id"])
    given = {"id": str(lead["id"]), "deal": await a_deal(scene)}
    done = await scene.call("convertLead", CONVERTED, input=given)
    ids = {"contactId": str(contact["id"]), "companyId": str(company["id"])}
    assert done["lead"] == {"statusCode": "converted", **ids}
    assert {name: done["deal"][name] for name in ids} == ids
    assert (done["contact"]["id"], done["company"]["id"]) == tuple(ids.values())
    assert done["deal"]["ownerUserId"] == str(scene.client.user_id)
    assert [entry["action"] for entry in await scene.audit()] == ["deal.create", "lead.convert"]
    assert len(await scene.rows(Contact)) == len(await scene.rows(Company)) == 1


async def test_a_deal_names_those_that_the_tenant_has_already(scene: Scene) -> None:
    contact = await scene.insert(Contact)
    lead = await scene.insert(Lead)
    deal = await a_deal(scene, contactId=str(contact["id"]), ownerUserId=None)
    done = await scene.call("convertLead", CONVERTED, input={"id": str(lead["id"]), "deal": deal})
    assert done["lead"] == {
        "statusCode": "converted",
        "contactId": str(contact["id"]),
        "companyId": None,
    }
    assert done["deal"]["contactId"] == str(contact["id"])
    assert done["deal"]["ownerUserId"] is None
    assert done["company"] is None


async def test_a_lead_that_cannot_be_converted_stays_as_it_is(scene: Scene) -> None:
    own, other = await scene.insert(Contact, email="a@example.org"), await scene.insert(Contact)
    elsewhere = await Scene.make(scene.client, scene.owner)
    theirs = str((await elsewhere.insert(Company))["id"])
    bare, known = [str((await scene.insert(Lead, contact_id=id))["id"]) for id in (None, own["id"])]
    deal, mona = await a_deal(scene), {"fullName": "Mona"}
    for given, told in (
        ({"id": bare}, ("INVALID", None)),
        ({"id": known, "contact": mona}, ("INVALID", "input.contact")),
        ({"id": known, "deal": {**deal, "contactId": str(other["id"])}}, ("INVALID", "input.deal.contactId")),
        (
            {"id": bare, "contact": mona, "deal": {**deal, "contactId": str(other["id"])}},
            ("INVALID", "input.contact"),
        ),
        ({"id": bare, "contact": {**mona, "email": "A@example.org"}}, ("TAKEN", "input.contact.email")),
        ({"id": bare, "contact": {"fullName": " "}}, ("INVALID", "input.contact.fullName")),
        ({"id": known, "company": {"name": "x\0"}}, ("INVALID", "input.company.name")),
        ({"id": known, "deal": {**deal, "companyId": theirs}}, ("NOT_FOUND", "input.deal.companyId")),
        ({"id": known, "deal": {**deal, "companyId": "7"}}, ("INVALID", "input.deal.companyId")),
        ({"id": known, "deal": {**deal, "amountMinor": 1}}, ("INVALID", "input.deal.currency")),
        ({"id": known, "deal": {**deal, "pipelineId": NOWHERE}}, ("NOT_FOUND", "input.deal.pipelineId")),
        (
            {"id": bare, "contact": mona, "deal": {**deal, "stageId": NOWHERE}},
            ("NOT_FOUND", "input.deal.stageId"),
        ),
        ({"id": NOWHERE}, ("NOT_FOUND", "input.id")),
    ):
        assert await scene.refused("convertLead", input={"deal": deal, **given}) == [told], given


async def test_an_assignee_who_has_left_owns_no_deal(scene: Scene) -> None:
    away = await scene.insert(User, status="deactivated")
    contact = await scene.insert(Contact)
    lead = await scene.insert(Lead, contact_id=contact["id"], assigned_to=away["id"])
    done = await scene.call(
        "convertLead", CONVERTED, input={"id": str(lead["id"]), "deal": await a_deal(scene)}
    )
    assert done["deal"]["ownerUserId"] == str(scene.client.user_id)


async def test_of_ten_who_convert_a_lead_one_does(scene: Scene) -> None:
    lead = str((await scene.insert(Lead))["id"])
    given = {"id": lead, "deal": await a_deal(scene), "contact": {"fullName": "Mona"}}
    answers = await asyncio.gather(
        *(scene.ask("convertLead", "deal { id } errors { code }", input=given) for _ in range(10))
    )
    told = sorted(str(answer["data"]["convertLead"]["errors"]) for answer in answers)
    assert told == ["[]"] + ["[{'code': 'CONFLICT'}]"] * 9
    assert len(await scene.rows(Deal)) == len(await scene.rows(Contact)) == 1


async def test_a_conversion_keeps_to_the_plan(scene: Scene) -> None:
    plan = await insert(scene.owner, Plan)
    await insert(scene.owner, PlanFeature, plan_id=plan["id"], feature_code="contacts.max", limit_value=0)
    await insert(scene.owner, TenantSubscription, tenant_id=scene.tenant, plan_id=plan["id"])
    lead = str((await scene.insert(Lead))["id"])
    given = {"id": lead, "deal": await a_deal(scene), "contact": {"fullName": "Mona"}}
    assert await scene.refused("convertLead", input=given) == [("LIMIT_REACHED", None)]


PARTS = {"leads.convert", "deals.create", "contacts.create", "companies.create"}


@pytest.mark.parametrize("missing", sorted(PARTS))
async def test_converting_takes_the_rights_of_all_that_is_made(scene: Scene, missing: str) -> None:
    lead = str((await scene.insert(Lead))["id"])
    person = await scene.joined_by(*(PARTS - {missing}))
    parts = {"contact": {"fullName": "Mona"}, "company": {"name": "Nile"}}
    given = {"id": lead, "deal": await a_deal(scene), **parts}
    async with scene.unchanged():
        answer = await person.ask("convertLead", "errors { code }", input=given)
    (error,) = answer["errors"]
    assert error["extensions"] == {"code": "FORBIDDEN", "permission": missing}
    spared = {"contacts.create": "contact", "companies.create": "company"}.get(missing)
    if spared is not None:
        without = {name: value for name, value in given.items() if name != spared}
        await person.call("convertLead", "errors { code }", input=without)
