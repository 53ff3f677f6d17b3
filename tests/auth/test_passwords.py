"""Passwords are argon2id at OWASP's minimum, and every refusal costs one hash."""

from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher

from graph.auth import passwords
from graph.auth.passwords import Passwords, PasswordUnusable, check_new, prepare


@pytest.fixture(scope="module")
def hashing() -> Iterator[Passwords]:
    made = Passwords(threads=1)
    yield made
    made.close()


async def test_a_password_matches_its_hash_alone(hashing: Passwords) -> None:
    stored = await hashing.hash("open sesame")
    assert await hashing.verify(stored, "open sesame") is True
    assert await hashing.verify(stored, "open sesame ") is False
    assert await hashing.verify(stored, "Open sesame") is False


async def test_the_parameters_are_owasps_minimum(hashing: Passwords) -> None:
    assert (await hashing.hash("x")).startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert hashing.hash_now("x") != hashing.hash_now("x")


@pytest.mark.parametrize(
    "stored", [None, "", "plain", "$2b$12$abcdefghijklmnopqrstuv", "$argon2id$broken", "$argon2id$v=19$é"]
)
async def test_without_a_usable_hash_one_of_todays_is_worked_through(
    hashing: Passwords, verified: list[str], stored: str | None
) -> None:
    async def worked(hash_: str | None) -> list[str]:
        verified.clear()
        assert await hashing.verify(hash_, "open sesame") is False
        return [parameters for parameters in verified if parameters == "19456,t=2,p=1"]

    usable = await hashing.hash("another")
    assert await worked(stored) == await worked(usable) == ["19456,t=2,p=1"]


@pytest.mark.parametrize("password", ["", "x" * 1025, "é" * 513, "\ud800"])
async def test_what_cannot_be_a_password_is_refused_unhashed(
    hashing: Passwords, verified: list[str], password: str
) -> None:
    with pytest.raises(PasswordUnusable):
        await hashing.hash(password)
    assert await hashing.verify(await hashing.hash("x"), password) is False
    assert await hashing.verify(None, password) is False
    assert verified == []


async def test_the_longest_passwords_count_to_their_last_byte(hashing: Passwords) -> None:
    stored = await hashing.hash("x" * 1024)
    assert await hashing.verify(stored, "x" * 1024) is True
    assert await hashing.verify(stored, "x" * 1023 + "y") is False
    assert await hashing.verify(await hashing.hash("a\0b"), "a\0c") is False


async def test_composed_and_decomposed_letters_are_one_password(hashing: Passwords) -> None:
    stored = await hashing.hash("\u0623\u062d\u0645\u062f")
    assert await hashing.verify(stored, "\u0627\u0654\u062d\u0645\u062f") is True
    assert prepare("e\u0301") == "é".encode()
    assert prepare("ﬁ") != prepare("fi")


def test_a_hash_of_other_parameters_is_to_be_made_anew(hashing: Passwords) -> None:
    weaker = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1)
    assert hashing.needs_rehash(weaker.hash("x")) is True
    assert hashing.needs_rehash(hashing.hash_now("x")) is False


def test_a_new_password_has_eight_characters() -> None:
    check_new("é" * passwords.MIN_NEW_CHARACTERS)
    with pytest.raises(PasswordUnusable, match="at least 8"):
        check_new("é" * 7)
