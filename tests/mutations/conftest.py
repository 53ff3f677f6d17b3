"""The application over this worker's database."""

from tests.graph.conftest import anyone, planned, stock

__all__ = ["anyone", "planned", "stock"]
