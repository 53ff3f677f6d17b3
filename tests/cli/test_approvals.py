"""`m3 approvals escalate`: what it says."""

import sqlalchemy as sa

from db.migrate import connect
from db.models import Approval
from tests.cli.conftest import M3
from tests.factories import insert, make_tenant, make_user
from tests.server import Urls


async def test_a_run_says_what_it_did(m3: M3, scratch_database: Urls) -> None:
    async with connect(scratch_database.owner) as connection:
        await connection.execute(sa.text("SET app.maintenance = 'on'"))
        for _ in range(2):
            tenant = await make_tenant(connection)
            user = await make_user(connection, tenant, "*")
            await insert(connection, Approval, tenant_id=tenant, requested_by=user, sla_due_at=sa.func.now())
        await connection.commit()
    for told in (2, 0):
        done = await m3("approvals", "escalate", database_url=scratch_database.gateway)
        assert (done.code, done.out, done.err) == (0, f"escalated: {told}\n", "")


async def test_it_needs_the_gateways_login(m3: M3) -> None:
    done = await m3("approvals", "escalate")
    assert (done.code, done.out, done.err) == (1, "", "m3: M3_DATABASE_URL is not set\n")
