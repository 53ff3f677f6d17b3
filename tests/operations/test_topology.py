"""Two gateways behind PgBouncer in transaction mode: they are one service, and tenants stay apart."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Company
from db.scope import SERVER_SETTINGS
from tests.cli.program import PATIENCE
from tests.factories import insert
from tests.operations.conftest import somebody
from tests.operations.people import Person, maintenance
from tests.operations.topology import Topology, topology

COMPANIES = "query Companies { companies(first: 100) { nodes { id name } } viewer { tenant { slug } } }"
ADD = """
mutation AddCompany($name: String!) {
  createCompany(input: { name: $name }) { company { id name } errors { code } }
}
"""


@pytest.fixture(scope="module")
async def place() -> AsyncIterator[Topology]:
    async with topology() as running:
        yield running


@pytest.fixture(scope="module")
async def tenants(place: Topology) -> tuple[Person, Person]:
    """Two administrators, each with ten companies of their own, called after their tenant."""
    async with maintenance(place.owner_url) as owner:
        people = [await _with_companies(owner) for _ in range(2)]
    return people[0], people[1]


async def _with_companies(owner: AsyncConnection) -> Person:
    person = await somebody(owner)
    for number in range(10):
        await insert(owner, Company, tenant_id=person.tenant_id, name=f"{person.slug} {number}")
    return person


@pytest.fixture
async def gateways(place: Topology) -> AsyncIterator[tuple[httpx.AsyncClient, httpx.AsyncClient]]:
    one, other = (
        httpx.AsyncClient(
            base_url=address, trust_env=False, timeout=PATIENCE, limits=httpx.Limits(max_connections=100)
        )
        for address in place.gateways
    )
    async with one, other:
        yield one, other


async def test_whoever_signs_in_at_one_gateway_is_known_at_the_other(
    tenants: tuple[Person, Person], gateways: tuple[httpx.AsyncClient, httpx.AsyncClient]
) -> None:
    person, (one, other) = tenants[0], gateways
    assert await person.sign_in(one) == []
    answer = await person.ask(other, COMPANIES)
    assert answer["data"]["viewer"]["tenant"]["slug"] == person.slug
    assert len(answer["data"]["companies"]["nodes"]) >= 10
    # What is written at one is there at the other
    name = f"{person.slug} {uuid4()}"
    added = (await person.ask(other, ADD, name=name))["data"]["createCompany"]
    found = await person.ask(one, "query ($id: ID!) { company(id: $id) { name } }", id=added["company"]["id"])
    assert found["data"] == {"company": {"name": name}}


async def insisting(
    person: Person, gateway: httpx.AsyncClient, query: str, **variables: str
) -> dict[str, Any]:
    """The answer, asked for again by a client whom a full pool has sent away."""
    async with asyncio.timeout(PATIENCE):
        while True:
            answer = await person.ask(gateway, query, **variables)
            codes = [error["extensions"]["code"] for error in answer.get("errors", ())]
            if codes != ["UNAVAILABLE"]:
                return answer
            await asyncio.sleep(0.1)


async def test_two_hundred_requests_at_once_see_no_row_of_the_other_tenant(
    tenants: tuple[Person, Person], gateways: tuple[httpx.AsyncClient, httpx.AsyncClient]
) -> None:
    for person, gateway in zip(tenants, gateways, strict=True):
        assert await person.sign_in(gateway) == []

    async def one_of(number: int) -> tuple[Person, str]:
        person, gateway = tenants[number % 2], gateways[number // 2 % 2]
        if number % 5 == 0:
            answer = await insisting(person, gateway, ADD, name=f"{person.slug} added {number}")
            assert answer["data"]["createCompany"]["errors"] == []
        else:
            answer = await insisting(person, gateway, COMPANIES)
        assert "errors" not in answer, answer["errors"]
        return person, str(answer["data"])

    answers = await asyncio.gather(*(one_of(number) for number in range(200)))
    for person, said in answers:
        (stranger,) = (other for other in tenants if other is not person)
        assert person.slug in said
        assert stranger.slug not in said
        assert str(stranger.tenant_id) not in said


async def test_through_the_pooler_a_transaction_has_the_gateways_settings(place: Topology) -> None:
    connection = await asyncpg.connect(place.pooled_url, statement_cache_size=0)
    try:
        found = {
            name: await connection.fetchval(f"SHOW {name}")
            for name in SERVER_SETTINGS
            if name != "application_name"
        }
    finally:
        await connection.close()
    assert found == {name: value for name, value in SERVER_SETTINGS.items() if name != "application_name"}


async def test_both_gateways_are_ready_and_count(
    gateways: tuple[httpx.AsyncClient, httpx.AsyncClient],
) -> None:
    for gateway in gateways:
        assert (await gateway.get("/readyz")).json() == {"ready": True, "reasons": []}
        assert "m3_pool_size" in (await gateway.get("/metrics")).text
