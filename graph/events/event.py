"""What a feed consists of."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Event:
    """That a row changed, and how; what it holds is read by whoever may read it.

    topic         action                                           entity_id   user_id
    notification  added, read                                      the notice  whose inbox
    approval      requested, advanced (the next level), or the     the request who requested it
                  state that it came to: approved, rejected …
    session       revoked, deleted                                 the session whose
    user          the status that they came to, or deleted         the user    the same
    rights        changed                                          the user or the user; None: of
                                                                   the role    whoever has the role
    """

    seq: int
    """Its place in the order: every event has a higher one than those before it."""
    at: datetime
    tenant_id: UUID
    topic: str
    action: str
    entity_id: UUID
    user_id: UUID | None


class SlowConsumer(Exception):
    """A feed's reader has been behind for longer than anybody waits (close code 1013)."""
