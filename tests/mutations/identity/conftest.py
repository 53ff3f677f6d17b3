"""An application of each test's own: what it counts of wrong passwords is no other test's."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.client import Client, running
from tests.mutations.identity.people import Person, tenant_with
from tests.server import Urls


@pytest.fixture
async def anyone(urls: Urls, tmp_path: Path) -> AsyncIterator[Client]:
    """A client that has not signed in."""
    async with running(urls.gateway, tmp_path) as client:
        yield client


@pytest.fixture
async def admin(anyone: Client, owner: AsyncConnection) -> Person:
    """Somebody of a new tenant who may do everything."""
    return await tenant_with(anyone, owner, "*")
