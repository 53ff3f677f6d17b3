"""Filters on text: capitals, wildcards, alphabets; and the index that finds addresses and beginnings."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db import models
from db.session import Database, Scope
from tests.client import Client, signed_in
from tests.factories import insert, make_tenant

TITLES = (
    "100%",
    "1000",
    "a_b",
    "axb",
    "back\\slash",
    "فيلا بحرية",
    "Straße 5",
    "ÄRGER",
    "IŞIK",
    "\u0131ş\u0131k",
)


@pytest.fixture(scope="module")
async def reader(anyone: Client, owner_engine: AsyncEngine) -> Client:
    """Who reads companies with those names, and activities with those subjects."""
    async with owner_engine.connect() as owner:
        tenant = await make_tenant(owner)
        for title in TITLES:
            await insert(owner, models.Company, tenant_id=tenant, name=title, city=title)
        return await signed_in(anyone, owner, tenant, "*")


@pytest.mark.parametrize("column", ["name", "city"])
@pytest.mark.parametrize(
    ("operator", "text", "found"),
    [
        ("startsWith", "1", {"100%", "1000"}),
        ("startsWith", "100%", {"100%"}),
        ("startsWith", "%", set()),
        ("contains", "%", {"100%"}),
        ("contains", "_", {"a_b"}),
        ("startsWith", "A_", {"a_b"}),
        ("contains", "\\", {"back\\slash"}),
        ("startsWith", "BACK\\", {"back\\slash"}),
        ("contains", "", set(TITLES)),
        ("startsWith", "", set(TITLES)),
        ("contains", "بحر", {"فيلا بحرية"}),
        ("startsWith", "فيلا", {"فيلا بحرية"}),
        ("contains", "STRAßE", {"Straße 5"}),
        ("contains", "strasse", set()),
        ("startsWith", "ärg", {"ÄRGER"}),
        ("contains", "Ş", {"IŞIK", "\u0131ş\u0131k"}),
        ("startsWith", "iş", {"IŞIK"}),
        ("startsWith", "\u0131Ş", {"\u0131ş\u0131k"}),
    ],
)
async def test_parts_of_a_text_are_found_in_capitals_or_not(
    reader: Client, column: str, operator: str, text: str, found: set[str]
) -> None:
    query = "query ($filter: CompanyFilter) { companies(filter: $filter) { nodes { name } } }"
    data = await reader.read(query, filter={column: {operator: text}})
    assert {node["name"] for node in data["companies"]["nodes"]} == found


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"eq": "MONA@example.test"}, {"Mona@Example.test"}),
        ({"eq": "mona@example"}, set()),
        ({"ne": "mona@EXAMPLE.test"}, {"İnci@example.test", "ΣΟΦΟΣ@example.test", None}),
        ({"in": ["x@example.test", "mONA@example.test"]}, {"Mona@Example.test"}),
        ({"in": []}, set()),
        ({"notIn": ["mona@example.test", "ΣΟΦΟΣ@example.test"]}, {"İnci@example.test", None}),
        ({"startsWith": "MONA@"}, {"Mona@Example.test"}),
        ({"contains": "@EXAMPLE"}, {"Mona@Example.test", "İnci@example.test", "ΣΟΦΟΣ@example.test"}),
        # Letters whose small ones Python and PostgreSQL do not agree on
        ({"eq": "İnci@example.test"}, {"İnci@example.test"}),
        ({"in": ["ΣΟΦΟΣ@example.test"]}, {"ΣΟΦΟΣ@example.test"}),
        ({"startsWith": "ΣΟΦΟΣ@"}, {"ΣΟΦΟΣ@example.test"}),
        ({"gt": "MONA@EXAMPLE.TEST", "lt": "MONA@EXAMPLE.TESTS"}, set()),
        ({"gte": "MONA@EXAMPLE.TEST", "lt": "MONA@EXAMPLE.TESTS"}, {"Mona@Example.test"}),
        ({"isNull": True}, {None}),
    ],
)
async def test_an_address_is_the_same_in_capitals_or_not(
    anyone: Client, owner: AsyncConnection, given: dict[str, Any], found: set[str | None]
) -> None:
    tenant = await make_tenant(owner)
    for email in ("Mona@Example.test", "İnci@example.test", "ΣΟΦΟΣ@example.test", None):
        await insert(owner, models.Contact, tenant_id=tenant, email=email)
    reader = await signed_in(anyone, owner, tenant, "contacts.view")
    query = "query ($filter: StringFilter) { contacts(filter: { email: $filter }) { nodes { email } } }"
    data = await reader.read(query, filter=given)
    assert {node["email"] for node in data["contacts"]["nodes"]} == found


@dataclass
class Crowd:
    """A tenant with so many contacts that an index pays, beside another one."""

    reader: Client
    tenant: UUID

    async def plan(self, query: str, **variables: Any) -> str:
        """How the server finds the rows of a list, told to the gateway's own role under row security."""
        caught: list[tuple[str, Any]] = []

        def catch(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
            caught.append((statement, parameters))

        database: Database = self.reader.services.database
        event.listen(database.engine.sync_engine, "before_cursor_execute", catch)
        try:
            await self.reader.read(query, **variables)
        finally:
            event.remove(database.engine.sync_engine, "before_cursor_execute", catch)
        statement, parameters = caught[-1]
        async with database.read(Scope(tenant_id=self.tenant)) as connection:
            driver = (await connection.get_raw_connection()).driver_connection
            assert driver is not None
            return "\n".join(row[0] for row in await driver.fetch(f"EXPLAIN {statement}", *parameters))


@pytest.fixture(scope="module")
async def crowd(anyone: Client, owner_engine: AsyncEngine) -> Crowd:
    async with owner_engine.connect() as owner:
        for _ in range(2):
            tenant = await make_tenant(owner)
            for columns in (
                "contacts (full_name, email, tenant_id) SELECT 'Person ' || n, 'Person' || n || '@example.test'",
                "companies (name, tenant_id) SELECT 'Firm ' || n",
            ):
                insertion = sa.text(f"INSERT INTO {columns}, :tenant FROM generate_series(1, 3000) n")
                await owner.execute(insertion, {"tenant": tenant})
        await owner.execute(sa.text("ANALYZE contacts, companies"))
        return Crowd(await signed_in(anyone, owner, tenant, "*"), tenant)


@pytest.mark.parametrize(
    ("field", "column", "given", "index"),
    [
        ("contacts", "email", {"eq": "person77@EXAMPLE.test"}, "contacts_email_norm_ix"),
        ("contacts", "email", {"in": ["person77@example.test", "x@example.test"]}, "contacts_email_norm_ix"),
        ("contacts", "email", {"startsWith": "PERSON299"}, "contacts_email_norm_ix"),
        ("contacts", "fullName", {"startsWith": "person 299"}, "contacts_full_name_norm_ix"),
        ("companies", "name", {"startsWith": "FIRM 299"}, "companies_name_norm_ix"),
    ],
)
async def test_an_index_serves_addresses_and_beginnings(
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
    query = 'query { contacts(filter: { email: { contains: "299" } }) { nodes { id } } }'
    assert "email_norm_ix" not in await crowd.plan(query)
