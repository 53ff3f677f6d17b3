"""Idempotency keys: a mutation that is sent again gives the first answer, and is done once."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from db.gateway import idempotency_records as records
from db.models import Company, Contact, Lead, Session
from db.session import Scope
from graph.writing.mutation import WrittenField
from tests.client import Client, running, session_of
from tests.mutations.identity.people import PASSWORD, tenant_with
from tests.mutations.scene import Scene
from tests.mutations.test_billing_limits import blocked
from tests.server import Urls

CREATE = """
mutation($input: CreateContactInput!) {
  made: createContact(input: $input) {
    contact { updatedAt id name: fullName attributes: tags company { name } }
    errors { code field message }
  }
}
"""
MONA = {"input": {"fullName": "Mona", "email": "mona@example.org"}}


@pytest.fixture
async def scene(anyone: Client, owner: AsyncConnection) -> Scene:
    return await Scene.make(anyone, owner)


async def sent(scene: Scene, key: str, variables: Any = None, query: str = CREATE) -> httpx.Response:
    """The response to a request under a key."""
    return await scene.client.post(query, variables or MONA, **{"Idempotency-Key": key})


async def answered(scene: Scene, key: str, variables: Any = None, query: str = CREATE) -> dict[str, Any]:
    """The answer to a request under a key."""
    answer: dict[str, Any] = (await sent(scene, key, variables, query)).json()
    return answer


async def by_extension(client: Client, key: Any) -> httpx.Response:
    async with client.http() as http:
        return await http.post(
            "/graphql",
            json={"query": CREATE, "variables": MONA, "extensions": {"idempotencyKey": key}},
            headers={"Authorization": f"Bearer {client.token}"},
        )


async def kept(scene: Scene) -> int:
    """How many records the tenant has."""
    mine = sa.select(sa.func.count()).where(records.c.tenant_id == scene.tenant)
    return int((await scene.owner.execute(mine)).scalar_one())


async def aged(scene: Scene, **age: float) -> None:
    """Let the tenant's records be as old as `age`."""
    then = sa.func.now() - timedelta(**age)
    await scene.owner.execute(
        sa.update(records).where(records.c.tenant_id == scene.tenant).values(created_at=then)
    )


async def test_the_same_request_gets_the_same_answer(scene: Scene) -> None:
    first = await sent(scene, "k")
    async with scene.unchanged():
        again = await sent(scene, "k")
        extended = await by_extension(scene.client, "k")
    assert first.json()["data"]["made"]["errors"] == []
    assert first.text == again.text == extended.text, "to the order of the fields"
    assert len(await scene.rows(Contact)) == len(await scene.audit()) == await kept(scene) == 1


async def test_json_is_the_same_again_to_the_digit(scene: Scene) -> None:
    lead = await scene.insert(Lead)
    stored = '{"n": 12345678901234567890.10, "deep": [1.50,  {}]}'
    change = sa.text("UPDATE leads SET attributes = CAST(:stored AS jsonb) WHERE id = :id")
    await scene.owner.execute(change, {"stored": stored, "id": lead["id"]})
    asked = "mutation($id: ID!) { updateLead(id: $id, input: { score: 5 }) { lead { attributes } } }"
    first = await sent(scene, "k", {"id": str(lead["id"])}, asked)
    assert '{"n": 12345678901234567890.10, "deep": [1.50, {}]}' in first.text
    assert (await sent(scene, "k", {"id": str(lead["id"])}, asked)).text == first.text


async def test_what_the_payload_could_not_show_is_the_same_again(scene: Scene) -> None:
    person = await scene.joined_by("contacts.update", "contacts.view")
    company, one, other = [await scene.insert(model) for model in (Company, Contact, Contact)]
    asked = """
    mutation($id: ID!, $input: UpdateContactInput!) {
      updateContact(id: $id, input: $input) { contact { owned: company { id } company { name } } }
    }
    """
    given = {"id": str(one["id"]), "input": {"companyId": str(company["id"])}}
    first = await sent(person, "k", given, asked)
    errors = first.json()["errors"]
    assert [error["path"][-1] for error in errors] == ["owned", "company"]
    assert [error["extensions"] for error in errors] == [
        {"code": "FORBIDDEN", "permission": "companies.view"}
    ] * 2
    assert (await sent(person, "k", given, asked)).text == first.text
    assert (await sent(person, "k", given | {"id": str(other["id"])}, asked)).json() != first.json()


async def test_two_hundred_at_once_have_one_effect_and_one_answer(scene: Scene) -> None:
    responses = await asyncio.gather(*(sent(scene, "k") for _ in range(200)))
    assert {response.status_code for response in responses} == {200}
    (text,) = {response.text for response in responses}
    (row,) = await scene.rows(Contact)
    assert str(row["id"]) in text
    assert len(await scene.audit()) == await kept(scene) == 1


async def test_what_was_refused_may_be_tried_again_under_its_key(scene: Scene) -> None:
    taken = await scene.insert(Contact, email="mona@example.org")
    async with scene.unchanged():
        answer = await answered(scene, "k")
    assert [error["code"] for error in answer["data"]["made"]["errors"]] == ["TAKEN"]
    assert await kept(scene) == 0
    await scene.owner.execute(sa.delete(Contact).where(Contact.id == taken["id"]))
    assert (await answered(scene, "k"))["data"]["made"]["errors"] == []
    other = {"input": {"fullName": "Mona", "email": "other@example.org"}}
    assert (await answered(scene, "k", other))["errors"][0]["extensions"]["code"] == "IDEMPOTENCY_CONFLICT"


async def test_what_was_forbidden_or_only_tried_is_not_kept(scene: Scene) -> None:
    person = await scene.joined_by("contacts.view")
    assert (await answered(person, "k"))["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    tried = """
    mutation($input: [CreateContactInput!]!) {
      createContacts(input: $input, dryRun: true) { results { contact { fullName } } errors { code } }
    }
    """
    answer = await answered(scene, "dry", {"input": [MONA["input"]]}, tried)
    assert answer["data"]["createContacts"]["results"] == [{"contact": {"fullName": "Mona"}}]
    assert await kept(scene) == 0
    assert await scene.rows(Contact) == []


async def test_a_twin_does_what_the_first_could_not(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    find = WrittenField.get_result
    calls: list[object] = []

    def get_result(field: WrittenField, source: Any, info: Any, **given: Any) -> Any:
        calls.append(source)
        if len(calls) == 1:
            raise RuntimeError
        return find(field, source, info, **given)

    monkeypatch.setattr(WrittenField, "get_result", get_result)
    answers = [response.json() for response in await asyncio.gather(*(sent(scene, "k") for _ in range(5)))]
    failed = [answer for answer in answers if "errors" in answer]
    done = [answer for answer in answers if "errors" not in answer]
    assert [answer["errors"][0]["extensions"]["code"] for answer in failed] == ["INTERNAL"]
    assert len(done) == 4
    assert all(answer == done[0] for answer in done)
    assert len(calls) == 2
    assert len(await scene.rows(Contact)) == len(await scene.audit()) == await kept(scene) == 1


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        (CREATE, {"input": {"fullName": "Mona"}}),
        (CREATE, {"input": {"fullName": "Mona", "email": "mona@example.org", "tags": []}}),
        (CREATE.replace("name:", "other:"), MONA),
        (CREATE + " ", MONA),
    ],
)
async def test_another_request_under_the_key_is_a_conflict(
    scene: Scene, query: str, variables: dict[str, Any]
) -> None:
    first = await sent(scene, "k")
    async with scene.unchanged():
        answer = await answered(scene, "k", variables, query)
    assert answer["data"] == {"made": None}
    (error,) = answer["errors"]
    assert error["extensions"] == {"code": "IDEMPOTENCY_CONFLICT"}
    assert (await sent(scene, "k")).text == first.text


async def test_requests_that_say_the_same_in_another_order_are_the_same(scene: Scene) -> None:
    first = await sent(scene, "k")
    turned = {"input": {"email": "mona@example.org", "fullName": "Mona"}}
    assert (await sent(scene, "k", turned)).text == first.text


async def test_of_two_requests_at_once_under_a_key_one_is_done(scene: Scene) -> None:
    given = [{"input": {"fullName": str(number)}} for number in range(20)]
    answers = await asyncio.gather(*(answered(scene, "k", variables) for variables in given))
    codes = [error["extensions"]["code"] for answer in answers for error in answer.get("errors", [])]
    assert Counter(codes) == {"IDEMPOTENCY_CONFLICT": 19}
    assert len(await scene.rows(Contact)) == 1


async def test_a_key_is_its_users_and_tenants_own(scene: Scene) -> None:
    elsewhere = await Scene.make(scene.client, scene.owner)
    colleague = await scene.joined_by("*")
    other = {"input": {"fullName": "Adel"}}
    answers = [
        await answered(who, "k", variables)
        for who, variables in ((scene, MONA), (colleague, other), (elsewhere, MONA))
    ]
    assert all(answer["data"]["made"]["errors"] == [] for answer in answers)
    assert len({answer["data"]["made"]["contact"]["id"] for answer in answers}) == 3
    assert len(await scene.rows(Contact)) == await kept(scene) == 2
    assert len(await elsewhere.rows(Contact)) == await kept(elsewhere) == 1


async def test_a_key_is_good_in_all_sessions_of_its_user_and_none_that_has_ended(scene: Scene) -> None:
    first = await sent(scene, "k")
    ended = sa.update(Session).where(Session.tenant_id == scene.tenant).values(revoked_at=sa.func.now())
    await scene.owner.execute(ended)
    answer = await answered(scene, "k")
    assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    await scene.owner.execute(ended.values(revoked_at=None))
    assert (await sent(scene, "k")).text == first.text


async def test_a_request_under_a_key_has_one_mutation(scene: Scene) -> None:
    several = "mutation { a: signOut { __typename } b: signOutEverywhere { __typename } }"
    async with scene.unchanged():
        answer = await answered(scene, "k", query=several)
    assert answer["data"] == {"a": None, "b": None}
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_INPUT"] * 2
    assert await kept(scene) == 0
    assert await scene.client.read("{ viewer { user { id } } }"), "the session goes on"
    once = (
        "mutation { signOut { __typename } ...again } fragment again on Mutation { signOut { __typename } }"
    )
    assert "errors" not in await answered(scene, "k", query=once)


async def test_an_answer_is_kept_for_a_day(scene: Scene) -> None:
    first = await sent(scene, "k")
    await aged(scene, hours=23, minutes=59)
    assert (await sent(scene, "k")).text == first.text
    await aged(scene, hours=24, seconds=1)
    other = {"input": {"fullName": "Adel"}}
    later = await sent(scene, "k", other)
    assert later.json()["data"]["made"]["contact"]["name"] == "Adel"
    assert (await sent(scene, "k", other)).text == later.text
    assert len(await scene.rows(Contact)) == 2


async def test_of_many_at_once_after_a_day_one_is_done(scene: Scene) -> None:
    await sent(scene, "k")
    await aged(scene, days=2)
    other = {"input": {"fullName": "Adel"}}
    texts = {
        response.text for response in await asyncio.gather(*(sent(scene, "k", other) for _ in range(50)))
    }
    assert len(texts) == 1
    assert len(await scene.rows(Contact)) == 2


async def test_answers_older_than_a_day_go(scene: Scene) -> None:
    elsewhere = await Scene.make(scene.client, scene.owner)
    for who in (scene, elsewhere):
        for key in ("a", "b"):
            await sent(who, key, {"input": {"fullName": key}})
        await aged(who, hours=25)
    await asyncio.gather(
        *(sent(scene, f"new {number}", {"input": {"fullName": "new"}}) for number in range(5))
    )
    assert await kept(scene) == 5
    assert await kept(elsewhere) == 2


@pytest.mark.parametrize("key", ["", "é", "a\tb", "x" * 256, 7, True, ["k"], {"k": 1}])
async def test_a_bad_key_is_bad_input(scene: Scene, key: Any) -> None:
    async with scene.unchanged():
        response = await by_extension(scene.client, key)
    assert response.json()["errors"][0]["extensions"]["code"] == "BAD_INPUT"
    assert "data" not in response.json()
    assert (await sent(scene, "x" * 255)).json()["data"]["made"]["errors"] == []


async def test_a_query_needs_no_key_and_keeps_none(scene: Scene) -> None:
    answer = await answered(scene, "k", query="{ viewer { user { id } } viewer { user { id } } }")
    assert answer["data"]["viewer"]["user"]["id"] == str(scene.client.user_id)
    assert await kept(scene) == 0


async def test_what_hands_out_tokens_or_takes_passwords_has_no_use_for_a_key(
    anyone: Client, owner: AsyncConnection
) -> None:
    person = await tenant_with(anyone, owner, "*")
    given = {"tenantSlug": person.slug, "email": person.email, "password": PASSWORD}
    asked = """
    mutation($input: SignInInput!) { signIn(input: $input) { accessToken refreshToken errors { code } } }
    """
    tokens = [(await answered(person, "k", {"input": given}, asked))["data"]["signIn"] for _ in range(2)]
    assert tokens[0]["accessToken"] != tokens[1]["accessToken"]
    new = f"{PASSWORD} {uuid4()}"
    change = """
    mutation($input: ChangePasswordInput!) { changePassword(input: $input) { errors { code } } }
    """
    for current, expected in ((PASSWORD, []), (PASSWORD, [{"code": "INVALID"}])):
        passwords = {"input": {"currentPassword": current, "newPassword": new}}
        answer = await answered(person, "c", passwords, change)
        assert answer["data"]["changePassword"]["errors"] == expected
    assert await kept(person) == 0
    assert PASSWORD not in str((await owner.execute(sa.select(records))).all())


async def test_twins_wait_without_a_connection(scene: Scene, urls: Urls, tmp_path: Path) -> None:
    company = await scene.insert(Company)
    given = {"input": {"fullName": "Mona", "companyId": str(company["id"])}}
    async with running(urls.gateway, tmp_path, pool_size=2) as other, AsyncExitStack() as stack:
        person = await session_of(other, scene.owner, scene.tenant, scene.client.user_id)  # type: ignore[arg-type]
        away = Scene(scene.owner, person, scene.tenant)
        holding = await stack.enter_async_context(scene.client.services.database.write(Scope(scene.tenant)))
        await holding.execute(sa.select(Company.id).where(Company.id == company["id"]).with_for_update())
        pid = (await holding.execute(sa.select(sa.func.pg_backend_pid()))).scalar_one()
        twins = [asyncio.create_task(sent(away, "k", given)) for _ in range(20)]
        await blocked(scene.owner, pid)
        assert await away.call("createCompany", "company { name }", input={"name": "Nile"})
        await stack.aclose()
        (text,) = {response.text for response in await asyncio.gather(*twins)}
    assert "errors" not in text.replace('"errors":[]', "")
    assert len(await scene.rows(Contact)) == 1
