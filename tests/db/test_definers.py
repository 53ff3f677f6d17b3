"""Functions that run as the owner do nothing that their caller has smuggled in."""

import re
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import asyncpg
import pytest

from tests.server import Urls

if TYPE_CHECKING:
    Raw = asyncpg.Connection[Any]


TYPES = ("text", "uuid", "jsonb", "timestamptz", "citext", "inet")
"""Types whose names are looked up, as those of SQL itself (`bigint`, `boolean` …) are not."""

UNQUALIFIED = re.compile(rf"(?<!pg_catalog\.)(?:::\s*|^\s+\w+ )({'|'.join(TYPES)})\b", re.MULTILINE)

VULNERABLE = """
CREATE FUNCTION public.vulnerable() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
  found text := 'x';
BEGIN
  RETURN length(found);
END $$
"""


@pytest.fixture
async def owner(scratch_database: Urls) -> AsyncIterator["Raw"]:
    connection = await asyncpg.connect(scratch_database.owner)
    yield connection
    await connection.close()


@pytest.fixture
async def intruder(scratch_database: Urls) -> AsyncIterator["Raw"]:
    """The gateway's login, with types of its own that say who looks at them."""
    connection = await asyncpg.connect(scratch_database.gateway)
    await connection.execute(
        "CREATE FUNCTION pg_temp.refuse(text) RETURNS boolean LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE 'run as %', current_user; END $$"
    )
    for name in TYPES:
        if name != "citext":
            await connection.execute(
                f"CREATE DOMAIN pg_temp.{name} AS pg_catalog.{name} "
                "CHECK (pg_temp.refuse(VALUE::pg_catalog.text))"
            )
    yield connection
    await connection.close()


async def test_a_type_of_the_callers_is_not_taken_for_one_of_ours(owner: "Raw", intruder: "Raw") -> None:
    await owner.execute(VULNERABLE)
    with pytest.raises(asyncpg.RaiseError, match="run as"):
        await intruder.fetchval("SELECT public.vulnerable()")
    for call in ("event_bounds()", "events_after(0, 1)", "sequence_events(1)", "forget_events('1 day', 1)"):
        await intruder.execute(f"SELECT gateway.{call}")
    for call in ("due_launches()", "overdue_approvals()", "all_document_modes()"):
        await intruder.execute(f"SELECT gateway.{call}")


async def test_nor_do_triggers_take_it(owner: "Raw", intruder: "Raw") -> None:
    tenant = uuid4()
    await owner.execute("SELECT set_config('app.maintenance', 'on', false)")
    await owner.execute("INSERT INTO tenants (id, name, slug) VALUES ($1, 'A', $2)", tenant, tenant.hex)
    async with intruder.transaction():
        await intruder.execute(f"SET LOCAL app.tenant_id = '{tenant}'")
        await intruder.execute(f"SET LOCAL app.user_id = '{uuid4()}'")
        project = await intruder.fetchval(
            "INSERT INTO projects (tenant_id, name) VALUES ($1, 'P') RETURNING id", tenant
        )
        await intruder.execute(
            "INSERT INTO units (tenant_id, project_id, code, unit_type_code, price_minor, currency) "
            "SELECT $1, $2, 'U', code, 1, 'EGP' FROM unit_type_codes LIMIT 1",
            tenant,
            project,
        )
    assert await owner.fetchval("SELECT count(*) FROM unit_price_history WHERE tenant_id = $1", tenant) == 1


async def test_each_of_them_names_its_types_in_full(owner: "Raw") -> None:
    functions = await owner.fetch(
        "SELECT proname, proconfig, prosrc FROM pg_proc WHERE prosecdef "
        "AND pronamespace::regnamespace::text IN ('public', 'gateway')"
    )
    assert functions
    for function in functions:
        assert 'search_path=""' in function["proconfig"], function["proname"]
        assert UNQUALIFIED.findall(function["prosrc"]) == [], function["proname"]
    assert UNQUALIFIED.findall(VULNERABLE) == ["text"]
