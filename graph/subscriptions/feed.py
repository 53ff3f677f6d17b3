"""Feeds as root fields: `notification_added: NotificationEvent | None = feed(models.InboxNotification, …)`.

A feed is declared as data: the topic of its events, the table whose rows they are about, and the type that
tells them. Opening it takes the viewer's place in the hub; what is read at each event is in telling.py.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from enum import Enum
from functools import cached_property
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
import strawberry
from strawberry.annotation import StrawberryAnnotation
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.field import StrawberryField

from db.base import Base
from graph.context import Services
from graph.events import Event
from graph.events.cursor import event_cursor, read_event_cursor
from graph.events.feed import Feed
from graph.filters import parse_id
from graph.scalars import Cursor, DateTime
from graph.tables import TABLES, TableType

_EVENTS: Final = sa.Table(
    "events",
    sa.MetaData(),
    sa.Column("cursor", sa.Text),
    sa.Column("at", sa.DateTime(timezone=True)),
    sa.Column("action", sa.Text, info={"enum": ()}),
    sa.Column("entity_id", sa.Uuid),
)
"""What the engine knows of an event: its attributes as columns."""


@strawberry.type
class FeedEvent:
    """What every feed tells of an event: a type whose subclasses add `action`, and the row by `to_one`."""

    cursor: Cursor = strawberry.field(
        description="Where it stands in the feed: what comes behind it is had with `after`."
    )
    at: DateTime = strawberry.field(description="When it happened.")
    entity_id: strawberry.Private[UUID]


class OpenFeed:
    """A feed that is open."""

    def __init__(
        self, field: "FeedField", key: bytes, events: Feed, place: AbstractAsyncContextManager[Feed]
    ) -> None:
        self.field = field
        self._key, self._events, self._place = key, events, place

    def __aiter__(self) -> AsyncIterator[Event]:
        """The events, in their order."""
        return self._events

    async def batches(self, most: int) -> AsyncIterator[list[Event]]:
        """The events, in their order: each with those that wait behind it, `most` at a time."""
        async for event in self._events:
            yield [event, *self._events.waiting(most - 1)]

    def cursor(self, event: Event) -> Cursor:
        """The cursor of an event."""
        return Cursor(event_cursor(self._key, event.tenant_id, event.seq))

    def tell(self, event: Event) -> FeedEvent | None:
        """What is told of an event, where there is a row to see; None of what this release does not know."""
        action = self.field.known.get(event.action)
        if action is None:
            return None
        return self.field.told(
            cursor=self.cursor(event), at=event.at, entity_id=event.entity_id, action=action
        )

    async def close(self) -> None:
        """Give the place in the hub back."""
        await self._place.__aexit__(None, None, None)


class FeedField(StrawberryField):
    """A root field of Subscription."""

    is_async = True
    model: type[Base]
    told: Callable[..., FeedEvent]
    """The type that tells of an event."""
    actions: type[Enum]
    topic: str
    row: str
    """The field of `told` that has the row."""
    own: bool
    """Whether everybody has a feed of their own."""
    one: str | None
    """The argument that asks for the events of one row."""

    @property
    def is_basic_field(self) -> bool:
        """Never: it opens a feed."""
        return False

    @cached_property
    def target(self) -> TableType:
        """The table of the rows."""
        return TABLES[self.model.__table__]  # type: ignore[index]

    @cached_property
    def events(self) -> TableType:
        """The events themselves as a table, for the engine."""
        return TableType(self.told, _EVENTS, None, None, "at")  # type: ignore[arg-type]

    @cached_property
    def known(self) -> dict[str, Enum]:
        """The actions by their names in the log, which a newer release may have more of."""
        return {action.value: action for action in self.actions}

    @cached_property
    def arguments(self) -> list[StrawberryArgument]:
        """`after`, and the id of the one row where there may be one."""
        given: list[tuple[str, Any, str]] = [
            ("after", Cursor | None, "All that came behind this cursor; from now on if there is none."),
        ]
        if self.one is not None:
            given.append(
                (self.one, strawberry.ID | None, f"Only what happens to the {self.target.name} with this id.")
            )
        return [
            StrawberryArgument(name, None, StrawberryAnnotation(annotation), description=help_text)
            for name, annotation, help_text in given
        ]

    async def get_result(self, source: Any, info: Any, args: list[Any], kwargs: Any) -> OpenFeed:
        """The feed, open; the one who has asked for it closes it."""
        context = info.context
        viewer = await context.identify() if context.tenant_id is None else context.viewer
        await context.forget()
        self.target.allow(viewer)
        services: Services = context.services
        key = services.keys.current.derive("event-cursor")
        after = context.last_event_id or kwargs.get("after")
        one = kwargs.get(self.one) if self.one is not None else None
        place = services.hub.feed(
            viewer.tenant_id,
            self.topic,
            after=None if after is None else read_event_cursor(key, viewer.tenant_id, after),
            user_id=viewer.user_id if self.own else None,
            entity_id=None if one is None else parse_id(one),
        )
        return OpenFeed(self, key, await place.__aenter__(), place)


def feed(
    model: type[Base],
    description: str,
    *,
    told: Callable[..., FeedEvent],
    actions: type[Enum],
    topic: str,
    row: str,
    own: bool = False,
    one: str | None = None,
) -> Any:
    """The events of `topic`, each told as `told`, whose field `row` has the row of `model` it is about.

    What is not among `actions` is passed over. `own` feeds have the viewer's own events alone; `one` names
    the argument by which a client asks for the events of one row.
    """
    result = FeedField(type_annotation=None, description=description, is_subscription=True)
    result.model, result.told, result.actions = model, told, actions
    result.topic, result.row, result.own, result.one = topic, row, own, one
    return result
