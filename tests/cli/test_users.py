"""`m3 user`: an operator gives a password, or the permissions that no role gives."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.gateway import platform_grants
from db.models import AuditLog, Session, User
from graph.auth.passwords import Passwords
from tests.cli.conftest import M3
from tests.cli.program import Outcome
from tests.factories import insert, make_tenant, make_user
from tests.server import Urls


class Someone:
    """A user with a session."""

    def __init__(self, owner: AsyncConnection, urls: Urls, m3: M3) -> None:
        self.owner, self.urls, self.m3 = owner, urls, m3
        self.tenant: UUID
        self.user: UUID
        self.slug = self.email = ""

    async def fill(self) -> "Someone":
        self.slug = f"cli-{uuid4()}"
        self.email = f"Mona@{self.slug}.test"
        self.tenant = await make_tenant(self.owner, slug=self.slug)
        self.user = await make_user(self.owner, self.tenant, email=self.email)
        await insert(self.owner, Session, tenant_id=self.tenant, user_id=self.user)
        return self

    async def run(self, *command: str, slug: str = "", email: str = "", stdin: str = "") -> Outcome:
        who = (slug or self.slug, email or self.email)
        return await self.m3("user", *command, *who, stdin=stdin, owner_database_url=self.urls.owner)

    async def rows(self, *columns: Any) -> list[tuple[Any, ...]]:
        table = columns[0].table if hasattr(columns[0], "table") else columns[0].class_.__table__
        found = await self.owner.execute(select(*columns).where(table.c.tenant_id == self.tenant))
        return [tuple(row) for row in found]


@pytest.fixture
async def someone(owner: AsyncConnection, urls: Urls, m3: M3) -> Someone:
    return await Someone(owner, urls, m3).fill()


async def test_a_password_is_set_and_sessions_end(someone: Someone) -> None:
    done = await someone.run("set-password", email=someone.email.upper(), stdin="a new password\n")
    assert (done.code, done.err) == (0, "")
    assert done.out.endswith("has a new password; sessions ended: 1\n")
    ((stored,),) = await someone.rows(User.password_hash)
    passwords = Passwords(threads=1)
    assert await passwords.verify(stored, "a new password") is True
    passwords.close()
    ((revoked,),) = await someone.rows(Session.revoked_at)
    assert revoked is not None
    assert await someone.rows(AuditLog.action, AuditLog.entity_id, AuditLog.user_id) == [
        ("user.set_password", someone.user, None)
    ]


@pytest.mark.parametrize(
    ("wrong", "stdin", "words"),
    [
        ({"slug": "no-such-tenant"}, "a new password\n", "there is no tenant no-such-tenant"),
        ({"email": "nobody@cli.test"}, "a new password\n", "has no user nobody@cli.test"),
        ({}, "short\n", "a new password has at least 8 characters"),
        ({}, "", "a password has 1 to 1024 bytes"),
    ],
)
async def test_what_cannot_be_done_changes_nothing(
    someone: Someone, wrong: dict[str, str], stdin: str, words: str
) -> None:
    done = await someone.run("set-password", stdin=stdin, **wrong)
    assert (done.code, done.out) == (1, "")
    assert words in done.err
    assert await someone.rows(User.password_hash) == [(None,)]
    assert await someone.rows(Session.revoked_at) == [(None,)]
    assert await someone.rows(AuditLog.action) == []


async def test_platform_rights_are_granted_and_taken_away(someone: Someone) -> None:
    grants = platform_grants.c
    for command, words, expected in (
        (("grant-platform",), "holds platform.*\n", [(someone.user,)]),
        (("grant-platform",), "holds platform.*, as before\n", [(someone.user,)]),
        (("grant-platform", "--revoke"), "no longer holds platform.*\n", []),
        (("grant-platform", "--revoke"), "no longer holds platform.*, as before\n", []),
    ):
        done = await someone.run(*command)
        assert (done.code, done.err) == (0, "")
        assert done.out == f"{someone.email} {words}"
        assert await someone.rows(grants.user_id) == expected
    written = await someone.rows(AuditLog.created_at, AuditLog.action)
    assert [action for _, action in sorted(written)] == ["user.grant_platform", "user.revoke_platform"]
