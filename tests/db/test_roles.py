"""Roles are made once, whoever else is making them, and a login with too many rights is recognised."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from sqlalchemy import make_url

from db import roles
from tests.server import Server, Urls


@pytest.fixture
async def owner(server: Server) -> AsyncIterator["asyncpg.Connection[Any]"]:
    connection = await server.connect()
    yield connection
    await connection.close()


@pytest.fixture
async def role(owner: "asyncpg.Connection[Any]") -> AsyncIterator[str]:
    name = f"m3t_{secrets.token_hex(5)}"
    yield name
    await owner.execute(f"DROP ROLE IF EXISTS {name}")


async def test_many_at_once_make_one_role(
    server: Server, role: str, owner: "asyncpg.Connection[Any]"
) -> None:
    connections = [await server.connect() for _ in range(8)]
    try:
        await asyncio.gather(*(c.execute(roles.CREATE_ROLE.format(role=role)) for c in connections))
    finally:
        for connection in connections:
            await connection.close()
    assert await owner.fetchval("SELECT count(*) FROM pg_roles WHERE rolname = $1", role) == 1


async def test_a_role_that_a_twin_has_not_committed_is_waited_for(
    server: Server, role: str, owner: "asyncpg.Connection[Any]"
) -> None:
    twin = await server.connect()
    try:
        transaction = owner.transaction()
        await transaction.start()
        await owner.execute(roles.CREATE_ROLE.format(role=role))
        second = asyncio.create_task(twin.execute(roles.CREATE_ROLE.format(role=role)))
        waiting = "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $1"
        async with asyncio.timeout(20):
            while not await owner.fetchval(waiting, twin.get_server_pid()):
                pass
        await transaction.commit()
        await second
    finally:
        await twin.close()
    assert await owner.fetchval("SELECT count(*) FROM pg_roles WHERE rolname = $1", role) == 1


async def test_an_owner_who_may_not_make_roles_is_told_what_to_do(urls: Urls, role: str) -> None:
    connection = await asyncpg.connect(urls.gateway)
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match=f"{role} does not exist"):
            await connection.execute(roles.CREATE_ROLE.format(role=role))
    finally:
        await connection.close()


async def test_passwords_set_at_once_are_all_set(
    server: Server, role: str, owner: "asyncpg.Connection[Any]"
) -> None:
    await owner.execute(roles.CREATE_ROLE.format(role=role))
    await asyncio.gather(*(roles.set_password(server.owner_url, role, "it's one") for _ in range(4)))
    login = make_url(server.owner_url).set(username=role, password="it's one")
    connection = await asyncpg.connect(login.render_as_string(hide_password=False))
    assert await connection.fetchval("SELECT current_user") == role
    await connection.close()


async def test_the_gateways_login_is_safe_and_the_owners_is_not(server: Server, urls: Urls) -> None:
    assert await roles.unsafe_rights(urls.gateway) == []
    assert await roles.unsafe_rights(urls.owner, server.gateway_role) == []
    (problem,) = await roles.unsafe_rights(urls.owner)
    assert "owns" in problem


async def test_membership_in_a_role_that_owns_tables_is_found(
    server: Server, scratch_database: Urls, role: str, owner: "asyncpg.Connection[Any]"
) -> None:
    member = f"{role}_member"
    inside = await asyncpg.connect(scratch_database.owner)
    try:
        for name in (role, member):
            await inside.execute(roles.CREATE_ROLE.format(role=name))
        await roles.set_password(server.owner_url, role, server.password)
        await inside.execute(f"GRANT {role} TO {member}")
        await inside.execute(f"GRANT CREATE, USAGE ON SCHEMA public TO {role}")
        login = make_url(scratch_database.owner).set(username=role, password=server.password)
        maker = await asyncpg.connect(login.render_as_string(hide_password=False))
        await maker.execute("CREATE TABLE public.mine ()")
        await maker.close()
        problem = f"{role} owns 1 tables of this database"
        assert await roles.unsafe_rights(scratch_database.owner, member) == [problem]
    finally:
        await inside.close()
        await server.drop_database(scratch_database.name)
        await owner.execute(f"DROP ROLE {member}")
