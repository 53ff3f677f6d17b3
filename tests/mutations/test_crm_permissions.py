"""Each mutation of the domain with its permission, without it, and on what is another tenant's.

Generated from the SDL: `@requires` is what is enforced.
"""

from typing import Any, Final

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Activity, Company, Contact, Deal, DealPipeline, DealStage, Lead
from graph.mutations.crm import CrmMutation
from graph.permissions import Permission
from tests.client import Client
from tests.mutations.scene import SCHEMA, Scene

RIGHTS: Final = {
    "createDealPipeline createDealStage updateDealPipeline updateDealStage": "pipelines.manage",
    "deleteDealPipeline deleteDealStage reorderStages": "pipelines.manage",
    "moveDeal winDeal loseDeal reopenDeal": "deals.move",
    "assignDeal": "deals.update",
    "assignLead": "leads.assign",
    "convertLead": "leads.convert",
    "completeActivity cancelActivity": "activities.update",
    "createCompanies": "companies.create",
    "createContacts": "contacts.create",
    "createLeads": "leads.create",
    "createDeals": "deals.create",
} | {
    f"{verb}{entity}": f"{plural}.{verb}"
    for entity, plural in (
        ("Company", "companies"),
        ("Contact", "contacts"),
        ("Lead", "leads"),
        ("Deal", "deals"),
        ("Activity", "activities"),
    )
    for verb in ("create", "update", "delete")
}
"""What the contract says that each takes."""
NEEDS: Final = {name: right for names, right in RIGHTS.items() for name in names.split()}
ALSO: Final = {"convertLead": ("deals.create",)}
"""The parts of a composite operation."""


def test_the_mutations_and_their_permissions_are_the_contracts() -> None:
    mutation = SCHEMA.mutation_type
    assert mutation is not None
    printed = {}
    for item in CrmMutation.__strawberry_definition__.fields:  # type: ignore[attr-defined]
        name = "".join(word.capitalize() for word in item.python_name.split("_"))
        name = name[0].lower() + name[1:]
        node = mutation.fields[name].ast_node
        assert node is not None
        (directive,) = node.directives
        printed[name] = Permission[directive.arguments[0].value.value].value
    assert printed == NEEDS


@pytest.fixture
async def scene(anyone: Client, owner: AsyncConnection) -> Scene:
    return await Scene.make(anyone, owner)


async def arguments(scene: Scene, name: str) -> dict[str, Any]:
    """What the mutation is asked, about rows of the tenant of `scene`."""
    pipeline = await scene.insert(DealPipeline)
    stages = [
        str((await scene.insert(DealStage, pipeline_id=pipeline["id"], code=code, order_index=place))["id"])
        for place, code in enumerate(("a", "b"))
    ]
    new: dict[str, dict[str, Any]] = {
        "Company": {"name": "Nile"},
        "Contact": {"fullName": "Mona"},
        "Lead": {"score": 1},
        "DealPipeline": {"name": "Sales"},
        "DealStage": {"pipelineId": str(pipeline["id"]), "code": "c"},
        "Deal": {"pipelineId": str(pipeline["id"]), "name": "Villa"},
        "Activity": {"typeCode": "TASK"},
    }
    rows = {
        "Company": await scene.insert(Company),
        "Contact": await scene.insert(Contact),
        "DealPipeline": await scene.insert(DealPipeline),
        "DealStage": await scene.insert(DealStage),
        "Deal": await scene.insert(
            Deal,
            pipeline_id=pipeline["id"],
            stage_id=stages[0],
            status="won" if name == "reopenDeal" else "open",
        ),
        "Activity": await scene.insert(Activity),
    }
    rows["Lead"] = await scene.insert(Lead, contact_id=rows["Contact"]["id"])
    ids = {entity: str(row["id"]) for entity, row in rows.items()}
    verb, entity = name[:6], name[6:]
    if verb == "create":
        bulk = {"Companies": "Company", "Contacts": "Contact", "Leads": "Lead", "Deals": "Deal"}
        return {"input": new[entity] if entity in new else [new[bulk[entity]]]}
    if verb == "update":
        changed = {key: value for key, value in new[entity].items() if key != "pipelineId"}
        return {"id": ids[entity], "input": changed}
    if verb == "delete":
        return {"id": ids[entity]}
    if name == "reorderStages":
        return {"input": {"pipelineId": str(pipeline["id"]), "stageIds": stages[::-1]}}
    entity = next(entity for entity in ("Lead", "Deal", "Activity") if name.endswith(entity))
    more: dict[str, Any] = {
        "moveDeal": {"stageId": stages[1]},
        "assignDeal": {"ownerUserId": None},
        "assignLead": {"assignedTo": None},
        "convertLead": {"deal": new["Deal"]},
    }
    return {"input": {"id": ids[entity], **more.get(name, {})}}


@pytest.mark.parametrize("name", NEEDS)
async def test_without_the_permission_nothing_is_read_or_written(scene: Scene, name: str) -> None:
    asked = await arguments(scene, name)
    others = {p.value for p in Permission if not p.value.startswith("platform.")} - {NEEDS[name]}
    person = await scene.joined_by(*others)
    async with scene.unchanged():
        answer = await person.ask(name, "errors { code }", **asked)
    assert answer["data"] == {name: None}
    (error,) = answer["errors"]
    assert error["extensions"] == {"code": "FORBIDDEN", "permission": NEEDS[name]}


@pytest.mark.parametrize("name", NEEDS)
async def test_with_only_the_permission_it_is_done(scene: Scene, name: str) -> None:
    asked = await arguments(scene, name)
    person = await scene.joined_by(NEEDS[name], *ALSO.get(name, ()))
    before = len(await scene.audit())
    await person.call(name, "", **asked)
    assert len(await scene.audit()) > before or name in ("assignDeal", "assignLead")


OF_A_ROW = [name for name in NEEDS if not name.startswith("create")]


@pytest.mark.parametrize("name", OF_A_ROW)
async def test_what_is_another_tenants_is_not_found(scene: Scene, name: str) -> None:
    elsewhere = await Scene.make(scene.client, scene.owner)
    theirs = await arguments(elsewhere, name)
    async with elsewhere.unchanged():
        told = await scene.refused(name, **theirs)
    field = {"reorderStages": "input.pipelineId"}.get(name, None if "id" in theirs else "input.id")
    assert told == [("NOT_FOUND", field)]


async def test_who_may_write_but_not_read_learns_nothing_else(scene: Scene) -> None:
    person = await scene.joined_by("contacts.update")
    contact = await scene.insert(Contact, email="mona@example.org")
    answer = await person.ask(
        "updateContact",
        "contact { email } errors { code }",
        id=str(contact["id"]),
        input={"fullName": "Mona"},
    )
    assert answer["data"] == {"updateContact": {"contact": None, "errors": []}}
    (error,) = answer["errors"]
    assert error["extensions"] == {"code": "FORBIDDEN", "permission": "contacts.view"}
    assert (await scene.row(Contact, contact["id"]))["full_name"] == "Mona"
