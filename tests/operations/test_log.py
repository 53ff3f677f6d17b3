"""The log has a line for each operation, and nothing of what people have typed or of what opens doors."""

import asyncio
import json
import signal
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.cli.program import PATIENCE, line_with, started
from tests.client import Client
from tests.operations.people import PASSWORD, Person, ask
from tests.server import Urls

CONTACT = """
mutation AddContact($name: String!, $email: EmailAddress, $phone: PhoneNumber) {
  createContact(input: { fullName: $name, email: $email, phoneE164: $phone }) { errors { code } }
}
"""


@pytest.fixture
async def lines(urls: Urls, keys_file: Path, person: Person) -> list[dict[str, Any]]:
    """The log, at its most talkative, of a server that somebody has used; nothing they typed is in it."""
    settings = {"database_url": urls.gateway, "keys_file": keys_file, "port": 0, "log_level": "debug"}
    async with started("serve", **settings) as process:
        serving = await line_with(process.stderr, '"serving"')
        base = f"http://127.0.0.1:{json.loads(serving)['port']}"
        async with httpx.AsyncClient(base_url=base, trust_env=False, timeout=PATIENCE) as http:
            assert await person.sign_in(http, "wrong-password-of-mine") == ["INVALID"]
            slug, person.slug = person.slug, "my-password-in-the-field-of-the-slug"
            assert await person.sign_in(http) == ["INVALID"]
            person.slug = slug
            assert await person.sign_in(http) == []
            given = {"name": "Yasmin Personal", "email": "yasmin@personal.test", "phone": "+201001234567"}
            added = await person.ask(http, CONTACT, **given)
            assert added["data"]["createContact"]["errors"] == []
            # In the document itself, in a filter, where they do not fit, and in a document that is none
            for document in (
                'mutation { createContact(input: { fullName: "Literal Personal" }) { contact { id } } }',
                '{ contacts(filter: { fullName: { contains: "Filter Personal" } }) { nodes { id } } }',
                '{ contact(id: "Wrong Personal") { id } }',
                '{ contacts(first: "Invalid Personal") { nodes { id } } }',
                '{ contacts(filter: { email: { eq: "Broken Personal } ',
            ):
                await person.ask(http, document)
            await person.ask(http, CONTACT, name=["List Personal"], email=5)
            await Person(person.tenant_id, "", "", "not.a.token-personal").ask(
                http, "{ viewer { user { id } } }"
            )
        process.send_signal(signal.SIGINT)
        _, err = await asyncio.wait_for(process.communicate(), PATIENCE)
    said = serving + err.decode()
    for secret in (
        "personal",
        "201001234567",
        PASSWORD,
        "wrong-password",
        "field-of-the-slug",
        person.email,
        person.access_token,
        person.refresh_token,
        person.access_token.split(".")[2],
        "fullName",
        "tenantSlug",
    ):
        assert secret.lower() not in said.lower(), secret
    return [json.loads(line) for line in said.splitlines()]


async def test_each_operation_is_one_line_without_what_was_typed(
    lines: list[dict[str, Any]], person: Person
) -> None:
    operations = [line for line in lines if line["event"] == "operation"]
    assert [line.get("name") for line in operations[:4]] == ["SignIn", "SignIn", "SignIn", "AddContact"]
    assert len(operations) == 11
    added = operations[3]
    assert added.pop("ms") > 0
    assert added.pop("statements") > 1
    UUID(added.pop("request_id"))
    added.pop("timestamp")
    added.pop("cost", None)
    assert added == {
        "event": "operation",
        "name": "AddContact",
        "kind": "mutation",
        "tenant_id": str(person.tenant_id),
        "level": "info",
    }
    codes = [line.get("codes") for line in operations[6:]]
    assert codes == [
        {"BAD_INPUT": 1},
        {"GRAPHQL_VALIDATION_FAILED": 1},
        {"GRAPHQL_PARSE_FAILED": 1},
        {"BAD_INPUT": 2},
        {"UNAUTHENTICATED": 1},
    ]
    refused = [line for line in lines if line["event"] == "sign_in.refused"]
    assert [line["tenant_id"] for line in refused] == [str(person.tenant_id), None]


async def test_a_log_that_nobody_reads_any_more_fails_no_operation(urls: Urls, keys_file: Path) -> None:
    async with started("serve", database_url=urls.gateway, keys_file=keys_file, port=0) as process:
        port = json.loads(await line_with(process.stderr, '"serving"'))["port"]
        pipe = process._transport.get_pipe_transport(2)  # type: ignore[attr-defined]  # the only way to it
        pipe.close()
        base = f"http://127.0.0.1:{port}"
        async with httpx.AsyncClient(base_url=base, trust_env=False, timeout=PATIENCE) as http:
            for _ in range(3):
                assert (await ask(http, "{ __typename }"))["data"] == {"__typename": "Query"}


async def test_a_quiet_log_has_no_line_for_what_went_well(
    anyone: Client, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from graph.observability import operation

    written: list[str] = []
    monkeypatch.setattr(
        operation, "log", type("Log", (), {"log": lambda _, level, *__, **___: written.append(level)})()
    )
    with caplog.at_level("WARNING", "graph.observability.operation"):
        assert (await anyone.ask("{ __typename }"))["data"] == {"__typename": "Query"}
    assert written == []
    with caplog.at_level("INFO", "graph.observability.operation"):
        await anyone.ask("{ __typename }")
    assert len(written) == 1
