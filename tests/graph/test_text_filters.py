"""Filters on text: capitals, wildcards, alphabets."""

from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db import models
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
