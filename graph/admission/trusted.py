"""Trusted documents: those that the builds of clients have registered, found by the ids that clients send.

    off       no document is found by an id
    allow     they are, and others are run too
    require   others are refused, but for introspection where that is allowed

What the deployment wants (`M3_DOCUMENTS`) a tenant may want otherwise, for its own sessions. A document
belongs to a tenant or to all; whether an id is unknown or another tenant's, the refusal is the same.
"""

import asyncio
import re
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Literal
from uuid import UUID

import structlog

from db.observed import observer
from db.scope import DRIVER_ERRORS, DatabaseUnavailable, Scope
from db.session import Database
from graph.errors import DocumentNotFound, Unavailable
from graph.limits import TRUSTED_KEPT, TRUSTED_SECONDS
from graph.snapshot import reading

Mode = Literal["off", "allow", "require"]

RETRY_SECONDS: Final = 1.0
"""How long to go on with what is known when the database did not answer."""

_MODES: Final = "SELECT tenant_id, mode FROM gateway.all_document_modes()"
_FIND: Final = """
SELECT body FROM gateway.documents WHERE id = $1 AND (tenant_id = $2 OR tenant_id IS NULL)
ORDER BY tenant_id NULLS LAST LIMIT 1
"""
_SHA256: Final = re.compile(r"sha256:([0-9a-f]{64})", re.IGNORECASE)

log = structlog.get_logger(__name__)


def canonical(document_id: str) -> str:
    """An id as it is kept: of a SHA-256 the plain hex, with or without `sha256:` before it."""
    found = _SHA256.fullmatch(document_id)
    return found[1].lower() if found else document_id


class TrustedDocuments:
    """The trusted documents and the modes as the database has them, kept for a while."""

    def __init__(self, database: Database, mode: Mode, clock: Callable[[], float] = time.monotonic) -> None:
        self._database, self._mode, self._clock = database, mode, clock
        self._known: OrderedDict[tuple[UUID | None, str], tuple[float, str]] = OrderedDict()
        self._modes: dict[UUID, Mode] | None = None
        self._modes_until = 0.0
        self._reading = asyncio.Lock()

    async def mode(self, tenant_id: UUID | None) -> Mode:
        """What holds for a tenant's sessions, or for those who have none; Unavailable if nobody knows."""
        if self._modes is None or (self._modes_until <= self._clock() and not self._reading.locked()):
            async with self._reading:
                await self._read_modes()
        if self._modes is None:
            raise Unavailable
        return self._mode if tenant_id is None else self._modes.get(tenant_id, self._mode)

    async def find(self, tenant_id: UUID | None, document_id: str) -> str:
        """The text of a document; DocumentNotFound if there is none for this tenant.

        Timeout or Unavailable where the database does not answer.
        """
        key = tenant_id, canonical(document_id)
        if "\0" in key[1]:
            raise DocumentNotFound  # which the database would not take for a text
        until, text = self._known.get(key, (0.0, ""))
        if until > self._clock():
            self._known.move_to_end(key)
            return text
        async with reading(self._database, Scope(tenant_id=tenant_id), None) as fetch:
            rows = await fetch(_FIND, key[1], tenant_id)
        if not rows:
            self._known.pop(key, None)
            raise DocumentNotFound
        found: str = rows[0][0]
        self._known[key] = self._clock() + TRUSTED_SECONDS, found
        self._known.move_to_end(key)
        if len(self._known) > TRUSTED_KEPT:
            self._known.popitem(last=False)
        return found

    async def _read_modes(self) -> None:
        if self._modes is not None and self._modes_until > self._clock():
            return  # somebody else has just done it
        watched = observer.set(None)  # it is nothing of the operation that happens to come now
        try:
            async with self._database.readers.snapshot(Scope()) as connection:
                rows = await connection.fetch(_MODES)
            self._modes = {row[0]: row[1] for row in rows}
            self._modes_until = self._clock() + TRUSTED_SECONDS
        except (DatabaseUnavailable, *DRIVER_ERRORS) as error:
            self._modes_until = self._clock() + RETRY_SECONDS
            log.warning("documents.modes", error=type(error).__name__)
        finally:
            observer.reset(watched)
