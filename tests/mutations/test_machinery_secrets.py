"""What no answer and no log says: passwords, SQL, the names of constraints."""

import json
import traceback
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import pytest
import sqlalchemy as sa
from graphql import get_named_type
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection
from structlog.testing import capture_logs

from db.models import User
from db.session import Database, Scope
from graph.observability.logging import fault
from graph.writing.editing import CreateField
from graph.writing.work import Work
from tests.client import Client, running
from tests.mutations.given import MUTATIONS
from tests.mutations.identity.people import Person, tenant_with
from tests.mutations.scene import Scene, document
from tests.mutations.told import leaks
from tests.server import Urls

SECRET: Final = "secret-of-mine-42"
WORDS: Final = [
    (name, field)
    for name in MUTATIONS
    for arg in MUTATIONS[name].args.values()
    for field in getattr(get_named_type(arg.type), "fields", ())
    if "password" in field.lower() or "token" in field.lower()
]
INSTEAD: Final[list[Any]] = [
    SECRET,
    [SECRET],
    {"value": SECRET},
    SECRET + "\0",
    f"{SECRET} {'x' * 100_001}",
    [[SECRET, 7]],
]


@pytest.fixture
async def person(urls: Urls, tmp_path: Path, owner: AsyncConnection) -> AsyncIterator[Person]:
    """Somebody of an application that has counted no wrong passwords yet."""
    async with running(urls.gateway, tmp_path) as anyone:
        yield await tenant_with(anyone, owner, "*")


def test_there_are_fields_of_secrets() -> None:
    assert {name for name, _ in WORDS} == {
        "acceptInvite",
        "changePassword",
        "refreshSession",
        "resetPassword",
        "signIn",
    }


@pytest.mark.parametrize(("name", "field"), WORDS)
async def test_a_secret_is_in_no_answer_and_no_log(
    person: Person, name: str, field: str, caplog: pytest.LogCaptureFixture
) -> None:
    fields = get_named_type(MUTATIONS[name].args["input"].type).fields
    good: dict[str, Any] = dict.fromkeys(fields, "some words")
    given = [good | {field: value} for value in INSTEAD]
    given += [{"nonsense": 1, field: SECRET}, {**good, field: SECRET, "nonsense": 1}]
    asked = document(name, "errors { code field message }", {"input": good})
    with capture_logs() as logged:
        async with person.unchanged():
            for one in (*given, SECRET, [SECRET]):
                response = await person.client.post(asked, {"input": one})
                assert SECRET not in response.text, one
                assert "INTERNAL" not in response.text, one
                assert response.json().get("errors") or response.json()["data"][name]["errors"]
            for literal in (f'["{SECRET}"]', f'{{ value: "{SECRET}" }}', f'"{SECRET}', f'"{SECRET}" "'):
                inline = f"mutation {{ {name}(input: {{ {field}: {literal} }}) {{ errors {{ code }} }} }}"
                response = await person.client.post(inline)
                assert SECRET not in response.text, literal
                assert response.json()["errors"], literal
    assert SECRET not in f"{logged}{caplog.text}"


async def test_a_lone_surrogate_is_no_text(anyone: Client, owner: AsyncConnection) -> None:
    scene = await Scene.make(anyone, owner)
    asked = document("createCompany", "errors { code }", {"input": {}})
    body = json.dumps({"query": asked, "variables": {"input": {"name": "a\ud800b"}}})
    assert "\\ud800" in body
    inline = 'mutation { createCompany(input: { name: "a\\ud800b" }) { errors { code } } }'
    headers = {"Authorization": f"Bearer {scene.client.token}", "Content-Type": "application/json"}
    async with scene.unchanged(), anyone.http() as http:
        sent = await http.post("/graphql", content=body, headers=headers)
        written = await http.post("/graphql", json={"query": inline}, headers=headers)
    assert [error["extensions"]["code"] for error in sent.json()["errors"]] == ["BAD_INPUT"]
    assert [error["extensions"]["code"] for error in written.json()["errors"]] == ["GRAPHQL_PARSE_FAILED"]


async def test_a_fault_of_ours_says_a_request_id_and_no_more(
    anyone: Client, owner: AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = await Scene.make(anyone, owner)

    async def edit(field: CreateField, work: Work, **given: Any) -> Any:
        await work.execute(sa.text("SELECT hidden_column FROM companies"))

    monkeypatch.setattr(CreateField, "edit", edit)
    with capture_logs() as logged:
        async with scene.unchanged():
            answer = await scene.ask("createCompany", "errors { code }", input={"name": SECRET})
    assert answer["data"] == {"createCompany": None}
    (error,) = answer["errors"]
    assert error["extensions"].keys() == {"code", "requestId"}
    assert error["extensions"]["code"] == "INTERNAL"
    assert "hidden_column" not in str(answer)
    assert not leaks(str(answer))
    (entry,) = (line for line in logged if line["event"] != "operation")
    assert (entry["event"], entry["request_id"]) == ("field.failed", error["extensions"]["requestId"])


async def test_the_log_tells_a_fault_of_the_database_by_its_state(
    database: Database, anyone: Client, owner: AsyncConnection
) -> None:
    scene = await Scene.make(anyone, owner)
    taken = await scene.insert(User, email=f"{SECRET}@example.com")
    again = sa.insert(User).values(tenant_id=scene.tenant, email=taken["email"])
    with pytest.raises(IntegrityError) as raised:
        async with database.write(Scope(tenant_id=scene.tenant)) as connection:
            await connection.execute(again)
    assert leaks("".join(traceback.format_exception(raised.value)))
    told = told_of(raised.value)
    assert told.count("SQLSTATE 23505") == 3, "of the driver, of its adapter, of SQLAlchemy"
    assert SECRET not in told
    said = [line for line in told.splitlines() if not line.startswith((" ", "Traceback "))]
    assert not [line for line in said if not line.endswith(": SQLSTATE 23505")]
    assert "test_machinery_secrets.py" in told, "where it comes from"


def test_other_faults_are_told_in_full() -> None:
    second = ValueError("second")
    second.__cause__ = KeyError("first")
    told = told_of(second).splitlines()
    assert told[-1] == "builtins.ValueError: second"
    assert "builtins.KeyError: 'first'" in told
    second.__cause__, second.__context__ = None, KeyError("first")
    second.__suppress_context__ = True
    assert "first" not in told_of(second)


def told_of(error: Exception) -> str:
    return fault((type(error), error, error.__traceback__))
