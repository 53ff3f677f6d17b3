"""Every page of long lists, forwards and backwards: no row missed, none twice, and each in its place.

Thousands of these rows share the instant they were made, or have no value to sort by.
"""

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from db.models import Deal, Unit
from tests.real_data.conftest import EgyptTenant, MavenTenant
from tests.real_data.load_egypt import created_at as imported_at
from tests.real_data.load_egypt import price_minor
from tests.real_data.load_maven import closes_at
from tests.real_data.load_maven import created_at as engaged_at
from tests.real_data.source import Line, id_of
from tests.real_data.walk import walk, walk_back


def units(egypt: EgyptTenant, key: Callable[[int, Line], Any], *, descending: bool) -> list[str]:
    """The ids of all units by `key`, which gets the listing's number and line, then by id."""
    rows = ((key(n, line), id_of(egypt.id, Unit, n)) for n, line in enumerate(egypt.listings))
    return [str(row[1]) for row in sorted(rows, reverse=descending)]


def deals(maven: MavenTenant, key: Callable[[Line], Any], *, descending: bool) -> list[str]:
    """The ids of all deals by `key`, then by id."""
    rows = ((key(line), id_of(maven.id, Deal, line["opportunity_id"])) for line in maven.files.opportunities)
    return [str(row[1]) for row in sorted(rows, reverse=descending)]


def close(line: Line) -> tuple[bool, date]:
    """When a deal closes, as PostgreSQL sorts it: NULL is the largest."""
    day = closes_at(line)
    return day is None, day or date.min


async def test_every_unit_from_the_newest(egypt: EgyptTenant) -> None:
    expected = units(egypt, lambda number, _: imported_at(number), descending=True)
    assert await walk(egypt.client, "units") == expected
    assert len(expected) == len(set(expected)) == 19_360


async def test_every_unit_from_the_oldest(egypt: EgyptTenant) -> None:
    expected = units(egypt, lambda number, _: imported_at(number), descending=True)
    assert await walk_back(egypt.client, "units") == expected[::-1]


async def test_every_unit_from_the_cheapest(egypt: EgyptTenant) -> None:
    expected = units(egypt, lambda _, listing: price_minor(listing), descending=False)
    order = "orderBy: { field: PRICE_MINOR, direction: ASC }"
    assert await walk(egypt.client, "units", order) == expected


async def test_every_unit_from_the_cheapest_backwards(egypt: EgyptTenant) -> None:
    expected = units(egypt, lambda _, listing: price_minor(listing), descending=True)
    order = "orderBy: { field: PRICE_MINOR, direction: DESC }"
    assert await walk_back(egypt.client, "units", order) == expected[::-1]


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
async def test_every_deal_by_the_day_it_closes_and_those_without_one(
    maven: MavenTenant, direction: str
) -> None:
    expected = deals(maven, close, descending=direction == "DESC")
    order = f"orderBy: {{ field: EXPECTED_CLOSE_AT, direction: {direction} }}"
    assert await walk(maven.client, "deals", order) == expected
    assert await walk_back(maven.client, "deals", order) == expected[::-1]
    assert len(expected) == len(set(expected)) == 8800
    assert sum(close(line)[0] for line in maven.files.opportunities) == 2089


async def test_every_deal_of_an_owner_from_the_newest_and_back(maven: MavenTenant) -> None:
    filter_ = 'filter: { owner: { email: { eq: "darcel.schlecht@maven.test" } } }'
    lines = [line for line in maven.files.opportunities if line["sales_agent"] == "Darcel Schlecht"]
    rows = [(engaged_at(line), id_of(maven.id, Deal, line["opportunity_id"])) for line in lines]
    expected = [str(row[1]) for row in sorted(rows, reverse=True)]
    assert await walk(maven.client, "deals", filter_) == expected
    assert await walk_back(maven.client, "deals", filter_) == expected[::-1]
    assert len(expected) == 747


async def test_a_project_with_hundreds_of_units_page_by_page(egypt: EgyptTenant) -> None:
    document = """query Units($after: String) {
      projects(filter: { name: { eq: "Marassi" } }) { nodes {
        units(first: 100, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } }
      } }
    }"""
    found: list[str] = []
    after = None
    while True:
        [project] = (await egypt.client.read(document, after=after))["projects"]["nodes"]
        found += [node["id"] for node in project["units"]["nodes"]]
        if not project["units"]["pageInfo"]["hasNextPage"]:
            break
        after = project["units"]["pageInfo"]["endCursor"]
    rows: list[tuple[Any, UUID]] = [
        (imported_at(number), id_of(egypt.id, Unit, number))
        for number, listing in enumerate(egypt.listings)
        if listing["compound"] == "Marassi"
    ]
    assert found == [str(row[1]) for row in sorted(rows, reverse=True)]
    assert len(found) == 419
