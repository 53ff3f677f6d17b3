"""Tokens that travel by e-mail: to whom, for what and until when they are good."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from graph.auth import keys, letters
from graph.auth.accounts import Account
from graph.auth.base64url import decode, encode
from graph.auth.keys import KeyRing
from graph.auth.letters import Letter, LetterToken

ACCOUNT = Account(uuid4(), uuid4(), "a@example.com", "hash", "active")
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> KeyRing:
    return keys.generate(tmp_path_factory.mktemp("keys") / "keys.json")


def read(text: str, letter: Letter = Letter.PASSWORD_RESET) -> LetterToken:
    token = letters.read(letter, text)
    assert token is not None
    return token


@pytest.mark.parametrize(
    ("letter", "life"),
    [(Letter.PASSWORD_RESET, timedelta(hours=1)), (Letter.USER_INVITATION, timedelta(days=7))],
)
def test_a_token_is_good_for_its_account_until_it_ends(
    ring: KeyRing, letter: Letter, life: timedelta
) -> None:
    text, end = letters.write(letter, ring, ACCOUNT, NOW)
    assert end == NOW + life
    token = read(text, letter)
    assert (token.tenant_id, token.user_id) == (ACCOUNT.tenant_id, ACCOUNT.user_id)
    assert token.expires_at == end
    assert token.genuine(ring, ACCOUNT, end - timedelta(seconds=1))
    assert not token.genuine(ring, ACCOUNT, end)


@pytest.mark.parametrize(
    "change",
    [
        {"email": "b@example.com"},
        {"password_hash": "other"},
        {"password_hash": None},
        {"user_id": uuid4()},
        {"tenant_id": uuid4()},
    ],
)
def test_a_token_is_of_one_account_as_it_is(ring: KeyRing, change: dict[str, Any]) -> None:
    text, _ = letters.write(Letter.PASSWORD_RESET, ring, ACCOUNT, NOW)
    assert read(text).genuine(ring, ACCOUNT, NOW)
    assert not read(text).genuine(ring, replace(ACCOUNT, **change), NOW)


def test_a_token_is_of_one_kind_and_of_our_keys(ring: KeyRing, tmp_path: Path) -> None:
    text, _ = letters.write(Letter.PASSWORD_RESET, ring, ACCOUNT, NOW)
    assert not read(text, Letter.USER_INVITATION).genuine(ring, ACCOUNT, NOW)
    assert not read(text).genuine(keys.generate(tmp_path / "keys.json"), ACCOUNT, NOW)


def test_no_bit_of_a_token_can_change(ring: KeyRing) -> None:
    text, _ = letters.write(Letter.PASSWORD_RESET, ring, ACCOUNT, NOW)
    value = decode(text)
    for place in range(len(value)):
        changed = bytearray(value)
        changed[place] ^= 1
        assert not read(encode(bytes(changed))).genuine(ring, ACCOUNT, NOW), place


@pytest.mark.parametrize("text", ["", "x", "é", "AAAA", "=" * 92, "A" * 88, "A" * 100_000, "\0"])
def test_what_cannot_be_a_token_is_none(text: str) -> None:
    assert letters.read(Letter.PASSWORD_RESET, text) is None


def test_the_senders_token_is_shown_to_nobody_else(ring: KeyRing) -> None:
    row = letters.message(Letter.USER_INVITATION, ring, ACCOUNT, full_name="A")
    assert row["payload"].keys() == {"token", "expires_at", "full_name"}
    shown = letters.without_secret(row["template_code"], row["payload"])
    assert shown.keys() == {"expires_at", "full_name"}
    assert letters.without_secret("welcome", {"token": 1}) == {"token": 1}
    assert letters.without_secret(None, {"token": 1}) == {"token": 1}
    assert letters.without_secret("password_reset", None) is None
    assert letters.without_secret("password_reset", ["token"]) == ["token"]
