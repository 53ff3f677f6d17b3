"""The application over this worker's database."""

from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from graph.auth import keys
from graph.auth.passwords import Passwords
from tests.factories import make_tenant, make_user
from tests.graph.conftest import anyone
from tests.operations.people import PASSWORD, Person

__all__ = ["anyone"]


@pytest.fixture
def keys_file(tmp_path: Path) -> Path:
    path = tmp_path / "keys.json"
    keys.generate(path)
    return path


@pytest.fixture
async def person(owner: AsyncConnection) -> Person:
    """An administrator of a tenant of their own, who can sign in."""
    return await somebody(owner)


@pytest.fixture
async def stranger(owner: AsyncConnection) -> Person:
    """The same in another tenant."""
    return await somebody(owner)


async def somebody(owner: AsyncConnection) -> Person:
    """An administrator of a new tenant."""
    passwords = Passwords(threads=1)
    try:
        stored = await passwords.hash(PASSWORD)
    finally:
        passwords.close()
    tenant_id = await make_tenant(owner)
    user_id = await make_user(owner, tenant_id, "*", password_hash=stored, status="active")
    return await Person.of(owner, tenant_id, user_id)
