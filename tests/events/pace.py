"""How fast all writers of a storm together write."""

import asyncio


class Pace:
    """Spreads what many do evenly over time: so many events a second, or as fast as it goes."""

    def __init__(self, rate: float) -> None:
        """`rate` is in events a second, for all together; 0 is as fast as it goes."""
        self._rate = rate
        self._next = 0.0

    async def turn(self, events: int) -> None:
        """Wait for the turn of so many events."""
        if self._rate:
            now = asyncio.get_running_loop().time()
            turn = max(now, self._next)  # what could not be written in time is not made up for
            self._next = turn + events / self._rate
            await asyncio.sleep(turn - now)
