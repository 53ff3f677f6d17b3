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
from graph.errors import BadInput
from graph.filters import parse_id
from graph.limits import MAX_PAGE
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


def wanted(ids: list[strawberry.ID]) -> list[uuid.UUID | None]:
    """The ids to look for, None for what is none and so the id of nothing; BadInput if there are too many."""
    if len(ids) > MAX_PAGE:
        raise BadInput(f"`nodes` takes at most {MAX_PAGE} ids.")
    return [_uuid(item) for item in ids]


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return parse_id(text)
    except BadInput:
        return None  # it must not fail the others


def readable_nodes(viewer: Viewer) -> list[TableType]:
    """The types with an id of their own that `viewer` may read."""
    shown = (item for item in TABLES.values() if item.key == ("id",))
    return [item for item in shown if item.needs is None or viewer.has(item.needs)]


async def load_nodes(snapshot: Snapshot, viewer: Viewer, ids: list[uuid.UUID]) -> dict[uuid.UUID, Any]:
    """The rows with these ids that `viewer` may see, of any type, in one statement.

    The tables have different columns, so each row travels as JSON and is read back by its columns' types.
    """
    shown = {item.table.name: item for item in readable_nodes(viewer)}
    probes = [_probe(item, viewer, ids) for item in shown.values()]
    if not ids or not probes:
        return {}
    rows = await snapshot.fetch(sa.union_all(*probes))
    return {row.id: _row(shown[row.name], row.data) for row in rows}


def _probe(shown: TableType, viewer: Viewer, ids: list[uuid.UUID]) -> sa.Select[Any]:
    source = shown.table
    keys = sa.bindparam("ids", ids, type_=sa.ARRAY(sa.Uuid))
    columns = [portable(readable(source.c[name]), source.c[name]) for name in shown.columns]
    return sa.select(
        sa.literal_column(f"'{source.name}'").label("name"),
        source.c.id.label("id"),
        sa.func.jsonb_build_array(*columns, type_=JSONB).label("data"),
    ).where(source.c.id == sa.any_(keys), shown.scope(source, viewer))


def portable(value: sa.ColumnElement[Any], stored: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """A value of the column `stored` as it travels in JSON, to be `restored`."""
    # As text, so that no digit of a number and no microsecond is left to a JSON parser.
    return value if isinstance(stored.type, sa.ARRAY | sa.Boolean) else sa.cast(value, sa.Text)


def _row(shown: TableType, data: list[Any]) -> Any:
    values = zip(data, shown.columns, strict=True)
    return shown.row([restored(value, shown.table.c[name]) for value, name in values])


def restored(value: Any, stored: sa.Column[Any]) -> Any:
    """A value that travelled in JSON, as the driver gives it otherwise."""
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
