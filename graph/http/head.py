"""The head of a request, read once: at each look-up Starlette's own headers go through their list."""

from typing import Final

from starlette.types import Scope

_LISTS: Final = ("accept", "x-forwarded-for")
"""Headers that mean the same in one line as in several, RFC 9110, section 5.3; of others the first counts."""


class Head:
    """What a request or the handshake of a WebSocket begins with. Names of headers are in lower case."""

    __slots__ = ("headers", "method", "scope")

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.method: str = scope.get("method", "GET")
        given: list[tuple[bytes, bytes]] = scope["headers"]
        self.headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in reversed(given)}
        if len(self.headers) < len(given):
            for listed in _LISTS:
                if listed in self.headers:
                    values = [value for name, value in given if name == listed.encode()]
                    self.headers[listed] = b",".join(values).decode("latin-1")
