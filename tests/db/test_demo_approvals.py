"""The demo's approvals: what waits there can be agreed to, and is done."""

from pathlib import Path

import sqlalchemy as sa

from db.models import Approval, Tenant, User
from tests.client import running, session_of
from tests.db.test_demo import connected, loaded
from tests.server import Urls

__all__ = ["loaded"]

DECIDE = "mutation($id: ID!) { approve(input: { id: $id }) { approval { state } errors { message } } }"


async def test_each_that_waits_is_applied_when_the_administrator_agrees(loaded: Urls, tmp_path: Path) -> None:
    async with connected(loaded) as owner, running(loaded.gateway, tmp_path) as anyone:
        (tenant, admin) = (
            await owner.execute(
                sa.select(Tenant.id, User.id)
                .join(User, User.tenant_id == Tenant.id)
                .where(User.email == "admin@demo.test")
            )
        ).one()
        client = await session_of(anyone, owner, tenant, admin)
        waiting = sa.select(Approval.id, Approval.domain).where(
            Approval.tenant_id == tenant, Approval.state == "pending"
        )
        found = {domain: id for id, domain in (await owner.execute(waiting)).all()}
        assert sorted(found) == ["campaign.launch", "deal.stage.move", "unit.price.change"]
        for domain, id in found.items():
            done = (await client.read(DECIDE, id=str(id)))["approve"]
            assert done == {"approval": {"state": "APPLIED"}, "errors": []}, domain
