"""What the constraints refuse and what they do when a parent goes, for every key and every closed list."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy import Column, ColumnElement, ForeignKeyConstraint, Table, delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db.base import Base
from db.models import Contact, Deal, DealStage, Tenant
from tests.factories import Row, fill_tenant, insert, make_tenant

TABLES = [Base.metadata.tables[name] for name in sorted(Base.metadata.tables)]
OWNED = [t for t in TABLES if "tenant_id" in t.c]
REFERENCES = [
    pytest.param(key, id=f"{table.name}.{key.elements[-1].parent.name}")
    for table in OWNED
    for key in sorted(table.foreign_key_constraints, key=lambda key: str(key.name))
    if key.referred_table in OWNED
]
ENUMS = [pytest.param(c, id=f"{t.name}.{c.name}") for t in TABLES for c in t.c if "enum" in c.info]


@pytest.fixture
async def connection(owner_engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """The owner's connection in a transaction that is rolled back."""
    async with owner_engine.connect() as connected:
        await connected.execution_options(isolation_level="READ COMMITTED")
        yield connected
        await connected.rollback()


def key_of(table: Table, row: Row) -> list[ColumnElement[bool]]:
    """The condition that finds `row` again."""
    return [column == row[column.name] for column in table.primary_key]


async def refused(connection: AsyncConnection, statement: Any) -> asyncpg.IntegrityConstraintViolationError:
    """What PostgreSQL says to a statement that a constraint refuses."""
    with pytest.raises(IntegrityError) as caught:
        async with connection.begin_nested():
            await connection.execute(statement)
    assert caught.value.orig is not None
    cause = caught.value.orig.__cause__
    assert isinstance(cause, asyncpg.IntegrityConstraintViolationError)
    return cause


def child_column(key: ForeignKeyConstraint) -> Column[Any]:
    """The column that names the parent; of a deal's key to its stage, the stage."""
    return key.elements[-1].parent


@pytest.mark.parametrize("key", REFERENCES)
async def test_a_row_of_another_tenant_cannot_be_referred_to(
    key: ForeignKeyConstraint, connection: AsyncConnection
) -> None:
    table, column = key.table, child_column(key)
    own = await insert(connection, table, tenant_id=await make_tenant(connection))
    foreign = await insert(connection, key.referred_table, tenant_id=await make_tenant(connection))
    error = await refused(
        connection, update(table).where(*key_of(table, own)).values({column: foreign["id"]})
    )
    assert isinstance(error, asyncpg.ForeignKeyViolationError)
    assert error.table_name == table.name


@pytest.mark.parametrize("key", REFERENCES)
async def test_a_parent_that_goes_does_what_the_document_says(
    key: ForeignKeyConstraint, connection: AsyncConnection
) -> None:
    table, column, parents = key.table, child_column(key), key.referred_table
    tenant = await make_tenant(connection)
    parent = await insert(connection, parents, tenant_id=tenant)
    given = {e.parent.name: parent[e.column.name] for e in key.elements}
    child = await insert(connection, table, **given)
    removal = delete(parents).where(*key_of(parents, parent))
    if key.ondelete is None:
        error = await refused(connection, removal)
        assert (error.table_name, error.constraint_name) == (table.name, key.name)
        return
    await connection.execute(removal)
    left = (await connection.execute(select(table).where(*key_of(table, child)))).mappings().all()
    if key.ondelete == "CASCADE":
        assert left == []
    else:
        assert key.ondelete == f"SET NULL ({column.name})"
        assert [row["tenant_id"] for row in left] == [tenant]
        assert [row[column.name] for row in left] == [None]


async def test_a_stage_of_another_pipeline_is_refused(connection: AsyncConnection) -> None:
    tenant = await make_tenant(connection)
    deal = await insert(connection, Deal, tenant_id=tenant)
    other = await insert(connection, DealStage, tenant_id=tenant)
    error = await refused(connection, update(Deal).where(Deal.id == deal["id"]).values(stage_id=other["id"]))
    assert error.constraint_name == "deals_tenant_id_pipeline_id_stage_id_fkey"


async def test_a_tenant_goes_with_all_its_rows(connection: AsyncConnection) -> None:
    gone, kept = await make_tenant(connection), await make_tenant(connection)
    for tenant in (gone, kept):
        await fill_tenant(connection, tenant)
    await connection.execute(delete(Tenant).where(Tenant.id == gone))
    for table in OWNED:
        owners = (await connection.scalars(select(table.c.tenant_id).distinct())).all()
        assert gone not in owners, table.name
        assert kept in owners, table.name


@pytest.mark.parametrize("column", ENUMS)
async def test_a_closed_list_takes_its_values_and_no_other(
    column: Column[Any], connection: AsyncConnection
) -> None:
    table = column.table
    assert isinstance(table, Table)
    row = await insert(connection, table, tenant_id=await make_tenant(connection))
    change = update(table).where(*key_of(table, row))
    for value in column.info["enum"]:
        done = await connection.execute(change.values({column: value.value}).returning(column))
        assert done.scalar_one() == value.value
    error = await refused(connection, change.values({column: "unheard_of"}))
    assert error.constraint_name == f"{table.name}_{column.name}_check"


async def test_normalised_copies_follow_their_sources(connection: AsyncConnection) -> None:
    tenant = await make_tenant(connection)
    made = await insert(
        connection, Contact, tenant_id=tenant, full_name="Mona EL-Sayed منى", email="Mona@Example.test"
    )
    assert (made["full_name_norm"], made["email_norm"]) == ("mona el-sayed منى", "mona@example.test")
    change = update(Contact).where(Contact.id == made["id"]).values(full_name="MONA", email=None)
    after = (await connection.execute(change.returning(Contact.full_name_norm, Contact.email_norm))).one()
    assert tuple(after) == ("mona", None)


async def test_a_code_is_unique_among_the_global_ones_too(connection: AsyncConnection) -> None:
    table = Base.metadata.tables["unit_type_codes"]
    code, tenant = f"code-{uuid4()}", await make_tenant(connection)
    for owner in (None, tenant):
        await insert(connection, table, tenant_id=owner, code=code)
        error = await refused(connection, table.insert().values(tenant_id=owner, code=code, label="again"))
        assert error.constraint_name == "unit_type_codes_tenant_id_code_key"
