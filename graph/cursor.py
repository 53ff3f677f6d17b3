"""Cursors: where a row stands in a list, opaque, signed, and good for that list alone.

A cursor is base64url(AES-SIV(JSON)), RFC 5297. The JSON is `[tenant_id, created_at, id…, sort]`, which may
say more of a row than its reader may see; times are RFC 3339's, to the microsecond. The signature also covers
the list, the parent and the order, so a cursor of one list is refused by every other. The filter is not
covered: a client may narrow a list and go on. One place has one cursor, always.
"""

import base64
import binascii
import datetime as dt
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import orjson
import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from graph.errors import BadCursor
from graph.limits import MAX_CURSOR_LENGTH

_FORM = "2"
"""The form of the JSON, so that cursors of an older release are BAD_CURSOR and not misread."""
_URLSAFE = bytes.maketrans(b"+/", b"-_")


@dataclass(frozen=True)
class CursorScope:
    """What a cursor is bound to; `key` is the signing key derived for cursors."""

    key: bytes
    tenant_id: uuid.UUID
    list: str
    parent: str
    order: str

    def under(self, parent: object) -> "CursorScope":
        """The same list under another parent; None for a list without one."""
        return self if parent is None else replace(self, parent=str(parent))

    def encode(self, columns: tuple[sa.Column[Any], ...], row: Any) -> str:
        """The cursor of `row`, whose attributes named by `columns` are its place in the order."""
        return self.sign([getattr(row, column.name) for column in columns])

    def sign(self, place: Iterable[Any]) -> str:
        """The cursor of a place: the values of the columns that hold it, in their order."""
        return self.signer()(place)

    def signer(self) -> Callable[[Iterable[Any]], str]:
        """`sign`, with what all cursors of a page have in common done once."""
        tenant, encrypt, bound = str(self.tenant_id), _cipher(self.key).encrypt, [self._bound()]

        def sign(place: Iterable[Any]) -> str:
            sealed = encrypt(orjson.dumps((tenant, *place), default=_text), bound)
            return binascii.b2a_base64(sealed, newline=False).translate(_URLSAFE).rstrip(b"=").decode()

        return sign

    def decode(self, columns: tuple[sa.Column[Any], ...], cursor: str) -> dict[str, Any]:
        """The values of `columns` that `cursor` holds, by name, or BadCursor."""
        if len(cursor) > MAX_CURSOR_LENGTH or not cursor.isascii():
            raise BadCursor
        try:
            raw = base64.b64decode(cursor.encode() + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        except binascii.Error:
            raise BadCursor from None
        # One spelling a cursor: padding and the unused bits of the last character are altered cursors too.
        if base64.urlsafe_b64encode(raw).rstrip(b"=") != cursor.encode():
            raise BadCursor
        try:
            # What comes out is trusted: it is ours to the byte.
            body = _cipher(self.key).decrypt(raw, [self._bound()])
        except (InvalidTag, ValueError):
            raise BadCursor from None
        _tenant, *place = orjson.loads(body)
        return {column.name: _load(value, column) for value, column in zip(place, columns, strict=True)}

    def _bound(self) -> bytes:
        return "\0".join((_FORM, self.tenant_id.hex, self.list, self.parent, self.order)).encode()


@lru_cache(maxsize=8)
def _cipher(key: bytes) -> AESSIV:
    return AESSIV(key)


def _text(value: Any) -> str:
    if isinstance(value, uuid.UUID):  # the driver's own kind
        return str(value)
    raise TypeError


def _load(value: Any, column: sa.Column[Any]) -> Any:
    if value is None:
        return None
    kind = column.type.python_type
    if kind is dt.datetime or kind is dt.date:
        return kind.fromisoformat(value)
    return uuid.UUID(value) if kind is uuid.UUID else value
