"""Sessions: signing in within limits, going on with a refresh token, and the end."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Session
from graph.auth import refresh
from graph.auth.refresh import RefreshToken
from tests.client import Client, running
from tests.mutations.identity.people import PASSWORD, TOKENS, Person, tenant_with
from tests.mutations.scene import NOWHERE
from tests.server import Urls

NOTHING: dict[str, Any] = {"accessToken": None, "refreshToken": None, "expiresAt": None}
REFUSED = NOTHING | {"errors": ["INVALID"]}


def credentials(person: Person, password: str = PASSWORD) -> dict[str, str]:
    return {"tenantSlug": person.slug, "email": person.email, "password": password}


async def later(person: Person, seconds: int) -> None:
    """As if the sessions had last been refreshed so many seconds earlier."""
    at = Session.last_used_at - timedelta(seconds=seconds)
    await person.owner.execute(update(Session).where(Session.user_id == person.id).values(last_used_at=at))


async def test_a_refresh_token_gets_the_next_tokens(admin: Person) -> None:
    first = await admin.sign_in()
    second = await admin.refresh(first["refreshToken"])
    assert second["errors"] == []
    assert second["refreshToken"] != first["refreshToken"]
    assert second["accessToken"] != first["accessToken"]
    named = refresh.read(second["refreshToken"], admin.client.services.keys.current)
    session = (await admin.rows(Session, user_id=admin.id))[-1]
    assert named == RefreshToken(admin.tenant, session["id"], 2)
    assert session["refresh_token_hash"] == refresh.digest(second["refreshToken"])
    assert (session["generation"], session["revoked_at"]) == (2, None)
    assert datetime.now(UTC) - session["last_used_at"] < timedelta(minutes=1)
    for tokens in (first, second):
        assert await admin.having(tokens["accessToken"]).alive()

    (entry,) = await admin.audit("session.refresh")
    assert (entry["user_id"], entry["entity_id"], entry["entity_type"]) == (
        admin.id,
        session["id"],
        "session",
    )
    assert second["refreshToken"] not in str(entry)


async def test_a_refreshed_session_knows_its_viewer(admin: Person) -> None:
    tokens = await admin.sign_in()
    done = await admin.signed_out().call(
        "refreshSession", "viewer { user { id } }", input={"refreshToken": tokens["refreshToken"]}
    )
    assert done == {"viewer": {"user": {"id": str(admin.id)}}}


async def test_fifty_at_once_get_one_successor(admin: Person) -> None:
    first = await admin.sign_in()
    answers = await asyncio.gather(*(admin.refresh(first["refreshToken"]) for _ in range(50)))
    assert {tuple(answer["errors"]) for answer in answers} == {()}
    assert len({answer["refreshToken"] for answer in answers}) == 1
    assert len(await admin.audit("session.refresh")) == 1
    session = (await admin.rows(Session, user_id=admin.id))[-1]
    assert session["generation"] == 2
    assert (await admin.refresh(answers[0]["refreshToken"]))["errors"] == []


async def test_the_second_tab_gets_the_same_successor_for_a_while(admin: Person) -> None:
    first = await admin.sign_in()
    second = await admin.refresh(first["refreshToken"])
    await later(admin, 20)
    assert (await admin.refresh(first["refreshToken"]))["refreshToken"] == second["refreshToken"]


async def test_an_old_token_ends_the_session(admin: Person) -> None:
    first = await admin.sign_in()
    second = await admin.refresh(first["refreshToken"])
    await later(admin, 31)
    assert await admin.refresh(first["refreshToken"]) == REFUSED
    assert await admin.sessions() == [True, False]
    assert await admin.refresh(second["refreshToken"]) == REFUSED
    assert not await admin.having(second["accessToken"]).alive()
    assert await admin.alive(), "another session goes on"
    (entry,) = await admin.audit("session.reuse")
    assert (entry["user_id"], entry["after_data"]) == (None, {"user_id": str(admin.id)})


async def test_a_token_two_generations_old_ends_the_session_at_once(admin: Person) -> None:
    first = await admin.sign_in()
    second = await admin.refresh(first["refreshToken"])
    third = await admin.refresh(second["refreshToken"])
    assert await admin.refresh(first["refreshToken"]) == REFUSED
    assert await admin.refresh(third["refreshToken"]) == REFUSED
    assert await admin.sessions() == [True, False]


async def test_the_end_by_reuse_is_written_down_once(admin: Person) -> None:
    first = await admin.sign_in()
    await admin.refresh(first["refreshToken"])
    await later(admin, 31)
    answers = await asyncio.gather(*(admin.refresh(first["refreshToken"]) for _ in range(10)))
    assert answers == [REFUSED] * 10
    assert len(await admin.audit("session.reuse")) == 1


def altered(token: str) -> str:
    return token[:-1] + ("A" if token[-1] != "A" else "Q")


async def test_a_token_that_is_not_ours_does_nothing(admin: Person, anyone: Client) -> None:
    first = await admin.sign_in()
    await admin.refresh(first["refreshToken"])
    await later(admin, 31)
    named = refresh.read(first["refreshToken"], anyone.services.keys.current)
    assert named is not None
    future = RefreshToken(named.tenant_id, named.session_id, 9).text(anyone.services.keys.current)
    elsewhere = RefreshToken(admin.id, named.session_id, 1).text(anyone.services.keys.current)
    forged = altered(first["refreshToken"])
    for token in (forged, future, elsewhere, "", "m3r_", "é", first["accessToken"], "x" * 10_000):
        assert await admin.refresh(token) == REFUSED, token[:50]
    assert await admin.sessions() == [True, True]
    assert await admin.audit("session.reuse") == []


@pytest.mark.parametrize("status", ["suspended", "deactivated"])
async def test_who_may_not_sign_in_may_not_go_on(admin: Person, status: str) -> None:
    colleague = await admin.colleague()
    tokens = await colleague.sign_in()
    await colleague.change(status=status)
    assert await colleague.refresh(tokens["refreshToken"]) == REFUSED
    await colleague.change(status="active")
    assert (await colleague.refresh(tokens["refreshToken"]))["errors"] == []


@pytest.mark.parametrize("ended", [{"revoked_at": datetime.now(UTC)}, {"expires_at": datetime.now(UTC)}])
async def test_an_ended_session_does_not_go_on(admin: Person, ended: dict[str, Any]) -> None:
    tokens = await admin.sign_in()
    await admin.owner.execute(update(Session).where(Session.user_id == admin.id).values(**ended))
    assert await admin.refresh(tokens["refreshToken"]) == REFUSED
    assert await admin.audit("session.refresh") == []


async def test_signing_out_ends_this_session_alone(admin: Person) -> None:
    here, there = await admin.sign_in(), await admin.sign_in()
    me = admin.having(here["accessToken"])
    done = await me.call("signOut", "session { id revokedAt }")
    assert done["session"]["revokedAt"] is not None
    assert not await me.alive()
    assert await me.refresh(here["refreshToken"]) == REFUSED
    assert await admin.having(there["accessToken"]).alive()
    (entry,) = await admin.audit("session.sign_out")
    assert str(entry["entity_id"]) == done["session"]["id"]
    assert entry["before_data"]["revoked_at"] is None
    assert entry["after_data"]["revoked_at"] is not None
    assert "refresh_token_hash" not in entry["after_data"]
    assert await me.codes("signOut") == ["UNAUTHENTICATED"]


async def test_signing_out_everywhere_ends_all_of_ones_own(admin: Person) -> None:
    colleague = await admin.colleague()
    await admin.sign_in()
    assert await admin.call("signOutEverywhere", "ended") == {"ended": 2}
    assert await admin.sessions() == [False, False]
    assert await colleague.alive()
    (entry,) = await admin.audit("user.sign_out_everywhere")
    assert (entry["entity_id"], entry["after_data"]) == (admin.id, {"ended_sessions": 2})


async def revoke(by: Person, of: Person) -> dict[str, Any]:
    (session,) = await of.rows(Session, user_id=of.id)
    return {"id": str(session["id"])}


async def test_ones_own_session_takes_no_permission_to_end(admin: Person) -> None:
    somebody = await admin.colleague()
    given = await revoke(somebody, somebody)
    assert (await somebody.call("revokeSession", "session { id }", input=given))["session"] == given
    assert not await somebody.alive()


async def test_with_users_manage_anybodys_session_can_be_ended(admin: Person) -> None:
    manager, somebody = await admin.colleague("users.manage"), await admin.colleague()
    given = await revoke(manager, somebody)
    for _ in range(2):
        done = await manager.call("revokeSession", "session { id revokedAt }", input=given)
        assert done["session"]["revokedAt"] is not None
    assert not await somebody.alive()
    assert len(await admin.audit("session.revoke")) == 1


async def test_a_session_of_another_is_not_there(admin: Person, anyone: Client) -> None:
    somebody = await admin.colleague("users.view", "roles.manage")
    stranger = await tenant_with(anyone, admin.owner, "*")
    for by, given in (
        (somebody, await revoke(somebody, admin)),
        (stranger, await revoke(stranger, admin)),
        (stranger, {"id": NOWHERE}),
    ):
        assert await by.refused("revokeSession", input=given) == [("NOT_FOUND", "input.id")]
    assert await somebody.refused("revokeSession", input={"id": "x"}) == [("INVALID", "input.id")]
    assert await admin.alive()


async def test_ten_wrong_passwords_close_an_account_for_a_while(admin: Person) -> None:
    colleague = await admin.colleague()
    nobody = admin.signed_out()
    for _ in range(10):
        assert await nobody.refused("signIn", input=credentials(admin, "wrong")) == [("INVALID", None)]
    given = credentials(admin) | {"email": f" {admin.email.upper()} "}
    answer = await nobody.ask("signIn", TOKENS, input=given)
    (error,) = answer["errors"]
    assert answer["data"] == {"signIn": None}
    assert error["extensions"]["code"] == "RATE_LIMITED"
    assert 290 <= error["extensions"]["retryAfter"] <= 300
    assert await colleague.sign_in()


async def test_guessing_side_by_side_gains_nothing(admin: Person) -> None:
    nobody = admin.signed_out()
    given = credentials(admin, "wrong")
    answers = await asyncio.gather(*(nobody.ask("signIn", TOKENS, input=given) for _ in range(30)))
    assert sum("errors" in answer for answer in answers) == 20


async def test_who_knows_the_password_is_never_limited(admin: Person) -> None:
    done = await asyncio.gather(*(admin.sign_in() for _ in range(25)))
    assert len({tokens["refreshToken"] for tokens in done}) == 25
    assert await admin.alive()


async def test_tokens_are_not_kept_under_an_idempotency_key(admin: Person) -> None:
    document = "mutation ($input: SignInInput!) { signIn(input: $input) { refreshToken } }"
    variables = {"input": credentials(admin)}
    key = {"Idempotency-Key": "k"}
    answers = [(await admin.signed_out().client.post(document, variables, **key)).json() for _ in range(2)]
    assert len({answer["data"]["signIn"]["refreshToken"] for answer in answers}) == 2


async def test_what_follows_signing_out_in_a_request_is_nobodys(admin: Person) -> None:
    given = f'currentPassword: "{PASSWORD}", newPassword: "{PASSWORD}"'
    document = (
        f"mutation {{ signOut {{ session {{ id }} }} changePassword(input: {{ {given} }}) {{ __typename }}"
        " signOutEverywhere { ended } }"
    )
    answer = await admin.client.ask(document)
    assert [(error["path"], error["extensions"]["code"]) for error in answer["errors"]] == [
        (["changePassword"], "UNAUTHENTICATED"),
        (["signOutEverywhere"], "UNAUTHENTICATED"),
    ]
    assert answer["data"]["signOut"]["session"] is not None
    assert await admin.audit("user.change_password") == []


async def test_nothing_is_held_while_the_next_password_is_verified(
    urls: Urls, owner: AsyncConnection, tmp_path: Path
) -> None:
    asked = """
    mutation($input: SignInInput!) {
      a: signIn(input: $input) { viewer { user { id } } }
      b: signIn(input: $input) { accessToken viewer { user { id } } }
    }
    """
    async with running(urls.gateway, tmp_path, pool_size=1) as client:
        person = await tenant_with(client, owner)
        data = await person.signed_out().client.read(asked, input=credentials(person))
    assert data["a"]["viewer"] == data["b"]["viewer"] == {"user": {"id": str(person.id)}}
    assert data["b"]["accessToken"]
