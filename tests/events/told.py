"""What the database has told of a tenant, whether a sequencer has come by yet or not."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

Told = tuple[str, str, UUID, UUID | None]
"""Topic, action, entity and user."""

_COLUMNS = "tenant_id, topic, action, entity_id, user_id"
# One statement, so that each event is seen in one of the two tables and never in both
_TOLD = text(
    f"""
    SELECT topic, action, entity_id, user_id FROM (
      SELECT 0 AS pending, seq AS number, {_COLUMNS} FROM gateway.event_log
      UNION ALL SELECT 1, id, {_COLUMNS} FROM gateway.event_outbox) events
    WHERE tenant_id = :tenant ORDER BY pending, number
    """  # noqa: S608
)


async def told(owner: AsyncConnection, tenant: UUID) -> list[Told]:
    """All events of the tenant, in their order."""
    rows = await owner.execute(_TOLD, {"tenant": tenant})
    return [(row.topic, row.action, row.entity_id, row.user_id) for row in rows]


class Telling:
    """What is told of a tenant from now on."""

    def __init__(self, owner: AsyncConnection, tenant: UUID, known: int) -> None:
        self._owner, self._tenant, self._known = owner, tenant, known

    @classmethod
    async def of(cls, owner: AsyncConnection, tenant: UUID) -> "Telling":
        """From now on."""
        return cls(owner, tenant, len(await told(owner, tenant)))

    async def next(self) -> list[Told]:
        """What was told since the last time."""
        events = (await told(self._owner, self._tenant))[self._known :]
        self._known += len(events)
        return events
