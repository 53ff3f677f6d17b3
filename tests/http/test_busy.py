"""Where all connections to the database are in use and none comes free, one is told so soon."""

import asyncio
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from db import gate
from db.models import Company
from tests.client import running, signed_in
from tests.factories import insert, make_tenant
from tests.server import Urls

RENAME = 'mutation { updateCompany(id: "%s", input: { name: "New" }) { company { name } errors { code } } }'
QUERY = "{ companies { totalCount } }"


@pytest.mark.parametrize("engine", ["planned", "stock"])
async def test_a_pool_in_use_is_503_and_the_one_who_has_it_gets_on(
    urls: Urls, tmp_path: Path, owner: AsyncConnection, monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    monkeypatch.setattr(gate, "STUCK_SECONDS", 0.1)
    async with running(urls.gateway, tmp_path, pool_size=1, engine=engine) as anyone:
        tenant = await make_tenant(owner)
        client = await signed_in(anyone, owner, tenant, "*")
        row = await insert(owner, Company, tenant_id=tenant, name="Old")
        await owner.execute(sa.text("BEGIN"))
        await owner.execute(sa.select(Company.id).where(Company.id == row["id"]).with_for_update())
        holding = asyncio.create_task(client.read(RENAME % row["id"]))
        pool = client.services.database.usage
        async with asyncio.timeout(10):
            while pool()["sessions"].in_use == 0:  # noqa: ASYNC110  # nobody tells of it
                await asyncio.sleep(0)
        refused = await client.post(RENAME % row["id"])
        assert refused.status_code == 503
        answer = refused.json()
        assert list(answer) == ["errors"]
        assert [error["extensions"] for error in answer["errors"]] == [{"code": "UNAVAILABLE"}]
        # Our own engine has connections of its own.
        assert (await client.post(QUERY)).status_code == (503 if engine == "stock" else 200)
        await owner.execute(sa.text("ROLLBACK"))
        assert await holding == {"updateCompany": {"company": {"name": "New"}, "errors": []}}
        assert (await client.post(QUERY)).status_code == 200
