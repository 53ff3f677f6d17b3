"""Wrong passwords are counted anew for each test: they all come from one address."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from graph.auth.attempts import Attempts
from tests.client import Client
from tests.mutations.identity.people import Person, tenant_with


@pytest.fixture
def anyone(anyone: Client) -> Iterator[Client]:
    """A client that has not signed in."""
    services = anyone.services
    anyone.app.state.services = replace(services, attempts=Attempts())
    yield anyone
    anyone.app.state.services = services


@pytest.fixture
async def admin(anyone: Client, owner: AsyncConnection) -> Person:
    """Somebody of a new tenant who may do everything."""
    return await tenant_with(anyone, owner, "*")
