"""`node` and `nodes`: rows of any type by their ids."""

from __future__ import annotations

import uuid
from typing import Annotated

import strawberry

from graph.context import Info
from graph.errors import BadInput
from graph.filters import parse_id
from graph.limits import MAX_PAGE
from graph.node import Node, load_nodes


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
    if len(ids) > MAX_PAGE:
        raise BadInput(f"`nodes` takes at most {MAX_PAGE} ids.")
    viewer = await info.context.authenticate()
    keys = [_uuid(item) for item in ids]
    found = await load_nodes(info.context.snapshot, viewer, [key for key in keys if key is not None])
    info.context.cost.rows += len(found)
    return [None if key is None else found.get(key) for key in keys]


def _uuid(text: str) -> uuid.UUID | None:
    # An id that is no UUID is the id of nothing: it must not fail the others.
    try:
        return parse_id(text)
    except BadInput:
        return None
