"""`/readyz`: whether requests should be sent here, found out once a second at most."""

import asyncio
from pathlib import Path
from time import monotonic
from typing import Any

import asyncpg
import pytest
from pydantic import SecretStr

from db.session import Scope
from graph.observability import health
from tests.client import Client, running
from tests.server import Urls
from tests.statements import statements


async def probe(client: Client) -> tuple[int, dict[str, Any]]:
    async with client.http() as http:
        response = await http.get("/readyz")
    return response.status_code, response.json()


async def test_a_process_that_can_serve_is_ready(anyone: Client) -> None:
    assert await probe(anyone) == (200, {"ready": True, "reasons": []})


async def test_a_thousand_probes_are_one_statement(urls: Urls, tmp_path: Path) -> None:
    async with running(urls.gateway, tmp_path) as client:
        with statements(client.services.database) as sent:
            readiness = client.services.readiness
            found = await asyncio.gather(*(readiness.reasons() for _ in range(1000)))
    assert found == [[]] * 1000
    assert sent == ["SELECT version_num FROM gateway.alembic_version"]


async def test_a_database_behind_the_migrations_is_not_served(scratch_database: Urls, tmp_path: Path) -> None:
    owner = await asyncpg.connect(scratch_database.owner)
    await owner.execute("UPDATE gateway.alembic_version SET version_num = '0001'")
    await owner.close()
    async with running(scratch_database.gateway, tmp_path) as client:
        assert await probe(client) == (503, {"ready": False, "reasons": ["migrations behind"]})


async def test_a_database_that_is_ahead_is_being_upgraded_and_is_served(
    scratch_database: Urls, tmp_path: Path
) -> None:
    owner = await asyncpg.connect(scratch_database.owner)
    await owner.execute("UPDATE gateway.alembic_version SET version_num = '9999'")
    await owner.close()
    async with running(scratch_database.gateway, tmp_path) as client:
        assert await probe(client) == (200, {"ready": True, "reasons": []})


async def test_a_database_that_is_not_there_is_a_reason_without_its_address(tmp_path: Path) -> None:
    async with running("postgresql://gate:secret@127.0.0.1:1/m3", tmp_path) as client:
        assert await probe(client) == (503, {"ready": False, "reasons": ["database unavailable"]})
        async with client.http() as http:
            assert (await http.get("/healthz")).status_code == 200


async def test_a_pool_that_does_not_answer_is_a_reason_until_it_does(
    urls: Urls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "READY_SECONDS", 0.05)
    async with running(urls.gateway, tmp_path, pool_size=1) as client:
        async with client.services.database.read(Scope()):
            found = await probe(client)
            assert found == (
                503,
                {"ready": False, "reasons": ["database too slow, or all connections in use"]},
            )
        monkeypatch.setattr(health, "READY_SECONDS", 60)
        monkeypatch.setattr(health, "monotonic", lambda: monotonic() + 1)
        assert (await probe(client))[0] == 200


async def test_a_process_that_hears_of_no_events_is_not_ready(
    urls: Urls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "EVENTS_LATE_SECONDS", 0)
    nowhere = SecretStr("postgresql://gate:secret@127.0.0.1:1/m3")
    async with running(urls.gateway, tmp_path, listen_database_url=nowhere) as client:
        assert await probe(client) == (503, {"ready": False, "reasons": ["events late"]})


async def test_a_process_that_drains_is_not_ready(anyone: Client, urls: Urls, tmp_path: Path) -> None:
    async with running(urls.gateway, tmp_path) as client:
        assert (await probe(client))[0] == 200
        client.app.state.live.draining = True
        assert await probe(client) == (503, {"ready": False, "reasons": ["draining"]})


async def test_probes_are_for_get_alone(anyone: Client) -> None:
    async with anyone.http() as http:
        answers = [await http.post(path) for path in ("/healthz", "/readyz", "/metrics")]
    assert [answer.status_code for answer in answers] == [405] * 3
