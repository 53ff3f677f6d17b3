"""A root mutation is one transaction: its rows, its line of the audit log and the reading of its payload."""

import asyncio
from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import AuditLog, Company, Contact, Lead, User
from db.session import Scope
from graph.context import Context
from graph.snapshot import Change
from graph.writing.mutation import WrittenField
from tests.client import Client
from tests.mutations.scene import NOWHERE, Scene
from tests.server import Urls
from tests.statements import statements

TWO = """
mutation($first: CreateCompanyInput!, $second: CreateContactInput!, $third: CreateCompanyInput!) {
  first: createCompany(input: $first) { company { id } errors { code } }
  second: createContact(input: $second) { contact { id } errors { code field } }
  third: createCompany(input: $third) { company { name } errors { code } }
}
"""


@pytest.fixture
async def scene(anyone: Client, owner: AsyncConnection) -> Scene:
    return await Scene.make(anyone, owner)


async def test_root_mutations_commit_one_by_one_in_their_order(scene: Scene) -> None:
    answer = await scene.client.ask(
        TWO,
        first={"name": "Nile"},
        second={"fullName": "Mona", "companyId": NOWHERE},
        third={"name": "Delta"},
    )
    assert "errors" not in answer
    assert list(answer["data"]) == ["first", "second", "third"]
    refused = {"contact": None, "errors": [{"code": "NOT_FOUND", "field": ["input", "companyId"]}]}
    assert answer["data"]["second"] == refused
    assert [row["name"] for row in await scene.rows(Company)] == ["Nile", "Delta"]
    assert await scene.rows(Contact) == []
    written = [(row["action"], row["after_data"]["name"]) for row in await scene.audit()]
    assert written == [("company.create", "Nile"), ("company.create", "Delta")]


async def test_a_forbidden_mutation_leaves_those_around_it(scene: Scene) -> None:
    person = await scene.joined_by("companies.create", "companies.view")
    answer = await person.client.ask(
        TWO, first={"name": "Nile"}, second={"fullName": "Mona"}, third={"name": "Delta"}
    )
    assert [(error["path"], error["extensions"]["code"]) for error in answer["errors"]] == [
        (["second"], "FORBIDDEN")
    ]
    assert answer["data"]["third"] == {"company": {"name": "Delta"}, "errors": []}
    assert len(await scene.rows(Company)) == len(await scene.audit()) == 2


async def test_the_next_mutation_sees_what_the_one_before_has_done(scene: Scene) -> None:
    company = await scene.insert(Company, name="Nile")
    asked = """
    mutation($id: ID!) {
      rename: updateCompany(id: $id, input: { name: "Delta" }) { company { name updatedAt } }
      delete: deleteCompany(id: $id) { company { name updatedAt } }
      again: deleteCompany(id: $id) { company { name } errors { code } }
    }
    """
    done = await scene.client.read(asked, id=str(company["id"]))
    assert done["rename"]["company"]["name"] == "Delta"
    assert done["delete"] == done["rename"]
    assert done["again"] == {"company": None, "errors": [{"code": "NOT_FOUND"}]}


async def test_a_refusal_half_way_undoes_what_was_done_before_it(scene: Scene) -> None:
    lead = await scene.insert(Lead)
    given = {
        "id": str(lead["id"]),
        "company": {"name": "Nile"},
        "contact": {"fullName": "Mona"},
        "deal": {"name": "Villa", "pipelineId": NOWHERE},
    }
    with statements(scene.client.services.database) as sent:
        assert await scene.refused("convertLead", input=given) == [("NOT_FOUND", "input.deal.pipelineId")]
    assert [statement.split()[2] for statement in sent if statement.startswith("INSERT")] == [
        "companies",
        "audit_logs",
        "contacts",
        "audit_logs",
    ]


CREATE = """
mutation($input: CreateCompanyInput!) {
  createCompany(input: $input) { company { name } errors { code } }
}
"""


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """A payload that cannot be read, for a reason of ours."""

    def get_result(field: WrittenField, source: Any, info: Any, args: list[Any], kwargs: Any) -> Any:
        raise RuntimeError("hidden reason")

    monkeypatch.setattr(WrittenField, "get_result", get_result)


@pytest.mark.usefixtures("broken")
@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "k"}])
async def test_a_payload_that_cannot_be_read_undoes_the_mutation(
    scene: Scene, headers: dict[str, str]
) -> None:
    async with scene.unchanged():
        answer = (await scene.client.post(CREATE, {"input": {"name": "Nile"}}, **headers)).json()
    assert answer["data"] == {"createCompany": None}
    (error,) = answer["errors"]
    assert (error["path"], error["extensions"]["code"]) == (["createCompany"], "INTERNAL")
    assert "hidden" not in str(answer)


async def test_a_connection_lost_under_the_payload_undoes_the_mutation(
    scene: Scene, urls: Urls, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost: list[int] = []
    find = WrittenField.get_result

    async def get_result(field: WrittenField, source: Any, info: Any, **given: Any) -> Any:
        work = info.context.work
        pid = (await work.execute(sa.text("SELECT pg_backend_pid()"))).scalar_one()
        gateway = await asyncpg.connect(urls.gateway)
        assert await gateway.fetchval("SELECT pg_terminate_backend($1, 10000)", pid)
        await gateway.close()
        lost.append(pid)
        await work.execute(sa.text("SELECT 1"))
        return find(field, source, info, **given)

    monkeypatch.setattr(WrittenField, "get_result", get_result)
    async with scene.unchanged():
        answer = await scene.client.ask(CREATE, input={"name": "Nile"})
    assert lost
    assert "data" not in answer
    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "UNAVAILABLE"
    monkeypatch.undo()
    assert await scene.client.read(CREATE, input={"name": "Nile"})


async def test_a_connection_lost_before_the_commit_is_no_success(
    scene: Scene, urls: Urls, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish = Context.finish

    async def lost(context: Context, *given: Any) -> None:
        pid = (await context.work.execute(sa.text("SELECT pg_backend_pid()"))).scalar_one()
        gateway = await asyncpg.connect(urls.gateway)
        assert await gateway.fetchval("SELECT pg_terminate_backend($1, 10000)", pid)
        await gateway.close()
        await finish(context, *given)

    monkeypatch.setattr(Context, "finish", lost)
    async with scene.unchanged():
        answer = await scene.client.ask(CREATE, input={"name": "Nile"})
    assert "data" not in answer
    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "UNAVAILABLE"


async def test_what_may_not_be_read_of_the_payload_does_not_undo_the_mutation(scene: Scene) -> None:
    person = await scene.joined_by("companies.create")
    answer = await person.client.ask(CREATE, input={"name": "Nile"})
    assert answer["data"] == {"createCompany": {"company": None, "errors": []}}
    (error,) = answer["errors"]
    assert error["extensions"] == {"code": "FORBIDDEN", "permission": "companies.view"}
    assert len(await scene.rows(Company)) == len(await scene.audit()) == 1


async def test_a_mutation_and_its_payload_are_one_transaction_on_one_connection(scene: Scene) -> None:
    company = await scene.insert(Company)
    asked = """
    mutation($input: CreateContactInput!) {
      createContact(input: $input) { contact { company { name contacts { nodes { fullName } } } } }
    }
    """
    given = {"fullName": "Mona", "companyId": str(company["id"])}
    with statements(scene.client.services.database) as sent:
        done = await scene.client.read(asked, input=given)
    assert done["createContact"]["contact"]["company"]["contacts"]["nodes"] == [{"fullName": "Mona"}]
    first, *_, company_read, contacts_read = sent
    assert first.startswith("WITH RECURSIVE held"), "the viewer"
    assert [statement.split()[:3] for statement in sent if statement.startswith("INSERT")] == [
        ["INSERT", "INTO", "contacts"],
        ["INSERT", "INTO", "audit_logs"],
    ]
    assert "FROM companies" in company_read
    assert "FROM contacts" in contacts_read


async def test_the_audit_log_says_who_did_what_from_where(scene: Scene) -> None:
    contact = await scene.insert(Contact, full_name="Mona", email="mona@example.org", tags=["a"])
    asked = (
        "mutation($id: ID!) { updateContact(id: $id, input: { tags: [], email: null }) { errors { code } } }"
    )
    await scene.client.post(asked, {"id": str(contact["id"])}, **{"User-Agent": "Browser/1"})
    (entry,) = await scene.rows(AuditLog)
    after = await scene.row(Contact, contact["id"])
    assert (entry["action"], entry["entity_type"], entry["entity_id"]) == (
        "contact.update",
        "contact",
        contact["id"],
    )
    assert (entry["user_id"], str(entry["ip_address"])) == (scene.client.user_id, "127.0.0.1")
    assert entry["user_agent"] == "Browser/1"
    assert entry["before_data"].keys() == entry["after_data"].keys()
    changed = {name for name, old in entry["before_data"].items() if entry["after_data"][name] != old}
    assert changed == {"tags", "email", "updated_at"}
    assert (entry["before_data"]["email"], entry["after_data"]["email"]) == ("mona@example.org", None)
    assert entry["before_data"].keys() == {
        column.name for column in Contact.__table__.c if not column.info.get("hidden")
    } - {"tenant_id"}
    assert entry["created_at"] >= after["updated_at"]


async def test_the_audit_log_holds_what_other_services_have_stored(scene: Scene) -> None:
    odd = '{"far": 1e400, "long": 123456789012345678901234567890}'
    lead = await scene.insert(Lead)
    stored = sa.text("UPDATE leads SET attributes = CAST(:odd AS jsonb) WHERE id = :id")
    await scene.owner.execute(stored, {"odd": odd, "id": lead["id"]})
    await scene.call("updateLead", "lead { attributes }", id=str(lead["id"]), input={"score": 1})
    same = sa.text(
        "SELECT before_data->'attributes' = CAST(:odd AS jsonb) AND after_data->'attributes' = "
        "CAST(:odd AS jsonb) FROM audit_logs WHERE tenant_id = :tenant AND action = 'lead.update'"
    )
    assert (await scene.owner.execute(same, {"odd": odd, "tenant": scene.tenant})).scalars().all() == [True]


async def test_the_audit_log_of_a_user_has_no_secret(scene: Scene) -> None:
    user = await scene.insert(User, password_hash="$argon2id$hidden")
    await scene.call("updateUser", "user { id }", id=str(user["id"]), input={"email": "new@example.com"})
    (entry,) = await scene.audit("user.update")
    assert entry["after_data"]["email"] == "new@example.com"
    assert "argon2" not in str(entry)
    assert not {"password_hash", "email_norm"} & {*entry["before_data"], *entry["after_data"]}


async def test_two_at_once_are_written_down_in_the_order_in_which_they_happened(scene: Scene) -> None:
    company = await scene.insert(Company, name="0")
    names = [str(number) for number in range(1, 21)]
    await asyncio.gather(
        *(scene.call("updateCompany", "", id=str(company["id"]), input={"name": name}) for name in names)
    )
    log = sorted(await scene.audit("company.update"), key=lambda row: row["created_at"])
    steps = [(row["before_data"]["name"], row["after_data"]["name"]) for row in log]
    assert [before for before, _ in steps] == ["0", *(after for _, after in steps[:-1])]
    assert sorted(after for _, after in steps) == sorted(names)
    assert (await scene.row(Company, company["id"]))["name"] == steps[-1][1]


async def test_what_failed_apart_leaves_nothing_open(scene: Scene) -> None:
    change = Change(scene.client.services.database, Scope(tenant_id=scene.tenant))
    await change.execute(sa.select(1))
    add, bad = (sa.insert(Company).values(tenant_id=scene.tenant, name=name) for name in ("Nile", None))
    for _ in range(3):
        with pytest.raises(IntegrityError):
            await change.attempt((bad, None))

    async def fail() -> None:
        async with change.apart():
            await change.execute(add)
            await change.attempt((bad, None))

    with pytest.raises(IntegrityError):
        await fail()
    await change.commit()
    assert await scene.rows(Company) == []


@pytest.mark.parametrize("name", ["attempt", "apart"])
async def test_no_savepoint_stays_behind(scene: Scene, name: str) -> None:
    change = Change(scene.client.services.database, Scope(tenant_id=scene.tenant))
    await change.execute(sa.select(1))
    bad = sa.insert(Company).values(tenant_id=scene.tenant, name=None)
    with pytest.raises(IntegrityError):
        await change.attempt((bad, None))
    with pytest.raises(IntegrityError):
        async with change.apart():
            await change.execute(bad)
    with pytest.raises(DBAPIError, match="does not exist"):
        await change.execute(sa.text(f"RELEASE SAVEPOINT {name}"))
