"""Refresh tokens: `m3r_` and base64url of tenant, session, generation and a MAC over the three.

The MAC lets a token be told from a guess before the database is asked, and an old generation from a
forgery. The database keeps only the hash of the newest.
"""

import hashlib
import hmac
import struct
from dataclasses import dataclass
from uuid import UUID

from graph.auth.base64url import decode, encode
from graph.auth.keys import KeyRing

PREFIX = "m3r_"
PURPOSE = "refresh"
_FIELDS = struct.Struct(">16s16sI")


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """What a refresh token names; the same three always make the same text."""

    tenant_id: UUID
    session_id: UUID
    generation: int

    def text(self, keys: KeyRing) -> str:
        """The token as the client gets it."""
        named = _FIELDS.pack(self.tenant_id.bytes, self.session_id.bytes, self.generation)
        return PREFIX + encode(named + _mac(keys, named))


def read(text: str, keys: KeyRing) -> RefreshToken | None:
    """What a token names, or nothing if it is not one of ours."""
    if not text.startswith(PREFIX):
        return None
    try:
        value = decode(text.removeprefix(PREFIX))
    except ValueError:
        return None
    named, mac = value[: _FIELDS.size], value[_FIELDS.size :]
    if len(named) < _FIELDS.size or not hmac.compare_digest(mac, _mac(keys, named)):
        return None
    tenant, session, generation = _FIELDS.unpack(named)
    return RefreshToken(UUID(bytes=tenant), UUID(bytes=session), generation)


def digest(text: str) -> str:
    """What `sessions.refresh_token_hash` holds of a token: SHA-256, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def _mac(keys: KeyRing, named: bytes) -> bytes:
    return hmac.digest(keys.derive(PURPOSE), named, "sha256")
