"""The gateway's own tables, in the schema `gateway`: what the master document does not know of."""

from typing import Any

from sqlalchemy import (
    TIMESTAMP,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
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
from db.models import Approval, Campaign, Tenant, User

metadata = MetaData(schema="gateway", naming_convention=NAMING)

_users, _tenants = User.__table__.c, Tenant.__table__.c
_campaigns, _approvals = Campaign.__table__.c, Approval.__table__.c

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
    Column("approved", Boolean, nullable=False, server_default=text("false")),
    Column("created_at", TIMESTAMP(timezone=True), nullable=False, server_default=text("now()")),
    ForeignKeyConstraint(
        ["tenant_id", "campaign_id"], [_campaigns.tenant_id, _campaigns.id], ondelete=CASCADE
    ),
    ForeignKeyConstraint(["tenant_id", "user_id"], [_users.tenant_id, _users.id]),
    Index("launches_due_at_ix", "due_at"),
    Index("launches_user_id_ix", "tenant_id", "user_id"),
)
"""What is still to be done about campaigns: those scheduled, as `user_id` wants them launched at `due_at`.

`approved` says that others have agreed to it. Those being sent have a row too, in which `due_at` is NULL; it
goes when their last message has left.
"""


def _what_happened() -> list[Column[Any]]:
    return [
        Column("tenant_id", Uuid, nullable=False),
        Column("topic", Text, nullable=False),
        Column("action", Text, nullable=False),
        Column("entity_id", Uuid, nullable=False),
        Column("user_id", Uuid),
    ]


event_outbox = Table(
    "event_outbox",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    *_what_happened(),
    Column("at", TIMESTAMP(timezone=True), nullable=False, server_default=text("clock_timestamp()")),
)
"""Events as their transactions committed them, in no order that a reader could rely on; docs/events.md.

No foreign keys: an event outlives what it tells of, its tenant too.
"""

event_log = Table(
    "event_log",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    *_what_happened(),
    Column("at", TIMESTAMP(timezone=True), nullable=False),
    Column("logged_at", TIMESTAMP(timezone=True), nullable=False, server_default=text("clock_timestamp()")),
    Index("event_log_feed_ix", "tenant_id", "topic", "user_id", "seq"),
)
"""Events in their one order, without gaps; the sequencer alone adds to it."""

event_state = Table(
    "event_state",
    metadata,
    Column("the_only", Boolean, primary_key=True, server_default=text("true")),
    Column("oldest_seq", BigInteger, nullable=False, server_default=text("1")),
    Column("floor_id", BigInteger, nullable=False, server_default=text("0")),
    Column("probe_id", BigInteger, nullable=False, server_default=text("0")),
    Column("probe_xid", BigInteger, nullable=False, server_default=text("0")),
    CheckConstraint("the_only", name="event_state_the_only_check"),
)
"""The first event that is kept, and below which id the outbox is empty for good; one row, seldom written."""

approval_policies = Table(
    "approval_policies",
    metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("domain", Text, primary_key=True),
    Column("levels", JSONB, nullable=False),
    Column("created_at", TIMESTAMP(timezone=True), nullable=False, server_default=text("now()")),
    Column("updated_at", TIMESTAMP(timezone=True), nullable=False, server_default=text("now()")),
    ForeignKeyConstraint(["tenant_id"], [_tenants.id], ondelete=CASCADE),
)
"""What takes the agreement of others, and of whom: `levels` is a list of `{permission, slaMinutes}`."""

approval_levels = Table(
    "approval_levels",
    metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("approval_id", Uuid, primary_key=True),
    Column("level", Integer, primary_key=True),
    Column("permission", Text),
    Column("sla_minutes", Integer),
    ForeignKeyConstraint(
        ["tenant_id", "approval_id"], [_approvals.tenant_id, _approvals.id], ondelete=CASCADE
    ),
)
"""The levels of a policy as they were when somebody asked; only ever added to.

`permission` is what deciding takes beside `approvals.decide`. An approval that another service wrote has no
rows here.
"""

approval_escalations = Table(
    "approval_escalations",
    metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("approval_id", Uuid, primary_key=True),
    Column("due_at", TIMESTAMP(timezone=True), primary_key=True),
    Column("created_at", TIMESTAMP(timezone=True), nullable=False, server_default=text("now()")),
    ForeignKeyConstraint(
        ["tenant_id", "approval_id"], [_approvals.tenant_id, _approvals.id], ondelete=CASCADE
    ),
)
"""The times at which approvals were due and nobody had decided, each of which was told once."""

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
