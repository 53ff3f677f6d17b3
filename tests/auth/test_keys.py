"""The keys file: made once, rotated, read again when it changes, never quoted."""

import json
import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest
from structlog.testing import capture_logs

from graph.auth import keys
from graph.auth.base64url import decode, encode
from graph.auth.keys import KeyFile, KeysError

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
TTL = timedelta(minutes=11)


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "made" / "keys.json"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_generated_keys_are_for_their_owner_alone(path: Path) -> None:
    ring = keys.generate(path)
    assert mode(path) == 0o600
    assert keys.load(path).jwks == ring.jwks
    assert keys.load(path).master == ring.master
    assert len(ring.master) == 32
    assert os.listdir(path.parent) == ["keys.json"]


def test_generate_overwrites_nothing(path: Path) -> None:
    keys.generate(path)
    before = path.read_bytes()
    with pytest.raises(KeysError, match="not overwritten"):
        keys.generate(path)
    assert path.read_bytes() == before


def test_of_two_that_generate_at_once_one_is_refused(path: Path) -> None:
    outcomes: list[str] = []

    def make() -> None:
        try:
            outcomes.append(keys.generate(path).active.id)
        except KeysError:
            outcomes.append("refused")

    threads = [Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes).count("refused") == 7
    assert keys.load(path).active.id in outcomes


def test_a_new_key_signs_and_the_old_one_verifies_while_its_tokens_live(path: Path) -> None:
    first = keys.generate(path, NOW)
    second = keys.rotate(path, TTL, NOW + timedelta(days=30))
    assert [key.id for key in second.signing] == [second.active.id, first.active.id]
    assert second.active.id != first.active.id
    assert second.master == first.master

    within = keys.rotate(path, TTL, NOW + timedelta(days=30, minutes=10))
    assert list(within.by_id) == [within.active.id, second.active.id, first.active.id]
    after = keys.rotate(path, TTL, NOW + timedelta(days=30, minutes=12))
    assert list(after.by_id) == [after.active.id, within.active.id, second.active.id]


def test_without_a_life_to_wait_for_only_the_new_key_remains(path: Path) -> None:
    keys.generate(path)
    assert len(keys.rotate(path, timedelta(0)).signing) == 1


def test_rotation_keeps_the_files_mode_and_the_link_to_it(path: Path, tmp_path: Path) -> None:
    keys.generate(path)
    path.chmod(0o640)
    link = tmp_path / "link.json"
    link.symlink_to(path)
    ring = keys.rotate(link, TTL)
    assert link.is_symlink()
    assert mode(path) == 0o640
    assert keys.load(path).active.id == ring.active.id
    assert os.listdir(path.parent) == ["keys.json"]


def test_jwks_has_public_halves_alone(path: Path) -> None:
    ring = keys.generate(path)
    (key,) = ring.jwks["keys"]
    assert set(key) == {"kty", "crv", "x", "kid", "alg", "use"}
    assert (key["kty"], key["crv"], key["alg"], key["use"]) == ("OKP", "Ed25519", "EdDSA", "sig")
    assert decode(key["x"]) == ring.active.private.public_key().public_bytes_raw()
    assert encode(ring.active.private.private_bytes_raw()) not in json.dumps(ring.jwks)


def test_derived_keys_differ_by_purpose_and_outlive_rotation(path: Path) -> None:
    ring = keys.generate(path)
    assert ring.derive("cursor") == ring.derive("cursor")
    assert len({ring.derive("cursor"), ring.derive("refresh"), ring.master}) == 3
    assert keys.rotate(path, timedelta(0)).derive("cursor") == ring.derive("cursor")


def test_a_change_is_seen_within_a_second_and_the_file_not_read_more_often(path: Path) -> None:
    keys.generate(path)
    clock = Clock()
    file = KeyFile(path, clock)
    first = file.current
    changed = keys.rotate(path, TTL)
    clock.now = 0.9
    assert file.current is first
    clock.now = 1.1
    assert file.current.active.id == changed.active.id
    again = file.current
    clock.now = 9.0
    assert file.current is again


def test_an_unknown_key_is_looked_for_at_once(path: Path) -> None:
    keys.generate(path)
    file = KeyFile(path, Clock())
    old = file.current
    rotated = keys.rotate(path, TTL)
    assert file.with_key(old.active.id) is old
    assert file.with_key(rotated.active.id).active.id == rotated.active.id


@pytest.mark.parametrize("damage", ["{", "[]", "{}", "remove", "cut"])
def test_a_broken_file_leaves_the_keys_and_is_logged_once(path: Path, damage: str) -> None:
    keys.generate(path)
    whole = path.read_bytes()
    clock = Clock()
    file = KeyFile(path, clock)
    first = file.current
    if damage == "remove":
        path.unlink()
    else:
        path.write_bytes(whole[: len(whole) // 2] if damage == "cut" else damage.encode())
    with capture_logs() as logged:
        for moment in range(2, 6):
            clock.now = moment
            assert file.current is first
    assert [entry["event"] for entry in logged] == ["keys.reload_failed"]

    path.write_bytes(whole)
    clock.now = 9
    assert file.current is not first
    assert file.current.jwks == first.jwks


def _drop(name: str) -> str:
    return json.dumps({key: value for key, value in SAMPLE.items() if key != name})


SEED = encode(bytes(range(32)))
KEY = {"id": "a", "created": "2026-11-01T00:00:00+00:00", "private": SEED}
SAMPLE: dict[str, object] = {"master": SEED, "signing": [KEY]}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[" * 100_000,
        _drop("master"),
        _drop("signing"),
        json.dumps(SAMPLE | {"signing": []}),
        json.dumps(SAMPLE | {"signing": [KEY, KEY]}),
        json.dumps(SAMPLE | {"signing": {}}),
        json.dumps(SAMPLE | {"signing": [KEY | {"private": SEED[:-2]}]}),
        json.dumps(SAMPLE | {"signing": [KEY | {"created": "yesterday"}]}),
        json.dumps(SAMPLE | {"master": SEED[:20]}),
        json.dumps(SAMPLE | {"master": SEED + "!"}),
        json.dumps(SAMPLE | {"master": 7}),
    ],
)
def test_a_damaged_file_is_refused_without_quoting_it(path: Path, text: str) -> None:
    path.parent.mkdir()
    path.write_text(json.dumps(SAMPLE))
    assert keys.load(path).active.id == "a"
    path.write_text(text)
    with pytest.raises(KeysError) as refused:
        keys.load(path)
    assert str(refused.value) == f"the keys file {path} is damaged"
    assert refused.value.__suppress_context__


def test_a_missing_file_names_its_remedy(path: Path) -> None:
    with pytest.raises(KeysError, match="m3 keys generate"):
        KeyFile(path)
    with pytest.raises(KeysError, match="cannot be written"):
        keys.rotate(path, TTL)


def test_base64url_has_one_spelling() -> None:
    assert decode(encode(b"\xff\xfe\xfd")) == b"\xff\xfe\xfd"
    assert decode("_w") == b"\xff"
    for text in ("_x", "_w==", "_ w", "_w\n", "/w", "é", "A"):
        with pytest.raises(ValueError, match=r".*"):
            decode(text)
