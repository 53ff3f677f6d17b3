"""What the tests of signing in share."""

import argon2._password_hasher
import pytest
from argon2.low_level import Type, verify_secret


@pytest.fixture
def verified(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The parameters of every hash that argon2 is asked to verify."""
    seen: list[str] = []

    def spy(stored: bytes, secret: bytes, kind: Type) -> bool:
        seen.append(stored.decode().split("$m=")[-1].split("$")[0])
        return verify_secret(stored, secret, kind)

    monkeypatch.setattr(argon2._password_hasher, "verify_secret", spy)
    return seen
