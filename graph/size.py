"""How large an answer is in JSON, before it is written as such in one go."""

import asyncio
from typing import Any, Final

from graph import limits
from graph.encoding import encode
from graph.errors import TooComplex

MAX_AT_ONCE: Final = 500
"""Rows, objects and lists that are looked at without letting other requests in between."""


async def check_size(answer: Any, before: int = 0) -> int:
    """The bytes of `answer` in JSON and those `before` it; TooComplex beyond `MAX_ANSWER_BYTES`.

    What stands in several places is one value in memory and counts wherever it stands.
    """
    total, looked, below = before, 0, [answer]
    while below:
        one = below.pop()
        inner = [value for value in (one.values() if isinstance(one, dict) else one) if _holds(value)]
        below += inner
        if inner and isinstance(one, dict):
            one = {key: 0 if _holds(value) else value for key, value in one.items()}
        elif inner:
            one = [0 if _holds(value) else value for value in one]
        total += len(encode(one)) - len(inner)
        if total > limits.MAX_ANSWER_BYTES:
            raise TooComplex("answer", "bytes of the answer", limits.MAX_ANSWER_BYTES, total)
        looked += 1
        if looked % MAX_AT_ONCE == 0:
            await asyncio.sleep(0)
    return total


def _holds(value: Any) -> bool:
    return isinstance(value, dict | list)
