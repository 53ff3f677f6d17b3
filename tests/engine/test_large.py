"""Large answers: others get their turn while one is put together, and statements do not grow with rows."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from graph.engine import build
from graph.http import respond
from graph.size import MAX_AT_ONCE
from tests.client import Client, running, signed_in
from tests.factories import make_tenant
from tests.server import Urls
from tests.statements import statements

FILL = """INSERT INTO activities (tenant_id, deal_id, type_code, subject)
    SELECT tenant_id, id, 'call', 'Call ' || n FROM deals, generate_series(1, 40) n
    WHERE tenant_id = :tenant"""
DEALS = """INSERT INTO deals (tenant_id, pipeline_id, stage_id, name)
    SELECT :tenant, p.id, s.id, 'Deal ' || n FROM generate_series(1, 100) n, deal_pipelines p, deal_stages s
    WHERE p.tenant_id = :tenant AND s.tenant_id = :tenant"""
PIPELINE = "INSERT INTO deal_pipelines (tenant_id, name) VALUES (:tenant, 'Sales')"
STAGE = """INSERT INTO deal_stages (tenant_id, pipeline_id, code, order_index)
    SELECT tenant_id, id, 'new', 1 FROM deal_pipelines WHERE tenant_id = :tenant"""
QUERY = """query ($deals: Int!, $work: Int!) {
    deals(first: $deals) { nodes { name activities(first: $work) { nodes { subject contact { id } } } } } }"""


@pytest.fixture(scope="module")
async def reader(urls: Urls, owner_engine: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    async with (
        running(urls.gateway, tmp_path_factory.mktemp("keys"), engine="planned") as anyone,
        owner_engine.connect() as owner,
    ):
        yield await of_large_tenant(anyone, owner)


async def of_large_tenant(anyone: Client, owner: AsyncConnection) -> Client:
    """Who may see deals and activities, of which there are 4,000, and no contacts."""
    tenant = await make_tenant(owner)
    for statement in (PIPELINE, STAGE, DEALS, FILL):
        await owner.execute(text(statement), {"tenant": tenant})
    return await signed_in(anyone, owner, tenant, "deals.view", "activities.view")


async def test_others_get_their_turn_between_the_parts_of_an_answer(
    reader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn, parts = 0, list[tuple[int, int]]()
    original = build.compile_build

    async def count() -> None:
        nonlocal turn
        while True:
            turn += 1
            await asyncio.sleep(0)

    def compile_build(*args: Any) -> Any:
        made = original(*args)

        def counted(rows: Any, children: Any) -> Any:
            parts.append((turn, len(rows)))
            return made(rows, children)

        return counted

    def describe(errors: Any, *args: Any, **named: Any) -> Any:
        parts.append((turn, len(errors)))
        return respond.describe(errors, *args, **named)

    monkeypatch.setattr("graph.engine.run.compile_build", compile_build)
    monkeypatch.setattr("graph.engine.answer.describe", describe)
    counting = asyncio.create_task(count())
    found = await reader.ask(QUERY, deals=100, work=40)
    counting.cancel()
    assert len(found["errors"]) == sum(len(d["activities"]["nodes"]) for d in found["data"]["deals"]["nodes"])
    assert len(found["errors"]) == 4000
    assert max(rows for _, rows in parts) == MAX_AT_ONCE
    full = [at for at, rows in parts if rows == MAX_AT_ONCE]
    assert len(full) == 2 * 4000 // MAX_AT_ONCE
    assert len(set(full)) >= len(full) - 1  # objects are done before errors are begun


@pytest.mark.parametrize(("deals", "work"), [(1, 9), (10, 9), (100, 9), (100, 40)])
async def test_statements_do_not_grow_with_rows(reader: Client, deals: int, work: int) -> None:
    query = QUERY.replace(" contact { id }", "")
    with statements(reader.services.database) as sent:
        data = await reader.read(query, deals=deals, work=work)
    assert [len(deal["activities"]["nodes"]) for deal in data["deals"]["nodes"]] == [work] * deals
    assert len(sent) == 3
