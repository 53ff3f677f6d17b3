"""GraphiQL in a browser: what a newcomer does first, with nothing asked of another host."""

import json
from pathlib import Path

import pytest

from db import demo
from graph.graphiql import build
from tests.e2e.conftest import serving
from tests.e2e.programs import Node
from tests.server import Urls


@pytest.fixture(autouse=True)
def built() -> None:
    stamp = build.DIST / ".built"
    current = stamp.exists() and stamp.read_text() == build.digest()
    assert current, "GraphiQL is not built from these sources: `make install` does it"


async def test_a_first_visit(node: Node, chromium: Path, gateway: str, tmp_path: Path) -> None:
    report = await node.json("graphiql-query.mjs", chromium, gateway, tmp_path, demo.PASSWORD)
    assert report["refusal"] == "Tenant, e-mail or password is wrong, or the user may not sign in."
    assert report["corner"] == report["afterReload"] == "admin@demo.test demo"
    assert report["examples"] == ["CRM", "Inventory", "Marketing", "Billing", "Identity", "Live"]
    assert report["bearer"] == "Bearer"
    assert len(report["deals"]["nodes"]) == 10
    # Tokens outlive neither the tab nor the session
    assert "OpenDeals" in report["kept"]
    assert "Token" not in report["kept"]
    assert json.loads(report["left"]) == {}
    assert report["offHost"] == []
    assert report["errors"] == []


async def test_tokens_are_renewed_and_headers_come_first(
    node: Node, chromium: Path, demo_database: Urls, tmp_path: Path
) -> None:
    async with serving(demo_database.gateway, tmp_path, access_token_ttl=20) as address:
        report = await node.json("graphiql-tokens.mjs", chromium, address, tmp_path, demo.PASSWORD)
    assert report["sent"] == [
        "SignIn",
        *("RefreshSession", "Subscription"),
        *("RefreshSession", "Subscription"),
        "Subscription",
    ]
    first, second, mine = report["tokens"]
    assert first != second
    assert mine == "Bearer mine"
    assert report["offHost"] == []
    # What the server refuses with 401, the browser writes there itself
    assert all("401" in error for error in report["errors"])


async def test_a_session_outlives_what_may_go_well_the_next_time_and_not_signing_out(
    node: Node, chromium: Path, demo_database: Urls, tmp_path: Path
) -> None:
    async with serving(demo_database.gateway, tmp_path, access_token_ttl=20) as address:
        report = await node.json("graphiql-renewal.mjs", chromium, address, tmp_path, demo.PASSWORD)
    assert report["kept"] == {"no network": True, "a proxy's 503": True, "a limit": True}
    assert report["signedOut"] == {"errors": []}
    assert report["withTheNewToken"] is True
    assert report["left"] is None


async def test_a_subscription_is_followed(node: Node, chromium: Path, gateway: str, tmp_path: Path) -> None:
    report = await node.json("graphiql-subscription.mjs", chromium, gateway, tmp_path, demo.PASSWORD)
    assert report["sockets"] == [f"{gateway.replace('http', 'ws', 1)}/graphql"]
    assert report["protocol"] == "graphql-transport-ws"
    assert report["stopped"] is True
    assert report["offHost"] == []
    assert report["errors"] == []
