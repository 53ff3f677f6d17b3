"""A viewer that was read before: the very next query has the rights of its own snapshot, whatever changed."""

import re
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db import models
from db.readers import _Connection
from db.session import Database, Scope
from graph.auth.standing import Viewers
from graph.limits import MAX_STANDING
from tests.client import Client, running, session_of, signed_in
from tests.factories import insert, make_tenant, make_user
from tests.server import Urls
from tests.statements import of_viewer, statements

QUERY = "{ deals { nodes { name } } viewer { permissions } }"
STANDING = "SELECT WHERE gateway.standing("

PARENT = """
WITH parent AS (INSERT INTO roles (tenant_id, code, name) VALUES (:tenant, 'parent', 'P') RETURNING id),
given AS (INSERT INTO role_permissions (tenant_id, role_id, permission)
  SELECT :tenant, id, 'deals.view' FROM parent),
taken AS (DELETE FROM role_permissions WHERE tenant_id = :tenant AND role_id = :role)
UPDATE roles SET parent_role_id = (SELECT id FROM parent) WHERE id = :role
"""


class Member:
    """A user with one role, signed in, whose viewer is kept."""

    def __init__(self, client: Client, owner: AsyncConnection, role: UUID) -> None:
        self.client, self.owner, self.role = client, owner, role

    async def change(self, sql: str) -> None:
        """What another service does to their rights."""
        given = {"tenant": self.client.tenant_id, "user": self.client.user_id, "role": self.role}
        await self.owner.execute(sa.text(sql), {name: given[name] for name in re.findall(r":(\w+)", sql)})

    async def asked(self) -> list[str]:
        """How the viewer of a query is found: `stands` of those that are kept, `read` of others."""
        with statements(self.client.services.database) as sent:
            await self.client.ask(QUERY)
        return ["stands" if text.startswith(STANDING) else "read" for text in sent if of_viewer(text)]


@pytest.fixture
async def member(anyone: Client, owner: AsyncConnection) -> Member:
    return await member_of(anyone, owner, await make_tenant(owner), "deals.view")


async def member_of(anyone: Client, owner: AsyncConnection, tenant: UUID, *permissions: str) -> Member:
    client = await signed_in(anyone, owner, tenant, *permissions)
    role = await owner.scalar(
        sa.text("SELECT role_id FROM user_roles WHERE user_id = :u"), {"u": client.user_id}
    )
    member = Member(client, owner, role)
    assert await member.asked() == ["read"]
    assert await member.asked() == ["stands"]
    return member


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE sessions SET revoked_at = now() WHERE user_id = :user",
        "UPDATE sessions SET expires_at = now() WHERE user_id = :user",
        "DELETE FROM sessions WHERE user_id = :user",
        "UPDATE users SET status = 'suspended' WHERE id = :user",
        "UPDATE users SET status = 'deactivated' WHERE id = :user",
    ],
)
async def test_a_session_that_ended_is_seen_by_the_next_query(member: Member, change: str) -> None:
    await member.change(change)
    for _ in range(2):
        assert set(await member.client.codes(QUERY)) == {"UNAUTHENTICATED"}
    assert await member.asked() == ["read"], "it is forgotten"


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM user_roles WHERE user_id = :user",
        "DELETE FROM role_permissions WHERE role_id = :role",
        "UPDATE role_permissions SET permission = 'deals.viewer' WHERE role_id = :role",
        "DELETE FROM roles WHERE id = :role",
    ],
)
async def test_a_right_that_was_taken_is_seen_by_the_next_query(member: Member, change: str) -> None:
    await member.change(change)
    assert await member.client.codes(QUERY) == ["FORBIDDEN"]
    assert await member.asked() == ["stands"]


async def test_a_right_that_was_given_is_seen_by_the_next_query(member: Member) -> None:
    give = (
        "INSERT INTO role_permissions (tenant_id, role_id, permission) VALUES (:tenant, :role, 'leads.view')"
    )
    await member.change(give)
    assert (await member.client.read("{ viewer { permissions } }"))["viewer"]["permissions"] == [
        "DEALS_VIEW",
        "LEADS_VIEW",
    ]


async def test_what_a_parent_role_gives_is_seen_by_the_next_query(member: Member) -> None:
    await member.change(PARENT)
    assert await member.client.codes(QUERY) == []
    assert await member.asked() == ["stands"]
    change = (
        "UPDATE role_permissions SET permission = '{}' "
        "WHERE role_id = (SELECT parent_role_id FROM roles WHERE id = :role)"
    )
    await member.change(change.format("leads.view"))
    assert await member.client.codes(QUERY) == ["FORBIDDEN"]
    await member.change(change.format("deals.view"))
    assert await member.client.codes(QUERY) == []
    await member.change("UPDATE roles SET parent_role_id = NULL WHERE id = :role")
    assert await member.client.codes(QUERY) == ["FORBIDDEN"]


async def test_the_operators_grant_is_seen_by_the_next_query(member: Member) -> None:
    query = "{ billingWebhookLogs { nodes { id } } }"
    assert await member.client.codes(query) == ["FORBIDDEN"]
    await member.change("INSERT INTO gateway.platform_grants (tenant_id, user_id) VALUES (:tenant, :user)")
    assert await member.client.codes(query) == []
    await member.change("DELETE FROM gateway.platform_grants WHERE user_id = :user")
    assert await member.client.codes(query) == ["FORBIDDEN"]


async def test_rights_and_rows_are_of_one_moment(
    member: Member, owner: AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch = _Connection.fetch

    async def late(connection: _Connection, *given: Any, **options: Any) -> Any:
        monkeypatch.undo()
        await member.change("DELETE FROM role_permissions WHERE role_id = :role")
        await insert(owner, models.Deal, tenant_id=member.client.tenant_id, name="late")
        return await fetch(connection, *given, **options)

    monkeypatch.setattr(_Connection, "fetch", late)
    data = await member.client.read(QUERY)
    assert data == {"deals": {"nodes": []}, "viewer": {"permissions": ["DEALS_VIEW"]}}
    assert await member.client.codes(QUERY) == ["FORBIDDEN"]


async def test_nobody_is_taken_for_somebody_else(
    anyone: Client, owner: AsyncConnection, member: Member
) -> None:
    tenant = member.client.tenant_id
    assert tenant is not None
    colleague = await member_of(anyone, owner, tenant, "leads.view")
    assert colleague.client.user_id is not None
    stranger = await member_of(anyone, owner, await make_tenant(owner), "audit.view")
    other = Member(await session_of(anyone, owner, tenant, colleague.client.user_id), owner, colleague.role)
    assert await other.asked() == ["read"]
    held = {member: "DEALS_VIEW", stranger: "AUDIT_VIEW"}
    await other.change("UPDATE sessions SET revoked_at = now() WHERE user_id = :user AND tenant_id = :tenant")
    assert await other.client.codes(QUERY) == await colleague.client.codes(QUERY) == ["UNAUTHENTICATED"] * 2
    for one, permission in held.items():
        data = await one.client.read("{ viewer { permissions user { id } } }")
        assert data["viewer"] == {"permissions": [permission], "user": {"id": str(one.client.user_id)}}


async def test_entries_of_any_characters_are_compared_as_they_are(
    anyone: Client, owner: AsyncConnection
) -> None:
    odd = ['"', "\\", "'", "{}", ",", "", "NULL", " a ", "\\'); SELECT 1; --", "Ä", "a", "B", "deals.view"]
    member = await member_of(anyone, owner, await make_tenant(owner), *odd)
    await member.change("DELETE FROM role_permissions WHERE role_id = :role AND permission = ' a '")
    assert await member.asked() == ["stands", "read"]


async def test_roles_of_very_many_entries_are_read_each_time(anyone: Client, owner: AsyncConnection) -> None:
    many = ("deals.view", *("x" * 100 + str(number) for number in range(MAX_STANDING // 100)))
    client = await signed_in(anyone, owner, await make_tenant(owner), *many)
    for _ in range(2):
        with statements(client.services.database) as sent:
            assert await client.codes(QUERY) == []
        assert not any(text.startswith(STANDING) for text in sent)


async def test_so_many_are_kept_and_those_used_last() -> None:
    async def fetch(*_: Any) -> list[tuple[list[str], bool]]:
        return [(["deals.view"], False)]

    viewers = Viewers(most=2)
    first, second, third = sessions = [(uuid4(), uuid4(), uuid4()) for _ in range(3)]
    await viewers.read(fetch, *first)
    await viewers.read(fetch, *second)
    assert viewers.kept(*first) is not None
    await viewers.read(fetch, *third)
    assert [viewers.kept(*session) is not None for session in sessions] == [True, False, True]
    assert len(viewers) == 2
    for part in range(3):
        assert viewers.kept(*(uuid4() if place == part else id_ for place, id_ in enumerate(first))) is None


async def test_who_waits_for_a_lock_is_told_at_the_deadline(
    urls: Urls, tmp_path: Path, owner: AsyncConnection, owner_engine: AsyncEngine
) -> None:
    async with running(urls.gateway, tmp_path, operation_seconds=1) as anyone:
        member = await member_of(anyone, owner, await make_tenant(owner), "deals.view")
        async with owner_engine.connect() as other:
            await other.execute(sa.text("BEGIN"))
            await other.execute(sa.text("LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE"))
            with statements(anyone.services.database) as sent:
                assert set(await member.client.codes(QUERY)) == {"TIMEOUT"}
            await other.execute(sa.text("ROLLBACK"))
        assert [text.startswith(STANDING) for text in sent] == [True], "it was not taken for dead"
        assert await member.asked() == ["stands"]


async def test_another_tenants_viewer_does_not_stand(database: Database, owner: AsyncConnection) -> None:
    ours, theirs = await make_tenant(owner), await make_tenant(owner)
    user = await make_user(owner, ours, "deals.view")
    session = await insert(
        owner,
        models.Session,
        tenant_id=ours,
        user_id=user,
        expires_at=sa.func.now() + sa.text("interval '1 h'"),
    )
    sql = "SELECT FROM gateway.standing($1, $2, $3, $4, false) AS found WHERE found"
    for scope, named, stands in ((ours, ours, 1), (theirs, ours, 0), (ours, theirs, 0)):
        async with database.readers.snapshot(Scope(tenant_id=scope)) as connection:
            assert len(await connection.fetch(sql, named, user, session["id"], ["deals.view"])) == stands


async def test_the_function_names_the_tenant_on_every_table(owner: AsyncConnection) -> None:
    source = await owner.scalar(sa.text("SELECT prosrc FROM pg_proc WHERE proname = 'standing'"))
    tables = re.findall(r"\b(?:FROM|JOIN) (?:public|gateway)\.\w+ (\w+)", source)
    assert len(tables) == 6
    assert [name for name in tables if f"{name}.tenant_id = of_tenant" not in source] == []
