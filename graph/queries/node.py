"""`node` and `nodes`: rows of any type by their ids."""

from __future__ import annotations

from typing import Annotated

import strawberry

from graph.context import Info
from graph.limits import MAX_PAGE
from graph.node import Node, load_nodes, wanted


@strawberry.type
class NodeQuery:
    """Relay's object identification."""

    @strawberry.field(description="The row with this id, of whatever type; null if there is none to be seen.")
    async def node(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The row's UUID.")]
    ) -> Node | None:
        """One id."""
        return (await _load(info, [id]))[0]

    @strawberry.field(description=f"The rows with these ids, at most {MAX_PAGE}, each as `node` has it.")
    async def nodes(
        self,
        info: Info,
        ids: Annotated[list[strawberry.ID], strawberry.argument(description="The rows' UUIDs.")],
    ) -> list[Node | None] | None:
        """In the order of the ids."""
        return await _load(info, ids)


async def _load(info: Info, ids: list[strawberry.ID]) -> list[Node | None]:
    viewer = await info.context.authenticate()
    keys = wanted(ids)
    found = await load_nodes(info.context.snapshot, viewer, [key for key in keys if key is not None])
    info.context.cost.rows += len(found)
    return [None if key is None else found.get(key) for key in keys]
