"""The monthly partitions of the two logs, kept by `m3 db partitions` (once a day, say).

A month's partition is `partitions.<table>_<year>_<month>`, in UTC. Rows of a month that has none go to the
default partition and are moved when its partition is made. What is past its retention is detached: out of
the log, still a table in `partitions`, for the operator to archive or drop.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Final

from sqlalchemy import bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection

from db import migrate, rls

AUDIT: Final = "audit_logs"
WEBHOOKS: Final = "integration_webhook_logs"
TIME: Final[Mapping[str, str]] = {AUDIT: "created_at", WEBHOOKS: "received_at"}
"""The partitioned tables and the column that says when."""


@dataclass(slots=True)
class Report:
    """What was done to one table."""

    table: str
    created: list[str] = field(default_factory=list)
    moved: int = 0
    """Rows moved out of the default partition."""
    detached: list[str] = field(default_factory=list)
    left: int = 0
    """Rows that stay in the default partition: of months further ahead, or past their retention."""


async def maintain(
    owner_url: str,
    *,
    audit_months: int | None = None,
    webhook_months: int | None = None,
    ahead: int = 3,
    today: date | None = None,
) -> list[Report]:
    """Make this month's partition and `ahead` more, move strays, detach what is older than its retention.

    A retention counts whole months before this one; None keeps everything. Writers wait no longer than it
    takes to move one month's strays; a lock that cannot be had in 5 s is an error, and the next run goes on.
    """
    this_month = (today or datetime.now(UTC).date()).replace(day=1)
    kept = {AUDIT: audit_months, WEBHOOKS: webhook_months}
    async with migrate.connect(owner_url) as connection:
        async with connection.begin():
            await connection.execute(text("SET app.maintenance = 'on'"))
            await connection.execute(text("SET lock_timeout = '5s'"))
            await connection.execute(text("SELECT pg_advisory_lock(hashtext('m3core.partitions'))"))
        return [await _maintain(connection, table, this_month, ahead, kept[table]) for table in TIME]


async def _maintain(
    connection: AsyncConnection, table: str, this_month: date, ahead: int, kept: int | None
) -> Report:
    report = Report(table)
    last = _later(this_month, ahead)
    first = date.min if kept is None else _later(this_month, -kept)
    wanted = {_later(this_month, months) for months in range(ahead + 1)}
    wanted |= {month for month in await _stray_months(connection, table) if first <= month <= last}
    for month in sorted(wanted):
        if not await _exists(connection, _name(table, month)):
            async with connection.begin():
                report.moved += await _create(connection, table, month)
            report.created.append(_name(table, month))
    for name in await _attached_before(connection, table, first):
        async with connection.begin():
            await connection.execute(text(f"ALTER TABLE {table} DETACH PARTITION partitions.{name}"))
        report.detached.append(name)
    async with connection.begin():
        count = text(f"SELECT count(*) FROM partitions.{table}_default")  # noqa: S608  # one of the two names
        report.left = (await connection.execute(count)).scalar_one()
    return report


async def _create(connection: AsyncConnection, table: str, month: date) -> int:
    """Make a month's partition and move its rows there; the number of rows.

    Made apart and attached: CREATE TABLE … PARTITION OF would lock the whole table. The default partition
    is locked before its rows are moved, or one more could come in that forbids the attachment.
    """
    name, default, time = f"partitions.{_name(table, month)}", f"partitions.{table}_default", TIME[table]
    start, end = (f"'{day} 00:00:00+00'" for day in (month, _later(month, 1)))
    await connection.execute(text(f"LOCK TABLE {default} IN ACCESS EXCLUSIVE MODE"))
    await connection.execute(
        text(f"CREATE TABLE {name} (LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
    )
    for statement in rls.confine_partition(name):
        await connection.execute(text(statement))
    moved = await connection.execute(
        text(
            f"WITH strays AS (DELETE FROM {default} WHERE {time} >= {start} AND {time} < {end} RETURNING *) "  # noqa: S608
            f"INSERT INTO {name} SELECT * FROM strays"
        )
    )
    await connection.execute(
        text(f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ({start}) TO ({end})")
    )
    return moved.rowcount


async def _stray_months(connection: AsyncConnection, table: str) -> list[date]:
    statement = text(
        f"SELECT DISTINCT date_trunc('month', {TIME[table]} AT TIME ZONE 'UTC')::date "  # noqa: S608
        f"FROM partitions.{table}_default WHERE isfinite({TIME[table]}) AND {TIME[table]} >= '0001-01-01' "
        f"AND {TIME[table]} < '10000-01-01'"
    )
    async with connection.begin():
        return list(await connection.scalars(statement))


async def _exists(connection: AsyncConnection, name: str) -> bool:
    """Whether there is a table of the name, attached or not."""
    statement = text("SELECT to_regclass(:name) IS NOT NULL").bindparams(name=f"partitions.{name}")
    async with connection.begin():
        return bool(await connection.scalar(statement))


async def _attached_before(connection: AsyncConnection, table: str, first: date) -> list[str]:
    """The names of the months' partitions older than `first`; they sort by time."""
    statement = text(
        "SELECT relname FROM pg_inherits JOIN pg_class ON oid = inhrelid "
        "WHERE inhparent = CAST(CAST(:parent AS text) AS regclass) "
        "AND relname ~ '_[0-9]{4}_[0-9]{2}$' AND relname < :first ORDER BY relname"
    ).bindparams(bindparam("parent", table), bindparam("first", _name(table, first)))
    async with connection.begin():
        return list(await connection.scalars(statement))


def _name(table: str, month: date) -> str:
    return f"{table}_{month.year:04}_{month.month:02}"


def _later(month: date, months: int) -> date:
    """The first day of the month that many months later."""
    count = month.year * 12 + month.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)
