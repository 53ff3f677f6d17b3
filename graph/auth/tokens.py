"""Access tokens: EdDSA JSON Web Tokens (RFC 7519, 8037) that any service can verify by the JWKS."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import jwt

from graph.auth.keys import KeyFile, KeyRing
from graph.settings import Settings

ALGORITHM = "EdDSA"
CLAIMS = ("sub", "tid", "sid", "iat", "exp", "iss", "aud", "jti")
LEEWAY_SECONDS = 5
MAX_CHARACTERS = 2048
MAX_VERIFIED = 4096


class InvalidToken(Exception):
    """A token that is not ours, not whole or no longer valid; why is for the log alone."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified access token says: whose it is, and until when it may be used."""

    user_id: UUID
    tenant_id: UUID
    session_id: UUID
    token_id: str
    expires_at: datetime


class AccessTokens:
    """Issues and verifies access tokens by the keys of a file.

    A token says who signed in, not what they may do: session, status and permissions are read from the
    database at every request, so that taking them away works at once.
    """

    def __init__(self, keys: KeyFile, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        self._keys = keys
        self._issuer, self._audience = settings.issuer, settings.audience
        self._ttl = settings.access_token_ttl
        self._clock = clock
        # Verifying takes 0.2 ms, and a client sends the same token for ten minutes.
        self._verified: dict[str, Claims] = {}
        self._verified_by: KeyRing | None = None

    def issue(self, tenant_id: UUID, user_id: UUID, session_id: UUID) -> tuple[str, datetime]:
        """A new token for a session, and when it expires."""
        now = int(self._clock())
        expires = now + self._ttl
        key = self._keys.current.active
        claims = {
            "sub": str(user_id),
            "tid": str(tenant_id),
            "sid": str(session_id),
            "iat": now,
            "exp": expires,
            "iss": self._issuer,
            "aud": self._audience,
            "jti": secrets.token_urlsafe(16),
        }
        token = jwt.encode(claims, key.private, algorithm=ALGORITHM, headers={"kid": key.id})
        return token, datetime.fromtimestamp(expires, UTC)

    def holds(self, token: str | None) -> bool:
        """Whether it is a token of ours that may be used now."""
        if token is None:
            return False
        try:
            self.verify(token)
        except InvalidToken:
            return False
        return True

    def verify(self, token: str) -> Claims:
        """What the token says; `InvalidToken` whatever is wrong with it."""
        ring = self._keys.current
        if ring is not self._verified_by:
            # A key that was taken out of the file must not live on in here.
            self._verified, self._verified_by = {}, ring
        claims = self._verified.get(token)
        if claims is None:
            claims = self._decode(token)
            if len(self._verified) >= MAX_VERIFIED:
                del self._verified[next(iter(self._verified))]
            self._verified[token] = claims
        if claims.expires_at.timestamp() + LEEWAY_SECONDS <= self._clock():
            self._verified.pop(token, None)
            raise InvalidToken("expired")
        return claims

    def _decode(self, token: str) -> Claims:
        if len(token) > MAX_CHARACTERS:
            raise InvalidToken("too long")
        try:
            kid = jwt.get_unverified_header(token)["kid"]
            key = self._keys.with_key(kid).by_id[kid]
            payload = jwt.decode(
                token,
                key.private.public_key(),
                algorithms=[ALGORITHM],
                audience=self._audience,
                issuer=self._issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": list(CLAIMS), "strict_aud": True},
            )
            return _claims(payload)
        except (
            jwt.PyJWTError,
            LookupError,
            ValueError,
            TypeError,
            AttributeError,
            ArithmeticError,
            RecursionError,
        ) as error:
            raise InvalidToken(str(error)) from None


def _claims(payload: dict[str, Any]) -> Claims:
    return Claims(
        user_id=UUID(payload["sub"]),
        tenant_id=UUID(payload["tid"]),
        session_id=UUID(payload["sid"]),
        token_id=str(payload["jti"]),
        expires_at=datetime.fromtimestamp(int(payload["exp"]), UTC),
    )
