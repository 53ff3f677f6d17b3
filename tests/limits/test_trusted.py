"""Trusted documents: added from manifests, found by their ids, and where required the only ones."""

import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db.gateway import documents
from db.models import Company, Tenant
from db.session import SERVER_SETTINGS, Database
from graph.admission.trusted import TrustedDocuments
from graph.context import Services
from graph.errors import DocumentNotFound, Timeout, Unavailable
from graph.limits import TRUSTED_KEPT, TRUSTED_SECONDS
from tests.cli.conftest import M3
from tests.client import Client, running, signed_in
from tests.factories import insert, make_tenant
from tests.server import Urls


def query() -> str:
    """A document that no other test has."""
    return f"query Q{uuid4().hex} {{ viewer {{ tenant {{ slug }} }} }}"


def digest(text: str, algorithm: str = "sha256") -> str:
    return hashlib.new(algorithm, text.encode(), usedforsecurity=False).hexdigest()


def apollo(*texts: str) -> dict[str, Any]:
    operations = [{"id": digest(text), "name": "Q", "type": "query", "body": text} for text in texts]
    return {"format": "apollo-persisted-query-manifest", "version": 1, "operations": operations}


class Deployment:
    """The database, an operator at a terminal, and gateways."""

    def __init__(self, urls: Urls, folder: Path, run: M3) -> None:
        self.urls, self.folder, self.run = urls, folder, run

    async def m3(self, *arguments: str) -> tuple[int, str]:
        """`m3 documents …`: its exit code, and what it said."""
        done = await self.run("documents", *arguments, owner_database_url=self.urls.owner)
        return done.code, done.out or done.err

    def manifest(self, content: Any) -> str:
        path = self.folder / f"{uuid4().hex}.json"
        path.write_text(json.dumps(content))
        return str(path)

    async def add(self, content: Any, *options: str) -> tuple[int, str]:
        return await self.m3("add", self.manifest(content), *options)


@pytest.fixture
def deployment(urls: Urls, tmp_path: Path, m3: M3) -> Deployment:
    return Deployment(urls, tmp_path, m3)


@pytest.fixture
async def gateway(urls: Urls, tmp_path: Path) -> AsyncIterator[Client]:
    """A gateway of the test's own, which has not looked at anything yet."""
    async with running(urls.gateway, tmp_path) as client:
        yield client


async def slug_of(owner: AsyncConnection, client: Client) -> str:
    slug = await owner.scalar(sa.select(Tenant.slug).where(Tenant.id == client.tenant_id))
    assert slug is not None
    return slug


async def send(client: Client, **body: Any) -> httpx.Response:
    headers = {} if client.token is None else {"Authorization": f"Bearer {client.token}"}
    async with client.http() as http:
        return await http.post("/graphql", json=body, headers=headers)


async def code(client: Client, **body: Any) -> str | None:
    """The code of the answer's only error."""
    answer = (await send(client, **body)).json()
    if "errors" not in answer:
        return None
    (error,) = answer["errors"]
    return str(error["extensions"]["code"])


@pytest.mark.parametrize("prefix", ["", "sha256:"])
async def test_apollos_manifest(
    deployment: Deployment, gateway: Client, owner: AsyncConnection, prefix: str
) -> None:
    reader = await signed_in(gateway, owner, await make_tenant(owner))
    text, other = query(), query()
    assert await code(reader, documentId=digest(text)) == "PERSISTED_DOCUMENT_NOT_FOUND"
    done, said = await deployment.add(apollo(text, other))
    assert (done, said.partition(": ")[2]) == (0, "added 2, known already 0\n")
    slug = await slug_of(owner, reader)
    for sent in (
        {"documentId": prefix + digest(text)},
        {"documentId": (prefix + digest(other))},
        {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": digest(text)}}},
    ):
        assert (await send(reader, **sent)).json() == {"data": {"viewer": {"tenant": {"slug": slug}}}}
    again = await deployment.add(apollo(text))
    assert again[1].endswith("added 0, known already 1\n")


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256"])
async def test_relays_map(
    deployment: Deployment, gateway: Client, owner: AsyncConnection, algorithm: str
) -> None:
    reader = await signed_in(gateway, owner, await make_tenant(owner), "companies.view")
    company = await insert(owner, Company, tenant_id=reader.tenant_id, name="ours")
    text = f"query Q{uuid4().hex}($id: ID!) {{ company(id: $id) {{ name }} }}"
    assert (await deployment.add({digest(text, algorithm): text}))[0] == 0
    answer = await send(reader, documentId=digest(text, algorithm), variables={"id": str(company["id"])})
    assert answer.json() == {"data": {"company": {"name": "ours"}}}


async def test_an_id_may_be_any_name(deployment: Deployment, gateway: Client, owner: AsyncConnection) -> None:
    reader = await signed_in(gateway, owner, await make_tenant(owner))
    name = f"crm/home@{uuid4()}"
    assert (await deployment.add({name: query()}))[0] == 0
    assert await code(reader, documentId=name) is None
    done, said = await deployment.add({name: query()})
    assert (done, said) == (1, f"m3: {name}: the id of another document\n")
    assert await code(reader, documentId="\0") == "PERSISTED_DOCUMENT_NOT_FOUND"


TEXT = "{ viewer { permissions } }"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"0" * 32: TEXT}, "not the md5 of its document"),
        ({"0" * 64: TEXT}, "not the sha256 of its document"),
        ({f"sha256:{'0' * 64}": TEXT}, "not the sha256 of its document"),
        ({"good": TEXT, "bad": "{ nothing }"}, "bad: Cannot query field 'nothing' on type 'Query'."),
        ({"bad": "{"}, "bad: Syntax Error: Expected Name, found <EOF>."),
        ({"bad": "{ " + "__typename " * 501 + "}"}, "bad: This asks for too much at once: pairs"),
        ({"bad": 1}, "bad: its document is no text"),
        ({"": TEXT}, "an id has 1 to 255 printable characters"),
        ({}, "neither Apollo's manifest nor a map of ids to documents"),
        ([TEXT], "neither Apollo's manifest nor a map of ids to documents"),
        (apollo(TEXT) | {"version": 2}, "version 1 of Apollo's manifest"),
        (apollo(TEXT, TEXT), "two documents have one id"),
    ],
)
async def test_a_manifest_is_added_whole_or_not_at_all(
    deployment: Deployment, owner: AsyncConnection, content: Any, said: str
) -> None:
    before = await owner.scalar(sa.select(sa.func.count()).select_from(documents))
    done, told = await deployment.add(content)
    assert done == 1
    assert said in told
    assert await owner.scalar(sa.select(sa.func.count()).select_from(documents)) == before


async def test_another_tenants_document_is_as_one_that_is_not_there(
    deployment: Deployment, gateway: Client, owner: AsyncConnection
) -> None:
    ours, theirs = [await signed_in(gateway, owner, await make_tenant(owner)) for _ in range(2)]
    text = query()
    assert (await deployment.add(apollo(text), "--tenant", await slug_of(owner, theirs)))[0] == 0
    assert await code(theirs, documentId=digest(text)) is None
    nobody = Client(gateway.app)
    for client in (ours, nobody):
        hidden, missing = [await send(client, documentId=item) for item in (digest(text), digest("none"))]
        assert hidden.text == missing.text
        assert hidden.json()["errors"][0]["extensions"] == {"code": "PERSISTED_DOCUMENT_NOT_FOUND"}


async def test_documents_are_listed_and_removed(
    deployment: Deployment, gateway: Client, owner: AsyncConnection
) -> None:
    reader = await signed_in(gateway, owner, await make_tenant(owner))
    slug, own, common = await slug_of(owner, reader), query(), query()
    await deployment.add(apollo(own), "--tenant", slug)
    await deployment.add(apollo(common))
    _, listed = await deployment.m3("list", "--tenant", slug)
    rows = {line.split()[0]: line for line in listed.splitlines()}
    assert f" {slug} " in rows[digest(own)]
    assert rows[digest(common)].split()[1:3] == ["*", str(len(common))]
    assert await deployment.m3("remove", digest(own)) == (0, "removed: 0\n"), "it is not one for all"
    assert await deployment.m3("remove", f"sha256:{digest(own)}", "--tenant", slug) == (0, "removed: 1\n")
    assert await code(reader, documentId=digest(own)) == "PERSISTED_DOCUMENT_NOT_FOUND"
    assert await code(reader, documentId=digest(common)) is None


INTROSPECTION = "{ __schema { queryType { name } } __typename }"


@pytest.mark.parametrize("by", ["deployment", "tenant"])
@pytest.mark.parametrize("mode", ["off", "allow", "require"])
async def test_each_mode(
    deployment: Deployment, owner: AsyncConnection, urls: Urls, tmp_path: Path, mode: str, by: str
) -> None:
    other = {"off": "require", "allow": "off", "require": "allow"}[mode]
    async with running(urls.gateway, tmp_path, documents=mode if by == "deployment" else other) as gateway:
        reader = await signed_in(gateway, owner, await make_tenant(owner))
        text = query()
        await deployment.add(apollo(text))
        if by == "tenant":
            slug = await slug_of(owner, reader)
            assert await deployment.m3("mode", mode, "--tenant", slug) == (0, f"{slug}: {mode}\n")
            assert f"{slug:<24} {mode}\n" in (await deployment.m3("mode"))[1]
        not_found = "PERSISTED_DOCUMENT_NOT_FOUND"
        assert await code(reader, documentId=digest(text)) == (not_found if mode == "off" else None)
        free = not_found if mode == "require" else None
        assert await code(reader, query=query()) == free
        assert await code(reader, query=text) == free, "by its id alone"
        assert await code(reader, query=INTROSPECTION) is None
        mixed = "{ __schema { queryType { name } } viewer { permissions } }"
        assert await code(reader, query=mixed) == free
        broken = "{ nothing }"
        assert await code(reader, query=broken) == (free or "GRAPHQL_VALIDATION_FAILED")
        # Who is not signed in has no tenant
        nobody = mode if by == "deployment" else other
        expected = not_found if nobody == "require" else None
        assert await code(Client(gateway.app), query="{ __typename viewer { permissions } }") in (
            expected,
            None if expected else "UNAUTHENTICATED",
        )


@pytest.mark.parametrize(
    "body",
    [
        {"documentId": 1},
        {"documentId": ""},
        {"documentId": "x" * 256},
        {"documentId": "x", "query": "{ __typename }"},
        {"extensions": {"persistedQuery": 1}},
        {"extensions": {"persistedQuery": {"sha256Hash": 1}}},
        {},
    ],
)
async def test_a_request_names_one_document(gateway: Client, body: dict[str, Any]) -> None:
    response = await send(gateway, **body)
    assert response.status_code == 400
    assert response.json()["errors"][0]["extensions"] == {"code": "BAD_INPUT"}


async def test_a_name_of_an_operation_and_a_key_go_with_an_id(
    deployment: Deployment, gateway: Client, owner: AsyncConnection
) -> None:
    writer = await signed_in(gateway, owner, await make_tenant(owner), "*")
    text = f"""mutation Make($name: String!) {{
      createCompany(input: {{ name: $name }}) {{ company {{ id name }} }} }}
    query Q{uuid4().hex} {{ __typename }}"""
    await deployment.add(apollo(text))
    sent = {"documentId": digest(text), "operationName": "Make", "variables": {"name": "once"}}
    key = {"extensions": {"idempotencyKey": "k"}}
    first, again = [(await send(writer, **sent, **key)).json() for _ in range(2)]
    assert first == again
    other = sent | {"variables": {"name": "twice"}}
    assert await code(writer, **other, **key) == "IDEMPOTENCY_CONFLICT"
    stored = sa.select(Company.name).where(Company.tenant_id == writer.tenant_id)
    assert list(await owner.scalars(stored)) == ["once"]


class Clock:
    """A clock that is set by hand."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


async def test_what_is_kept_is_bounded_and_looked_up_again(
    deployment: Deployment, gateway: Client, owner: AsyncConnection
) -> None:
    services: Services = gateway.services
    clock = Clock()
    kept = TrustedDocuments(services.database, "allow", clock)
    tenant = await make_tenant(owner)
    slug, text = await slug_of(owner, await signed_in(gateway, owner, tenant)), query()
    await deployment.add(apollo(text), "--tenant", slug)
    assert await kept.find(tenant, digest(text)) == text
    assert await kept.mode(tenant) == "allow"
    await deployment.m3("remove", digest(text), "--tenant", slug)
    await deployment.m3("mode", "require", "--tenant", slug)
    clock.now += TRUSTED_SECONDS - 1
    assert await kept.find(tenant, digest(text)) == text
    assert await kept.mode(tenant) == "allow"
    clock.now += 1
    with pytest.raises(DocumentNotFound):
        await kept.find(tenant, digest(text))
    assert await kept.mode(tenant) == "require"
    assert await kept.mode(None) == await kept.mode(uuid4()) == "allow"
    many = {f"{uuid4()}": query() for _ in range(TRUSTED_KEPT + 5)}
    rows = [{"id": name, "body": body} for name, body in many.items()]
    await owner.execute(documents.insert(), rows)
    for name, body in many.items():
        assert await kept.find(tenant, name) == body
    assert len(kept._known) == TRUSTED_KEPT


async def test_a_look_up_that_takes_too_long_says_so(owner_engine: AsyncEngine, urls: Urls) -> None:
    hasty = {**SERVER_SETTINGS, "statement_timeout": "500ms"}
    database = Database(urls.gateway, pool_size=1, server_settings=hasty)
    async with owner_engine.connect() as other:
        await other.execute(sa.text("BEGIN"))
        await other.execute(sa.text("LOCK TABLE gateway.documents IN ACCESS EXCLUSIVE MODE"))
        with pytest.raises(Timeout):
            await TrustedDocuments(database, "allow").find(None, "any")
        await other.execute(sa.text("ROLLBACK"))
    await database.close()


async def test_without_the_database_what_is_known_of_modes_stands(
    deployment: Deployment, gateway: Client, owner: AsyncConnection, urls: Urls, tmp_path: Path
) -> None:
    tenant = await make_tenant(owner)
    slug = await owner.scalar(sa.select(Tenant.slug).where(Tenant.id == tenant))
    await deployment.m3("mode", "require", "--tenant", str(slug))
    clock = Clock()
    async with running(urls.gateway, tmp_path) as other:
        kept = TrustedDocuments(other.services.database, "off", clock)
        assert await kept.mode(tenant) == "require"
    nowhere = urls.gateway.replace(urls.name, "nothing")
    async with running(nowhere, tmp_path) as lost:
        kept._database = lost.services.database
        clock.now += TRUSTED_SECONDS
        assert await kept.mode(tenant) == "require"
        with pytest.raises(Unavailable):
            await TrustedDocuments(lost.services.database, "off", clock).mode(tenant)
