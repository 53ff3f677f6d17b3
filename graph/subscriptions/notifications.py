"""The feed of the viewer's own inbox."""

from __future__ import annotations

from enum import Enum

import strawberry

from db import models
from graph.relations import to_one
from graph.subscriptions.feed import FeedEvent, feed
from graph.types.notifications import InboxNotification


@strawberry.enum(description="What happened in an inbox.")
class NotificationAction(Enum):
    """The actions of the topic `notification`."""

    ADDED = strawberry.enum_value("added", description="A notice came.")
    READ = strawberry.enum_value("read", description="The notice was read, here or on another device.")


@strawberry.type(description="Something that happened in the viewer's inbox.")
class NotificationEvent(FeedEvent):
    """An event of the topic `notification`."""

    action: NotificationAction = strawberry.field(description="What happened.")
    notification: InboxNotification = to_one(
        models.InboxNotification.id, "The notice, as it is now.", local="entity_id"
    )


@strawberry.type
class NotificationsSubscription:
    """The inbox."""

    notification_added: NotificationEvent | None = feed(
        models.InboxNotification,
        "What happens in the viewer's own inbox: notices that come, and those that are read. "
        "One that is gone again by the time it would be told of is passed over.",
        told=NotificationEvent,
        actions=NotificationAction,
        topic="notification",
        row="notification",
        own=True,
    )
