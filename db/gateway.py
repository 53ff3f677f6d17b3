"""The gateway's own tables, in the schema `gateway`: what the master document does not know of."""

from sqlalchemy import (
    TIMESTAMP,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from db.base import CASCADE, NAMING
from db.models import Campaign, Tenant, User

metadata = MetaData(schema="gateway", naming_convention=NAMING)

_users, _campaigns, _tenants = User.__table__.c, Campaign.__table__.c, Tenant.__table__.c

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

launches = Table(
    "launches",
    metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("campaign_id", Uuid, primary_key=True),
    Column("user_id", Uuid, nullable=False),
    Column("due_at", TIMESTAMP(timezone=True)),
    Column("template_code", Text, nullable=False),
    Column("locale", Text),
    Column("audience", JSONB, nullable=False),
    Column("variables", JSONB, nullable=False),
    Column("created_at", TIMESTAMP(timezone=True), nullable=False, server_default=text("now()")),
    ForeignKeyConstraint(
        ["tenant_id", "campaign_id"], [_campaigns.tenant_id, _campaigns.id], ondelete=CASCADE
    ),
    ForeignKeyConstraint(["tenant_id", "user_id"], [_users.tenant_id, _users.id]),
    Index("launches_due_at_ix", "due_at"),
    Index("launches_user_id_ix", "tenant_id", "user_id"),
)
"""What is still to be done about campaigns: those scheduled, as `user_id` wants them launched at `due_at`.

Those being sent have a row too, in which `due_at` is NULL; it goes when their last message has left.
"""

documents = Table(
    "documents",
    metadata,
    Column("tenant_id", Uuid),
    Column("id", Text, nullable=False),
    Column("name", Text),
    Column("body", Text, nullable=False),
    Column("created_at", TIMESTAMP(timezone=True), nullable=False, server_default=text("now()")),
    UniqueConstraint("tenant_id", "id", postgresql_nulls_not_distinct=True),
    ForeignKeyConstraint(["tenant_id"], [_tenants.id], ondelete=CASCADE),
)
"""Trusted documents by the id that clients send; those without a tenant are for all (`m3 documents add`)."""

document_modes = Table(
    "document_modes",
    metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("mode", Text, nullable=False),
    ForeignKeyConstraint(["tenant_id"], [_tenants.id], ondelete=CASCADE),
    CheckConstraint("mode IN ('off', 'allow', 'require')", name="mode"),
)
"""What a tenant wants of its clients where it is not the deployment's `M3_DOCUMENTS`."""
