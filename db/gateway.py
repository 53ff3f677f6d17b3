"""The gateway's own tables, in the schema `gateway`: what the master document does not know of."""

from sqlalchemy import (
    TIMESTAMP,
    Column,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from db.base import CASCADE, NAMING
from db.models import User

metadata = MetaData(schema="gateway", naming_convention=NAMING)

_users = User.__table__.c

platform_grants = Table(
    "platform_grants",
    metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("user_id", Uuid, primary_key=True),
    Column("created_at", TIMESTAMP(timezone=True), nullable=False, server_default=text("now()")),
    ForeignKeyConstraint(["tenant_id", "user_id"], [_users.tenant_id, _users.id], ondelete=CASCADE),
)
"""Users who hold `platform.*`: the gateway reads it, the owner alone writes (`m3 user grant-platform`)."""

idempotency_records = Table(
    "idempotency_records",
    metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("user_id", Uuid, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("request", LargeBinary, nullable=False),
    Column("answer", JSONB),
    Column("created_at", TIMESTAMP(timezone=True), nullable=False, server_default=text("now()")),
    ForeignKeyConstraint(["tenant_id", "user_id"], [_users.tenant_id, _users.id], ondelete=CASCADE),
    Index("idempotency_records_created_at_ix", "tenant_id", "created_at"),
)
"""The answers to requests that came with an idempotency key, by the hash of the request, for a day."""
