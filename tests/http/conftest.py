"""The application over this worker's database."""

from tests.graph.conftest import anyone

__all__ = ["anyone"]
