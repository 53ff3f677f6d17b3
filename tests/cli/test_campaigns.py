"""`m3 campaigns run-due`: what it says."""

from typing import Any

import sqlalchemy as sa

from db.gateway import launches
from db.migrate import connect
from db.models import Campaign, Contact, MessageTemplate
from tests.cli.conftest import M3
from tests.factories import insert, make_tenant, make_user
from tests.server import Urls


async def test_a_run_says_what_it_did(m3: M3, scratch_database: Urls) -> None:
    async with connect(scratch_database.owner) as connection:
        await connection.execute(sa.text("SET app.maintenance = 'on'"))
        tenant = await make_tenant(connection)
        user = await make_user(connection, tenant, "*")
        await insert(connection, Contact, tenant_id=tenant, email="mona@example.test")
        texts = {"channel": "email", "subject": "A", "text_body": "B"}
        await insert(connection, MessageTemplate, tenant_id=tenant, code="spring", locale="en", **texts)
        ids = []
        for code in ("spring", "absent"):
            campaign = await insert(connection, Campaign, tenant_id=tenant, status="scheduled", type="email")
            values = {"campaign_id": campaign["id"], "user_id": user, "due_at": sa.func.now()}
            asked: dict[str, Any] = {"template_code": code, "audience": {"contacts": {}}, "variables": {}}
            await connection.execute(launches.insert().values(tenant_id=tenant, **values, **asked))
            ids.append(campaign["id"])
        await connection.commit()
    done = await m3("campaigns", "run-due", database_url=scratch_database.gateway)
    assert (done.code, done.out) == (0, "launched: 1, sent: 0, not launched: 1\n")
    assert done.err == (
        f"not launched: {ids[1]} of tenant {tenant}: There is no template of this code in this language.\n"
    )
    done = await m3("campaigns", "run-due", database_url=scratch_database.gateway)
    assert (done.code, done.out, done.err) == (0, "launched: 0, sent: 0, not launched: 0\n", "")


async def test_it_needs_the_gateways_login(m3: M3) -> None:
    done = await m3("campaigns", "run-due")
    assert (done.code, done.out, done.err) == (1, "", "m3: M3_DATABASE_URL is not set\n")
