"""The application over this worker's database."""

from collections.abc import AsyncIterator

import pytest

from tests.client import Client, running
from tests.server import Urls


@pytest.fixture(scope="session")
async def anyone(urls: Urls, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    """A client that has not signed in."""
    async with running(urls.gateway, tmp_path_factory.mktemp("keys")) as client:
        yield client


@pytest.fixture(scope="session")
async def planned(anyone: Client) -> Client:
    """The same: our own engine runs what it can plan."""
    return anyone


@pytest.fixture(scope="session")
async def stock(urls: Urls, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    """A client of a gateway where graphql-core runs every operation."""
    async with running(urls.gateway, tmp_path_factory.mktemp("keys"), engine="stock") as client:
        yield client
