"""Buckets: what was asked for is taken out, and whoever asks for more than is left waits."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncConnection

from graph.admission.buckets import RETRY_SECONDS, SWEPT, Buckets, Memory
from graph.auth.tokens import Claims
from graph.errors import RateLimited
from graph.limits import COST_WINDOW
from graph.settings import Settings
from tests.client import Client, running, signed_in
from tests.factories import make_tenant
from tests.server import Urls

TENANT = uuid4()


class Clock:
    """A clock that is set by hand."""

    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def somebody(tenant: UUID = TENANT) -> Claims:
    return Claims(uuid4(), tenant, uuid4(), "token", datetime.now(UTC))


def buckets(
    clock: Clock, user: int = 100, tenant: int = 250, address: int = 50, storage: str | None = None
) -> Buckets:
    settings = Settings(
        cost_per_user=user,
        cost_per_tenant=tenant,
        cost_per_address=address,
        rate_limit_storage=None if storage is None else SecretStr(storage),
    )
    return Buckets(settings, clock)


async def test_a_bucket_is_emptied_and_full_again_after_its_window() -> None:
    clock = Clock()
    found, who = buckets(clock), somebody()
    assert [await found.charge(who, cost) for cost in (60, 30)] == [40, 10]
    clock.now += 20.5
    with pytest.raises(RateLimited) as refused:
        await found.charge(who, 11)
    assert refused.value.retry_after == COST_WINDOW - 20
    assert await found.charge(who, 10) == 0, "what was refused took nothing"
    clock.now += refused.value.retry_after
    assert await found.charge(who, 70) == 30


async def test_a_tenant_is_its_users_together() -> None:
    found = buckets(Clock())
    one, other, third = somebody(), somebody(), somebody()
    assert [await found.charge(who, 100) for who in (one, other)] == [0, 0]
    with pytest.raises(RateLimited):
        await found.charge(third, 51)
    assert await found.charge(third, 50) == 0, "the tenant's refusal took nothing of the user's"
    assert await found.charge(somebody(uuid4()), 100) == 0, "another tenant's"


async def test_who_has_emptied_their_own_bucket_takes_nothing_of_the_tenants() -> None:
    found, greedy = buckets(Clock()), somebody()
    await found.charge(greedy, 100)
    for _ in range(10):
        with pytest.raises(RateLimited):
            await found.charge(greedy, 100)
    assert await found.charge(somebody(), 100) == 0


async def test_what_costs_more_than_a_bucket_holds_takes_all_of_it() -> None:
    found, who = buckets(Clock()), somebody()
    assert await found.charge(who, 1000) == 0
    with pytest.raises(RateLimited):
        await found.charge(who, 1)


async def test_who_is_not_signed_in_is_an_address() -> None:
    found = buckets(Clock())
    assert await found.charge("192.0.2.1", 50) == 0
    assert await found.charge("192.0.2.2", 50) == 0
    assert await found.charge("2001:db8::1", 50) == 0
    for address in ("192.0.2.1", "2001:db8::2"):
        with pytest.raises(RateLimited):
            await found.charge(address, 1)


async def test_a_bucket_of_any_size_counts_nothing() -> None:
    found = buckets(Clock(), user=0, tenant=0, address=0)
    assert [await found.charge(who, 10**6) for who in (somebody(), None)] == [None, None]


def test_counters_that_are_over_are_forgotten() -> None:
    clock = Clock()
    memory = Memory(clock)
    for number in range(SWEPT):
        memory.add(str(number), 1)
    clock.now += COST_WINDOW
    memory.add("another", 1)
    assert len(memory) == 1


async def test_one_user_at_once_gets_no_more_than_the_bucket_holds() -> None:
    found, who = buckets(Clock()), somebody()
    asked = await asyncio.gather(*(found.charge(who, 7) for _ in range(50)), return_exceptions=True)
    assert sum(isinstance(item, int) for item in asked) == 100 // 7


@asynccontextmanager
async def redis_server(folder: Path) -> AsyncIterator[str]:
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("no redis-server is installed")
    socket = folder / "redis.sock"
    arguments = ("--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(folder))
    process = await asyncio.create_subprocess_exec(program, *arguments, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        async for line in process.stdout:
            if b"ready to accept" in line.lower():
                break
        yield f"redis+unix://{socket}"
    finally:
        process.kill()
        await process.communicate()


async def test_processes_share_what_redis_counts(tmp_path: Path) -> None:
    async with redis_server(tmp_path) as url:
        one, other = (buckets(Clock(), storage=url) for _ in range(2))
        who = somebody()
        assert [await one.charge(who, 60), await other.charge(who, 30)] == [40, 10]
        with pytest.raises(RateLimited) as refused:
            await other.charge(who, 11)
        assert 1 <= refused.value.retry_after <= COST_WINDOW
        assert await one.charge(who, 10) == 0
        async with Redis.from_url(url.replace("redis+", "")) as redis:
            keys = await redis.keys()
            assert len(keys) == 2
            for key in keys:
                assert 0 < await redis.ttl(key) <= COST_WINDOW
        await one.close()
        await other.close()


async def test_without_redis_each_process_counts_by_itself(tmp_path: Path) -> None:
    clock = Clock()
    found, who = buckets(clock, storage=f"redis+unix://{tmp_path}/nothing.sock"), somebody()
    assert [await found.charge(who, cost) for cost in (60, 30)] == [40, 10]
    with pytest.raises(RateLimited) as refused:
        await found.charge(who, 11)
    assert refused.value.retry_after == COST_WINDOW
    clock.now += RETRY_SECONDS  # it is tried again, and still is not there
    assert await found.charge(who, 5) == 5
    await found.close()


@pytest.fixture
async def narrow(urls: Urls, tmp_path: Path) -> AsyncIterator[Client]:
    """A gateway where little may be asked for."""
    async with running(
        urls.gateway, tmp_path, cost_per_user=60, cost_per_tenant=100, cost_per_address=20
    ) as client:
        yield client


LIST = "{ companies { nodes { id } } }"


@pytest.mark.parametrize("accept", ["application/json", "application/graphql-response+json"])
async def test_a_client_is_told_when_to_try_again(
    narrow: Client, owner: AsyncConnection, accept: str
) -> None:
    reader = await signed_in(narrow, owner, await make_tenant(owner), "*")
    async with reader.http(costed=True) as http:
        headers = {"Authorization": f"Bearer {reader.token}", "Accept": accept}
        answers = [await http.post("/graphql", json={"query": LIST}, headers=headers) for _ in range(3)]
    spent = [answer.json()["extensions"]["cost"]["remaining"] for answer in answers[:2]]
    assert spent == [60 - 26, 60 - 52]
    refused = answers[2]
    (error,) = refused.json()["errors"]
    wait = error["extensions"].pop("retryAfter")
    assert error["extensions"] == {"code": "RATE_LIMITED"}
    assert 1 <= wait <= COST_WINDOW
    assert (refused.status_code, refused.headers["retry-after"]) == (429, str(wait))
    assert "data" not in refused.json()


@pytest.mark.parametrize(
    "query", ["{ __typename }", "{", "{ nothing }", "{ ...A } fragment A on Query { ...A }"]
)
async def test_whatever_is_sent_without_signing_in_costs(narrow: Client, query: str) -> None:
    codes = [await narrow.codes(query) for _ in range(21)]
    assert [code for code in codes if code == ["RATE_LIMITED"]] == [["RATE_LIMITED"]]
    assert codes[-1] == ["RATE_LIMITED"]
