"""Idempotency keys: the first answer to a request, kept a day, given again to its repetitions.

The record is written in the transaction of the mutation. A twin that comes meanwhile waits until that one
has ended, in the same process for its turn (`graph.writing.turns`), elsewhere at the unique key, and then
finds its answer, or nothing if it was undone: what was refused or failed has done nothing, keeps nothing,
and may be tried again under its key.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa
from graphql import GraphQLError, SourceLocation
from sqlalchemy.dialects.postgresql import insert

from db.gateway import idempotency_records as records
from graph.auth.viewer import Viewer
from graph.encoding import encode
from graph.errors import BadInput, GatewayError, IdempotencyConflict
from graph.limits import LAUNCH_SECONDS
from graph.snapshot import Change

MAX_KEY = 255
KEPT = sa.text("interval '24 hours'")
FORGOTTEN = 10
"""How many records go with each that comes."""


@dataclass(frozen=True)
class IdempotencyKey:
    """The key that a client sent, and the hash of what it sent it with."""

    key: str
    request: bytes

    @classmethod
    def of(cls, key: object, query: str, operation_name: str | None, variables: Any) -> "IdempotencyKey":
        """The key for a request, or BadInput."""
        if (
            not isinstance(key, str)
            or not 1 <= len(key) <= MAX_KEY
            or not key.isascii()
            or not key.isprintable()
        ):
            raise BadInput(f"An idempotency key is 1 to {MAX_KEY} printable ASCII characters.")
        body = orjson.dumps([query, operation_name, variables], option=orjson.OPT_SORT_KEYS)
        return cls(key, hashlib.sha256(body).digest())


@dataclass(frozen=True)
class Answered:
    """The answer that the request got the first time."""

    data: Any
    errors: list[GraphQLError]


_PATIENT = sa.text("""
WITH usual AS MATERIALIZED (
    SELECT current_setting('lock_timeout') AS lock, current_setting('statement_timeout') AS statement
)
SELECT
    lock,
    statement,
    set_config('lock_timeout', :patience, true),
    set_config('statement_timeout', :patience, true)
FROM usual
""").bindparams(patience=f"{LAUNCH_SECONDS}s")
"""Lets statements wait for a twin as long as the longest mutation may take; what was usual until then."""


def _mine(viewer: Viewer, key: IdempotencyKey) -> sa.ColumnElement[bool]:
    return sa.and_(
        records.c.tenant_id == viewer.tenant_id,
        records.c.user_id == viewer.user_id,
        records.c.key == key.key,
    )


async def claim(change: Change, viewer: Viewer, key: IdempotencyKey) -> Answered | None:
    """Take the key for this transaction, or the answer that it already has.

    IdempotencyConflict if it was another request's.
    """
    statement = insert(records).values(
        tenant_id=viewer.tenant_id, user_id=viewer.user_id, key=key.key, request=key.request
    )
    usual = (await change.execute(_PATIENT)).one()
    expired = records.c.created_at < sa.func.now() - KEPT
    taken = await change.execute(
        statement.on_conflict_do_update(
            index_elements=["tenant_id", "user_id", "key"],
            set_={"request": key.request, "answer": None, "created_at": sa.func.now()},
            where=expired,
        ).returning(records.c.key)
    )
    if taken.one_or_none() is not None:
        times = {"lock_timeout": usual.lock, "statement_timeout": usual.statement}
        await change.execute(sa.select(*(sa.func.set_config(*time, True) for time in times.items())))
        return None
    found = await change.execute(sa.select(records.c.request, records.c.answer).where(_mine(viewer, key)))
    row = found.one()
    if bytes(row.request) != key.request:
        raise IdempotencyConflict
    errors, data = row.answer.split("\n", 1)
    # Not parsed: JSON of the database's has numbers and blanks that would not come out as they are
    shown = None if data == "null" else orjson.Fragment(data)
    return Answered(shown, [_error(error) for error in orjson.loads(errors)])


async def keep(
    change: Change, viewer: Viewer, key: IdempotencyKey, data: Any, errors: list[GraphQLError]
) -> None:
    """Keep the answer with the key, in the transaction that it is the answer of."""
    answer = b"\n".join((encode([error.formatted for error in errors]), encode(data)))
    # As one string: JSONB would put the fields into another order than they were asked for in.
    await change.execute(sa.update(records).values(answer=answer.decode()).where(_mine(viewer, key)))
    await change.execute(_forget(viewer))


def _forget(viewer: Viewer) -> sa.Delete:
    """Delete some of the tenant's records that are too old, those that nobody else is at."""
    old = (
        sa.select(records.c.user_id, records.c.key)
        .where(records.c.tenant_id == viewer.tenant_id, records.c.created_at < sa.func.now() - KEPT)
        .limit(FORGOTTEN)
        .with_for_update(skip_locked=True)
    )
    return sa.delete(records).where(
        records.c.tenant_id == viewer.tenant_id, sa.tuple_(records.c.user_id, records.c.key).in_(old)
    )


class _Kept(GatewayError):
    """An error as the client got it the first time."""

    def __init__(self, kept: dict[str, Any]) -> None:
        super().__init__(kept["message"])
        self._extensions = kept["extensions"]

    @property
    def extensions(self) -> dict[str, Any]:
        """Those of the first time."""
        return dict(self._extensions)


def _error(kept: dict[str, Any]) -> GraphQLError:
    error = GraphQLError(kept["message"], path=kept["path"], original_error=_Kept(kept))
    error.locations = [SourceLocation(**location) for location in kept.get("locations", ())]
    return error
