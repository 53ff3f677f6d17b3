"""What the tests of signing in share."""

from collections.abc import AsyncIterator
from pathlib import Path

import argon2._password_hasher
import pytest
from argon2.low_level import Type, verify_secret
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncConnection

from db.session import Database
from graph.auth import keys
from graph.auth.keys import KeyFile
from graph.auth.passwords import Passwords
from graph.auth.tokens import AccessTokens
from graph.context import Services
from graph.events.hub import Hub
from graph.settings import Settings
from tests.auth.door import Door


@pytest.fixture
def verified(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The parameters of every hash that argon2 is asked to verify."""
    seen: list[str] = []

    def spy(stored: bytes, secret: bytes, kind: Type) -> bool:
        seen.append(stored.decode().split("$m=")[-1].split("$")[0])
        return verify_secret(stored, secret, kind)

    monkeypatch.setattr(argon2._password_hasher, "verify_secret", spy)
    return seen


@pytest.fixture(scope="module")
async def services(database: Database, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Services]:
    path: Path = tmp_path_factory.mktemp("keys") / "keys.json"
    keys.generate(path)
    settings = Settings(keys_file=path, database_url=SecretStr("postgresql://unused"))
    file, passwords = KeyFile(path), Passwords(threads=1)
    hub = Hub("postgresql://unused", database)
    yield Services(database, file, AccessTokens(file, settings), passwords, settings, hub)
    passwords.close()


@pytest.fixture
async def door(services: Services, owner: AsyncConnection) -> Door:
    return await Door(services, owner).fill()
