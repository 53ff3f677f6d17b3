"""How long a connection may go on for who has opened it."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

from graph.auth.tokens import Claims
from graph.context import Context, Services
from graph.errors import Timeout, Unauthenticated, Unavailable
from graph.events import Event
from graph.limits import MAX_RETRY_SECONDS


class Lease:
    """Until the token expires, the session ends or its user is no longer active: then `ended` is called.

    What the user may do is no part of it: rights are read at each delivery.
    """

    def __init__(self, services: Services, claims: Claims, ended: Callable[[], None]) -> None:
        """Begin to watch: before the session is read, so that its end does not fall in between."""
        self._services, self._claims, self._ended = services, claims, ended
        self._check: asyncio.Task[None] | None = None
        self._asked = 0
        left = (claims.expires_at - datetime.now(UTC)).total_seconds()
        self._expiry = asyncio.get_running_loop().call_later(max(0.0, left), ended)
        self._watched = services.hub.revocations(
            claims.tenant_id, claims.user_id, claims.session_id, self._told
        )
        self._watched.__enter__()

    def stop(self) -> None:
        """Stop watching."""
        self._expiry.cancel()
        self._watched.__exit__(None, None, None)
        if self._check is not None:
            self._check.cancel()

    def _told(self, event: Event | None) -> None:
        if event is not None and event.topic == "rights":
            return
        self._asked += 1
        if self._check is None or self._check.done():
            self._check = asyncio.create_task(self._look())

    async def _look(self) -> None:
        """Read the session, and again if we are told of something meanwhile."""
        seen, pause = 0, MAX_RETRY_SECONDS / 16
        while seen < self._asked:
            asked = self._asked
            context = Context(self._services, verified=self._claims)
            try:
                async with self._services.live.turn:
                    context.start_clock()
                    await context.identify()
                seen = asked
            except Unauthenticated:
                self._ended()
                return
            except (Unavailable, Timeout):
                await asyncio.sleep(pause)
                pause = min(2 * pause, MAX_RETRY_SECONDS)
