"""How often credentials may be wrong: by account, and by the address that they come from.

    async with attempts.of(SIGN_IN, account=(slug, email), address=client.ip):
        ...  # raises AccessRefused where the credentials are wrong, which is counted

Right credentials count for nothing. While as many attempts are under way as may still fail, others wait,
so that guessing side by side gains nothing. Counted is within one process.
"""

import asyncio
import hashlib
import math
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from graph import limits
from graph.errors import RateLimited


class AccessRefused(Exception):
    """These credentials open nothing. `field` is the input's, where naming it tells nobody anything."""

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True)
class Kind:
    """What is attempted, and how often that may go wrong."""

    name: str
    per_address: RateLimitItem
    per_account: RateLimitItem | None = None


SIGN_IN: Final = Kind("sign_in", parse(limits.SIGN_IN_PER_ADDRESS), parse(limits.SIGN_IN_PER_ACCOUNT))
REFRESH: Final = Kind("refresh", parse(limits.REFRESH_PER_ADDRESS), parse(limits.REFRESH_PER_ACCOUNT))
RESET: Final = Kind("reset", parse(limits.RESET_PER_ADDRESS), parse(limits.RESET_PER_ACCOUNT))
LETTER: Final = Kind("letter", parse(limits.LETTER_PER_ADDRESS))
"""By address alone: whom a token names is not known before it has proved good."""

_Counted = tuple[RateLimitItem, str]


class Attempts:
    """The counts of one process."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._under_way: Counter[_Counted] = Counter()
        self._ended = asyncio.Event()

    @asynccontextmanager
    async def of(
        self, kind: Kind, *, address: str | None, account: Iterable[object] = ()
    ) -> AsyncIterator[None]:
        """One attempt, counted if the block raises AccessRefused; RateLimited if there were too many.

        `account` is what tells one account from another, whether there is such an account or not.
        """
        counted = _counted(kind, address, account)
        # Address first: who tries many accounts is not to fill the memory with them.
        while not all(self._may(item) for item in counted):
            await self._ended.wait()
        self._under_way.update(counted)
        try:
            yield
        except AccessRefused:
            for item, key in counted:
                self._limiter.hit(item, key)
            raise
        finally:
            self._under_way.subtract(counted)
            self._under_way = +self._under_way  # without those that are at 0
            # Whoever waits looks again; what is waited for next is the next to end.
            self._ended.set()
            self._ended = asyncio.Event()

    def count(self, kind: Kind, *, address: str | None, account: Iterable[object] = ()) -> None:
        """One attempt, which counts whatever comes of it; RateLimited if there were too many."""
        for item, key in _counted(kind, address, account):
            if not self._limiter.hit(item, key):
                raise self._refusal(item, key)

    def _may(self, counted: _Counted) -> bool:
        """Whether the attempt may begin, or waits for another to end; RateLimited if it may not at all."""
        item, key = counted
        free = self._limiter.get_window_stats(item, key).remaining
        if free <= 0:
            raise self._refusal(item, key)
        return self._under_way[counted] < free

    def _refusal(self, item: RateLimitItem, key: str) -> RateLimited:
        reset = self._limiter.get_window_stats(item, key).reset_time
        return RateLimited(max(1, math.ceil(reset - time.time())))


def _counted(kind: Kind, address: str | None, account: Iterable[object]) -> list[_Counted]:
    counted = [(kind.per_address, f"{kind.name} address {network(address)}")]
    named = [folded(str(part).strip()) for part in account]
    if kind.per_account is not None and named:
        # Hashed: what people type is of any length.
        digest = hashlib.sha256(repr(named).encode()).hexdigest()
        counted.append((kind.per_account, f"{kind.name} account {digest}"))
    return counted


def folded(text: str) -> str:
    """The text without capitals, letter by letter as PostgreSQL does it.

    `lower` of Python makes two letters of some, and looks at the next one: whom the database takes for one
    account would be counted as several.
    """
    return "".join(letter.lower()[:1] for letter in text)


def network(address: str | None) -> str:
    """The address; of IPv6 the network, since a line has 2^64 addresses to choose from."""
    try:
        found = ip_address(address or "")
    except ValueError:
        return "unknown"
    return str(ip_network((found, 64), strict=False)) if isinstance(found, IPv6Address) else str(found)
