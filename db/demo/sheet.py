"""The sheet that a tenant's rows are written on before any of them goes to the database.

An id comes from the slug, the table and the row's key, so a row has the same one in every database. Times
count back from the moment of loading: a demo of last spring would have nothing due this week.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from random import Random
from typing import Any, Final, cast
from uuid import NAMESPACE_DNS, UUID, uuid5

from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncConnection

from db.base import Base

NAMESPACE: Final = uuid5(NAMESPACE_DNS, "demo.m3core.test")

Row = dict[str, Any]


class Sheet:
    """The rows of one tenant, or with the slug "" those that belong to none."""

    def __init__(self, slug: str, now: datetime) -> None:
        self.slug = slug
        self.now = now
        self.tenant_id = uuid5(NAMESPACE, slug)
        self._rows: dict[str, list[Row]] = defaultdict(list)

    def id_of(self, model: type[Base], key: object) -> UUID:
        """The id of the row that is, or will be, added under `key`."""
        return uuid5(self.tenant_id, f"{model.__tablename__}/{key}")

    def add(self, model: type[Base], key: object, **values: Any) -> UUID:
        """Write a row with an id; the result is that id. `key` tells it from the others of its table."""
        row_id = self.id_of(model, key)
        self.link(model, id=row_id, **values)
        return row_id

    def link(self, model: type[Base], **values: Any) -> None:
        """Write a row of a table whose key is made of other rows' ids."""
        table = cast(Table, model.__table__)
        if "tenant_id" in table.c and self.slug:
            values["tenant_id"] = self.tenant_id
        if "updated_at" in table.c and "created_at" in values:
            values.setdefault("updated_at", values["created_at"])
        self._rows[table.name].append(values)

    def dice(self, domain: str) -> Random:
        """Chance that falls the same way each time; one for each domain, so that none disturbs another."""
        return Random(f"{self.slug}/{domain}")  # noqa: S311  # nothing secret comes of it

    def ago(self, days: float) -> datetime:
        """The moment so many days before loading; after it where `days` is negative."""
        return self.now - timedelta(days=days)

    def day(self, days_ago: int) -> date:
        """The date so many days before loading; after it where `days_ago` is negative."""
        return self.ago(days_ago).date()

    def at(self, days_ago: int, hour: int, minute: int = 0) -> datetime:
        """A time of day on that date."""
        return self.clock(self.day(days_ago), hour, minute)

    def clock(self, day: date, hour: int, minute: int = 0) -> datetime:
        """A time of day on a date."""
        return datetime.combine(day, time(hour, minute), UTC)

    def month(self, back: int) -> tuple[date, date]:
        """The first and the last day of the month that was `back` months ago."""
        count = self.now.year * 12 + self.now.month - 1 - back
        first, following = (date(n // 12, n % 12 + 1, 1) for n in (count, count + 1))
        return first, following - timedelta(days=1)

    async def write(self, connection: AsyncConnection) -> None:
        """Insert all rows, each table after those that it refers to."""
        for table in Base.metadata.sorted_tables:
            for rows in _alike(self._rows[table.name]):
                await connection.execute(table.insert(), rows)


def _alike(rows: list[Row]) -> Iterator[list[Row]]:
    """Runs of rows with the same columns, as one statement for many rows takes them."""
    for _, run in groupby(rows, key=lambda row: sorted(row)):
        yield list(run)
