"""Tickets: what a browser's EventSource opens a stream with, since it cannot send a header.

A ticket stands in a URL, and URLs end up in logs and histories. So it is not the access token: it opens
streams of subscriptions and nothing else, and ends when the token does that it was made with.
"""

import base64
import binascii
import hmac
import struct
import time
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from graph.auth.tokens import Claims, InvalidToken

_BODY: Final = struct.Struct(">16s16s16sQ")
_MAC_BYTES: Final = 16


def ticket(key: bytes, claims: Claims) -> str:
    """The ticket of a session; `key` is derived for `stream-ticket`."""
    body = _BODY.pack(
        claims.tenant_id.bytes,
        claims.user_id.bytes,
        claims.session_id.bytes,
        int(claims.expires_at.timestamp()),
    )
    return base64.urlsafe_b64encode(body + _mac(key, body)).decode()


def read_ticket(key: bytes, text: str) -> Claims:
    """Whose it is, or InvalidToken."""
    try:
        raw = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise InvalidToken("not base64url") from None
    body, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
    if len(body) != _BODY.size or not hmac.compare_digest(mac, _mac(key, body)):
        raise InvalidToken("altered")
    tenant, user, session, expires = _BODY.unpack(body)
    if expires <= time.time():
        raise InvalidToken("expired")
    return Claims(
        user_id=UUID(bytes=user),
        tenant_id=UUID(bytes=tenant),
        session_id=UUID(bytes=session),
        token_id="",
        expires_at=datetime.fromtimestamp(expires, UTC),
    )


def _mac(key: bytes, body: bytes) -> bytes:
    return hmac.digest(key, body, "sha256")[:_MAC_BYTES]
