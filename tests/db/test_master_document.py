"""Each table is the master document's, plus the additions listed in additions.txt, and nothing else."""

import re
from collections import defaultdict
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import asyncpg
import pytest

from db.base import Base
from tests.db import catalogue
from tests.db.catalogue import Catalogue
from tests.server import Server, Urls

HERE = Path(__file__).parent
TABLES = sorted(Base.metadata.tables)


class Difference(NamedTuple):
    """A line of additions.txt."""

    addition: int
    sign: str
    line: str


def listed() -> dict[str, list[Difference]]:
    """What additions.txt says of each table."""
    found: dict[str, list[Difference]] = defaultdict(list)
    table = ""
    for text in (HERE / "additions.txt").read_text().splitlines():
        if text.startswith("  "):
            number, sign, line = text.split(maxsplit=2)
            found[table].append(Difference(int(number), sign, line))
        elif text and not text.startswith("#"):
            table = text
    return found


LISTED = listed()


def stronger(table: str, line: str) -> str:
    """What we have instead of a line of the document: the same, with the tenant and the partition's time."""
    if line == "PRIMARY KEY (id)":
        time = {"audit_logs": "created_at", "integration_webhook_logs": "received_at"}[table]
        return f"PRIMARY KEY (tenant_id, id, {time})"
    found = re.fullmatch(r"FOREIGN KEY \((\w+)\) REFERENCES (\w+)\(id\)(.*)", line)
    assert found, f"{line} is taken away, and no rule says what replaces it"
    column, target, action = found.groups()
    own, its = (column, "id") if column != "stage_id" else ("pipeline_id, stage_id", "pipeline_id, id")
    if action.endswith("SET NULL"):
        action += f" ({column})"
    return f"FOREIGN KEY (tenant_id, {own}) REFERENCES {target}(tenant_id, {its}){action}"


@pytest.fixture(scope="session")
async def document(server: Server) -> AsyncIterator[Catalogue]:
    """What the document's own DDL makes."""
    urls = await server.create_database()
    connection = await asyncpg.connect(urls.owner)
    try:
        await connection.execute((HERE / "master.sql").read_text())
    finally:
        await connection.close()
    yield await catalogue.read(urls.owner)
    await server.drop_database(urls.name)


@pytest.fixture(scope="session")
async def ours(urls: Urls) -> Catalogue:
    """What the migrations make."""
    return await catalogue.read(urls.owner)


def test_public_holds_the_43_tables_of_the_document_and_no_others(
    document: Catalogue, ours: Catalogue
) -> None:
    assert len(document) == 43
    assert sorted(document) == sorted(ours) == TABLES == sorted(LISTED)


@pytest.mark.parametrize("table", TABLES)
def test_a_table_is_the_documents_plus_the_listed_additions(
    table: str, document: Catalogue, ours: Catalogue
) -> None:
    lost = {d.line for d in LISTED[table] if d.sign == "-"}
    gained = {d.line for d in LISTED[table] if d.sign == "+"}
    assert document[table] - ours[table] == lost
    assert ours[table] - document[table] == gained


@pytest.mark.parametrize("table", [t for t in TABLES if any(d.sign == "-" for d in LISTED[t])])
def test_what_replaces_a_line_of_the_document_asks_for_more(table: str) -> None:
    gained = {d.line for d in LISTED[table] if d.sign == "+"}
    for lost in (d.line for d in LISTED[table] if d.sign == "-"):
        assert stronger(table, lost) in gained


def test_each_addition_has_its_reason_in_the_decisions() -> None:
    decisions = (HERE.parents[1] / "docs" / "decisions.md").read_text()
    explained = {int(number) for number in re.findall(r"^### (\d+)\. ", decisions, re.M)}
    used = {d.addition for differences in LISTED.values() for d in differences}
    assert used == {1, 2, 3, 4, 5, 6, 8, 10}
    assert used <= explained
