"""The mutation signIn: tokens and the viewer, or one error for whatever is wrong."""

from dataclasses import replace
from typing import Any
from unittest.mock import ANY

import pytest
from sqlalchemy import select

from db.models import Session
from db.session import Database
from graph.context import Context, Services
from graph.schema import schema
from tests.auth.door import PASSWORD, Door
from tests.factories import make_user
from tests.statements import statements

SIGN_IN = """
mutation ($slug: String!, $email: String!, $password: String!) {
  signIn(input: { tenantSlug: $slug, email: $email, password: $password }) {
    accessToken refreshToken expiresAt errors { code field message }
  }
}
"""
WITH_VIEWER = SIGN_IN.replace("errors", "viewer { user { id email } tenant { slug } permissions } errors")
NOTHING = {"accessToken": None, "refreshToken": None, "expiresAt": None}
REFUSED = {
    "code": "INVALID",
    "field": None,
    "message": "Tenant, e-mail or password is wrong, or the user may not sign in.",
}


async def run(context: Context, document: str, **variables: Any) -> Any:
    try:
        return await schema.execute(document, variable_values=variables, context_value=context)
    finally:
        await context.close()


def credentials(door: Door, password: str = PASSWORD) -> dict[str, str]:
    return {"slug": door.slug, "email": door.email, "password": password}


async def test_signing_in_answers_tokens_and_the_viewer(door: Door) -> None:
    result = await run(Context(door.services, ip="192.0.2.9"), WITH_VIEWER, **credentials(door))
    assert result.errors is None
    assert result.data == {
        "signIn": {
            "accessToken": ANY,
            "refreshToken": ANY,
            "expiresAt": ANY,
            "viewer": {
                "user": {"id": str(door.user), "email": door.email},
                "tenant": {"slug": door.slug},
                "permissions": [],
            },
            "errors": [],
        }
    }
    session = await door.one(Session)
    assert str(session.ip) == "192.0.2.9"

    token = result.data["signIn"]["accessToken"]
    again = await run(Context(door.services, token=token), "{ viewer { user { id } } }")
    assert again.data == {"viewer": {"user": {"id": str(door.user)}}}


async def test_the_viewer_is_read_only_where_asked_for(door: Door, database: Database) -> None:
    with statements(database) as plain:
        await run(Context(door.services), SIGN_IN, **credentials(door))
    with statements(database) as viewed:
        await run(Context(door.services), WITH_VIEWER, **credentials(door))
    assert (len(plain), len(viewed)) == (5, 8)


@pytest.mark.parametrize("wrong", ["slug", "email", "password"])
async def test_wrong_credentials_are_one_user_error(door: Door, wrong: str) -> None:
    given = credentials(door) | {wrong: "nobody@door.test"}
    result = await run(Context(door.services), WITH_VIEWER, **given)
    assert result.errors is None
    assert result.data == {"signIn": NOTHING | {"viewer": None, "errors": [REFUSED]}}


async def test_a_suspended_users_token_ends_at_once(door: Door) -> None:
    done = await door.knock()
    await door.change(status="suspended")
    result = await run(Context(door.services, token=done.access_token), "{ viewer { user { id } } }")
    assert [error.extensions["code"] for error in result.errors] == ["UNAUTHENTICATED"]
    assert (await run(Context(door.services), SIGN_IN, **credentials(door))).data == {
        "signIn": NOTHING | {"errors": [REFUSED]}
    }


async def test_a_token_that_comes_along_does_not_matter(door: Door, services: Services) -> None:
    neighbour = await Door(services, door.owner).fill()
    theirs = await neighbour.knock()
    for token in (theirs.access_token, "garbage"):
        result = await run(Context(services, token=token), WITH_VIEWER, **credentials(door))
        assert result.data["signIn"]["viewer"]["user"]["id"] == str(door.user)


async def test_two_people_in_one_request_each_see_themselves(door: Door) -> None:
    hashed = await door.services.passwords.hash(PASSWORD)
    colleague = f"colleague@{door.slug}.test"
    await make_user(door.owner, door.tenant, "deals.view", email=colleague, password_hash=hashed)
    sign_in = (
        '%s: signIn(input: { tenantSlug: "%s", email: "%s", password: "%s" })'
        " { viewer { user { email } permissions } }"
    )
    parts = [
        sign_in % (alias, door.slug, email, PASSWORD)
        for alias, email in (("a", door.email), ("b", colleague), ("c", door.email))
    ]
    result = await run(Context(door.services), f"mutation {{ {' '.join(parts)} }}")
    assert result.data == {
        "a": {"viewer": {"user": {"email": door.email}, "permissions": []}},
        "b": {"viewer": {"user": {"email": colleague}, "permissions": ["DEALS_VIEW"]}},
        "c": {"viewer": {"user": {"email": door.email}, "permissions": []}},
    }


async def test_a_database_that_is_down_is_unavailable(door: Door) -> None:
    down = Database("postgresql://nobody@127.0.0.1:1/nothing", pool_size=1)
    services = replace(door.services, database=down)
    result = await run(Context(services), SIGN_IN, **credentials(door))
    assert result.data == {"signIn": None}
    assert [error.original_error.extensions for error in result.errors] == [{"code": "UNAVAILABLE"}]
    await down.close()
    sessions = await door.owner.execute(select(Session.id).where(Session.tenant_id == door.tenant))
    assert sessions.all() == []
