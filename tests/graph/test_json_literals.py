"""Variables within a JSON literal are the values that they have."""

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from db import models
from tests.client import Client, signed_in
from tests.factories import insert, make_tenant

CREATE = """mutation ($s: String, $n: Int, $l: [Boolean!], $j: JSON) {
    createLead(input: { sourceCode: "web", attributes: { s: $s, list: [1, $n, $l], in: { j: $j } } }) {
        lead { attributes } errors { field code } } }"""
FIND = """query ($v: %s) {
    leads(filter: { attributes: { contains: { a: { is: $v } } } }) { totalCount } }"""


@pytest.fixture(params=["planned", "stock"])
async def reader(
    request: pytest.FixtureRequest, planned: Client, stock: Client, owner: AsyncConnection
) -> Client:
    """Somebody with every permission, of either engine."""
    anyone = {"planned": planned, "stock": stock}[request.param]
    return await signed_in(anyone, owner, await make_tenant(owner), "*")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (
            {"s": "é", "n": 7, "l": [True, False], "j": {"a": [None, 1.5]}},
            {"s": "é", "list": [1, 7, [True, False]], "in": {"j": {"a": [None, 1.5]}}},
        ),
        ({"s": None, "j": "x"}, {"s": None, "list": [1, None, None], "in": {"j": "x"}}),
        ({}, {"list": [1, None, None], "in": {}}),
    ],
)
async def test_what_is_stored_has_the_values(reader: Client, given: dict[str, object], kept: object) -> None:
    data = await reader.read(CREATE, **given)
    assert data["createLead"] == {"lead": {"attributes": kept}, "errors": []}


async def test_a_filter_has_the_value(reader: Client, owner: AsyncConnection) -> None:
    for colour in ("red", "blue", "blue"):
        await insert(owner, models.Lead, tenant_id=reader.tenant_id, attributes={"a": {"is": colour}})
    for colour, count in (("red", 1), ("blue", 2), ("green", 0)):
        assert (await reader.read(FIND % "String", v=colour))["leads"] == {"totalCount": count}


@pytest.mark.parametrize(
    ("kind", "value"),
    [("DateTime", "2026-01-02T03:04:05Z"), ("Decimal", "1.5"), ("DealStatus", "WON"), ("JSON", "x" * 70_000)],
)
async def test_what_json_cannot_hold_is_refused(reader: Client, kind: str, value: str) -> None:
    assert await reader.codes(FIND % kind, v=value) == ["BAD_INPUT"]
