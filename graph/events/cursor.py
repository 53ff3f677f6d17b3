"""The cursors of feeds: a place in the order of events, good within one tenant.

A cursor is base64url(AES-SIV(seq)), with the tenant as associated data: whoever alters it, or takes it to
another tenant, has none. It is encrypted since the number counts the events of all tenants.
"""

import base64
import binascii
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from graph.errors import BadCursor

NEWEST_EVENT: Final = sa.text("SELECT newest FROM gateway.event_bounds()")
"""The last event that a transaction's snapshot has; what it does not show has a higher number."""

_LENGTH: Final = 32  # characters: 8 bytes and a tag of 16


def event_cursor(key: bytes, tenant_id: UUID, seq: int) -> str:
    """The cursor of the event `seq`; `key` is derived for `event-cursor`."""
    sealed = AESSIV(key).encrypt(seq.to_bytes(8, "big"), [tenant_id.bytes])
    return base64.urlsafe_b64encode(sealed).decode()


def read_event_cursor(key: bytes, tenant_id: UUID, text: str) -> int:
    """The `seq` that a client goes on behind; BadCursor if it is no cursor of this tenant."""
    try:
        if len(text) != _LENGTH:
            raise BadCursor("feed")
        sealed = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
        return int.from_bytes(AESSIV(key).decrypt(sealed, [tenant_id.bytes]), "big")
    except (UnicodeEncodeError, binascii.Error, InvalidTag):
        raise BadCursor("feed") from None
