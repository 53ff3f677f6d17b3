"""The walk through all pages of a list, from either end."""

from typing import Any, Final

from tests.client import Client

PAGE: Final = 100
_PAGE: Final = """
query Walk($first: Int, $after: String, $last: Int, $before: String) {
  page: %s(first: $first, after: $after, last: $last, before: $before%s) {
    nodes { id }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}
"""


async def walk(client: Client, field: str, arguments: str = "") -> list[str]:
    """The ids of all rows of a list, from its first page to its last."""
    ids: list[str] = []
    seen: set[str] = set()
    page: dict[str, Any] = {"first": PAGE}
    while True:
        nodes, info = await _read(client, field, arguments, page)
        assert info["hasPreviousPage"] is bool(ids)
        assert seen.isdisjoint(nodes)  # a walk in circles would not end
        seen |= set(nodes)
        ids += nodes
        if not info["hasNextPage"]:
            return ids
        assert len(nodes) == PAGE
        page = {"first": PAGE, "after": info["endCursor"]}


async def walk_back(client: Client, field: str, arguments: str = "") -> list[str]:
    """The ids of all rows of a list, from the last row of its last page to the first of its first."""
    ids: list[str] = []
    seen: set[str] = set()
    page: dict[str, Any] = {"last": PAGE}
    while True:
        nodes, info = await _read(client, field, arguments, page)
        assert info["hasNextPage"] is bool(ids)
        assert seen.isdisjoint(nodes)
        seen |= set(nodes)
        ids += reversed(nodes)
        if not info["hasPreviousPage"]:
            return ids
        assert len(nodes) == PAGE
        page = {"last": PAGE, "before": info["startCursor"]}


async def _read(
    client: Client, field: str, arguments: str, page: dict[str, Any]
) -> tuple[list[str], dict[str, Any]]:
    found = (await client.read(_PAGE % (field, arguments and f", {arguments}"), **page))["page"]
    return [node["id"] for node in found["nodes"]], found["pageInfo"]
