"""The log of events in a database of the test's own, and hubs that follow it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from db.session import Database
from graph.events.hub import Hub
from graph.events.sequencer import Sequencer
from tests.server import Urls, seeing_all


@pytest.fixture
async def alone(scratch_database: Urls) -> AsyncIterator[AsyncConnection]:
    """The owner's connection to a database in which nobody else makes events, with maintenance on."""
    engine = seeing_all(scratch_database.owner)
    async with engine.connect() as connection:
        yield connection
    await engine.dispose()


@asynccontextmanager
async def sequencing(url: str, retention: timedelta = timedelta(hours=1)) -> AsyncIterator[Sequencer]:
    """A candidate for as long as the block."""
    sequencer = Sequencer(url, retention)
    await sequencer.start()
    try:
        yield sequencer
    finally:
        await sequencer.stop()


@asynccontextmanager
async def following(
    url: str,
    database_url: str | None = None,
    *,
    queue: int = 256,
    patience: float = 30.0,
    deadline: float = 5.0,
) -> AsyncIterator[Hub]:
    """A hub for as long as the block; what feeds have missed they read at `database_url`, if it is given."""
    database = Database(database_url or url)
    hub = Hub(url, database, queue=queue, patience=patience, deadline=deadline)
    await hub.start()
    try:
        yield hub
    finally:
        await hub.stop()
        await database.close()
