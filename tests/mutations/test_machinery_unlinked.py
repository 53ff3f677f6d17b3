"""What a delete leaves behind is written down: the row as it was, and those that no longer name it."""

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db import models
from graph.tables import TABLES, TableType
from graph.writing.editing import loose
from tests.client import Client, signed_in
from tests.factories import insert, make_tenant
from tests.mutations.scene import SCHEMA

assert SCHEMA.mutation_type is not None
DELETED = {
    name: shown for shown in TABLES.values() if (name := f"delete{shown.name}") in SCHEMA.mutation_type.fields
}
BY_HAND = {"deleteRole"}
"""Each role that included it is written down as a change of that role."""
GIVEN: dict[str, dict[str, Any]] = {"deleteMessageTemplate": {"version_status": "draft"}}
"""What a row has to be to be deleted."""


def test_every_delete_of_a_row_is_looked_at() -> None:
    names = {name for name in SCHEMA.mutation_type.fields if name.startswith("delete")}  # type: ignore[union-attr]
    assert names - DELETED.keys() == {"deleteApprovalPolicy"}, "of no table of the 43"
    assert sum(bool(loose(shown.table)) for shown in DELETED.values()) >= 9


async def naming(owner: AsyncConnection, shown: TableType, row: Mapping[str, Any]) -> dict[str, list[str]]:
    """Two rows for each column of other tables in which the database sets NULL; their ids by column."""
    found: dict[str, list[str]] = {}
    for other, column in loose(shown.table):
        made = [await _named(owner, other, column, row) for _ in range(2)]
        found[f"{other.name}.{column}"] = sorted(made)
    return found


async def _named(owner: AsyncConnection, other: Table, column: str, row: Mapping[str, Any]) -> str:
    made = await insert(owner, other, **{"tenant_id": row["tenant_id"], column: row["id"]})
    return str(made["id"])


@pytest.mark.parametrize("name", sorted(DELETED.keys() - BY_HAND))
async def test_a_delete_says_which_rows_no_longer_name_it(
    anyone: Client, owner: AsyncConnection, name: str
) -> None:
    shown, tenant_id = DELETED[name], await make_tenant(owner)
    client = await signed_in(anyone, owner, tenant_id, "*")
    row = await insert(owner, shown.table, tenant_id=tenant_id, **GIVEN.get(name, {}))
    unlinked = await naming(owner, shown, row)
    query = f"mutation ($id: ID!) {{ {name}(id: $id) {{ errors {{ code message }} }} }}"
    answer = await client.ask(query, id=str(row["id"]))
    assert answer["data"] == {name: {"errors": []}}, answer
    log = models.AuditLog
    written = (
        await owner.execute(
            select(log.action, log.entity_id, log.before_data, log.after_data)
            .where(log.tenant_id == tenant_id)
            .order_by(log.created_at)
        )
    ).all()
    deleted, *others = written
    assert deleted.action.endswith(".delete")
    assert (deleted.entity_id, deleted.after_data) == (row["id"], None)
    assert deleted.before_data["id"] == str(row["id"])
    entity = deleted.action.removesuffix(".delete")
    assert [(each.action, each.entity_id, each.after_data) for each in others] == [
        (f"{entity}.unlink", row["id"], None) for _ in unlinked
    ]
    assert {column: sorted(ids) for each in others for column, ids in each.before_data.items()} == unlinked
    for column, ids in unlinked.items():
        table, _, name_of = column.partition(".")
        rows = shown.table.metadata.tables[table]
        left = await owner.execute(
            select(rows.c[name_of]).where(rows.c.tenant_id == tenant_id, rows.c.id.in_(ids))
        )
        assert left.scalars().all() == [None, None]
