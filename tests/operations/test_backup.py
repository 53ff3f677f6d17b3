"""A backup as docs/operations.md has it, under row security that holds for the owner too."""

import os
import subprocess
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa

from db import embedded
from db.base import Base
from db.check import check
from tests.cli.program import PATIENCE
from tests.factories import fill_tenant, make_tenant
from tests.operations.people import maintenance
from tests.server import Server, Urls

MAINTENANCE = "-c app.maintenance=on"

# One of another version writes what this one's server does not read
pytestmark = pytest.mark.skipif(
    embedded.elsewhere is not None and not (embedded.elsewhere / "pg_dump").exists(),
    reason="M3_POSTGRES_BIN has no pg_dump",
)


def run(program: str, *arguments: str, options: str = MAINTENANCE) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [str(embedded.program(program)), *arguments],
        env={"PATH": os.environ["PATH"], "PGOPTIONS": options, "LC_ALL": "C.UTF-8"},
        check=False,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


def dump(url: str, file: Path, *, options: str = MAINTENANCE) -> "subprocess.CompletedProcess[str]":
    return run("pg_dump", "--format=custom", "--enable-row-security", f"--file={file}", url, options=options)


async def counts(url: str) -> dict[str, int]:
    """How many rows each table has, of all tenants."""
    async with maintenance(url) as owner:
        return {
            name: int(await owner.scalar(sa.select(sa.func.count()).select_from(table)) or 0)
            for name, table in sorted(Base.metadata.tables.items())
        }


@pytest.fixture
async def filled(scratch_database: Urls) -> Urls:
    """Two tenants with rows in every table."""
    async with maintenance(scratch_database.owner) as owner:
        for _ in range(2):
            await fill_tenant(owner, await make_tenant(owner))
    return scratch_database


async def test_what_is_dumped_is_what_is_restored(
    filled: Urls, empty_database: Urls, server: Server, tmp_path: Path
) -> None:
    done = dump(filled.owner, tmp_path / "m3core.dump")
    assert (done.returncode, done.stderr) == (0, "")
    done = run(
        "pg_restore",
        "--exit-on-error",
        "--no-owner",
        "--single-transaction",
        f"--dbname={empty_database.owner}",
        str(tmp_path / "m3core.dump"),
    )
    assert (done.returncode, done.stderr) == (0, "")
    found = await counts(empty_database.owner)
    assert found == await counts(filled.owner)
    assert found["tenants"] == 2
    assert found["audit_logs"] >= 2
    # Tables, policies, triggers, grants: all as a fresh migration has them
    roles: dict[str, Any] = {"gateway_role": server.gateway_role, "service_role": server.service_role}
    assert await check(empty_database.owner, **roles) == []
    gateway = await asyncpg.connect(empty_database.gateway)
    assert await gateway.fetchval("SELECT count(*) FROM companies") == 0
    await gateway.close()


async def test_a_dump_that_would_miss_rows_is_seen(filled: Urls, tmp_path: Path) -> None:
    refused = run("pg_dump", "--format=custom", f"--file={tmp_path / 'a'}", filled.owner, options="")
    assert refused.returncode != 0
    assert "row-level security" in refused.stderr
