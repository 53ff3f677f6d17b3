from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.client import Client, signed_in
from tests.factories import make_tenant
from tests.server import Urls
from tests.subscriptions.gateway import Gateway, Peer, connected, served


@pytest.fixture(scope="session")
async def gateway(urls: Urls, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    """The gateway of this worker's database, listening."""
    async with served(urls.gateway, tmp_path_factory.mktemp("gateway")) as gateway:
        yield gateway


@pytest.fixture
async def admin(gateway: Gateway, owner: AsyncConnection) -> Client:
    """A user of a new tenant, with all rights."""
    return await signed_in(gateway.anyone, owner, await make_tenant(owner), "*")


@pytest.fixture
async def peer(gateway: Gateway) -> AsyncIterator[Peer]:
    """A WebSocket that has said nothing yet."""
    async with connected(gateway) as peer:
        yield peer
