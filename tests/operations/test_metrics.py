"""`/metrics`: what it counts, who may read it, and that no client decides how much there is of it."""

import re
from pathlib import Path
from typing import Final
from uuid import uuid4

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncConnection

from db.session import Database, Scope
from graph.events.hub import Hub
from graph.http.live import Live
from graph.limits import MAX_OPERATION_NAMES, MAX_TRUSTED_NAMES
from graph.observability.exposition import join
from graph.observability.metrics import OTHER, UNNAMED, Metrics
from graph.observability.operation import Operation
from tests.client import Client, running, signed_in
from tests.factories import make_tenant
from tests.server import Urls

ROOT: Final = Path(__file__).parents[2]


def value(text: str, name: str, **labels: str) -> float | None:
    """The sample of this name that has these labels, None if there is none."""
    found = [
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    ]
    assert len(found) <= 1, f"{name} {labels} says nothing by itself"
    return found[0] if found else None


async def scrape(client: Client) -> str:
    async with client.http() as http:
        response = await http.get("/metrics")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain; version=")
    return response.text


async def test_an_operation_is_counted_under_its_name(anyone: Client, owner: AsyncConnection) -> None:
    member = await signed_in(anyone, owner, await make_tenant(owner), "deals.view")
    name = f"Screen{uuid4().hex[:8]}"
    await member.read(f"query {name} {{ deals {{ nodes {{ id }} }} }}")
    await member.ask(f"query {name} {{ contacts {{ nodes {{ id }} }} deals {{ totalCount }} }}")
    text = await scrape(anyone)
    of = {"operation": name, "kind": "query"}
    assert value(text, "m3_operation_duration_seconds_count", **of) == 2
    assert value(text, "m3_operation_duration_seconds_bucket", **of, le="+Inf") == 2
    # The viewer's and one more, twice; the process may have looked for its own sake which documents it trusts
    assert value(text, "m3_operation_statements_total", **of) in (4, 5)
    assert value(text, "m3_operation_errors_total", **of, code="FORBIDDEN") == 1
    assert value(text, "m3_operation_errors_total", **of, code="INTERNAL") is None


async def test_pools_process_and_build_are_shown(urls: Urls, tmp_path: Path) -> None:
    async with running(urls.gateway, tmp_path, pool_size=3) as client:
        idle = await scrape(client)
        async with client.services.database.read(Scope()):
            busy = await scrape(client)
    assert value(idle, "m3_pool_size", pool="sessions") == 3
    assert value(idle, "m3_pool_in_use", pool="sessions") == 0
    assert value(busy, "m3_pool_in_use", pool="sessions") == 1
    assert value(busy, "m3_pool_opened", pool="sessions") == 1
    assert value(busy, "m3_pool_waiting", pool="sessions") == 0
    assert value(busy, "m3_pool_size", pool="readers") == 3
    assert value(busy, "m3_build_info") == 1
    assert (value(busy, "process_resident_memory_bytes") or 0) > 1e7
    assert (value(busy, "process_open_fds") or 0) > 3
    assert value(busy, "m3_sockets") == 0


def test_the_table_of_the_documentation_has_all_of_them(urls: Urls) -> None:
    metrics = Metrics()
    database = Database(urls.gateway)
    metrics.show(database, Hub(urls.gateway, database), Live(1))
    shown = {
        family.name + ("_total" if family.type == "counter" else "")
        for family in metrics.registry.collect()
        if not family.name.startswith("process_")
    }
    table = (ROOT / "docs/operations.md").read_text()
    assert set(re.findall(r"^\| `(m3_\w+)`", table, re.MULTILINE)) == {
        name.replace("m3_build", "m3_build_info") for name in shown
    }


def test_names_that_clients_make_up_do_not_add_up() -> None:
    metrics, tenant = Metrics(), uuid4()
    for number in range(3 * MAX_OPERATION_NAMES):
        metrics.count(Operation(name=f"Anonymous{number}", kind="query"))
    for number in range(3 * MAX_OPERATION_NAMES):
        metrics.count(Operation(name=f"Member{number}", kind="query", tenant_id=tenant))
    for number in range(2 * MAX_TRUSTED_NAMES):
        metrics.count(Operation(name=f"Trusted{number}", kind="query", trusted=True))
    metrics.count(Operation(kind="query"))
    names = {
        sample.labels["operation"]
        for family in metrics.registry.collect()
        if family.name == "m3_operation_duration_seconds"
        for sample in family.samples
    }
    members = {f"Member{number}" for number in range(MAX_OPERATION_NAMES)}
    trusted = {f"Trusted{number}" for number in range(MAX_TRUSTED_NAMES - MAX_OPERATION_NAMES)}
    assert names == members | trusted | {OTHER, UNNAMED}
    found = metrics.registry.get_sample_value(
        "m3_operation_duration_seconds_count", {"operation": OTHER, "kind": "query"}
    )
    assert found == 6 * MAX_OPERATION_NAMES + MAX_TRUSTED_NAMES


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("::ffff:127.0.0.1", {}, 200),
        ("192.0.2.7", {}, 401),
        ("192.0.2.7", {"Authorization": "Bearer sesame-of-metrics"}, 200),
        ("127.0.0.1", {"Authorization": "Bearer another"}, 401),
        # Through a proxy on this machine that is not trusted, from a client whom nobody knows
        ("127.0.0.1", {"X-Forwarded-For": "192.0.2.7"}, 401),
        ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}, 401),
        ("::ffff:127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}, 401),
        ("127.0.0.1", {"Forwarded": "for=127.0.0.1"}, 401),
        # Through one that is
        ("198.51.100.1", {"X-Forwarded-For": "192.0.2.7"}, 401),
        ("198.51.100.1", {"X-Forwarded-For": "192.0.2.7, 127.0.0.1"}, 200),
    ],
)
async def test_the_metrics_are_for_the_deployments_own(
    urls: Urls, tmp_path: Path, address: str, headers: dict[str, str], status: int
) -> None:
    settings = {"metrics_token": SecretStr("sesame-of-metrics"), "trusted_proxies": "198.51.100.1"}
    async with running(urls.gateway, tmp_path, **settings) as client:
        transport = httpx.ASGITransport(client.app, client=(address, 5))
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway.test") as http:
            response = await http.get("/metrics", headers=headers)
    assert response.status_code == status
    assert (b"m3_build_info" in response.content) is (status == 200)


async def test_without_a_token_strangers_are_refused(urls: Urls, tmp_path: Path) -> None:
    async with running(urls.gateway, tmp_path) as client:
        transport = httpx.ASGITransport(client.app, client=("192.0.2.7", 5))
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway.test") as http:
            response = await http.get("/metrics", headers={"Authorization": "Bearer "})
    assert response.status_code == 403
    assert response.content == b""


async def test_processes_that_share_a_port_answer_for_each_other(urls: Urls, tmp_path: Path) -> None:
    folder = tmp_path / "metrics"
    async with running(urls.gateway, tmp_path, metrics_dir=folder) as one:
        async with running(urls.gateway, tmp_path, metrics_dir=folder) as other:
            await one.ask("{ __typename }")
            await other.ask("{ __typename }")
            await other.ask("{ __typename }")
            both = await scrape(one)
        alone = await scrape(one)
        async with running(urls.gateway, tmp_path, metrics_dir=folder) as again:
            renewed = await scrape(again)
    of = {"operation": UNNAMED, "kind": "query"}
    counted = "m3_operation_duration_seconds_count"
    assert [value(both, counted, **of, worker=worker) for worker in "01"] == [1, 2]
    assert [value(alone, counted, **of, worker=worker) for worker in "01"] == [1, None]
    assert [value(renewed, "m3_build_info", worker=worker) for worker in "01"] == [1, 1]
    assert both.count("# TYPE m3_build_info ") == 1


async def test_a_process_that_was_killed_is_left_out(urls: Urls, tmp_path: Path) -> None:
    folder = tmp_path / "metrics"
    async with running(urls.gateway, tmp_path, metrics_dir=folder) as client:
        (folder / "7.sock").touch()
        text = await scrape(client)
    assert value(text, "m3_build_info", worker="0") == 1


def test_expositions_are_joined_family_by_family() -> None:
    one = b'# HELP a_total A\n# TYPE a_total counter\na_total{x="1"} 1.0\na_total{x="{2"} 2.0\n'
    other = b"# HELP a_total A\n# TYPE a_total counter\n# HELP b B\n# TYPE b gauge\nb 3.0\n"
    assert join({"0": one, "1": other}) == (
        b"# HELP a_total A\n# TYPE a_total counter\n"
        b'a_total{worker="0",x="1"} 1.0\na_total{worker="0",x="{2"} 2.0\n'
        b'# HELP b B\n# TYPE b gauge\nb{worker="1"} 3.0\n'
    )
