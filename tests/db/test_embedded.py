"""The private server: it keeps its data and port, and starts whatever state it was left in."""

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import pytest

from db import embedded
from db.embedded import EmbeddedServer, EmbeddedServerError


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that a system user can be let into, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="m3-embedded-"))
    folder.chmod(0o711)
    yield folder
    server = embedded.start(folder) if (folder / "postgres.json").exists() else None
    if server is not None:
        server.destroy()
    shutil.rmtree(folder)


def start(folder: Path) -> EmbeddedServer:
    return embedded.start(folder, durable=False)


async def ask(server: EmbeddedServer, sql: str) -> Any:
    connection = await asyncpg.connect(server.owner_url)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def test_a_second_start_finds_the_data_on_the_same_port(folder: Path) -> None:
    with start(folder) as first:
        await ask(first, "CREATE TABLE kept AS SELECT 42 AS answer")
        again = start(folder)
        assert (first.started, again.started, again.port) == (True, False, first.port)
    with pytest.raises(OSError, match="Connect"):
        await ask(first, "SELECT 1")
    with start(folder) as second:
        assert second.owner_url == first.owner_url
        assert await ask(second, "SELECT answer FROM kept") == 42


async def test_the_owner_makes_roles_and_databases_and_is_no_superuser(folder: Path) -> None:
    with start(folder) as server:
        rights = (
            "SELECT ARRAY[rolsuper, rolbypassrls, rolcreaterole, rolcreatedb] FROM pg_roles WHERE rolname = "
        )
        assert await ask(server, f"{rights} current_user") == [False, False, True, True]
        assert await ask(
            server, "SELECT datdba = current_user::regrole FROM pg_database WHERE datname = 'm3core'"
        )
        assert await ask(server, "SHOW server_encoding") == "UTF8"
        assert await ask(server, "SELECT lower('ÉCOLE') < 'ф'")
        await ask(server, "CREATE EXTENSION citext")


async def test_nobody_gets_in_without_the_password(folder: Path) -> None:
    with start(folder) as server:
        wrong = server.owner_url.replace(f"{embedded.OWNER}:", f"{embedded.OWNER}:x")
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(wrong)
        assert (folder / "postgres.json").stat().st_mode & 0o077 == 0


async def test_what_a_crash_left_is_no_obstacle(folder: Path) -> None:
    server = embedded.start(folder)
    await ask(server, "CREATE TABLE kept AS SELECT 42 AS answer")
    pid_file = server.cluster / "postmaster.pid"
    process = psutil.Process(int(pid_file.read_text().split("\n", 1)[0]))
    process.kill()
    process.wait(20)
    # By now the id belongs to something else, which is alive
    for left in (pid_file, *server.socket_dir.glob(".s.PGSQL.*.lock")):
        left.write_text(left.read_text().replace(str(process.pid), str(os.getpid()), 1))
    with start(folder) as again:
        assert again.started
        assert await ask(again, "SELECT answer FROM kept") == 42


async def test_a_port_that_is_taken_is_given_up(folder: Path) -> None:
    first = start(folder)
    first.stop()
    with socket.create_server(("127.0.0.1", first.port)), start(folder) as second:
        assert second.port != first.port
        assert await ask(second, "SELECT 1") == 1


async def test_a_long_path_is_no_obstacle(folder: Path) -> None:
    deep = folder / ("long-" * 24)
    deep.mkdir()
    server = start(deep)
    try:
        assert len(str(server.socket_dir)) < 60
        assert await ask(server, "SELECT 1") == 1
    finally:
        server.destroy()
    assert not server.socket_dir.exists()


def test_a_cluster_of_somebody_else_is_left_alone(folder: Path) -> None:
    (folder / "postgres").mkdir()
    with pytest.raises(EmbeddedServerError, match="remove it"):
        start(folder)


async def test_an_interrupted_first_start_begins_anew(folder: Path) -> None:
    start(folder).stop()
    state = folder / "postgres.json"
    state.write_text(state.read_text().replace('"ready": true', '"ready": false'))
    with start(folder) as server:
        assert await ask(server, "SELECT current_user") == embedded.OWNER


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as another user")
async def test_a_folder_closed_to_the_system_user_is_told_and_worked_around(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "shared").mkdir()
    (folder / "closed").mkdir(mode=0o700)
    monkeypatch.setattr(embedded, "SHARED_DIR", folder / "shared")
    server = start(folder / "closed/.m3")
    try:
        assert await ask(server, "SELECT 1") == 1
        assert server.cluster.is_relative_to(folder / "shared")
        assert str(server.cluster) in caplog.text
        assert (folder / "closed").stat().st_mode & 0o777 == 0o700
    finally:
        server.destroy()


def test_another_postgresql_goes_before_the_wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "elsewhere", None)
    wheel = embedded.program("postgres").parent
    (tmp_path / "postgres").touch()
    monkeypatch.setattr(embedded, "elsewhere", tmp_path)
    assert embedded.program("postgres") == tmp_path / "postgres"
    assert embedded.program("psql") == wheel / "psql"
