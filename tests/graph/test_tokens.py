"""Who is let in: every token that is not good is UNAUTHENTICATED, and nothing worse."""

import hmac
import json
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import jwt
import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt import PyJWK
from sqlalchemy.ext.asyncio import AsyncConnection

from db import models
from graph.auth.base64url import encode
from tests.client import Client, signed_in
from tests.factories import make_tenant, make_user
from tests.statements import statements

ASK = """query ($id: ID!) {
    viewer { permissions } deal(id: $id) { id } deals { totalCount } plans { totalCount } node(id: $id) { id }
}"""
NOBODY = {"viewer": None, "deal": None, "deals": None, "plans": None, "node": None}


async def ask(client: Client, authorization: bytes | None) -> httpx.Response:
    headers = [] if authorization is None else [(b"authorization", authorization)]
    async with client.http() as http:
        body = {"query": ASK, "variables": {"id": str(uuid4())}}
        return await http.post("/graphql", json=body, headers=headers)


async def is_refused(client: Client, authorization: bytes | None) -> bool:
    """Whether every field answers UNAUTHENTICATED; anything between that and an answer fails."""
    response = await ask(client, authorization)
    assert response.status_code == 200
    answer = response.json()
    errors = answer.get("errors", [])
    if not errors or {error["extensions"]["code"] for error in errors} == {"NOT_FOUND"}:
        return False
    assert answer["data"] == NOBODY
    assert sorted(error["path"][0] for error in errors) == sorted(NOBODY)
    assert all(error["extensions"] == {"code": "UNAUTHENTICATED"} for error in errors)
    return True


def bearer(token: str) -> bytes:
    return f"Bearer {token}".encode()


@pytest.fixture
async def client(anyone: Client, owner: AsyncConnection) -> Client:
    """Somebody with a good token, who may read deals."""
    return await signed_in(anyone, owner, await make_tenant(owner), "deals.view")


def payload(client: Client, **changed: Any) -> dict[str, Any]:
    assert client.token is not None
    claims: dict[str, Any] = jwt.decode(client.token, options={"verify_signature": False})
    return {name: value for name, value in (claims | changed).items() if value is not ...}


def signed(client: Client, key: Any = None, kid: str | None = None, **changed: Any) -> str:
    """A token made by hand: the client's own but for what is given."""
    active = client.services.keys.current.active
    headers = {"kid": active.id if kid is None else kid}
    given = active.private if key is None else key
    return jwt.encode(payload(client, **changed), given, algorithm="EdDSA", headers=headers)


def labelled(client: Client, algorithm: str, signature: str = "", secret: bytes | None = None) -> str:
    """The client's token with another `alg`; signed as HS256 with `secret`, which PyJWT would not do."""
    header = {"alg": algorithm, "typ": "JWT", "kid": client.services.keys.current.active.id}
    text = ".".join(encode(json.dumps(part).encode()) for part in (header, payload(client)))
    if secret is not None:
        signature = encode(hmac.digest(secret, text.encode(), "sha256"))
    return f"{text}.{signature}"


async def test_a_good_token_is_let_in(client: Client) -> None:
    assert client.token is not None
    assert not await is_refused(client, bearer(client.token))
    assert not await is_refused(client, bearer(signed(client)))
    assert not await is_refused(client, f"bearer   {client.token} ".encode())


@pytest.mark.parametrize(
    "header",
    [
        None,
        b"",
        b"Bearer",
        b"Bearer ",
        b"Bearer null",
        b"Bearer a.b.c",
        b"Bearer ..",
        b"Bearer \xe9.\xff.\x80",
        b"Bearer " + b"x" * 60_000,
        b"Bearer " + b"." * 60_000,
        b"Basic YWhtZWQ6c2VjcmV0",
        b"Digest {token}",
        b"Bearer {token}, Bearer {token}",
        b"Bearer Bearer {token}",
        b"Bearer {token}.{token}",
        b"Bearer {token}=",
        b'Bearer "{token}"',
    ],
)
async def test_a_header_that_carries_no_token_is_nobody(client: Client, header: bytes | None) -> None:
    token = (client.token or "").encode()
    with statements(client.services.database) as sent:
        assert await is_refused(client, header and header.replace(b"{token}", token))
    assert sent == [], "what proves nothing is not worth a statement"


HOUR = 3600
FORGED: dict[str, Callable[[Client], str]] = {
    "expired": lambda client: signed(client, iat=int(time.time()) - HOUR, exp=int(time.time()) - 60),
    "without an end": lambda client: signed(client, exp=...),
    "of the future": lambda client: signed(client, iat=int(time.time()) + HOUR),
    "not valid yet": lambda client: signed(client, nbf=int(time.time()) + HOUR),
    "another audience": lambda client: signed(client, aud="another"),
    "several audiences": lambda client: signed(client, aud=["m3core-graphql", "another"]),
    "another issuer": lambda client: signed(client, iss="https://issuer.test"),
    "no session": lambda client: signed(client, sid=...),
    "no tenant": lambda client: signed(client, tid=...),
    "an id that is none": lambda client: signed(client, sub="admin"),
    "another key": lambda client: signed(client, key=Ed25519PrivateKey.generate()),
    "an unknown key id": lambda client: signed(client, kid="0" * 16),
    "an unknown key with its own id": lambda client: signed(
        client, key=Ed25519PrivateKey.generate(), kid="f" * 16
    ),
    "unsigned": lambda client: signed(client).rsplit(".", 1)[0] + ".",
    "alg none": lambda client: labelled(client, "none"),
    "alg None": lambda client: labelled(client, "None"),
    "alg none, signed": lambda client: labelled(client, "none", signed(client).rsplit(".", 1)[1]),
    "HS256 by the public key": lambda client: labelled(client, "HS256", secret=public(client)),
    "HS256 by its text": lambda client: labelled(client, "HS256", secret=encode(public(client)).encode()),
    "HS256 by its PEM": lambda client: labelled(client, "HS256", secret=pem(client)),
    "HS256 by what is published": lambda client: labelled(client, "HS256", secret=published(client)),
    "HS256 by nothing": lambda client: labelled(client, "HS256", secret=b""),
    "altered": lambda client: altered(client),
}


def public(client: Client) -> bytes:
    return client.services.keys.current.active.private.public_key().public_bytes_raw()


def pem(client: Client) -> bytes:
    key = client.services.keys.current.active.private.public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def published(client: Client) -> bytes:
    return json.dumps(client.services.keys.current.active.jwk).encode()


def altered(client: Client) -> str:
    head, _, signature = signed(client).split(".")
    body = encode(json.dumps(payload(client, sub=str(uuid4()))).encode())
    return f"{head}.{body}.{signature}"


@pytest.mark.parametrize("how", FORGED)
async def test_a_token_that_is_not_ours_or_not_good_is_nobodys(client: Client, how: str) -> None:
    with statements(client.services.database) as sent:
        assert await is_refused(client, bearer(FORGED[how](client)))
    assert sent == []


async def suspended(client: Client, owner: AsyncConnection) -> None:
    await owner.execute(sa.update(models.User).where(of(client)).values(status="suspended"))


async def deactivated(client: Client, owner: AsyncConnection) -> None:
    await owner.execute(sa.update(models.User).where(of(client)).values(status="deactivated"))


async def deleted(client: Client, owner: AsyncConnection) -> None:
    await owner.execute(sa.delete(models.User).where(of(client)))


async def revoked(client: Client, owner: AsyncConnection) -> None:
    await owner.execute(
        sa.update(models.Session).where(sessions_of(client)).values(revoked_at=datetime.now(UTC))
    )


async def expired(client: Client, owner: AsyncConnection) -> None:
    past = datetime.now(UTC) - timedelta(seconds=1)
    await owner.execute(sa.update(models.Session).where(sessions_of(client)).values(expires_at=past))


async def forgotten(client: Client, owner: AsyncConnection) -> None:
    await owner.execute(sa.delete(models.Session).where(sessions_of(client)))


async def tenant_gone(client: Client, owner: AsyncConnection) -> None:
    await owner.execute(sa.delete(models.Tenant).where(models.Tenant.id == client.tenant_id))


def of(client: Client) -> sa.ColumnElement[bool]:
    return models.User.id == client.user_id


def sessions_of(client: Client) -> sa.ColumnElement[bool]:
    return models.Session.user_id == client.user_id


Ending = Callable[[Client, AsyncConnection], Awaitable[None]]


@pytest.mark.parametrize("end", [suspended, deactivated, deleted, revoked, expired, forgotten, tenant_gone])
async def test_a_good_token_ends_with_what_it_stands_for(
    client: Client, owner: AsyncConnection, end: Ending
) -> None:
    token = bearer(client.token or "")
    assert not await is_refused(client, token)
    await end(client, owner)
    assert await is_refused(client, token)


async def test_a_session_is_of_one_user_of_one_tenant(client: Client, owner: AsyncConnection) -> None:
    neighbour = await signed_in(client, owner, await make_tenant(owner), "*")
    colleague = await make_user(owner, UUID(str(client.tenant_id)), "*")
    mine, theirs = payload(client), payload(neighbour)
    assert not await is_refused(client, bearer(signed(client)))
    for swapped in (
        {"tid": theirs["tid"]},
        {"sid": theirs["sid"]},
        {"sub": theirs["sub"]},
        {"tid": theirs["tid"], "sub": theirs["sub"]},
        {"tid": theirs["tid"], "sid": theirs["sid"]},
        {"sub": theirs["sub"], "sid": theirs["sid"]},
        {"sub": str(colleague)},
        {"tid": str(uuid4())},
        {"tid": mine["sub"], "sub": mine["tid"]},
    ):
        assert await is_refused(client, bearer(signed(client, **swapped)))


SIGN_IN = """mutation ($slug: String!, $email: String!) {
    signIn(input: { tenantSlug: $slug, email: $email, password: "correct horse" }) {
        accessToken viewer { user { id } } errors { code }
    }
}"""


@pytest.mark.parametrize("stale", ["expired", "alg none", "another key"])
async def test_signing_in_works_with_a_stale_token_at_hand(
    client: Client, owner: AsyncConnection, stale: str
) -> None:
    slug = f"stale-{uuid4()}"
    tenant = await make_tenant(owner, slug=slug)
    hashed = await client.services.passwords.hash("correct horse")
    user = await make_user(owner, tenant, email=f"a@{slug}.test", password_hash=hashed)
    old = Client(client.app, FORGED[stale](client))
    done = (await old.read(SIGN_IN, slug=slug, email=f"a@{slug}.test"))["signIn"]
    assert done["errors"] == []
    assert done["viewer"] == {"user": {"id": str(user)}}
    new = Client(client.app, done["accessToken"])
    assert await new.read("{ viewer { user { id } } }") == {"viewer": {"user": {"id": str(user)}}}


async def test_anybody_can_verify_a_token_by_the_published_keys(client: Client) -> None:
    async with client.http() as http:
        response = await http.get("/.well-known/jwks.json")
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/jwk-set+json"
    assert client.token is not None
    kid = jwt.get_unverified_header(client.token)["kid"]
    (published,) = [key for key in response.json()["keys"] if key["kid"] == kid]
    settings = client.services.settings
    claims = jwt.decode(
        client.token,
        PyJWK(published),
        algorithms=["EdDSA"],
        audience=settings.audience,
        issuer=settings.issuer,
    )
    assert claims["sub"] == str(client.user_id)


async def test_no_private_part_of_a_key_is_published(client: Client) -> None:
    async with client.http() as http:
        response = await http.get("/.well-known/jwks.json")
    public_parts = {"kty", "crv", "x", "kid", "alg", "use"}
    assert [set(key) for key in response.json()["keys"]] == [public_parts]
    ring = client.services.keys.current
    for secret in (ring.active.private.private_bytes_raw(), ring.master):
        assert encode(secret) not in response.text
        assert secret.hex() not in response.text
