"""Signing in: who may, what it writes, and that every refusal costs and says the same."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from argon2 import PasswordHasher

from db.models import AuditLog, Session, User
from graph.auth import refresh
from graph.auth.passwords import Passwords
from graph.auth.refresh import RefreshToken
from graph.auth.signin import Client, Credentials, SignInRefused, sign_in
from tests.auth.door import CLIENT, PASSWORD, Door
from tests.factories import insert
from tests.statements import statements


async def test_the_right_credentials_open_a_session(door: Door) -> None:
    done = await door.knock()
    claims = door.services.tokens.verify(done.access_token)
    assert (claims.tenant_id, claims.user_id, claims.session_id) == (door.tenant, door.user, done.session_id)
    assert (done.tenant_id, done.user_id) == (door.tenant, door.user)
    assert done.expires_at == claims.expires_at

    session = await door.one(Session)
    assert (session.id, session.user_id, str(session.ip), session.user_agent) == (
        done.session_id,
        door.user,
        "192.0.2.7",
        "curl/8",
    )
    assert (session.revoked_at, session.generation) == (None, 1)
    assert abs(session.expires_at - datetime.now(UTC) - timedelta(days=30)) < timedelta(minutes=1)
    assert session.refresh_token_hash == refresh.digest(done.refresh_token)
    named = refresh.read(done.refresh_token, door.services.keys.current)
    assert named == RefreshToken(door.tenant, done.session_id, 1)


async def test_signing_in_is_written_down_without_secrets(door: Door) -> None:
    before = datetime.now(UTC) - timedelta(minutes=1)
    done = await door.knock()
    user = await door.one(User)
    assert user.last_login_at > before
    entry = await door.one(AuditLog)
    assert (entry.action, entry.entity_type, entry.entity_id, entry.user_id) == (
        "session.sign_in",
        "session",
        done.session_id,
        door.user,
    )
    assert (str(entry.ip_address), entry.user_agent, entry.before_data) == ("192.0.2.7", "curl/8", None)
    written = str(entry.after_data)
    for secret in (done.refresh_token, refresh.digest(done.refresh_token), done.access_token, PASSWORD):
        assert secret not in written


async def test_capitals_and_blanks_around_an_address_do_not_matter(door: Door) -> None:
    assert (await door.knock(email=f"  {door.email.upper()} ")).user_id == door.user


CASES = [
    "password",
    "email",
    "tenant",
    "suspended",
    "deactivated",
    "no password",
    "foreign hash",
    "neighbour",
]


async def spoil(door: Door, case: str) -> dict[str, str]:
    """Makes the credentials wrong in one way."""
    match case:
        case "password":
            return {"password": "wrong horse"}
        case "email":
            return {"email": "nobody@door.test"}
        case "tenant":
            return {"slug": "no-such-tenant"}
        case "suspended" | "deactivated":
            await door.change(status=case)
        case "no password":
            await door.change(password_hash=None)
        case "foreign hash":
            await door.change(password_hash="$2b$12$KIXQ4S0p3mJ0bS0cq1Zs5u")
        case "neighbour":
            neighbour = await Door(door.services, door.owner).fill()
            return {"slug": neighbour.slug}
    return {}


async def refusal(door: Door, wrong: dict[str, str], verified: list[str]) -> tuple[list[str], int, str, str]:
    """What a refused attempt sent, hashed and said."""
    verified.clear()
    with statements(door.services.database) as sent, pytest.raises(SignInRefused) as refused:
        await door.knock(**wrong)
    full = [parameters for parameters in verified if parameters == "19456,t=2,p=1"]
    return sent, len(full), type(refused.value).__name__, str(refused.value)


@pytest.mark.parametrize("case", CASES)
async def test_every_refusal_costs_and_says_the_same(door: Door, verified: list[str], case: str) -> None:
    expected = await refusal(door, {"password": "wrong horse"}, verified)
    sent, hashed, _, words = expected
    assert (len(sent), hashed) == (2, 1)
    assert "wrong" in words
    assert await refusal(door, await spoil(door, case), verified) == expected
    assert (await door.count(Session), await door.count(AuditLog)) == (0, 0)


async def test_a_user_back_from_suspension_gets_in(door: Door) -> None:
    await door.change(status="suspended")
    with pytest.raises(SignInRefused):
        await door.knock()
    await door.change(status="active")
    assert (await door.knock()).user_id == door.user


@pytest.mark.parametrize("text", ["\0", "\ud800", "x" * 100_000, "'; DROP TABLE users; --", ""])
async def test_text_that_no_row_can_hold_is_refused_like_any_other(door: Door, text: str) -> None:
    for credentials in (
        Credentials(text, door.email, PASSWORD),
        Credentials(door.slug, text, PASSWORD),
        Credentials(door.slug, door.email, text),
    ):
        with pytest.raises(SignInRefused):
            await sign_in(door.services, credentials, CLIENT)
    assert (await door.knock()).user_id == door.user


async def test_no_connection_is_held_while_a_password_is_hashed(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[int] = []
    pool = door.services.database.engine.pool
    verify = Passwords.verify

    async def watched(self: Passwords, stored: str | None, password: str) -> bool:
        held.append(pool.checkedout())  # type: ignore[attr-defined]
        return await verify(self, stored, password)

    monkeypatch.setattr(Passwords, "verify", watched)
    await door.knock()
    assert held == [0]


@pytest.mark.parametrize("change", [{"status": "suspended"}, {"password_hash": "$argon2id$other"}])
async def test_a_change_while_the_password_is_verified_is_respected(
    door: Door, monkeypatch: pytest.MonkeyPatch, change: dict[str, str]
) -> None:
    verify = Passwords.verify

    async def meanwhile(self: Passwords, stored: str | None, password: str) -> bool:
        genuine = await verify(self, stored, password)
        await door.change(**change)
        return genuine

    monkeypatch.setattr(Passwords, "verify", meanwhile)
    with pytest.raises(SignInRefused):
        await door.knock()
    assert (await door.count(Session), await door.count(AuditLog)) == (0, 0)


async def test_a_hash_of_old_parameters_is_renewed(door: Door) -> None:
    old = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    await door.change(password_hash=old)
    await door.knock()
    renewed = (await door.one(User)).password_hash
    assert renewed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    await door.knock()
    assert (await door.one(User)).password_hash == renewed


@pytest.mark.parametrize(
    ("client", "ip", "user_agent"),
    [
        (Client(None, None), None, None),
        (Client("not an address", "a\0b"), None, "ab"),
        (Client("2001:db8::1", "x" * 5000), "2001:db8::1", "x" * 512),
        (Client("192.0.2.1", "\ud800"), "192.0.2.1", "?"),
    ],
)
async def test_where_a_request_comes_from_is_kept_as_far_as_it_can_be(
    door: Door, client: Client, ip: str | None, user_agent: str | None
) -> None:
    await sign_in(door.services, Credentials(door.slug, door.email, PASSWORD), client)
    session = await door.one(Session)
    assert (None if session.ip is None else str(session.ip), session.user_agent) == (ip, user_agent)


async def test_a_session_lives_as_long_as_the_settings_say(door: Door) -> None:
    settings = door.services.settings.model_copy(update={"session_ttl": 3600})
    door.services = replace(door.services, settings=settings)
    await door.knock()
    session = await door.one(Session)
    assert abs(session.expires_at - datetime.now(UTC) - timedelta(hours=1)) < timedelta(minutes=1)


async def test_each_sign_in_is_a_session_of_its_own(door: Door) -> None:
    first, second = await door.knock(), await door.knock()
    assert first.session_id != second.session_id
    assert first.refresh_token != second.refresh_token
    assert await door.count(Session) == 2


async def test_the_same_address_in_two_tenants_is_two_people(door: Door) -> None:
    neighbour = await Door(door.services, door.owner).fill()
    hashed = await door.services.passwords.hash("another horse")
    await insert(door.owner, User, tenant_id=neighbour.tenant, email=door.email, password_hash=hashed)
    assert (await door.knock()).tenant_id == door.tenant
    done = await neighbour.knock(email=door.email, password="another horse")
    assert done.tenant_id == neighbour.tenant
    with pytest.raises(SignInRefused):
        await neighbour.knock(email=door.email)


@pytest.mark.parametrize("password", [PASSWORD, "another horse"])
async def test_of_two_who_renew_a_hash_both_get_in_with_the_same_password(
    door: Door, monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    await door.change(password_hash=PasswordHasher(time_cost=1, memory_cost=8192).hash(PASSWORD))
    renewed = await door.services.passwords.hash(password)
    verify = Passwords.verify

    async def meanwhile(self: Passwords, stored: str | None, given: str) -> bool:
        genuine = await verify(self, stored, given)
        await door.change(password_hash=renewed)
        return genuine

    monkeypatch.setattr(Passwords, "verify", meanwhile)
    if password == PASSWORD:
        assert (await door.knock()).user_id == door.user
    else:
        with pytest.raises(SignInRefused):
            await door.knock()
    assert await door.count(Session) == (1 if password == PASSWORD else 0)
    assert (await door.one(User)).password_hash == renewed
