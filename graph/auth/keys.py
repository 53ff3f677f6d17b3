"""The keys file: what signs access tokens, and the master key that all other keys derive from.

    { "master": base64url of 32 bytes,
      "signing": [ { "id", "created", "private": base64url of an Ed25519 seed }, … ] }

The first signing key is active, the others still verify what they signed. Rotation replaces signing
keys only: cursors and refresh tokens hang on the master key and outlive it.
"""

import fcntl
import json
import os
import secrets
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from graph.auth.base64url import decode, encode

KEY_BYTES = 32
RELOAD_SECONDS = 1.0

log = structlog.get_logger(__name__)


class KeysError(Exception):
    """The keys file is missing, unreadable or not what it should be; one line, with no key in it."""


@dataclass(frozen=True)
class SigningKey:
    """An Ed25519 key pair with its id (`kid`) and the moment it was made."""

    id: str
    created: datetime
    private: Ed25519PrivateKey

    @property
    def jwk(self) -> dict[str, str]:
        """The public half as a JSON Web Key (RFC 8037)."""
        return {
            "kty": "OKP",
            "crv": "Ed25519",
            "x": encode(self.private.public_key().public_bytes_raw()),
            "kid": self.id,
            "alg": "EdDSA",
            "use": "sig",
        }


@dataclass(frozen=True)
class KeyRing:
    """The keys of one reading of the file, newest signing key first."""

    master: bytes
    signing: tuple[SigningKey, ...]

    @property
    def active(self) -> SigningKey:
        """The key that signs."""
        return self.signing[0]

    @cached_property
    def by_id(self) -> dict[str, SigningKey]:
        """The signing keys by their `kid`."""
        return {key.id: key for key in self.signing}

    @property
    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """The public keys as `/.well-known/jwks.json` shows them."""
        return {"keys": [key.jwk for key in self.signing]}

    def derive(self, purpose: str) -> bytes:
        """32 bytes for one purpose (`cursor`, `refresh`): HKDF of the master key, never the same for two."""
        return _derive(self.master, purpose)


class KeyFile:
    """The keys of a file, read again when the file changes.

    A file that has become unreadable is logged once and the keys stay as they were; one that is
    unreadable at the start raises `KeysError`.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._seen, self._ring = _stamp(path), load(path)
        self._checked = clock()

    @property
    def current(self) -> KeyRing:
        """The keys as of at most a second ago."""
        if self._clock() - self._checked >= RELOAD_SECONDS:
            self._check()
        return self._ring

    def with_key(self, kid: str) -> KeyRing:
        """The keys, looked up in the file at once if `kid` is not among them.

        Another process may have rotated and signed within the second that `current` lets pass.
        """
        if kid not in self.current.by_id:
            self._check()
        return self._ring

    def _check(self) -> None:
        self._checked = self._clock()
        stamp = _stamp(self._path)
        if stamp == self._seen:
            return
        self._seen = stamp
        try:
            self._ring = load(self._path)
        except KeysError as error:
            log.error("keys.reload_failed", reason=str(error))
        else:
            log.info("keys.reloaded", active=self._ring.active.id)


def load(path: Path) -> KeyRing:
    """The keys of the file; `KeysError` says what is wrong with it."""
    try:
        return _parse(json.loads(path.read_bytes()))
    except FileNotFoundError:
        raise KeysError(f"there is no keys file {path}; `m3 keys generate` makes one") from None
    except OSError as error:
        raise KeysError(f"the keys file {path} cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        # Neither the parser's words nor the cause: both may quote the file, which is secret.
        raise KeysError(f"the keys file {path} is damaged") from None


def generate(path: Path, now: datetime | None = None) -> KeyRing:
    """Makes a keys file, readable by its owner alone; `KeysError` if there is a file already."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _alone(path.parent):
            if path.exists():
                raise KeysError(f"{path} exists and is not overwritten: tokens and cursors hang on it")
            ring = KeyRing(secrets.token_bytes(KEY_BYTES), (_new_key(now or datetime.now(UTC)),))
            _write(path, ring)
            return ring
    except OSError as error:
        raise KeysError(f"the keys file {path} cannot be written: {error.strerror}") from None


def rotate(path: Path, keep: timedelta, now: datetime | None = None) -> KeyRing:
    """Puts a new signing key in front and drops those that signed nothing within `keep`.

    `keep` is the life of an access token and a margin for processes that have yet to read the file;
    with none, as after a leak, the new key alone remains and every access token ends at once.
    """
    now = now or datetime.now(UTC)
    target = path.resolve()  # a link, as a mounted secret often is, stays one
    try:
        with _alone(target.parent):
            ring = load(path)
            ended = [now, *(key.created for key in ring.signing)]
            kept = [key for key, end in zip(ring.signing, ended, strict=False) if end + keep > now]
            ring = KeyRing(ring.master, (_new_key(now), *kept))
            _write(target, ring)
            return ring
    except OSError as error:
        raise KeysError(f"the keys file {path} cannot be written: {error.strerror}") from None


@lru_cache(maxsize=16)
def _derive(master: bytes, purpose: str) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=b"m3core " + purpose.encode()).derive(master)


def _new_key(now: datetime) -> SigningKey:
    return SigningKey(secrets.token_hex(8), now, Ed25519PrivateKey.generate())


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _parse(data: dict[str, Any]) -> KeyRing:
    signing = tuple(
        SigningKey(
            str(key["id"]),
            datetime.fromisoformat(key["created"]).astimezone(UTC),
            Ed25519PrivateKey.from_private_bytes(decode(key["private"])),
        )
        for key in data["signing"]
    )
    ring = KeyRing(decode(data["master"]), signing)
    if len(ring.master) < KEY_BYTES or not 0 < len(signing) == len(ring.by_id):
        raise ValueError("a key is missing, short or there twice")
    return ring


def _write(path: Path, ring: KeyRing) -> None:
    """Replaces the file in one step, so that no reader sees half of it; keeps its owner and mode."""
    data = {
        "master": encode(ring.master),
        "signing": [
            {
                "id": key.id,
                "created": key.created.isoformat(),
                "private": encode(key.private.private_bytes_raw()),
            }
            for key in ring.signing
        ],
    }
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with open(handle, "w") as file:
            if path.exists():
                was = path.stat()
                os.fchown(handle, was.st_uid, was.st_gid)
                os.fchmod(handle, stat.S_IMODE(was.st_mode))
            json.dump(data, file, indent=2)
            file.write("\n")
            file.flush()
            os.fsync(handle)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink()
        raise


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Waits until nobody else generates or rotates in this folder."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
