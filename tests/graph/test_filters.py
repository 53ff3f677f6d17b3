"""Filters, case by case: what matches nothing or everything, what is refused."""

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db import models
from tests.client import Client, signed_in
from tests.factories import insert, make_tenant


@pytest.fixture(scope="module")
async def reader(anyone: Client, owner_engine: AsyncEngine) -> Client:
    """Who reads a tenant of three deals: of a company in Cairo, of one in no city, of no company."""
    async with owner_engine.connect() as owner:
        tenant = await make_tenant(owner)
        reader = await signed_in(anyone, owner, tenant, "*")
        pipeline = await insert(owner, models.DealPipeline, tenant_id=tenant, name="Sales")
        stage = await insert(owner, models.DealStage, tenant_id=tenant, pipeline_id=pipeline["id"])
        on = {"tenant_id": tenant, "pipeline_id": pipeline["id"], "stage_id": stage["id"]}
        cairo = await insert(owner, models.Company, tenant_id=tenant, name="Nile", city="Cairo")
        nowhere = await insert(owner, models.Company, tenant_id=tenant, name="Delta")
        for name, company, owned in (
            ("a", cairo["id"], True),
            ("b", nowhere["id"], False),
            ("c", None, True),
        ):
            deal = await insert(
                owner,
                models.Deal,
                **on,
                name=name,
                company_id=company,
                amount_minor=None if name == "c" else len(name),
                owner_user_id=reader.user_id if owned else None,
                status="won" if name == "b" else "open",
                tags=[name],
            )
            await insert(owner, models.Activity, tenant_id=tenant, subject=name, deal_id=deal["id"])
        return reader


async def names(reader: Client, given: dict[str, Any]) -> str:
    """The names of the deals that a filter finds, in alphabetical order."""
    query = """query ($filter: DealFilter) {
        deals(filter: $filter, orderBy: { field: NAME }) { totalCount nodes { name } }
    }"""
    page = (await reader.read(query, filter=given))["deals"]
    assert page["totalCount"] == len(page["nodes"])
    return "".join(node["name"] for node in page["nodes"])


async def codes(reader: Client, given: Any) -> list[str]:
    return await reader.codes(
        "query ($filter: DealFilter) { deals(filter: $filter) { nodes { id } } }", filter=given
    )


def nested(depth: int, way: str = "and") -> dict[str, Any]:
    """A filter of that many filters, one in the other."""
    if depth == 1:
        return {}
    inner = nested(depth - 1, way)
    return {way: [inner] if way in ("and", "or") else inner}


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (None, "abc"),
        ({}, "abc"),
        ({"and": []}, "abc"),
        ({"and": [{}, {}]}, "abc"),
        ({"or": []}, ""),
        ({"or": [{}]}, "abc"),
        ({"not": {}}, ""),
        ({"not": {"or": []}}, "abc"),
        ({"name": {}}, "abc"),
        ({"name": {"in": []}}, ""),
        ({"name": {"notIn": []}}, "abc"),
        ({"amountMinor": {"notIn": []}}, "abc"),
        ({"tags": {"hasAny": []}}, ""),
        ({"tags": {"hasAll": []}}, "abc"),
        ({"name": {"in": ["a"], "notIn": ["a"]}}, ""),
        ({"name": {"gte": "a", "lt": "c"}}, "ab"),
        ({"name": {"eq": "a"}, "status": {"eq": "OPEN"}}, "a"),
        ({"name": {"eq": "a"}, "or": [{"status": {"eq": "WON"}}]}, ""),
        ({"or": [{"name": {"eq": "a"}}, {"status": {"eq": "WON"}}]}, "ab"),
        # Where the amount is not known, neither it nor its opposite is left out by `not`
        ({"amountMinor": {"ne": "1"}}, "c"),
        ({"not": {"amountMinor": {"eq": "1"}}}, "c"),
        ({"not": {"amountMinor": {"ne": "1"}}}, "ab"),
        ({"not": {"not": {"amountMinor": {"gt": "0"}}}}, "ab"),
        ({"not": {"amountMinor": {"gt": "0"}, "name": {"eq": "a"}}}, "bc"),
    ],
)
async def test_what_is_said_holds(reader: Client, given: Any, found: str) -> None:
    assert await names(reader, given) == found


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"company": {}}, "ab"),
        ({"not": {"company": {}}}, "c"),
        ({"companyId": {"isNull": True}}, "c"),
        ({"company": {"city": {"eq": "Cairo"}}}, "a"),
        ({"company": {"city": {"ne": "Cairo"}}}, "b"),
        ({"not": {"company": {"city": {"eq": "Cairo"}}}}, "bc"),
        ({"company": {"not": {"city": {"isNull": True}}}}, "a"),
        ({"company": {"or": [{"city": {"isNull": True}}, {"name": {"startsWith": "NIL"}}]}}, "ab"),
        ({"stage": {"pipeline": {"name": {"eq": "Sales"}}}, "owner": {}}, "ac"),
        ({"stage": {"pipeline": {"name": {"eq": "sales"}}}}, ""),
        ({"owner": {"email": {"contains": "@EXAMPLE"}}}, "ac"),
    ],
)
async def test_a_relation_is_filtered_by_what_it_leads_to(reader: Client, given: Any, found: str) -> None:
    assert await names(reader, given) == found


async def test_relations_are_followed_to_the_depth_of_a_filter(reader: Client) -> None:
    query = "query ($filter: ActivityFilter) { activities(filter: $filter) { nodes { subject } } }"
    given = {"deal": {"stage": {"pipeline": {"name": {"eq": "Sales"}}}, "company": {"city": {"eq": "Cairo"}}}}
    data = await reader.read(query, filter=given)
    assert data == {"activities": {"nodes": [{"subject": "a"}]}}
    five = {"deal": {"stage": {"pipeline": {"not": {"name": {"eq": "none"}}}}}}
    assert len((await reader.read(query, filter=five))["activities"]["nodes"]) == 3
    assert await reader.codes(query, filter={"not": five}) == ["BAD_INPUT"]


async def test_a_list_under_a_parent_is_filtered_alike(reader: Client) -> None:
    query = """query ($filter: DealFilter) { companies(orderBy: { field: NAME }) { nodes {
        name deals(filter: $filter) { totalCount nodes { name } }
    } } }"""
    data = await reader.read(query, filter={"company": {"city": {"eq": "Cairo"}}})
    assert data["companies"]["nodes"] == [
        {"name": "Delta", "deals": {"totalCount": 0, "nodes": []}},
        {"name": "Nile", "deals": {"totalCount": 1, "nodes": [{"name": "a"}]}},
    ]


@pytest.mark.parametrize("way", ["and", "or", "not"])
async def test_a_filter_is_at_most_five_deep(reader: Client, way: str) -> None:
    assert await codes(reader, nested(5, way)) == []
    assert await codes(reader, nested(6, way)) == ["BAD_INPUT"]
    assert await codes(reader, nested(50, way)) == ["BAD_INPUT"]


@pytest.mark.parametrize("operator", ["in", "notIn", "and", "or", "hasAny", "hasAll"])
async def test_a_list_has_at_most_a_hundred_values(reader: Client, operator: str) -> None:
    def given(count: int) -> dict[str, Any]:
        if operator in ("and", "or"):
            return {operator: [{}] * count}
        return {"tags" if operator.startswith("has") else "name": {operator: ["x"] * count}}

    assert await codes(reader, given(100)) == []
    assert await codes(reader, given(101)) == ["BAD_INPUT"]


@pytest.mark.parametrize(
    "given",
    [
        {"name": None},
        {"company": None},
        {"and": None},
        {"or": None},
        {"not": None},
        {"and": [None]},
        {"or": [{}, None]},
        {"name": {"eq": None}},
        {"name": {"ne": None}},
        {"name": {"in": None}},
        {"name": {"in": [None]}},
        {"name": {"notIn": ["a", None]}},
        {"name": {"isNull": None}},
        {"name": {"contains": None}},
        {"tags": {"has": None}},
        {"tags": {"hasAny": [None]}},
        {"company": {"name": {"eq": None}}},
        {"not": {"status": {"eq": None}}},
    ],
)
async def test_null_is_no_value_to_compare_with(reader: Client, given: Any) -> None:
    assert await codes(reader, given) == ["BAD_INPUT"]


@pytest.mark.parametrize(
    "given",
    [
        *(
            {"id": {"eq": text}}
            for text in ("", "1", "x" * 36, str(uuid4())[:-1], uuid4().hex, f"{{{uuid4()}}}")
        ),
        {"id": {"eq": str(uuid4()).replace("-", "_")}},
        {"id": {"eq": "-" * 4 + uuid4().hex}},
        {"id": {"in": [str(uuid4()), "1"]}},
        {"companyId": {"ne": "urn:uuid:" + str(uuid4())}},
        {"id": {"eq": 5}},
        {"id": {"eq": True}},
        {"status": {"eq": "NOPE"}},
        {"status": {"eq": "open"}},
        {"amountMinor": {"eq": "9223372036854775808"}},
        {"amountMinor": {"eq": "-9223372036854775809"}},
        {"amountMinor": {"eq": "1.0"}},
        {"amountMinor": {"eq": 1.5}},
        {"amountMinor": {"eq": ""}},
        {"expectedCloseAt": {"lt": "2026-02-29"}},
        {"createdAt": {"lt": "2026-02-28T00:00:00"}},
        {"name": {"eq": "x" * 1001}},
        {"name": {"eq": "\0"}},
        {"name": {"startsWith": "a\0"}},
        {"tags": {"has": "\0"}},
        {"nobody": {"eq": "x"}},
        {"tenantId": {"eq": str(uuid4())}},
        {"nameNorm": {"eq": "x"}},
        {"name": {"like": "x"}},
        {"name": "x"},
        "x",
    ],
)
async def test_what_cannot_be_compared_is_bad_input(reader: Client, given: Any) -> None:
    assert await codes(reader, given) == ["BAD_INPUT"]


async def test_a_lone_surrogate_is_bad_input(reader: Client) -> None:
    query = "query ($name: String) { deals(filter: { name: { eq: $name } }) { nodes { id } } }"
    body = f'{{"query": "{query}", "variables": {{"name": "\\ud800"}}}}'
    headers = {"Authorization": f"Bearer {reader.token}", "Content-Type": "application/json"}
    async with reader.http() as http:
        answer = (await http.post("/graphql", content=body, headers=headers)).json()
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_INPUT"]


@pytest.mark.parametrize("literal", ["NOPE", '"OPEN"', "open"])
async def test_an_unknown_value_of_an_enum_is_no_valid_document(reader: Client, literal: str) -> None:
    document = f"{{ deals(filter: {{ status: {{ eq: {literal} }} }}) {{ nodes {{ id }} }} }}"
    assert await reader.codes(document) == ["GRAPHQL_VALIDATION_FAILED"]


@pytest.mark.parametrize("score", [2**31, -(2**31) - 1, 1.5, "1"])
async def test_an_int_has_32_bits(reader: Client, score: Any) -> None:
    query = "query ($score: Int) { leads(filter: { score: { eq: $score } }) { nodes { id } } }"
    assert await reader.codes(query, score=score) == ["BAD_INPUT"]


@pytest.mark.parametrize("literal", ["1", '"1"', '"01"'])
async def test_a_bigint_is_a_string_or_an_integer(reader: Client, literal: str) -> None:
    data = await reader.read(f"{{ deals(filter: {{ amountMinor: {{ eq: {literal} }} }}) {{ totalCount }} }}")
    assert data == {"deals": {"totalCount": 2}}


@pytest.mark.parametrize("literal", ["2", "2.5", '"2.50"', '"25e-1"'])
async def test_a_decimal_is_a_string_or_a_number(
    anyone: Client, owner: AsyncConnection, literal: str
) -> None:
    tenant = await make_tenant(owner)
    await insert(owner, models.Unit, tenant_id=tenant, size_sqm=2 if literal == "2" else 2.5)
    reader = await signed_in(anyone, owner, tenant, "inventory.view")
    data = await reader.read(f"{{ units(filter: {{ sizeSqm: {{ eq: {literal} }} }}) {{ totalCount }} }}")
    assert data == {"units": {"totalCount": 1}}
