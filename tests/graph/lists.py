"""Walking a connection page by page, for tests of order and cursors."""

from dataclasses import dataclass, replace
from typing import Any

from tests.client import Client


@dataclass(frozen=True)
class Place:
    """A connection in the schema: `field` of Query, or below `parent`; `arguments` as a document has them."""

    field: str
    arguments: str = ""
    parent: str = ""
    """What stands around the field: `unit(id: "…")`, or `node(id: "…")` with a fragment."""
    key: str = "id"

    def document(self, size: str) -> str:
        """The document that reads a page; `size` is `first` or `last`."""
        cursor = {"first": "after", "last": "before"}[size]
        page = f"{size}: $size {cursor}: $cursor {self.arguments}"
        read = f"{self.field}({page}) {{ pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }}"
        read += f" edges {{ cursor node {{ {self.key} }} }} }}"
        for part in reversed(self.parent.split(" > ") if self.parent else []):
            read = f"{part} {{ {read} }}"
        return f"query ($size: Int, $cursor: String) {{ {read} }}"

    def order(self, field: str, direction: str) -> "Place":
        """The same list in another order."""
        return replace(
            self, arguments=f"{self.arguments} orderBy: {{ field: {field} direction: {direction} }}"
        )

    async def page(self, client: Client, size: str, count: int, cursor: str | None = None) -> dict[str, Any]:
        """One page."""
        data: Any = await client.read(self.document(size), size=count, cursor=cursor)
        while "pageInfo" not in data:
            (data,) = data.values()
        found: dict[str, Any] = data
        return found

    async def walk(self, client: Client, count: int, *, backwards: bool = False) -> list[Any]:
        """The keys of all rows in the order of the list, page by page from the start or from the end."""
        size, cursor, pages = ("last" if backwards else "first"), None, 0
        rows: list[Any] = []
        while True:
            page = await self.page(client, size, count, cursor)
            edges, info = page["edges"], page["pageInfo"]
            ends = (edges[0]["cursor"], edges[-1]["cursor"]) if edges else (None, None)
            assert (info["startCursor"], info["endCursor"]) == ends
            keys = [key_of(edge["node"]) for edge in edges]
            rows = keys + rows if backwards else rows + keys
            more, passed = info["hasNextPage"], info["hasPreviousPage"]
            more, passed = (passed, more) if backwards else (more, passed)
            assert passed == (pages > 0)
            assert len(edges) == count or not more
            pages += 1
            if not more:
                return rows
            cursor = info["startCursor" if backwards else "endCursor"]
            assert cursor is not None
            assert pages < 100, "a walk that does not end"


def key_of(node: dict[str, Any]) -> Any:
    """A node's key: the value, where there is one."""
    values = tuple(node.values())
    return values[0] if len(values) == 1 else values
