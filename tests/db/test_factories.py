"""The factories fill every table, so that tests about all tables leave none out."""

from sqlalchemy.ext.asyncio import AsyncConnection

from db.base import Base
from db.models import Deal, DealStage
from tests.factories import fill_tenant, insert, make_tenant


async def test_a_filled_tenant_has_a_row_in_every_table(owner: AsyncConnection) -> None:
    tenant = await make_tenant(owner)
    rows = await fill_tenant(owner, tenant)
    assert set(rows) == set(Base.metadata.tables)
    assert {row["tenant_id"] for row in rows.values() if "tenant_id" in row} == {tenant}


async def test_what_a_row_needs_is_made_in_its_own_tenant(owner: AsyncConnection) -> None:
    tenant = await make_tenant(owner)
    deal = await insert(owner, Deal, tenant_id=tenant)
    stages = DealStage.__table__
    found = await owner.execute(stages.select().where(stages.c.id == deal["stage_id"]))
    stage = found.mappings().one()
    assert (stage["tenant_id"], stage["pipeline_id"]) == (tenant, deal["pipeline_id"])
