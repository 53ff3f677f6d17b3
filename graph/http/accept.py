"""Which media type an answer has: the request's `Accept`, RFC 9110, section 12.5.1."""

from functools import lru_cache
from typing import Final

JSON: Final = "application/json"
NEGOTIATED: Final = "application/graphql-response+json"
"""The media type whose answers say by their status whether the request was a good one."""
HTML: Final = "text/html"
EVENTS: Final = "text/event-stream"


@lru_cache(64)  # a client chooses how long what it sends is
def preferred(accept: str, offered: tuple[str, ...]) -> str | None:
    """The one of `offered` that the client likes best, None if it takes none of them.

    Of two that it likes as much: the one that it names, GraphQL's own first; else the one offered first.
    """
    ranges = _ranges(accept)

    def rank(kind: str) -> tuple[float, bool, bool]:
        family = f"{kind.partition('/')[0]}/*"
        weight = ranges.get(kind, ranges.get(family, ranges.get("*/*", 0.0)))
        return weight, kind in ranges, kind in ranges and kind == NEGOTIATED

    best = max(offered, key=rank)
    return best if rank(best)[0] > 0 else None


def streamed(accept: str) -> bool:
    """Whether the client asks for a stream of events."""
    return EVENTS in accept.lower()


def _ranges(accept: str) -> dict[str, float]:
    """The media ranges with their weights; a range whose weight cannot be read is not taken."""
    ranges: dict[str, float] = {}
    for item in accept.split(","):
        kind, *parameters = (part.strip().lower() for part in item.split(";"))
        weight = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name.strip() == "q":
                try:
                    weight = float(value)
                except ValueError:
                    weight = 0.0
        if 0 <= weight <= 1:
            ranges[kind] = max(weight, ranges.get(kind, 0.0))
    return ranges if accept.strip() else {"*/*": 1.0}
