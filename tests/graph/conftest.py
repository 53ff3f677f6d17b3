"""The application over this worker's database."""

from collections.abc import AsyncIterator, Iterator

import pytest

from graph import limits
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


@pytest.fixture(scope="module")
def unbounded() -> Iterator[None]:
    """No bound on what a document may ask for: a test looks at all of a type and what is around it."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("DEPTH", "TOKENS", "FIELDS", "ALIASES", "ROOT_FIELDS", "COMPARISONS", "NODES"):
            patch.setattr(limits, f"MAX_{name}", 1_000_000)
        yield


@pytest.fixture(scope="session")
async def stock(urls: Urls, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    """A client of a gateway where graphql-core runs every operation."""
    async with running(urls.gateway, tmp_path_factory.mktemp("keys"), engine="stock") as client:
        yield client
