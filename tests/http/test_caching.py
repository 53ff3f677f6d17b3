"""Trusted documents by GET: what caches are told, and that nobody else's answer comes out of one."""

import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Tenant
from tests.cli.conftest import M3, m3
from tests.client import Client, running, signed_in
from tests.factories import make_tenant
from tests.server import Urls

__all__ = ["m3"]

OWN = "query Own { viewer { tenant { slug } } }"
OPEN = 'query Open($name: String = "Deal") { __type(name: $name) { kind } }'
MUTATION = "mutation Out { signOut { errors { code } } }"


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture
async def gateway(urls: Urls, tmp_path: Path, m3: M3) -> AsyncIterator[Client]:
    """A gateway that takes no queries as text in URLs and knows the three documents."""
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({digest(text): text for text in (OWN, OPEN, MUTATION)}))
    done = await m3("documents", "add", str(manifest), owner_database_url=urls.owner)
    assert done.code == 0, done.err
    async with running(urls.gateway, tmp_path, get_queries=False) as client:
        yield client


async def get(client: Client, text: str, /, **headers: str) -> httpx.Response:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if client.token is not None:
        sent["authorization"] = f"Bearer {client.token}"
    async with client.http() as http:
        return await http.get(f"/graphql?{urlencode({'documentId': digest(text)})}", headers=sent)


async def test_an_answer_to_somebody_is_theirs_and_asked_for_again(
    gateway: Client, owner: AsyncConnection
) -> None:
    tenant = await make_tenant(owner)
    reader = await signed_in(gateway, owner, tenant, "*")
    first = await get(reader, OWN)
    assert first.status_code == 200
    assert first.headers["cache-control"] == "private, no-cache"
    assert {"Accept", "Authorization"} <= set(first.headers["vary"].split(", "))
    for known in (first.headers["etag"], f'"x", {first.headers["etag"]}'):
        again = await get(reader, OWN, if_none_match=known)
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
    await owner.execute(sa.update(Tenant).values(slug=f"{tenant.hex}x").where(Tenant.id == tenant))
    changed = await get(reader, OWN, if_none_match=first.headers["etag"])
    assert changed.status_code == 200
    assert changed.headers["etag"] != first.headers["etag"]


async def test_what_one_has_kept_is_not_anothers(gateway: Client, owner: AsyncConnection) -> None:
    one = await signed_in(gateway, owner, await make_tenant(owner), "*")
    other = await signed_in(gateway, owner, await make_tenant(owner), "*")
    kept = (await get(one, OWN)).headers["etag"]
    assert (await get(other, OWN, if_none_match=kept)).status_code == 200


async def test_an_answer_to_anybody_may_be_given_to_anybody(gateway: Client) -> None:
    response = await get(gateway, OPEN)
    assert response.json()["data"] == {"__type": {"kind": "OBJECT"}}
    assert response.headers["cache-control"] == "public, max-age=60"


async def test_errors_and_costs_are_not_kept(gateway: Client, owner: AsyncConnection) -> None:
    refused = await get(gateway, OWN)
    assert refused.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    reader = await signed_in(gateway, owner, await make_tenant(owner), "*")
    for response in (refused, await get(reader, OWN, explain_cost="1"), await get(gateway, "none")):
        assert response.headers["cache-control"] == "no-store"
        assert "etag" not in response.headers


async def test_a_trusted_mutation_does_not_run_by_get(gateway: Client) -> None:
    response = await get(gateway, MUTATION)
    assert response.status_code == 405
    assert response.headers["allow"] == "POST"
