"""The limits of the plan: nothing gets past them, whoever asks at the same time."""

import asyncio
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Contact, Plan, PlanFeature, TenantSubscription, UsageCounter, User
from db.session import Database, Scope
from graph.auth.viewer import Viewer
from graph.errors import UserErrorCode
from graph.snapshot import Change
from graph.writing.plan_limits import (
    LimitReached,
    exceeded,
    room_for_contacts,
    room_for_messages,
    room_for_users,
)
from graph.writing.work import Work
from tests.factories import insert, make_tenant


async def plan(owner: AsyncConnection, **limits: int | None) -> UUID:
    """A plan with limits, named as `contacts_max` for `contacts.max`."""
    made = await insert(owner, Plan)
    for name, limit in limits.items():
        code = name.replace("_", ".")
        await insert(owner, PlanFeature, plan_id=made["id"], feature_code=code, limit_value=limit)
    id: UUID = made["id"]
    return id


async def subscribed(owner: AsyncConnection, **limits: int | None) -> UUID:
    """A tenant on a plan with these limits."""
    tenant = await make_tenant(owner)
    await insert(owner, TenantSubscription, tenant_id=tenant, plan_id=await plan(owner, **limits))
    return tenant


def working(database: Database, tenant: UUID) -> Work:
    viewer = Viewer(tenant, uuid4(), uuid4(), frozenset())
    return Work(viewer, Change(database, Scope(tenant_id=tenant)), None, None)


async def add_contact(database: Database, tenant: UUID) -> bool:
    """Whether the plan had room for one more."""
    work = working(database, tenant)
    try:
        await room_for_contacts(work, 1)
    except LimitReached:
        await work.transaction.rollback()
        return False
    await work.execute(Contact.__table__.insert().values(tenant_id=tenant, full_name="A"))  # type: ignore[attr-defined]
    await work.transaction.commit()
    return True


async def count(owner: AsyncConnection, model: Any, tenant: UUID) -> int:
    found = await owner.execute(select(func.count()).select_from(model).where(model.tenant_id == tenant))
    return int(found.scalar_one())


async def test_exactly_as_many_as_the_plan_allows(database: Database, owner: AsyncConnection) -> None:
    tenant = await subscribed(owner, contacts_max=20)
    added = await asyncio.gather(*(add_contact(database, tenant) for _ in range(60)))
    assert sorted(added) == [False] * 40 + [True] * 20
    assert await count(owner, Contact, tenant) == 20


async def test_tenants_do_not_share_a_limit(database: Database, owner: AsyncConnection) -> None:
    first, second = await subscribed(owner, contacts_max=1), await subscribed(owner, contacts_max=1)
    assert [await add_contact(database, tenant) for tenant in (first, second, first)] == [True, True, False]


@pytest.mark.parametrize("limits", [{}, {"users_max": 0}, {"contacts_max": None}])
async def test_what_a_plan_does_not_limit_is_unlimited(
    database: Database, owner: AsyncConnection, limits: dict[str, int | None]
) -> None:
    tenant = await subscribed(owner, **limits)
    assert await add_contact(database, tenant)


async def test_without_a_subscription_nothing_is_limited(database: Database, owner: AsyncConnection) -> None:
    assert await add_contact(database, await make_tenant(owner))


async def test_the_refusal_says_how_many_fit(database: Database, owner: AsyncConnection) -> None:
    tenant = await subscribed(owner, contacts_max=3)
    assert await add_contact(database, tenant)
    work = working(database, tenant)
    with pytest.raises(LimitReached) as refused:
        await room_for_contacts(work, 3)
    await work.transaction.rollback()
    assert refused.value.free == 2
    (error,) = refused.value.errors
    assert (error.code, error.field) == (UserErrorCode.LIMIT_REACHED, None)
    assert error.message == "The plan allows 3 contacts: there is room for 2 more."


async def test_users_who_are_gone_hold_no_place(database: Database, owner: AsyncConnection) -> None:
    tenant = await subscribed(owner, users_max=2)
    await insert(owner, User, tenant_id=tenant, status="suspended")
    await insert(owner, User, tenant_id=tenant, status="deactivated")
    work = working(database, tenant)
    await room_for_users(work, 1)
    with pytest.raises(LimitReached):
        await room_for_users(work, 2)
    await work.transaction.rollback()


async def test_who_waited_for_a_change_of_plan_gets_the_new_limit(
    database: Database, owner: AsyncConnection
) -> None:
    tenant, smaller = await subscribed(owner, contacts_max=20), await plan(owner, contacts_max=0)
    async with database.write(Scope(tenant_id=tenant)) as change:
        pid = (await change.execute(select(func.pg_backend_pid()))).scalar_one()
        await change.execute(
            update(TenantSubscription).where(TenantSubscription.tenant_id == tenant).values(plan_id=smaller)
        )
        waiting = asyncio.create_task(add_contact(database, tenant))
        await blocked(owner, pid)
    assert await waiting is False


async def blocked(owner: AsyncConnection, by: int) -> None:
    """Return when a connection waits for a lock that the backend `by` holds."""
    while not await _blocked(owner, by):  # noqa: ASYNC110  nothing tells of it
        await asyncio.sleep(0)


async def held_up(task: "asyncio.Task[Any]", owner: AsyncConnection, by: int) -> bool:
    """Whether the task comes to wait for a lock that the backend `by` holds."""
    while not task.done():
        if await _blocked(owner, by):
            return True
    return False


async def _blocked(owner: AsyncConnection, by: int) -> bool:
    statement = text("SELECT count(*) FROM pg_locks WHERE NOT granted AND :by = ANY (pg_blocking_pids(pid))")
    return bool((await owner.execute(statement, {"by": by})).scalar_one())


async def send(database: Database, tenant: UUID, messages: int) -> None:
    work = working(database, tenant)
    try:
        await room_for_messages(work, messages)
    except LimitReached:
        await work.transaction.rollback()
        raise
    await work.transaction.commit()


async def test_messages_are_counted_by_month(database: Database, owner: AsyncConnection) -> None:
    tenant = await make_tenant(owner)
    await insert(
        owner,
        UsageCounter,
        tenant_id=tenant,
        metric_code="messages.monthly",
        value=7,
        period_start=date(2020, 1, 1),
        period_end=date(2020, 1, 31),
    )
    await send(database, tenant, 2)
    await send(database, tenant, 3)
    table = UsageCounter.__table__
    found = await owner.execute(
        select(table.c.value, table.c.period_start, table.c.period_end, table.c.last_increment_at)
        .where(table.c.tenant_id == tenant)
        .order_by(table.c.period_start.desc())
    )
    now, before = found.all()
    today = datetime.now(UTC).date()
    assert (now.value, now.period_start) == (5, today.replace(day=1))
    assert (now.period_end - now.period_start).days in range(27, 31)
    assert (now.period_end.month, before.value) == (today.month, 7)
    assert now.last_increment_at is not None


async def test_no_more_messages_in_a_month_than_the_plan_allows(
    database: Database, owner: AsyncConnection
) -> None:
    tenant = await subscribed(owner, messages_monthly=20)

    async def try_to_send() -> bool:
        with suppress(LimitReached):
            await send(database, tenant, 1)
            return True
        return False

    sent = await asyncio.gather(*(try_to_send() for _ in range(60)))
    assert sum(sent) == 20
    with pytest.raises(LimitReached) as refused:
        await send(database, tenant, 4)
    assert refused.value.free == 0
    value = await owner.execute(select(UsageCounter.value).where(UsageCounter.tenant_id == tenant))
    assert value.scalar_one() == 20


async def begun(database: Database, tenant: UUID, chosen: UUID) -> Work:
    """The work of somebody who has begun a tenant's first subscription, and not committed."""
    work = working(database, tenant)
    assert await exceeded(work, chosen) == []
    values = {"tenant_id": tenant, "plan_id": chosen, "status": "active"}
    await work.execute(TenantSubscription.__table__.insert().values(**values))  # type: ignore[attr-defined]
    return work


async def test_nothing_is_added_while_a_first_subscription_begins(
    database: Database, owner: AsyncConnection
) -> None:
    tenant, small = await make_tenant(owner), await plan(owner, contacts_max=0)
    work = await begun(database, tenant, small)
    pid = (await work.execute(select(func.pg_backend_pid()))).scalar_one()
    adding = asyncio.create_task(add_contact(database, tenant))
    assert await held_up(adding, owner, pid)
    await work.transaction.commit()
    assert await adding is False
    assert await count(owner, Contact, tenant) == 0


async def test_a_first_subscription_waits_for_what_is_being_added(
    database: Database, owner: AsyncConnection
) -> None:
    tenant, small = await make_tenant(owner), await plan(owner, contacts_max=0)
    work = working(database, tenant)
    await room_for_contacts(work, 1)
    pid = (await work.execute(select(func.pg_backend_pid()))).scalar_one()
    await work.execute(Contact.__table__.insert().values(tenant_id=tenant, full_name="A"))  # type: ignore[attr-defined]
    other = working(database, tenant)
    beginning = asyncio.create_task(exceeded(other, small))
    assert await held_up(beginning, owner, pid)
    await work.transaction.commit()
    assert await beginning == ["1 contacts of 0"]
    await other.transaction.rollback()
