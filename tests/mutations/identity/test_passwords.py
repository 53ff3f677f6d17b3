"""Passwords: changed, forgotten, and set again by a letter."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from db.models import AuditLog, OutboxMessage, User
from graph.auth import letters
from graph.auth.accounts import Account
from graph.auth.letters import Letter
from tests.client import Client
from tests.mutations.identity.people import PASSWORD, Person, hashed, tenant_with
from tests.mutations.scene import told
from tests.statements import statements

NEW = "battery staple"


async def change(person: Person, current: str, new: str) -> list[tuple[str, str | None]]:
    """What is to be mended, if anything."""
    given = {"currentPassword": current, "newPassword": new}
    answer = await person.ask("changePassword", "errors { code field message }", input=given)
    assert "errors" not in answer, answer["errors"]
    return told(answer["data"]["changePassword"]["errors"])


async def reset(person: Person, token: str, new: str = NEW) -> list[tuple[str, str | None]]:
    answer = await person.signed_out().ask(
        "resetPassword", "errors { code field message }", input={"token": token, "newPassword": new}
    )
    assert "errors" not in answer, answer["errors"]
    return told(answer["data"]["resetPassword"]["errors"])


async def forget(person: Person, **given: str) -> None:
    """Ask for a letter; the answer says nothing."""
    given = {"tenantSlug": person.slug, "email": person.email} | given
    assert await person.signed_out().call("requestPasswordReset", "__typename", input=given) == {
        "__typename": "PasswordPayload"
    }


async def forgotten(person: Person) -> str:
    """The token of the letter to somebody who has forgotten their password."""
    await forget(person)
    token: str = (await person.letter("password_reset"))["payload"]["token"]
    return token


EXPIRED = [("INVALID", "input.token")]


async def test_a_changed_password_is_the_one_that_opens(admin: Person) -> None:
    here, there = await admin.sign_in(), await admin.sign_in()
    me = admin.having(here["accessToken"])
    assert await change(me, PASSWORD, NEW) == []
    assert await me.alive(), "this session goes on"
    assert not await admin.having(there["accessToken"]).alive()
    assert await admin.sessions() == [False, True, False]
    assert await admin.sign_in(NEW)
    old = {"tenantSlug": admin.slug, "email": admin.email, "password": PASSWORD}
    assert await admin.signed_out().refused("signIn", input=old) == [("INVALID", None)]
    (entry,) = await admin.audit("user.change_password")
    assert (entry["user_id"], entry["entity_id"]) == (admin.id, admin.id)
    assert (entry["before_data"], entry["after_data"]) == (None, {"ended_sessions": 2})


@pytest.mark.parametrize(
    ("current", "new", "field"),
    [
        ("wrong", NEW, "input.currentPassword"),
        ("", NEW, "input.currentPassword"),
        ("\0", NEW, "input.currentPassword"),
        (PASSWORD, "short", "input.newPassword"),
        (PASSWORD, "x" * 1025, "input.newPassword"),
        (PASSWORD, "", "input.newPassword"),
    ],
)
async def test_what_is_wrong_with_a_password_is_said(
    admin: Person, current: str, new: str, field: str
) -> None:
    async with admin.unchanged():
        assert await change(admin, current, new) == [("INVALID", field)]


async def test_nobodys_password_is_not_changed(admin: Person) -> None:
    given = {"currentPassword": PASSWORD, "newPassword": NEW}
    assert await admin.signed_out().codes("changePassword", input=given) == ["UNAUTHENTICATED"]
    await admin.call("signOut", "__typename")
    assert await admin.codes("changePassword", input=given) == ["UNAUTHENTICATED"]


async def test_a_stolen_session_does_not_guess_the_password(admin: Person) -> None:
    for _ in range(10):
        assert await change(admin, "wrong", NEW) == [("INVALID", "input.currentPassword")]
    given = {"currentPassword": PASSWORD, "newPassword": NEW}
    assert await admin.codes("changePassword", input=given) == ["RATE_LIMITED"]


async def test_of_two_changes_at_once_one_holds(admin: Person) -> None:
    done = await asyncio.gather(*(change(admin, PASSWORD, f"{NEW} {n}") for n in range(4)))
    assert sorted(map(len, done)) == [0, 1, 1, 1]
    assert await admin.sign_in(f"{NEW} {done.index([])}")
    assert len(await admin.audit("user.change_password")) == 1


async def test_a_forgotten_password_is_set_by_a_letter(admin: Person) -> None:
    await forget(admin, email=f" {admin.email.upper()} ")
    letter = await admin.letter("password_reset")
    assert (letter["channel"], letter["to_email"], letter["status"]) == ("email", admin.email, "pending")
    assert letter["payload"].keys() == {"token", "expires_at", "tenant_slug"}
    assert letter["payload"]["tenant_slug"] == admin.slug
    life = datetime.fromisoformat(letter["payload"]["expires_at"]) - datetime.now(UTC)
    assert timedelta(minutes=59) < life <= timedelta(hours=1)
    (entry,) = await admin.audit("user.request_password_reset")
    assert (entry["user_id"], entry["entity_id"], entry["after_data"]) == (None, admin.id, None)

    tokens = await admin.sign_in()
    assert await reset(admin, letter["payload"]["token"]) == []
    assert not await admin.alive()
    assert not await admin.having(tokens["accessToken"]).alive()
    assert await admin.sessions() == [False, False]
    assert await admin.sign_in(NEW)
    (entry,) = await admin.audit("user.reset_password")
    assert (entry["user_id"], entry["after_data"]) == (admin.id, {"ended_sessions": 2})


async def test_a_letter_is_good_once(admin: Person) -> None:
    token = await forgotten(admin)
    done = await asyncio.gather(*(reset(admin, token, f"{NEW} {n}") for n in range(5)))
    assert sorted(done, key=len) == [[], EXPIRED, EXPIRED, EXPIRED, EXPIRED]
    assert await reset(admin, token) == EXPIRED


async def test_a_letter_dies_with_the_password_or_the_address(admin: Person) -> None:
    token = await forgotten(admin)
    await admin.change(email="other@example.com")
    assert await reset(admin, token) == EXPIRED
    await admin.change(email=admin.email)
    assert await change(admin, PASSWORD, NEW) == []
    assert await reset(admin, token) == EXPIRED


async def test_a_letter_to_who_may_not_sign_in_opens_nothing(admin: Person) -> None:
    token = await forgotten(admin)
    await admin.change(status="suspended")
    async with admin.unchanged():
        assert await reset(admin, token) == EXPIRED
    await admin.change(status="active")
    assert await reset(admin, token) == []


async def test_a_letter_is_good_for_an_hour(admin: Person) -> None:
    account = Account(admin.tenant, admin.id, admin.email, hashed(), "active")
    keys = admin.client.services.keys.current
    now = datetime.now(UTC)
    old, _ = letters.write(Letter.PASSWORD_RESET, keys, account, now - timedelta(minutes=61))
    young, _ = letters.write(Letter.PASSWORD_RESET, keys, account, now - timedelta(minutes=59))
    invitation, _ = letters.write(Letter.USER_INVITATION, keys, account)
    async with admin.unchanged():
        for token in (
            old,
            invitation,
            young[:-1] + ("A" if young[-1] != "A" else "Q"),
            "",
            "é",
            "x" * 10_000,
        ):
            assert await reset(admin, token) == EXPIRED
        assert await reset(admin, young, "short") == [("INVALID", "input.newPassword")]
    assert await reset(admin, young) == []


async def test_a_letter_opens_nothing_in_another_tenant(admin: Person, anyone: Client) -> None:
    stranger = await tenant_with(anyone, admin.owner, "*")
    keys = anyone.services.keys.current
    mixed = Account(stranger.tenant, admin.id, admin.email, hashed(), "active")
    token, _ = letters.write(Letter.PASSWORD_RESET, keys, mixed)
    async with admin.unchanged():
        assert await reset(admin, token) == EXPIRED


async def test_nobody_learns_who_has_an_account(admin: Person) -> None:
    colleague = await admin.colleague(status="suspended")
    costs: set[tuple[str, ...]] = set()
    await forget(admin, email="somebody@example.com")  # the driver asks for its types once
    for given in (
        {},
        {"email": "nobody@example.com"},
        {"tenantSlug": "no-such-tenant"},
        {"email": colleague.email},
        {"email": "\0"},
    ):
        before = len(await admin.rows(OutboxMessage))
        with statements(admin.client.services.database) as sent:
            await forget(admin, **given)
        costs.add(tuple(sent))
        assert len(await admin.rows(OutboxMessage)) - before == (0 if given else 1)
    assert len(costs) == 1
    assert len(await admin.audit("user.request_password_reset")) == 1


async def test_an_account_is_sent_five_letters_an_hour(admin: Person) -> None:
    for _ in range(5):
        await forget(admin)
        await forget(admin, email="nobody@example.com")
    for email in (admin.email, "nobody@example.com"):
        given = {"tenantSlug": admin.slug, "email": email}
        assert await admin.signed_out().codes("requestPasswordReset", input=given) == ["RATE_LIMITED"]
    assert len(await admin.rows(OutboxMessage)) == 5


async def test_the_token_is_for_the_sender_alone(admin: Person) -> None:
    token = await forgotten(admin)
    read = await admin.client.read(
        "{ outboxMessages { nodes { templateCode toEmail payload } } auditLogs { nodes { afterData } } }"
    )
    (shown,) = read["outboxMessages"]["nodes"]
    assert shown["templateCode"] == "password_reset"
    assert shown["payload"].keys() == {"expires_at", "tenant_slug"}
    assert token not in str(read)
    other = {"token": "shown", "n": 1}
    await admin.insert(OutboxMessage, template_code="welcome", payload=other)
    read = await admin.client.read("{ outboxMessages(first: 1) { nodes { payload } } }")
    assert read["outboxMessages"]["nodes"] == [{"payload": other}]


async def test_passwords_and_tokens_are_in_no_audit_log(admin: Person) -> None:
    token = await forgotten(admin)
    await reset(admin, token)
    me = admin.having((await admin.sign_in(NEW))["accessToken"])
    await change(me, NEW, PASSWORD)
    written = str(await admin.rows(AuditLog))
    (user,) = await admin.rows(User, id=admin.id)
    for secret in (token, NEW, PASSWORD, user["password_hash"]):
        assert secret not in written
