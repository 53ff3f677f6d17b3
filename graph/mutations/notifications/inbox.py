"""Reading the inbox, and putting something into those of others."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import sqlalchemy as sa
import strawberry
from strawberry import ID

from db import models
from db.enums import InboxCategory, UserStatus
from db.models import AuditLog, User
from graph.context import Info
from graph.errors import UserErrorCode
from graph.limits import MAX_NOTIFIED
from graph.permissions import Permission
from graph.scalars import JSON
from graph.tables import TABLES, TableType
from graph.types.notifications import InboxNotification
from graph.writing.mutation import Payload, mutation, payload, written
from graph.writing.values import value_of
from graph.writing.work import Work, id_of, refusal


@payload("What became of a notification.")
class InboxNotificationPayload(Payload):
    """A notification."""

    inbox_notification: InboxNotification | None = written(
        models.InboxNotification, "The notification, as it now is."
    )


@payload("What became of the inbox.")
class MarkAllNotificationsReadPayload(Payload):
    """How much was read."""

    marked: int = strawberry.field(description="How many notifications were unread before.", default=0)


@payload("What became of a notice to others.")
class NotifyUsersPayload(Payload):
    """How many got it."""

    notified: int = strawberry.field(description="How many users got it.", default=0)


@strawberry.input(description="Which notification was read.")
class MarkNotificationReadInput:
    """A notification."""

    id: ID = strawberry.field(description="The id of a notification in your own inbox.")


@strawberry.input(description="Which notifications were read.")
class MarkAllNotificationsReadInput:
    """A part of the inbox."""

    category: InboxCategory | None = strawberry.field(
        default=None, description="Only those about this; left out, all."
    )


@strawberry.input(description="What whom is told.")
class NotifyUsersInput:
    """A notice and the users who get it."""

    user_ids: list[ID] = strawberry.field(
        description=f"The ids of active users of the tenant, at most {MAX_NOTIFIED}; each gets it once."
    )
    category: InboxCategory = strawberry.field(description="What it is about.")
    title: str = strawberry.field(description="What it says, in a line.")
    body: str | None = strawberry.field(default=None, description="What it says, at length.")
    meta: JSON | None = strawberry.field(
        default=None, description="What a client needs to lead there, such as the id of an approval."
    )


def _shown() -> TableType:
    return TABLES[models.InboxNotification.__table__]  # type: ignore[index]


async def active_users(work: Work, given: list[ID], field: str) -> list[UUID]:
    """The ids of `field`, each once; Refused, with its place, where one is not an active user's."""
    places: dict[UUID, str] = {}
    for place, id in enumerate(given):
        places.setdefault(id_of(id, field, str(place)), str(place))
    statement = sa.select(User.id, User.status).where(
        User.tenant_id == work.viewer.tenant_id, User.id.in_(list(places))
    )
    found = {row.id: row.status for row in await work.execute(statement)}
    for user_id, at in places.items():
        if user_id not in found:
            raise refusal(UserErrorCode.NOT_FOUND, "There is nothing with this id.", field, at)
        if found[user_id] != UserStatus.ACTIVE:
            raise refusal(UserErrorCode.INVALID, "This user is not active.", field, at)
    return list(places)


@strawberry.type
class InboxMutation:
    """Notifications."""

    @mutation("Mark a notification in your own inbox as read.")
    async def mark_notification_read(
        self,
        info: Info,
        input: Annotated[MarkNotificationReadInput, strawberry.argument(description="Which one.")],
    ) -> InboxNotificationPayload | None:
        """One that is read already stays as it is."""
        work, shown = info.context.work, _shown()
        before = await work.read(shown, id_of(input.id, "id"), lock=True)
        if before is None:
            raise refusal(UserErrorCode.NOT_FOUND, "There is nothing with this id.", "id")
        if before.is_read:
            return InboxNotificationPayload.of(before)
        table = shown.table
        statement = (
            sa.update(table)
            .where(shown.scope(table, work.viewer), table.c.id == before.id)
            .values(is_read=True)
            .returning(*shown.select(table))
        )
        after = shown.row(tuple((await work.execute(statement)).one()))
        await work.audit("inbox_notification.read", shown, before, after)
        return InboxNotificationPayload.of(after)

    @mutation("Mark all notifications in your own inbox as read.")
    async def mark_all_notifications_read(
        self,
        info: Info,
        input: Annotated[
            MarkAllNotificationsReadInput | None, strawberry.argument(description="Which ones; all.")
        ] = None,
    ) -> MarkAllNotificationsReadPayload | None:
        """In one statement, and one line of the audit log."""
        work, shown = info.context.work, _shown()
        table = shown.table
        where = [shown.scope(table, work.viewer), table.c.is_read.is_(False)]
        if input is not None and input.category is not None:
            where.append(table.c.category == input.category.value)
        marked = (await work.execute(sa.update(table).where(*where).values(is_read=True))).rowcount
        if marked:
            entry = work.entry("inbox_notification.read_all", shown)
            changed = {"before_data": {"is_read": False}, "after_data": {"is_read": True, "marked": marked}}
            await work.execute(sa.insert(AuditLog).values(**{**entry, **changed}))
        return MarkAllNotificationsReadPayload.of(None, marked=marked)

    @mutation("Put a notification into the inboxes of users.", needs=Permission.NOTIFICATIONS_SEND)
    async def notify_users(
        self, info: Info, input: Annotated[NotifyUsersInput, strawberry.argument(description="What to whom.")]
    ) -> NotifyUsersPayload | None:
        """All of them or none."""
        work, shown = info.context.work, _shown()
        if not 1 <= len(input.user_ids) <= MAX_NOTIFIED:
            raise refusal(UserErrorCode.INVALID, f"Name 1 to {MAX_NOTIFIED} users.", "userIds")
        c = shown.table.c
        same: dict[str, Any] = {
            "tenant_id": work.viewer.tenant_id,
            "category": input.category.value,
            "title": value_of(c.title, input.title, "title"),
            "body": value_of(c.body, input.body, "body"),
            "meta": input.meta,
        }
        users = await active_users(work, input.user_ids, "userIds")
        statement = sa.insert(shown.table).returning(*shown.select(shown.table))
        made = await work.transaction.execute(statement, [{**same, "user_id": id} for id in users])
        rows = [shown.row(tuple(row)) for row in made.all()]
        entries = [work.entry("inbox_notification.create", shown, after=row) for row in rows]
        await work.transaction.execute(sa.insert(AuditLog), entries)
        return NotifyUsersPayload.of(None, notified=len(rows))
