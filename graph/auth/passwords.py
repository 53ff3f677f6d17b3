"""Passwords: argon2id in a few threads of its own, and one price for every refusal.

Parameters are OWASP's minimum (Password Storage Cheat Sheet): 19 MiB, two passes, one lane.
"""

import asyncio
import secrets
import unicodedata
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, VerifyMismatchError
from argon2.low_level import Type

MAX_BYTES = 1024
MIN_NEW_CHARACTERS = 8
MEMORY_KIB = 19 * 1024
THREADS = 2


class PasswordUnusable(ValueError):
    """A password that cannot be taken: empty, too long, too short for a new one, or not Unicode text."""


class Passwords:
    """Hashes and verifies passwords without stopping the event loop; `close()` ends its threads.

    At most `threads` are hashed at a time (19 MiB each), the others wait their turn.
    """

    def __init__(self, threads: int = THREADS) -> None:
        self._hasher = PasswordHasher(time_cost=2, memory_cost=MEMORY_KIB, parallelism=1, type=Type.ID)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="passwords")
        self._dummy = self._hasher.hash(secrets.token_bytes(16))

    async def verify(self, stored: str | None, password: str) -> bool:
        """Whether `password` is the one of the hash `stored`.

        Without a hash, as for an unknown user, it takes as long and is false. A password that cannot be
        anybody's is refused at once: that tells about the password, not about the account.
        """
        try:
            given = prepare(password)
        except PasswordUnusable:
            return False
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._verify, stored, given)

    async def hash(self, password: str) -> str:
        """The hash to store for `password`; `PasswordUnusable` if it cannot be taken."""
        given = prepare(password)
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._hasher.hash, given)

    def hash_now(self, password: str) -> str:
        """`hash()` for the command line and for loaders, which have no event loop to keep free."""
        return self._hasher.hash(prepare(password))

    def needs_rehash(self, stored: str) -> bool:
        """Whether `stored` was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(stored)

    def close(self) -> None:
        """Ends the threads; what waits is dropped."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _verify(self, stored: str | None, given: bytes) -> bool:
        if stored is None:
            self._spend(given)
            return False
        try:
            return self._hasher.verify(stored, given)
        except VerifyMismatchError:
            return False
        except (Argon2Error, ValueError):
            # Not a hash of ours, refused before any work: the time would tell that this account is broken.
            self._spend(given)
            return False

    def _spend(self, given: bytes) -> None:
        try:
            self._hasher.verify(self._dummy, given)
        except Argon2Error:
            return


def prepare(password: str) -> bytes:
    """The bytes that are hashed: NFC (RFC 8265 section 4.2), since keyboards compose letters differently."""
    if not 0 < len(password) <= MAX_BYTES:
        raise PasswordUnusable(f"a password has 1 to {MAX_BYTES} bytes")
    try:
        given = unicodedata.normalize("NFC", password).encode()
    except UnicodeEncodeError:
        raise PasswordUnusable("a password is Unicode text") from None
    if len(given) > MAX_BYTES:
        raise PasswordUnusable(f"a password has 1 to {MAX_BYTES} bytes")
    return given


def check_new(password: str) -> None:
    """`PasswordUnusable` if `password` is too short to be given to anybody, or cannot be taken at all."""
    prepare(password)
    if len(password) < MIN_NEW_CHARACTERS:
        raise PasswordUnusable(f"a new password has at least {MIN_NEW_CHARACTERS} characters")
