"""Where the real data sets are, and how they get into tables."""

import csv
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast
from uuid import UUID, uuid5

import orjson
import pytest
from sqlalchemy import JSON, Table, Text, column, func, literal, select
from sqlalchemy import cast as sa_cast
from sqlalchemy.ext.asyncio import AsyncConnection

from db.base import Base

FOLDER_VARIABLE: Final = "M3_TEST_DATA"
"""The environment variable that names another folder than `shared/data` beside the repository."""

Line = Mapping[str, str]


def folder() -> Path:
    """The folder that holds the data sets, one folder each."""
    beside = Path(__file__).parents[2].parent / "shared" / "data"
    return Path(os.environ.get(FOLDER_VARIABLE) or beside)


def read(data_set: str, name: str) -> list[Line]:
    """The lines of a file of a data set; the test is skipped where the set is not there."""
    path = folder() / data_set / name
    if not path.is_file():
        pytest.skip(f"real data sets are not here: no {path}; {FOLDER_VARIABLE} names another folder")
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def id_of(tenant_id: UUID, model: type[Base], *key: object) -> UUID:
    """The id of the row that was loaded for `key`: scattered like a random one, and the same in every run."""
    return uuid5(tenant_id, "/".join((model.__tablename__, *map(str, key))))


async def insert_all(
    connection: AsyncConnection, model: type[Base], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Insert the rows by one statement; COPY is refused where row security holds the writer."""
    table = cast(Table, model.__table__)
    columns = [table.c[name] for name in rows[0]]
    text = orjson.dumps(rows, default=str).decode()
    given = (
        func.json_to_recordset(sa_cast(literal(text, Text), JSON))
        .table_valued(*(column(c.name, c.type) for c in columns))
        .render_derived(with_types=True)
    )
    await connection.execute(table.insert().from_select(columns, select(*given.c)))
