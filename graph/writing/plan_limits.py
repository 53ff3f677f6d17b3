"""What the tenant's plan has room for, also where many ask at once.

    contacts = Editing(models.Contact, …, make_room=room_for_contacts)

    await room_for_users(info.context.work, 1)

Ask once what is to be added is known to be good, and right before it is added: until the transaction ends,
others who add the same wait. A tenant without a subscription, or whose plan does not name the feature, has
no limit. A cancelled subscription keeps its plan's limits.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from db.base import Base
from db.enums import UserStatus
from db.models import Contact, PlanFeature, TenantSubscription, UsageCounter, User
from graph.errors import UserError, UserErrorCode
from graph.writing.work import Refused, Work


@dataclass(frozen=True)
class Feature:
    """A limit on the rows that a tenant has: `model`'s, those of `counted`."""

    code: str
    what: str
    model: type[Base]
    counted: sa.ColumnElement[bool]

    async def used(self, work: Work) -> int:
        """How many rows there are."""
        table = self.model.__table__
        statement = sa.select(sa.func.count()).where(table.c.tenant_id == work.viewer.tenant_id, self.counted)
        return int((await work.execute(statement)).scalar_one())


USERS = Feature("users.max", "users", User, User.status != UserStatus.DEACTIVATED)
"""Invited and suspended users count: they hold a place that they come back to."""
CONTACTS = Feature("contacts.max", "contacts", Contact, sa.true())
STANDING = (USERS, CONTACTS)
"""The limits on what there is; others are on what is done in a period."""
MESSAGES = "messages.monthly"


class LimitReached(Refused):
    """There is room for `free` more, and more were wanted."""

    def __init__(self, what: str, limit: int, free: int) -> None:
        message = f"The plan allows {limit} {what}: there is room for {free} more."
        super().__init__(UserError(code=UserErrorCode.LIMIT_REACHED, field=None, message=message))
        self.free = free


async def room_for_users(work: Work, rows: int) -> None:
    """LimitReached unless so many users may be added; also before a deactivated user comes back."""
    await _room(work, USERS, rows)


async def room_for_contacts(work: Work, rows: int) -> None:
    """LimitReached unless so many contacts may be added."""
    await _room(work, CONTACTS, rows)


async def room_for_messages(work: Work, rows: int) -> None:
    """Count so many messages for this month (UTC); LimitReached, which must end the mutation, if too many."""
    _, limit = await _limit(work, MESSAGES)
    month = sa.func.date_trunc("month", sa.func.timezone("UTC", sa.func.now()))
    new = insert(UsageCounter).values(
        tenant_id=work.viewer.tenant_id,
        metric_code=MESSAGES,
        value=rows,
        period_start=sa.cast(month, sa.Date),
        period_end=sa.cast(month + sa.text("interval '1 month - 1 day'"), sa.Date),
        last_increment_at=sa.func.now(),
    )
    total = UsageCounter.value + rows
    counted = await work.execute(
        new.on_conflict_do_update(
            index_elements=["tenant_id", "metric_code", "period_start"],
            set_={"value": total, "last_increment_at": sa.func.now()},
        ).returning(UsageCounter.value)
    )
    used = int(counted.scalar_one())
    if limit is not None and used > limit:
        raise LimitReached("messages a month", limit, max(limit - used + rows, 0))


async def exceeded(work: Work, plan_id: UUID) -> list[str]:
    """What the tenant has more of than another plan allows, such as `25 users of 20`.

    Until the transaction ends nothing is added. What was done in this month does not count: it passes with
    the month.
    """
    found = []
    for feature in STANDING:
        await _alone(work, feature)
        limit = _whole((await work.execute(_limit_of(plan_id, feature.code))).scalar_one())
        if limit is not None and (used := await feature.used(work)) > limit:
            found.append(f"{used} {feature.what} of {limit}")
    return found


async def _room(work: Work, feature: Feature, rows: int) -> None:
    subscribed, limit = await _limit(work, feature.code)
    if subscribed and limit is None:
        return
    await _alone(work, feature)
    if not subscribed:
        # One may just have begun. Not locked: whoever changes the plan locks it before they wait for us.
        _, limit = await _limit(work, feature.code, lock=False)
    if limit is None:
        return
    used = await feature.used(work)
    if used + rows > limit:
        raise LimitReached(feature.what, limit, max(limit - used, 0))


async def _alone(work: Work, feature: Feature) -> None:
    """Wait for all others who add what the feature counts, or choose a plan that bounds it.

    Whoever locks the subscription does so before. What counts must be a statement of its own after this one:
    so it begins, and sees, after this one has waited.
    """
    name = f"{feature.code} {work.viewer.tenant_id}"
    await work.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(name, 0))))


async def _limit(work: Work, code: str, *, lock: bool = True) -> tuple[bool, int | None]:
    """Whether the tenant has a plan, and its limit; if locked, that stays so until the transaction ends."""
    statement = sa.select(
        _limit_of(TenantSubscription.plan_id, code).correlate(TenantSubscription).scalar_subquery()
    ).where(TenantSubscription.tenant_id == work.viewer.tenant_id)
    if lock:
        statement = statement.with_for_update(read=True, of=TenantSubscription)
    row = (await work.execute(statement)).one_or_none()
    return row is not None, None if row is None else _whole(row[0])


def _limit_of(plan_id: Any, code: str) -> sa.Select[Any]:
    return sa.select(sa.func.max(PlanFeature.limit_value)).where(
        PlanFeature.plan_id == plan_id, PlanFeature.feature_code == code
    )


def _whole(limit: Any) -> int | None:
    return int(limit) if limit is not None and limit.is_finite() else None
