"""What goes wrong is told in one line, with exit code 1 and the remedy."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from graph.auth import keys
from tests.cli.conftest import M3
from tests.cli.program import PATIENCE, started
from tests.server import Urls

NOWHERE = "postgresql://nobody:hidden@127.0.0.1:1/nothing"


@pytest.mark.parametrize(
    ("command", "settings", "words"),
    [
        ("db upgrade", {}, "M3_OWNER_DATABASE_URL is not set"),
        ("user set-password t e", {}, "M3_OWNER_DATABASE_URL is not set"),
        ("serve", {}, "M3_DATABASE_URL is not set"),
        ("serve", {"port": "http"}, "M3_PORT: Input should be a valid integer"),
        ("db upgrade", {"owner_database_url": NOWHERE}, "Connect call failed"),
        ("serve", {"database_url": NOWHERE, "keys_file": "/nonexistent/keys.json"}, "m3 keys generate"),
        ("serve", {"database_url": NOWHERE, "keys_file": "…"}, "Connect call failed"),
        ("user grant-platform t e", {"owner_database_url": NOWHERE}, "Connect call failed"),
        ("keys rotate", {"keys_file": "/nonexistent/keys.json"}, "cannot be written"),
        ("keys generate", {"keys_file": "/dev/null/keys.json"}, "cannot be written"),
        ("export-schema /nonexistent/schema.graphql", {}, "No such file"),
    ],
)
async def test_a_failure_is_one_line(
    m3: M3, tmp_path: Path, command: str, settings: dict[str, Any], words: str
) -> None:
    if settings.get("keys_file") == "…":
        settings = settings | {"keys_file": tmp_path / "keys.json"}
        keys.generate(tmp_path / "keys.json")
    done = await m3(*command.split(), stdin="a long password\n", **settings)
    assert done.code == 1
    assert done.err.startswith("m3: ")
    assert done.err.count("\n") == 1
    assert words in done.err
    assert "hidden" not in done.err
    assert done.out == ""


async def test_a_program_that_fails_says_no_more(tmp_path: Path) -> None:
    async with started("keys", "rotate", keys_file=tmp_path / "none.json") as process:
        out, err = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert (process.returncode, out) == (1, b"")
    assert err.decode() == f"m3: there is no keys file {tmp_path}/none.json; `m3 keys generate` makes one\n"


async def test_an_unknown_migration_is_named(m3: M3, urls: Urls) -> None:
    done = await m3("db", "upgrade", "nowhere", owner_database_url=urls.owner)
    assert (done.code, done.err) == (1, "m3: Can't locate revision identified by 'nowhere'\n")


async def test_keys_are_made_once_and_rotated(m3: M3, tmp_path: Path) -> None:
    file = tmp_path / "deep" / "keys.json"
    made = await m3("keys", "generate", keys_file=file)
    assert (made.code, made.err) == (0, "")
    before = file.read_bytes()
    again = await m3("keys", "generate", keys_file=file)
    assert (again.code, again.out) == (1, "")
    assert "is not overwritten" in again.err
    assert file.read_bytes() == before
    rotated = await m3("keys", "rotate", keys_file=file)
    assert rotated.out.endswith("kept: 1\n")
    dropped = await m3("keys", "rotate", "--drop-old", keys_file=file)
    assert dropped.out.endswith("kept: 0\n")
    for secret in before.decode().split('"'):
        if len(secret) == 43:
            assert secret not in made.out + rotated.out + dropped.out


async def test_the_schema_goes_to_a_file_or_to_the_terminal(m3: M3, tmp_path: Path) -> None:
    file = tmp_path / "out.graphql"
    written = await m3("export-schema", str(file))
    shown = await m3("export-schema", "-")
    assert (written.code, written.out, written.err) == (0, "", "")
    assert shown.out == file.read_text()
    assert "type Query {" in shown.out
