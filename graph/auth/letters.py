"""Tokens that travel by e-mail: to set a forgotten password, to accept an invitation.

A token names tenant, user and its end, with a MAC over these and over what the account is at the moment:
its e-mail and its password. So it dies when it is used, and nothing is stored of it.
"""

import hashlib
import hmac
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, Final
from uuid import UUID

from db.enums import Channel
from graph import limits
from graph.auth.accounts import Account
from graph.auth.base64url import decode, encode
from graph.auth.keys import KeyRing

_FIELDS = struct.Struct(">16s16sI")


class Letter(Enum):
    """The kinds of letters, by the code of the template that the sender fills in."""

    PASSWORD_RESET = "password_reset"  # noqa: S105 - the code of a template
    USER_INVITATION = "user_invitation"

    @property
    def life(self) -> timedelta:
        """How long its token is good."""
        invitation = self is Letter.USER_INVITATION
        return timedelta(seconds=limits.INVITATION_SECONDS if invitation else limits.RESET_SECONDS)


TOKEN: Final = "token"  # noqa: S105 - the name of it
"""The key of an outbox message's payload that only the sender may see."""


@dataclass(frozen=True, slots=True)
class LetterToken:
    """What a token says; believe none of it before `genuine`."""

    letter: Letter
    tenant_id: UUID
    user_id: UUID
    expires_at: datetime
    mac: bytes

    def genuine(self, keys: KeyRing, account: Account, now: datetime | None = None) -> bool:
        """Whether we gave it out, to the account as it still is, and it has not expired."""
        if (self.tenant_id, self.user_id) != (account.tenant_id, account.user_id):
            return False
        expected = _mac(keys, self.letter, _named(account, self.expires_at), account)
        return hmac.compare_digest(self.mac, expected) and (now or datetime.now(UTC)) < self.expires_at


def write(
    letter: Letter, keys: KeyRing, account: Account, now: datetime | None = None
) -> tuple[str, datetime]:
    """A token for `account`, and when it expires."""
    expires_at = ((now or datetime.now(UTC)) + letter.life).replace(microsecond=0)
    named = _named(account, expires_at)
    return encode(named + _mac(keys, letter, named, account)), expires_at


def read(letter: Letter, text: str) -> LetterToken | None:
    """What a token says, or nothing if it cannot be one."""
    try:
        value = decode(text)
    except ValueError:
        return None
    if len(value) != _FIELDS.size + hashlib.sha256().digest_size:
        return None
    tenant, user, expires = _FIELDS.unpack(value[: _FIELDS.size])
    end = datetime.fromtimestamp(expires, UTC)
    return LetterToken(letter, UUID(bytes=tenant), UUID(bytes=user), end, value[_FIELDS.size :])


def message(letter: Letter, keys: KeyRing, account: Account, **variables: Any) -> dict[str, Any]:
    """The letter as a row of the outbox, with the token and `variables` for its template."""
    token, expires_at = write(letter, keys, account)
    return {
        "tenant_id": account.tenant_id,
        "channel": Channel.EMAIL.value,
        "to_email": account.email,
        "template_code": letter.value,
        "payload": {TOKEN: token, "expires_at": expires_at.isoformat(), **variables},
    }


def without_secret(template_code: str | None, payload: Any) -> Any:
    """The payload of an outbox message for those who may read the outbox, but not sign in as others."""
    letters = {letter.value for letter in Letter}
    if template_code not in letters or not isinstance(payload, Mapping):
        return payload
    return {name: value for name, value in payload.items() if name != TOKEN}


def _named(account: Account, expires_at: datetime) -> bytes:
    return _FIELDS.pack(account.tenant_id.bytes, account.user_id.bytes, int(expires_at.timestamp()))


def _mac(keys: KeyRing, letter: Letter, named: bytes, account: Account) -> bytes:
    state = f"{account.email}\0{account.password_hash or ''}".encode()
    return hmac.digest(keys.derive(letter.value), named + hashlib.sha256(state).digest(), "sha256")
