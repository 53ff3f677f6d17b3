"""`Node`: any row that has an id of its own, found by that id alone."""

import datetime as dt
import decimal
import ipaddress
import uuid
from typing import Any

import sqlalchemy as sa
import strawberry
from sqlalchemy.dialects.postgresql import INET, JSONB

from graph.auth.viewer import Viewer
from graph.scalars import DateTime
from graph.snapshot import Snapshot
from graph.stored import readable, stored_json, stored_texts
from graph.tables import TABLES, TableType, column


@strawberry.interface(description="A row with an id that no other row has.")
class Node:
    """The interface of the types whose table is keyed by a UUID."""

    id: strawberry.ID = strawberry.field(description="The row's UUID.")


@strawberry.type
class Created:
    """Rows that are written once."""

    created_at: DateTime = column("When the row was made.")


@strawberry.type
class Timestamped(Created):
    """Rows that change."""

    updated_at: DateTime = column("When the row was last changed; never the same twice.")


async def load_nodes(snapshot: Snapshot, viewer: Viewer, ids: list[uuid.UUID]) -> dict[uuid.UUID, Any]:
    """The rows with these ids that `viewer` may see, of any type, in one statement.

    The tables have different columns, so each row travels as JSON and is read back by its columns' types.
    """
    wanted = sa.bindparam("ids", ids, type_=sa.ARRAY(sa.Uuid))
    shown = {
        item.table.name: item for item in TABLES.values() if item.key == ("id",) and _may_read(item, viewer)
    }
    probes = [_probe(item, viewer, wanted) for item in shown.values()]
    if not ids or not probes:
        return {}
    rows = await snapshot.fetch(sa.union_all(*probes))
    return {row.id: _row(shown[row.name], row.data) for row in rows}


def _may_read(shown: TableType, viewer: Viewer) -> bool:
    return shown.needs is None or viewer.has(shown.needs)


def _probe(shown: TableType, viewer: Viewer, wanted: Any) -> sa.Select[Any]:
    source = shown.table
    return sa.select(
        sa.literal_column(f"'{source.name}'").label("name"),
        source.c.id.label("id"),
        sa.func.jsonb_build_array(*[_portable(source.c[name]) for name in shown.columns], type_=JSONB).label(
            "data"
        ),
    ).where(source.c.id == sa.any_(wanted), shown.scope(source, viewer))


def _portable(stored: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    item = readable(stored)
    # As text, so that no digit of a number and no microsecond is left to a JSON parser.
    return item if isinstance(stored.type, sa.ARRAY | sa.Boolean) else sa.cast(item, sa.Text)


def _row(shown: TableType, data: list[Any]) -> Any:
    values = zip(data, shown.columns, strict=True)
    return shown.row([_restored(value, shown.table.c[name]) for value, name in values])


def _restored(value: Any, stored: sa.Column[Any]) -> Any:
    if value is None or isinstance(stored.type, sa.Boolean):
        return value
    if isinstance(stored.type, JSONB):
        return stored_json(value)
    if isinstance(stored.type, sa.ARRAY):
        return stored_texts(value)
    if isinstance(stored.type, INET):
        address = ipaddress.ip_interface(value)
        return address.ip if address.network.prefixlen == address.max_prefixlen else address
    match stored.type.python_type:
        case dt.datetime:
            return dt.datetime.fromisoformat(value)
        case dt.date:
            return dt.date.fromisoformat(value)
        case uuid.UUID:
            return uuid.UUID(value)
        case decimal.Decimal:
            return decimal.Decimal(value)
        case type() as kind if kind is int:
            return int(value)
    return value
