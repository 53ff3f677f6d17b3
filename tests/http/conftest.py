"""The application over this worker's database."""

from pathlib import Path

import pytest

from graph.auth import keys
from tests.graph.conftest import anyone

__all__ = ["anyone"]


@pytest.fixture
def keys_file(tmp_path: Path) -> Path:
    """Keys for an `m3 serve`."""
    path = tmp_path / "keys.json"
    keys.generate(path)
    return path
