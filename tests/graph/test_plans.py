"""Indexes serve what clients ask most, for the gateway's own role under row security."""

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import pytest
import sqlalchemy as sa
from asyncpg.connection import LoggedQuery
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from db.session import Database, Scope
from tests.client import Client, signed_in
from tests.factories import make_tenant
from tests.graph.lists import Place

FILL: Final = (
    "INSERT INTO companies (tenant_id, name) SELECT :tenant, 'Firm ' || n FROM generate_series(1, 3000) n",
    """INSERT INTO contacts (tenant_id, company_id, full_name, email, created_at)
        SELECT c.tenant_id, c.id, 'Person ' || n, 'Person' || n || '@a.test', now() - n * interval '1 s'
        FROM generate_series(1, 3000) n
        JOIN companies c ON c.tenant_id = :tenant AND c.name = 'Firm ' || (n % 3 + 1)""",
    """INSERT INTO leads (tenant_id, score) SELECT :tenant, CASE WHEN n % 3 > 0 THEN n END
        FROM generate_series(1, 3000) n""",
)


@dataclass
class Crowd:
    """A tenant with so many rows that an index pays, beside another one."""

    reader: Client
    tenant: UUID

    async def plan(self, query: str, **variables: Any) -> str:
        """How the server finds what a query reads last."""
        caught: list[tuple[str, Any]] = []

        def catch(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
            caught.append((statement, parameters))

        def catch_past_sqlalchemy(query: LoggedQuery) -> None:
            if query.query != "COMMIT":
                caught.append((query.query, query.args))

        database: Database = self.reader.services.database
        event.listen(database.engine.sync_engine, "before_cursor_execute", catch)
        database.readers.loggers.append(catch_past_sqlalchemy)
        try:
            await self.reader.read(query, **variables)
        finally:
            database.readers.loggers.remove(catch_past_sqlalchemy)
            event.remove(database.engine.sync_engine, "before_cursor_execute", catch)
        statement, parameters = caught[-1]
        async with database.read(Scope(tenant_id=self.tenant)) as connection:
            driver = (await connection.get_raw_connection()).driver_connection
            assert driver is not None
            return "\n".join(row[0] for row in await driver.fetch(f"EXPLAIN {statement}", *parameters))


@pytest.fixture(scope="module", params=["planned", "stock"])
async def crowd(
    request: pytest.FixtureRequest, anyone: Client, stock: Client, owner_engine: AsyncEngine
) -> Crowd:
    asked = stock if request.param == "stock" else anyone
    async with owner_engine.connect() as owner:
        for _ in range(2):
            tenant = await make_tenant(owner)
            for statement in FILL:
                await owner.execute(sa.text(statement), {"tenant": tenant})
        await owner.execute(sa.text("ANALYZE companies, contacts, leads"))
        return Crowd(await signed_in(asked, owner, tenant, "*"), tenant)


@pytest.mark.parametrize(
    ("field", "column", "given", "index"),
    [
        ("contacts", "email", {"eq": "person77@A.test"}, "contacts_email_norm_ix"),
        ("contacts", "email", {"in": ["person77@a.test", "x@a.test"]}, "contacts_email_norm_ix"),
        ("contacts", "email", {"startsWith": "PERSON299"}, "contacts_email_norm_ix"),
        ("contacts", "fullName", {"startsWith": "person 299"}, "contacts_full_name_norm_ix"),
        ("companies", "name", {"startsWith": "FIRM 299"}, "companies_name_norm_ix"),
    ],
)
async def test_an_index_finds_addresses_and_beginnings(
    crowd: Crowd, field: str, column: str, given: dict[str, Any], index: str
) -> None:
    kind = {"contacts": "ContactFilter", "companies": "CompanyFilter"}[field]
    query = f"query ($filter: {kind}) {{ {field}(first: 100, filter: $filter) {{ nodes {{ {column} }} }} }}"
    plan = await crowd.plan(query, filter={column: given})
    assert index in plan, plan
    # The index is asked for the text, not just for the tenant
    (condition,) = [line for line in plan.splitlines() if "Index Cond" in line]
    assert "_norm" in condition, plan
    found = (await crowd.reader.read(query, filter={column: given}))[field]["nodes"]
    assert len(found) == (11 if "startsWith" in given else 1)


async def test_a_part_in_the_middle_has_no_index(crowd: Crowd) -> None:
    query = '{ contacts(filter: { email: { contains: "299" } }) { nodes { id } } }'
    assert "email_norm_ix" not in await crowd.plan(query)


@pytest.mark.parametrize("size", ["first", "last"])
@pytest.mark.parametrize(
    ("place", "index", "condition"),
    [
        (Place("contacts"), "contacts_seek_ix", "ROW(created_at, id)"),
        (Place("contacts").order("FULL_NAME", "ASC"), "contacts_full_name_order_ix", "ROW(full_name, id)"),
        (
            Place("contacts").order("UPDATED_AT", "DESC"),
            "contacts_updated_at_order_ix",
            "ROW(updated_at, id)",
        ),
        (Place("leads").order("SCORE", "DESC"), "leads_score_order_ix", "ROW(score, id)"),
        (
            Place("contacts", parent='companies(filter: { name: { eq: "Firm 2" } }) > nodes'),
            "contacts_company_id_seek_ix",
            "ROW(created_at, id)",
        ),
    ],
)
async def test_a_page_begins_where_the_cursor_is(
    crowd: Crowd, place: Place, index: str, condition: str, size: str
) -> None:
    # From the far end: what has no value comes first in one direction, and must be behind
    cursor, way = ("startCursor", "before") if size == "last" else ("endCursor", "after")
    document = place.document(size)
    data: Any = await crowd.reader.read(document, size=100)
    while "pageInfo" not in data:
        data = next(iter(data.values())) if isinstance(data, dict) else data[0]
    assert f"{way}: $cursor" in document
    plan = await crowd.plan(document, size=100, cursor=data["pageInfo"][cursor])
    conditions = [line for line in plan.splitlines() if "Index Cond" in line]
    assert index in plan, plan
    assert "Seq Scan" not in plan, plan
    assert all(condition in line or "IS N" in line for line in conditions if "tenant_id" in line), plan
