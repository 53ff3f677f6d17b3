"""Rows that tie two others together: a user and a role, a user and a group.

They have no id and never change; they are there or not, and are written down with the first of the two.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from db.base import Base
from graph.tables import TABLES
from graph.writing.work import Work


async def link(work: Work, model: type[Base], action: str, **key: Any) -> Any:
    """A new row that ties two others together, written down; None if it is there already."""
    shown = TABLES[model.__table__]  # type: ignore[index]
    statement = insert(model).values(tenant_id=work.viewer.tenant_id, **key).on_conflict_do_nothing()
    found = (await work.execute(statement.returning(*shown.select(shown.table)))).one_or_none()
    if found is None:
        return None
    row = shown.row(tuple(found))
    await work.audit(action, shown, after=row)
    return row


async def unlink(work: Work, model: type[Base], action: str, **key: Any) -> Any:
    """The row that tied two others together, now gone, written down; None if there was none."""
    return next(iter(await unlink_all(work, model, action, **key)), None)


async def unlink_all(work: Work, model: type[Base], action: str, **key: Any) -> list[Any]:
    """The rows that tied something to others, now gone, each written down."""
    shown = TABLES[model.__table__]  # type: ignore[index]
    named = [shown.table.c[name] == value for name, value in key.items()]
    statement = sa.delete(model).where(shown.scope(shown.table, work.viewer), *named)
    found = await work.execute(statement.returning(*shown.select(shown.table)))
    rows = [shown.row(tuple(row)) for row in found]
    if rows:
        await work.write_down([work.entry(action, shown, row) for row in rows])
    return rows
