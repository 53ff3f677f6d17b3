"""The declarative base, the column vocabulary, and the rules that every table follows.

A model says what is its own: columns, the lists it appears in (``__listed_by__``) and the columns a
client may sort by (``__ordered_by__``). What follows from those for every table alike (the key that
carries the tenant, composite foreign keys, checks of enums, seek indexes) is added here, once.
"""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final, cast
from uuid import UUID

from sqlalchemy import (
    CHAR,
    TIMESTAMP,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ColumnElement,
    Computed,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Numeric,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, CITEXT, INET, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedColumn, mapped_column

# PostgreSQL's own names, so that what the master document leaves unnamed is called here as there.
NAMING: Final = {
    "pk": "%(table_name)s_pkey",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    "ck": "%(table_name)s_%(constraint_name)s_check",
}

CASCADE: Final = "CASCADE"
SET_NULL: Final = "SET NULL"

Timestamp = Annotated[datetime, mapped_column(TIMESTAMP(timezone=True))]
BigInt = Annotated[int, mapped_column(BigInteger)]
Money = Annotated[int, mapped_column(BigInteger)]
"""An amount in its currency's minor unit."""
Currency = Annotated[str, mapped_column(CHAR(3))]
Measure = Annotated[Decimal, mapped_column(Numeric(12, 2))]
"""A length in metres or an area in square metres."""
Email = Annotated[str, mapped_column(CITEXT)]
Ip = Annotated[str, mapped_column(INET)]
Json = Annotated[Any, mapped_column(JSONB(none_as_null=True))]
Tags = Annotated[list[str], mapped_column(ARRAY(Text))]


class Base(DeclarativeBase):
    """What the 43 models have in common."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar = {
        str: Text,
        int: Integer,
        bool: Boolean,
        date: Date,
        datetime: TIMESTAMP(timezone=True),
        Decimal: Numeric,
        UUID: Uuid,
    }

    __listed_by__: ClassVar[tuple[str, ...]] = ()
    """The columns naming a parent under which the rows are listed, newest first."""
    __ordered_by__: ClassVar[tuple[str, ...]] = ()
    """The columns that a client may sort the whole list by."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        _complete(cast(Table, cls.__table__), cls.__listed_by__, cls.__ordered_by__)


class UuidKey:
    """A key of one random UUID."""

    id: Mapped[UUID] = mapped_column(
        primary_key=True, server_default=text("gen_random_uuid()"), sort_order=-20
    )


class TenantOwned:
    """Rows that belong to one tenant and go with it."""

    tenant_id: Mapped[UUID] = mapped_column(
        ForeignKey("tenants.id", ondelete=CASCADE), sort_order=-10, info={"hidden": True}
    )


class Created:
    """Rows that are written once."""

    created_at: Mapped[Timestamp] = mapped_column(server_default=text("now()"), sort_order=100)


class Timestamped(Created):
    """Rows that change; a trigger keeps ``updated_at``."""

    updated_at: Mapped[Timestamp] = mapped_column(server_default=text("now()"), sort_order=101)


def one_of(values: type[StrEnum], default: StrEnum | None = None) -> MappedColumn[Any]:
    """Text that a CHECK holds to the values of an enum."""
    server_default = None if default is None else text(f"'{default}'")
    return mapped_column(Text, server_default=server_default, info={"enum": values})


def refers_to(
    table: str, on_delete: str | None = None, *, circular: bool = False, **kwargs: Any
) -> MappedColumn[Any]:
    """The id of a row of the same tenant in ``table``.

    ``circular`` marks the one foreign key of a ring that is added after its tables.
    """
    return mapped_column(info={"refers_to": (table, on_delete, circular)}, **kwargs)


def normalised(source: str) -> MappedColumn[Any]:
    """The lower-case copy of ``source`` that an index can serve under row security.

    citext and ILIKE are not leakproof, so a policy keeps the planner from using their indexes.
    """
    return mapped_column(
        Text(collation="C"),
        Computed(f"lower({source})", persisted=True),
        sort_order=200,
        info={"hidden": True},
    )


def target_of(column: Column[Any]) -> Table | None:
    """The table whose row ``column`` identifies, or None where it is no foreign key."""
    for key in column.foreign_keys:
        if key.column.primary_key:
            return key.column.table
    return None


def _complete(table: Table, listed_by: tuple[str, ...], ordered_by: tuple[str, ...]) -> None:
    """Add to ``table`` the constraints and indexes that follow from its columns."""
    c = table.c
    scope: list[ColumnElement[Any]] = [c.tenant_id] if "tenant_id" in c else []
    partitioned = bool(table.dialect_options["postgresql"]["partition_by"])

    if "id" in c and scope and not partitioned:
        table.append_constraint(UniqueConstraint("tenant_id", "id"))
    for column in list(c):
        if "enum" in column.info:
            values = ", ".join(f"'{value}'" for value in column.info["enum"])
            table.append_constraint(CheckConstraint(f"{column.name} IN ({values})", name=column.name))
        if "refers_to" in column.info:
            table.append_constraint(_reference(column))

    key = [c.id] if "id" in c else [k for k in table.primary_key if k.name != "tenant_id"]
    if "id" in c:
        Index(f"{table.name}_seek_ix", *scope, c.created_at.desc(), c.id.desc())
    for name in listed_by:
        rest = [k.desc() for k in key if k.name != name]
        Index(f"{table.name}_{name}_seek_ix", *scope, c[name], c.created_at.desc(), *rest)
    for name in ordered_by:
        Index(f"{table.name}_{name}_order_ix", *scope, c[name], *key)
    for column in c:
        if "norm" in column.info:
            Index(f"{table.name}_{column.info['norm']}_ix", *scope, c[column.info["norm"]], *key)


def _reference(column: Column[Any]) -> ForeignKeyConstraint:
    """The composite foreign key that keeps ``column`` within its row's tenant."""
    table, on_delete, circular = column.info["refers_to"]
    return ForeignKeyConstraint(
        ["tenant_id", column.name],
        [f"{table}.tenant_id", f"{table}.id"],
        # Without the column list the row's tenant_id would be set to NULL as well.
        ondelete=f"SET NULL ({column.name})" if on_delete == SET_NULL else on_delete,
        use_alter=circular,
    )
