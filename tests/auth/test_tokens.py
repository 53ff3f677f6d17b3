"""Access and refresh tokens: what is ours is read, anything else is refused in one way."""

import time
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from graph.auth import keys, refresh, tokens
from graph.auth.base64url import encode
from graph.auth.keys import KeyFile
from graph.auth.refresh import RefreshToken
from graph.auth.tokens import AccessTokens, InvalidToken
from graph.settings import Settings

TENANT, USER, SESSION = uuid4(), uuid4(), uuid4()


class World:
    """A keys file, a clock that a test moves, and tokens made by hand."""

    def __init__(self, path: Path) -> None:
        self.path = path
        keys.generate(path)
        self.file = KeyFile(path, clock=self.clock)
        self.ahead = 0.0
        self.tokens = AccessTokens(self.file, Settings(), clock=self.clock)

    def clock(self) -> float:
        return time.time() + getattr(self, "ahead", 0.0)

    def claims(self, **changed: Any) -> dict[str, Any]:
        now = int(time.time())
        claims = {
            "sub": str(USER),
            "tid": str(TENANT),
            "sid": str(SESSION),
            "iat": now,
            "exp": now + 600,
            "iss": "m3core",
            "aud": "m3core-graphql",
            "jti": "1",
        }
        return {key: value for key, value in (claims | changed).items() if value is not ...}

    def signed(self, key: Any = None, algorithm: str = "EdDSA", **changed: Any) -> str:
        active = self.file.current.active
        signing = active.private if key is None else key
        return jwt.encode(self.claims(**changed), signing, algorithm=algorithm, headers={"kid": active.id})

    def refused(self, token: str) -> bool:
        with pytest.raises(InvalidToken) as refused:
            self.tokens.verify(token)
        return type(refused.value) is InvalidToken


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "keys.json")


def test_an_issued_token_says_whose_it_is(world: World) -> None:
    token, expires = world.tokens.issue(TENANT, USER, SESSION)
    claims = world.tokens.verify(token)
    assert (claims.tenant_id, claims.user_id, claims.session_id) == (TENANT, USER, SESSION)
    assert claims.expires_at == expires
    assert 598 <= expires.timestamp() - time.time() <= 600
    header = jwt.get_unverified_header(token)
    assert (header["alg"], header["kid"]) == ("EdDSA", world.file.current.active.id)
    plain = jwt.decode(token, options={"verify_signature": False})
    assert set(plain) == set(tokens.CLAIMS)
    assert world.tokens.issue(TENANT, USER, SESSION)[0] != token


def test_a_token_made_by_hand_is_accepted_when_nothing_is_changed(world: World) -> None:
    assert world.tokens.verify(world.signed()).user_id == USER


@pytest.mark.parametrize("claim", tokens.CLAIMS)
def test_every_claim_is_needed(world: World, claim: str) -> None:
    assert world.refused(world.signed(**dict[str, Any]({claim: ...})))
    if claim not in ("iss", "sub", "jti"):  # PyJWT does not encode these as null
        assert world.refused(world.signed(**dict[str, Any]({claim: None})))


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": "another"},
        {"aud": ["m3core-graphql", "another"]},
        {"iss": "another"},
        {"exp": 1},
        {"exp": "soon"},
        {"exp": 1e300},
        {"exp": 10**15},
        {"exp": [1]},
        {"iat": 4102444800},
        {"nbf": 4102444800},
        {"sub": "me"},
        {"sub": ""},
        {"tid": 7},
        {"tid": {}},
        {"sid": "00000000"},
    ],
)
def test_a_wrong_claim_is_refused(world: World, changed: dict[str, Any]) -> None:
    assert world.refused(world.signed(**changed))


def test_unsigned_and_otherwise_signed_tokens_are_refused(world: World) -> None:
    active = world.file.current.active
    public = active.private.public_key()
    assert world.refused(world.signed(key="", algorithm="none"))
    for secret in (
        public.public_bytes_raw(),
        encode(public.public_bytes_raw()).encode(),
        public.public_bytes(Encoding.Raw, PublicFormat.Raw).hex().encode(),
    ):
        assert world.refused(world.signed(key=secret, algorithm="HS256"))
    assert world.refused(world.signed(key=Ed25519PrivateKey.generate()))
    head, body, signature = world.signed().split(".")
    assert world.refused(f"{head}.{body}.")
    assert world.refused(f"{head}.{body}.{signature[:-4]}AAAA")
    none = encode(b'{"alg":"none","typ":"JWT","kid":"%s"}' % active.id.encode())
    assert world.refused(f"{none}.{body}.")
    assert world.refused(f"{none}.{body}.{signature}")
    other = world.signed(sub=str(uuid4())).split(".")[1]
    assert world.refused(f"{head}.{other}.{signature}")


@pytest.mark.parametrize(
    "garbage",
    [
        "",
        ".",
        "..",
        "a.b.c",
        "\0",
        "é.é.é",
        "\ud800",
        "x" * 100_000,
        encode(b"[" * 900) + ".e30.e30",
        encode(b"[]") + ".e30.e30",
        encode(b'{"alg":"EdDSA"}') + ".e30.e30",
        encode(b'{"alg":"EdDSA","kid":["x"]}') + ".e30.e30",
        encode(b'{"alg":"EdDSA","kid":"../x"}') + ".e30.e30",
        encode(b'{"alg":"EdDSA","kid":"x","crit":["exp"]}') + ".e30.e30",
    ],
)
def test_garbage_is_refused(world: World, garbage: str) -> None:
    assert world.refused(garbage)


def test_a_token_expires_though_it_was_verified_before(world: World) -> None:
    token, _ = world.tokens.issue(TENANT, USER, SESSION)
    assert world.tokens.verify(token) is world.tokens.verify(token)
    world.ahead = 604
    assert world.tokens.verify(token).user_id == USER
    world.ahead = 606
    assert world.refused(token)


def test_a_token_of_the_past_has_expired(world: World) -> None:
    world.ahead = -700
    token, _ = world.tokens.issue(TENANT, USER, SESSION)
    world.ahead = 0
    assert world.refused(token)


def test_rotation_keeps_tokens_and_dropping_a_key_ends_them(world: World) -> None:
    old, _ = world.tokens.issue(TENANT, USER, SESSION)
    ring = keys.rotate(world.path, timedelta(minutes=11))
    world.ahead = 2
    assert world.tokens.verify(old).user_id == USER
    new, _ = world.tokens.issue(TENANT, USER, SESSION)
    assert jwt.get_unverified_header(new)["kid"] == ring.active.id
    keys.rotate(world.path, timedelta(0))
    world.ahead = 4
    assert world.refused(old)
    assert world.refused(new)


def test_what_is_remembered_is_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "MAX_VERIFIED", 3)
    issued = [world.tokens.issue(TENANT, USER, SESSION)[0] for _ in range(5)]
    first = [world.tokens.verify(token) for token in issued]
    again = [world.tokens.verify(token) for token in reversed(issued)]
    assert [a is b for a, b in zip(reversed(first), again, strict=True)] == [True, True, True, False, False]
    assert first == again[::-1]


def test_a_refresh_token_names_tenant_session_and_generation(world: World) -> None:
    ring = world.file.current
    token = RefreshToken(TENANT, SESSION, 7)
    text = token.text(ring)
    assert text.startswith("m3r_")
    assert refresh.read(text, ring) == token
    assert text == RefreshToken(TENANT, SESSION, 7).text(ring)
    assert refresh.read(text, keys.rotate(world.path, timedelta(0))) == token


def test_an_altered_refresh_token_is_nobodys(world: World, tmp_path: Path) -> None:
    ring = world.file.current
    text = RefreshToken(TENANT, SESSION, 7).text(ring)
    for place in range(len(text)):
        swapped = "A" if text[place] != "A" else "B"
        assert refresh.read(text[:place] + swapped + text[place + 1 :], ring) is None
    for other in ("", "m3r_", text[:-1], text + "A", text + "=", text.upper(), "é", "m3r_\ud800"):
        assert refresh.read(other, ring) is None
    assert refresh.read(text, keys.generate(tmp_path / "other.json")) is None


def test_only_the_hash_of_a_refresh_token_is_kept(world: World) -> None:
    text = RefreshToken(TENANT, SESSION, 1).text(world.file.current)
    later = RefreshToken(TENANT, SESSION, 2).text(world.file.current)
    assert len(refresh.digest(text)) == 64
    assert refresh.digest(text) != refresh.digest(later)
