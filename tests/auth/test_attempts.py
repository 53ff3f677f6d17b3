"""How often credentials may be wrong: counted by account and by address, exactly, and forgotten in time."""

import asyncio
import time

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from graph.auth.attempts import LETTER, RESET, SIGN_IN, AccessRefused, Attempts, Kind, folded
from graph.errors import RateLimited

ADDRESS = "192.0.2.1"


async def attempt(
    attempts: Attempts, *account: str, address: str | None = ADDRESS, good: bool = False
) -> str:
    """How an attempt to sign in ends."""
    try:
        async with attempts.of(SIGN_IN, account=account, address=address):
            await asyncio.sleep(0)
            if not good:
                raise AccessRefused("wrong")
    except AccessRefused:
        return "wrong"
    except RateLimited:
        return "limited"
    return "good"


async def test_an_account_is_closed_after_ten() -> None:
    attempts = Attempts()
    done = [await attempt(attempts, "t", "a", address=f"192.0.2.{n}") for n in range(12)]
    assert done == ["wrong"] * 10 + ["limited"] * 2
    assert await attempt(attempts, "t", "a", good=True) == "limited"
    assert await attempt(attempts, " T", "A ", good=True) == "limited"
    assert await attempt(attempts, "t", "b", good=True) == "good"
    assert await attempt(attempts, "u", "a", good=True) == "good"
    assert await attempt(attempts, "ta", "", good=True) == "good"


async def test_an_address_is_closed_after_a_hundred() -> None:
    attempts = Attempts()
    done = [await attempt(attempts, f"a{n}") for n in range(101)]
    assert done == ["wrong"] * 100 + ["limited"]
    assert await attempt(attempts, "new", good=True) == "limited"
    assert await attempt(attempts, "new", address="192.0.2.2", good=True) == "good"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("192.0.2.1", "192.0.2.2", False),
        (None, "not an address", True),
    ],
)
async def test_a_network_is_one_address(one: str | None, other: str, same: bool) -> None:
    attempts = Attempts()
    for n in range(100):
        await attempt(attempts, f"a{n}", address=one)
    assert await attempt(attempts, "new", address=other) == ("limited" if same else "wrong")


async def test_what_is_right_counts_for_nothing() -> None:
    attempts = Attempts()
    for _ in range(3):
        for _ in range(3):
            assert await attempt(attempts, "a") == "wrong"
        for _ in range(20):
            assert await attempt(attempts, "a", good=True) == "good"
    assert await attempt(attempts, "a") == "wrong"
    assert await attempt(attempts, "a") == "limited"


async def test_what_goes_wrong_otherwise_counts_for_nothing() -> None:
    attempts = Attempts()
    for _ in range(20):
        with pytest.raises(ZeroDivisionError):
            async with attempts.of(SIGN_IN, account=["a"], address=ADDRESS):
                raise ZeroDivisionError
    assert await attempt(attempts, "a", good=True) == "good"


async def test_side_by_side_no_more_than_may_fail() -> None:
    attempts = Attempts()
    done = await asyncio.gather(*(attempt(attempts, "a") for _ in range(50)))
    assert sorted(done) == ["limited"] * 40 + ["wrong"] * 10


async def test_side_by_side_nobody_who_is_right_is_limited() -> None:
    attempts = Attempts()
    done = await asyncio.gather(*(attempt(attempts, "a", good=True) for _ in range(300)))
    assert set(done) == {"good"}


async def test_one_who_gives_up_waiting_leaves_nothing_behind() -> None:
    attempts = Attempts()
    holding = [attempts.of(SIGN_IN, account=["a"], address=ADDRESS) for _ in range(10)]
    for held in holding:
        await held.__aenter__()
    waiting = asyncio.create_task(attempt(attempts, "a", good=True))
    await asyncio.sleep(0)
    assert not waiting.done()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    for held in holding:
        await held.__aexit__(None, None, None)
    assert await asyncio.gather(*(attempt(attempts, "a", good=True) for _ in range(10))) == ["good"] * 10


async def test_it_is_forgotten_when_it_is_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    attempts, begin = Attempts(), time.time()
    for _ in range(10):
        await attempt(attempts, "a")
    with pytest.raises(RateLimited) as limited:
        async with attempts.of(SIGN_IN, account=["a"], address=ADDRESS):
            raise AssertionError
    after = limited.value.retry_after
    assert limited.value.extensions == {"code": "RATE_LIMITED", "retryAfter": after}
    assert 290 <= after <= 300
    monkeypatch.setattr(time, "time", lambda: begin + 290)
    assert await attempt(attempts, "a", good=True) == "limited"
    monkeypatch.setattr(time, "time", lambda: begin + after + 5)
    assert await attempt(attempts, "a", good=True) == "good"


@pytest.mark.parametrize(("kind", "most"), [(RESET, 5), (LETTER, 100)])
async def test_what_counts_always(kind: Kind, most: int) -> None:
    attempts = Attempts()
    for _ in range(most):
        attempts.count(kind, account=["a"], address=ADDRESS)
    with pytest.raises(RateLimited):
        attempts.count(kind, account=["a"], address=ADDRESS)


async def test_what_the_database_takes_for_one_account_is_one(owner: AsyncConnection) -> None:
    attempts = Attempts()
    done = [await attempt(attempts, "t", f"adm{letter}n") for letter in "iI\u0130" * 4]
    assert done == ["wrong"] * 10 + ["limited"] * 2
    pairs = "SELECT chr(n), lower(chr(n)) FROM generate_series(1, 55295) n WHERE lower(chr(n)) <> chr(n)"
    found = [tuple(row) for row in await owner.execute(text(pairs))]
    assert len(found) > 1000
    assert [pair for pair in found if folded(pair[0]) != folded(pair[1])] == []
