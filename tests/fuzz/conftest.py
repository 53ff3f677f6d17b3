"""An `m3 serve` over the demo, watched while it is fed with what hypothesis comes up with.

`--examples` says how many of each kind; `make fuzz` runs for about an hour.
"""

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import psutil
import pytest
from hypothesis import HealthCheck, settings

from db import demo
from graph.auth import keys
from tests.cli.program import line_with, started
from tests.fuzz.gateway import Gateway
from tests.server import Server


def pytest_configure(config: pytest.Config) -> None:
    """As many examples as asked for: the same ones each time in a short run, new ones in a long one."""
    examples: int = config.option.examples
    settings.register_profile(
        "gateway",
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=examples <= 100,
        suppress_health_check=list(HealthCheck),
    )
    settings.load_profile("gateway")


@pytest.fixture(scope="session")
async def gateway(
    server: Server, migrated: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Gateway]:
    """The gateway; at its end it must live, have logged no fault and be no larger than it may."""
    urls = await server.create_database(template=migrated)
    await demo.load_demo(urls.owner)
    keys_file = tmp_path_factory.mktemp("fuzz") / "keys.json"
    keys.generate(keys_file)
    unlimited = {"cost_per_user": 0, "cost_per_tenant": 0, "cost_per_address": 0, "access_token_ttl": 86400}
    given = {"database_url": urls.gateway, "keys_file": keys_file, "port": 0, **unlimited}
    async with started("serve", **given) as process:
        port = json.loads(await line_with(process.stderr, '"serving"'))["port"]
        running = Gateway(port, psutil.Process(process.pid))
        assert process.stderr is not None
        reading = asyncio.create_task(running.read_log(process.stderr))
        async with httpx.AsyncClient(base_url=running.address, trust_env=False, timeout=60) as http:
            running.http = http
            await running.sign_in()
            yield running
            await running.is_well()
        process.terminate()
        await reading
    assert running.faults == []
