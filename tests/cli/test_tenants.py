"""`m3 tenant`: a tenant that its first user can sign in to and administer."""

from uuid import uuid4

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Role, Tenant, User, UserRole
from graph.auth.passwords import Passwords
from tests.cli.conftest import M3
from tests.server import Urls

PASSWORD = "a long password"


async def test_a_tenant_is_made_with_its_administrator(m3: M3, urls: Urls, owner: AsyncConnection) -> None:
    slug = f"made-{uuid4()}"
    create = ("tenant", "create", slug, "--name", " مصر العقارية ", "--admin", "Mona@Made.test")
    done = await m3(*create, stdin=f"{PASSWORD}\n", owner_database_url=urls.owner)
    assert (done.code, done.err) == (0, "")
    tenant = (await owner.execute(select(Tenant.id, Tenant.name).where(Tenant.slug == slug))).one()
    assert tenant.name == "مصر العقارية"
    assert done.out == f"{tenant.id} {slug}: its administrator may sign in\n"

    user = (await owner.execute(select(User.__table__).where(User.tenant_id == tenant.id))).one()
    assert user.email == "Mona@made.test"
    passwords = Passwords(threads=1)
    assert await passwords.verify(user.password_hash, PASSWORD) is True
    passwords.close()
    held = select(Role.code).join(UserRole, UserRole.role_id == Role.id).where(UserRole.user_id == user.id)
    assert list(await owner.scalars(held)) == ["admin"]

    again = await m3(*create, stdin=f"{PASSWORD}\n", owner_database_url=urls.owner)
    assert (again.code, again.out, again.err) == (1, "", f"m3: the slug {slug} is taken\n")

    listed = await m3("tenant", "list", owner_database_url=urls.owner)
    assert (listed.code, listed.err) == (0, "")
    (line,) = [line for line in listed.out.splitlines() if slug in line]
    assert line.split()[:3] == [str(tenant.id), slug, "1"]
    assert line.endswith("مصر العقارية")


@pytest.mark.parametrize(
    ("slug", "name", "admin", "password", "words"),
    [
        ("No Slug", "Name", "a@b.test", PASSWORD, "is no slug"),
        ("fine", " ", "a@b.test", PASSWORD, "a tenant has a name"),
        ("fine", "Name", "nobody", PASSWORD, "nobody: EmailAddress is not an e-mail address."),
        ("fine", "Name", "a@b.test", "short", "at least 8 characters"),
    ],
)
async def test_what_is_no_tenant_is_not_made(
    m3: M3, urls: Urls, owner: AsyncConnection, slug: str, name: str, admin: str, password: str, words: str
) -> None:
    before = await owner.scalar(select(func.count()).select_from(Tenant).where(Tenant.slug == slug))
    create = ("tenant", "create", slug, "--name", name, "--admin", admin)
    done = await m3(*create, stdin=f"{password}\n", owner_database_url=urls.owner)
    assert (done.code, done.out) == (1, "")
    assert words in done.err
    assert done.err.count("\n") == 1
    after = await owner.scalar(select(func.count()).select_from(Tenant).where(Tenant.slug == slug))
    assert before == after == 0
