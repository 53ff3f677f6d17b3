"""What providers reported to a tenant."""

from typing import Any
from uuid import UUID

from sqlalchemy import PrimaryKeyConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Json, TenantOwned, Timestamp, Timestamped


class IntegrationWebhookLog(TenantOwned, Timestamped, Base):
    """A call by a provider; partitioned by month of receipt."""

    __tablename__ = "integration_webhook_logs"
    __ordered_by__ = ("received_at",)
    __table_args__: Any = (
        PrimaryKeyConstraint("tenant_id", "id", "received_at"),
        {"postgresql_partition_by": "RANGE (received_at)"},
    )

    id: Mapped[UUID] = mapped_column(server_default=text("gen_random_uuid()"), sort_order=-20)
    provider: Mapped[str]
    event_type: Mapped[str | None]
    raw: Mapped[Json]
    received_at: Mapped[Timestamp] = mapped_column(server_default=text("now()"))
    processed: Mapped[bool] = mapped_column(server_default=text("FALSE"))


__all__ = ["IntegrationWebhookLog"]
