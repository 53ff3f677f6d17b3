"""The hub of a process: it follows the log of events and hands them to whoever subscribed."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from uuid import UUID

from db.session import Database
from graph.events.event import Event


class Hub:
    """Follows the log from `start` to `stop`, over a connection of its own that it makes anew when lost."""

    def __init__(self, url: str, database: Database) -> None:
        """`url` leads to PostgreSQL itself, past any pooler; `database` reads what a feed has missed."""

    async def start(self) -> None:
        """Begin to follow; returns at once, whether the database can be reached or not."""
        raise NotImplementedError

    async def stop(self) -> None:
        """End all feeds and close the connection."""
        raise NotImplementedError

    def feed(
        self,
        tenant_id: UUID,
        topic: str,
        *,
        after: int | None,
        user_id: UUID | None = None,
        entity_id: UUID | None = None,
    ) -> AbstractAsyncContextManager[AsyncIterator[Event]]:
        """The tenant's events of a topic behind `after`, or from now on; of a user or an entity, if given.

        Entering raises CursorExpired where what came behind `after` is forgotten, and Unavailable while the
        database cannot be reached. The iterator raises CursorExpired too, if that happens later, and
        SlowConsumer when its reader has been behind for 30 seconds.
        """
        raise NotImplementedError

    def revocations(
        self, tenant_id: UUID, user_id: UUID, session_id: UUID, told: Callable[[Event | None], None]
    ) -> AbstractContextManager[None]:
        """Within the block `told` is called when the session, the user or their rights change.

        The event is of topic `session` (revoked or deleted), `user` (any change of status) or `rights` (also
        of a role that the user may not have). None means that something may have been missed. What follows
        from it is read from the database: `load_viewer`. `told` must not block or raise.
        """
        raise NotImplementedError
