"""From where a request comes, and the audit log of what is done outside a signed-in user's mutation."""

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import AuditLog

MAX_USER_AGENT: Final = 512


@dataclass(frozen=True, slots=True)
class Client:
    """From where a request comes, as it says."""

    ip: str | None = None
    user_agent: str | None = None

    @property
    def address(self) -> str | None:
        """The address, if it is one."""
        try:
            return None if self.ip is None else str(ip_address(self.ip))
        except ValueError:
            return None

    @property
    def program(self) -> str | None:
        """What the program calls itself, as far as it can be stored."""
        if self.user_agent is None:
            return None
        return self.user_agent.encode(errors="replace").decode().replace("\0", "")[:MAX_USER_AGENT]


async def record(
    connection: AsyncConnection,
    client: Client,
    tenant_id: UUID,
    user_id: UUID | None,
    action: str,
    entity_id: UUID,
    after: dict[str, Any] | None = None,
) -> None:
    """Write down that a user, or somebody unknown, did `action` (`session.sign_in`) to a row.

    `after` is what became of it, without secrets.
    """
    await connection.execute(
        insert(AuditLog).values(
            tenant_id=tenant_id,
            user_id=user_id,
            action=action,
            entity_type=action.partition(".")[0],
            entity_id=entity_id,
            after_data=after,
            ip_address=client.address,
            user_agent=client.program,
        )
    )
