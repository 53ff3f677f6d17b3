"""What may be asked for in a minute: a bucket for each user, each tenant, and each address not signed in.

An operation takes what it may cost out of the user's bucket and the tenant's, or is refused with the time
after which they are full again. Counted in the memory of one process, or for several in Redis, by `limits`.
"""

import math
import time
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import structlog
from limits.aio.storage import RedisStorage
from limits.errors import ConfigurationError
from limits.storage import storage_from_string

from graph.auth.attempts import network
from graph.auth.tokens import Claims
from graph.errors import RateLimited
from graph.limits import COST_WINDOW
from graph.settings import Settings, SettingsError, variable

REDIS_SECONDS: Final = 0.5
"""How long Redis may take over an answer."""
RETRY_SECONDS: Final = 5.0
"""How long this process counts by itself when Redis has failed."""
SWEPT: Final = 10_000
"""Counters in memory before those that are over are looked for."""

_EXHAUSTED: Final = "Too much was asked for lately."

log = structlog.get_logger(__name__)


class Memory:
    """Counters in the memory of this process, each over `COST_WINDOW` seconds after its first.

    Those of `limits` start a thread every ten milliseconds that looks at each of them.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._counted: dict[str, tuple[float, int]] = {}
        self._sweep_at = SWEPT

    def __len__(self) -> int:
        """How many counters there are."""
        return len(self._counted)

    def add(self, key: str, amount: int) -> int:
        """Add to a counter; what it stands at then."""
        now = self._clock()
        ends, count = self._counted.get(key, (0.0, 0))
        if ends <= now:
            ends, count = now + COST_WINDOW, 0
            self._sweep(now)
        self._counted[key] = ends, count + amount
        return count + amount

    def ends(self, key: str) -> float:
        """When a counter is over, by the clock."""
        return self._counted.get(key, (self._clock(), 0))[0]

    def _sweep(self, now: float) -> None:
        if len(self._counted) >= self._sweep_at:
            self._counted = {key: item for key, item in self._counted.items() if item[0] > now}
            self._sweep_at = max(SWEPT, 2 * len(self._counted))


class _Bucket(NamedTuple):
    key: str
    size: int


class Buckets:
    """The buckets, by the settings."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        self._settings, self._clock = settings, clock
        self._memory = Memory(clock)
        self._shared: RedisStorage | None = None
        self._alone_until = 0.0
        if settings.rate_limit_storage is not None:
            self._shared = _redis(settings.rate_limit_storage.get_secret_value())

    async def charge(self, who: Claims | str | None, cost: int) -> int | None:
        """Take `cost` for a session, or an address without one; what is left, None where nothing is counted.

        RateLimited, and nothing taken, where a bucket does not have that much. A bucket that is smaller
        than `cost` has it when it is full.
        """
        left: int | None = None
        taken: list[tuple[_Bucket, int]] = []
        for bucket in self._buckets(who):
            amount = min(cost, bucket.size)
            remaining = bucket.size - await self._add(bucket, amount)
            taken.append((bucket, amount))
            if remaining < 0:
                for each, back in taken:
                    await self._add(each, -back)
                raise RateLimited(await self._wait(bucket), _EXHAUSTED)
            left = remaining if left is None else min(left, remaining)
        return left

    async def close(self) -> None:
        """Hang up."""
        if self._shared is not None:
            client: Any = self._shared.bridge
            await client.storage.aclose()

    def _buckets(self, who: Claims | str | None) -> list[_Bucket]:
        settings = self._settings
        if isinstance(who, Claims):
            # The user's first: who has emptied their own is not to empty the tenant's
            found = [
                _Bucket(f"m3:cost:user:{who.user_id.hex}", settings.cost_per_user),
                _Bucket(f"m3:cost:tenant:{who.tenant_id.hex}", settings.cost_per_tenant),
            ]
        else:
            found = [_Bucket(f"m3:cost:address:{network(who)}", settings.cost_per_address)]
        return [bucket for bucket in found if bucket.size > 0]

    async def _add(self, bucket: _Bucket, amount: int) -> int:
        if self._shared is not None and self._alone_until <= self._clock():
            try:
                return await self._shared.incr(bucket.key, COST_WINDOW, amount)
            except Exception as error:
                self._alone(error)
        return self._memory.add(bucket.key, amount)

    async def _wait(self, bucket: _Bucket) -> int:
        ends = self._memory.ends(bucket.key)
        if self._shared is not None and self._alone_until <= self._clock():
            try:
                ends = await self._shared.get_expiry(bucket.key)
            except Exception as error:
                self._alone(error)
        return min(max(1, math.ceil(ends - self._clock())), COST_WINDOW)

    def _alone(self, error: Exception) -> None:
        """Count in this process for a while: without Redis requests are answered all the same."""
        self._alone_until = self._clock() + RETRY_SECONDS
        log.warning("buckets.alone", seconds=RETRY_SECONDS, error=type(error).__name__)


def _redis(url: str) -> RedisStorage:
    try:
        found = storage_from_string(
            f"async+{url}",
            implementation="redispy",
            socket_timeout=REDIS_SECONDS,
            socket_connect_timeout=REDIS_SECONDS,
        )
    except ConfigurationError:
        raise SettingsError(f"{variable('rate_limit_storage')} takes the extra `redis`") from None
    assert isinstance(found, RedisStorage)
    return found
