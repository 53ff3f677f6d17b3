"""The application over this worker's database, with its costs shown."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.cli.conftest import m3
from tests.client import Client, running, signed_in
from tests.factories import make_tenant
from tests.server import Urls

__all__ = ["anyone", "m3", "reader"]


@pytest.fixture(scope="session", params=["planned", "stock"])
async def anyone(
    urls: Urls, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> AsyncIterator[Client]:
    """A client that has not signed in, of either engine."""
    async with running(urls.gateway, tmp_path_factory.mktemp("keys"), engine=request.param) as client:
        yield client


@pytest.fixture
async def reader(anyone: Client, owner: AsyncConnection) -> Client:
    """Somebody with every permission in a tenant of their own."""
    return await signed_in(anyone, owner, await make_tenant(owner), "*")
