"""Companies and contacts: written down, cleared, conditional, and what is refused."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Company, Contact, Plan, PlanFeature, TenantSubscription
from tests.client import Client
from tests.factories import insert
from tests.mutations.scene import NOWHERE, Scene


@pytest.fixture
async def scene(anyone: Client, owner: AsyncConnection) -> Scene:
    return await Scene.make(anyone, owner)


async def test_a_company_is_added_and_written_down(scene: Scene) -> None:
    given = {"name": " Nile Homes ", "country": "EG", "website": "https://nile.test/"}
    done = await scene.call("createCompany", "company { id name country city website }", input=given)
    made = done["company"]
    assert made == {"id": made["id"], **given, "name": "Nile Homes", "city": None}
    row = await scene.row(Company, made["id"])
    assert (row["tenant_id"], row["name"], row["website"]) == (scene.tenant, "Nile Homes", given["website"])
    (entry,) = await scene.audit()
    assert (entry["action"], entry["entity_type"], str(entry["entity_id"])) == (
        "company.create",
        "company",
        made["id"],
    )
    assert entry["user_id"] == scene.client.user_id
    assert entry["before_data"] is None
    assert entry["after_data"] | {"name": "Nile Homes", "country": "EG"} == entry["after_data"]
    assert "tenant_id" not in entry["after_data"]
    assert "name_norm" not in entry["after_data"]


async def test_what_is_absent_stays_and_what_is_null_is_cleared(scene: Scene) -> None:
    company = await scene.insert(Company, name="Nile", city="Cairo", country="EG")
    done = await scene.call(
        "updateCompany", "company { name city country }", id=str(company["id"]), input={"city": None}
    )
    assert done["company"] == {"name": "Nile", "city": None, "country": "EG"}
    (entry,) = await scene.audit()
    assert entry["action"] == "company.update"
    assert (entry["before_data"]["city"], entry["after_data"]["city"]) == ("Cairo", None)


async def test_an_update_that_changes_nothing_writes_nothing(scene: Scene) -> None:
    company = await scene.insert(Company, name="Nile", city="Cairo")
    async with scene.unchanged():
        for given in ({}, {"city": "Cairo"}):
            await scene.call("updateCompany", "company { id }", id=str(company["id"]), input=given)


async def test_a_newer_row_is_stale_and_comes_along(scene: Scene) -> None:
    company = await scene.insert(Company, name="Nile")
    read = company["updated_at"].isoformat()
    first = await scene.call(
        "updateCompany",
        "company { updatedAt }",
        id=str(company["id"]),
        input={"city": "Giza"},
        ifUpdatedAt=read,
    )
    for name, more in (("updateCompany", {"input": {"city": "Luxor"}}), ("deleteCompany", {})):
        async with scene.unchanged():
            answer = await scene.ask(
                name,
                "company { city updatedAt } errors { code field }",
                id=str(company["id"]),
                ifUpdatedAt=read,
                **more,
            )
        assert answer["data"][name] == {
            "company": {"city": "Giza", "updatedAt": first["company"]["updatedAt"]},
            "errors": [{"code": "STALE", "field": None}],
        }


async def test_of_ten_who_read_the_same_row_one_writes(scene: Scene) -> None:
    company = await scene.insert(Company, name="Nile")
    read = company["updated_at"].isoformat()
    answers = await asyncio.gather(
        *(
            scene.ask(
                "updateCompany",
                "errors { code }",
                id=str(company["id"]),
                input={"city": f"City {number}"},
                ifUpdatedAt=read,
            )
            for number in range(10)
        )
    )
    codes = sorted(str(answer["data"]["updateCompany"]["errors"]) for answer in answers)
    assert codes == ["[]"] + ["[{'code': 'STALE'}]"] * 9
    assert len(await scene.audit("company.update")) == 1


async def test_a_deleted_company_leaves_its_contacts(scene: Scene) -> None:
    company = await scene.insert(Company, name="Nile")
    contact = await scene.insert(Contact, company_id=company["id"])
    done = await scene.call("deleteCompany", "company { id name }", id=str(company["id"]))
    assert done["company"] == {"id": str(company["id"]), "name": "Nile"}
    assert await scene.rows(Company) == []
    assert (await scene.row(Contact, contact["id"]))["company_id"] is None
    entry, unlinked = await scene.audit()
    assert (entry["action"], entry["before_data"]["name"], entry["after_data"]) == (
        "company.delete",
        "Nile",
        None,
    )
    assert (unlinked["action"], unlinked["before_data"], unlinked["after_data"]) == (
        "company.unlink",
        {"contacts.company_id": [str(contact["id"])]},
        None,
    )
    assert await scene.refused("deleteCompany", id=str(company["id"])) == [("NOT_FOUND", None)]


async def test_a_contact_is_kept_in_the_standard_forms(scene: Scene) -> None:
    company = await scene.insert(Company)
    given = {
        "fullName": "Mona Adel",
        "companyId": str(company["id"]),
        "email": "Mona.Adel@EXAMPLE.org",
        "phoneE164": "0100 123 4567",
        "tags": ["vip", "vip", "north"],
    }
    done = await scene.call(
        "createContact", "contact { id email phoneE164 tags company { id } }", input=given
    )
    assert done["contact"] | {"id": ""} == {
        "id": "",
        "email": "Mona.Adel@example.org",
        "phoneE164": "+201001234567",
        "tags": ["vip", "north"],
        "company": {"id": str(company["id"])},
    }
    row = await scene.row(Contact, done["contact"]["id"])
    assert (row["email"], row["phone_e164"]) == ("Mona.Adel@example.org", "+201001234567")


async def test_an_address_is_one_contacts_in_any_spelling(scene: Scene) -> None:
    first = await scene.insert(Contact, email="mona@example.org")
    other = await scene.insert(Contact, email="adel@example.org")
    taken = [("TAKEN", "input.email")]
    for spelling in ("mona@example.org", "MONA@Example.org"):
        given = {"email": spelling}
        assert await scene.refused("createContact", input={"fullName": "M", **given}) == taken
        assert await scene.refused("updateContact", id=str(other["id"]), input=given) == taken
    await scene.call(
        "updateContact", "contact { id }", id=str(first["id"]), input={"email": "MONA@example.org"}
    )
    elsewhere = await Scene.make(scene.client, scene.owner)
    await elsewhere.call(
        "createContact", "contact { id }", input={"fullName": "M", "email": "mona@example.org"}
    )


async def test_of_ten_who_add_an_address_one_does(scene: Scene) -> None:
    given = {"fullName": "Mona", "email": "mona@example.org"}
    answers = await asyncio.gather(
        *(scene.ask("createContact", "errors { code field }", input=given) for _ in range(10))
    )
    told = sorted(str(answer["data"]["createContact"]["errors"]) for answer in answers)
    assert told == ["[]"] + ["[{'code': 'TAKEN', 'field': ['input', 'email']}]"] * 9
    assert len(await scene.rows(Contact)) == len(await scene.audit()) == 1


async def test_a_company_that_is_not_there_is_not_found(scene: Scene) -> None:
    elsewhere = await Scene.make(scene.client, scene.owner)
    theirs = await elsewhere.insert(Company)
    contact = await scene.insert(Contact)
    gone = await scene.insert(Company)
    await scene.call("deleteCompany", "company { id }", id=str(gone["id"]))
    for id in (NOWHERE, str(theirs["id"]), str(gone["id"])):
        missing = [("NOT_FOUND", "input.companyId")]
        assert await scene.refused("createContact", input={"fullName": "M", "companyId": id}) == missing
        assert await scene.refused("updateContact", id=str(contact["id"]), input={"companyId": id}) == missing
        assert await scene.refused("updateCompany", id=NOWHERE, input={"name": "N"}) == [("NOT_FOUND", None)]


async def test_a_company_that_goes_meanwhile_is_not_found_or_lets_go(scene: Scene) -> None:
    gone = [await scene.insert(Company) for _ in range(5)]
    work: list[Any] = []
    for company in gone:
        id = str(company["id"])
        work.append(
            scene.ask("createContact", "errors { code field }", input={"fullName": id, "companyId": id})
        )
        work.append(scene.ask("deleteCompany", "errors { code field }", id=id))
    answers = await asyncio.gather(*work)
    made = {row["full_name"]: row["company_id"] for row in await scene.rows(Contact)}
    for company, answer in zip(gone, answers[::2], strict=True):
        id, errors = str(company["id"]), answer["data"]["createContact"]["errors"]
        assert (errors == [] and made[id] is None) or errors == [
            {"code": "NOT_FOUND", "field": ["input", "companyId"]}
        ]
    assert [answer["data"]["deleteCompany"]["errors"] for answer in answers[1::2]] == [[]] * 5
    assert await scene.rows(Company) == []


async def test_the_plan_limits_contacts(scene: Scene) -> None:
    plan = await insert(scene.owner, Plan)
    await insert(scene.owner, PlanFeature, plan_id=plan["id"], feature_code="contacts.max", limit_value=1)
    await insert(scene.owner, TenantSubscription, tenant_id=scene.tenant, plan_id=plan["id"])
    answers = await asyncio.gather(
        *(scene.ask("createContact", "errors { code }", input={"fullName": f"M {n}"}) for n in range(5))
    )
    codes = sorted(str(answer["data"]["createContact"]["errors"]) for answer in answers)
    assert codes == ["[]"] + ["[{'code': 'LIMIT_REACHED'}]"] * 4
    assert len(await scene.rows(Contact)) == 1


async def test_a_time_to_compare_with_is_a_point_in_time(scene: Scene) -> None:
    company = await scene.insert(Company)
    naive = datetime.now(UTC).replace(tzinfo=None).isoformat()
    codes = await scene.codes("updateCompany", id=str(company["id"]), input={}, ifUpdatedAt=naive)
    assert codes == ["BAD_INPUT"]
