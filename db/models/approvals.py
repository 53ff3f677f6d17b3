"""Requests that others must agree to, and each step taken on them."""

from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from db.base import (
    CASCADE,
    Base,
    Created,
    Json,
    TenantOwned,
    Timestamp,
    Timestamped,
    UuidKey,
    one_of,
    refers_to,
)
from db.enums import ApprovalAction, ApprovalState


class Approval(UuidKey, TenantOwned, Timestamped, Base):
    """A change that waits for the agreement of others."""

    __tablename__ = "approvals"
    __listed_by__ = ("requested_by",)
    __ordered_by__ = ("sla_due_at", "updated_at")
    __table_args__ = (
        Index("approvals_inbox_ix", "tenant_id", "state", "level", "sla_due_at"),
        Index("approvals_overdue_ix", "sla_due_at", postgresql_where=text("state = 'pending'")),
        Index("approvals_subject_ix", "tenant_id", "subject_id", postgresql_where=text("state = 'pending'")),
    )

    domain: Mapped[str]
    subject_entity: Mapped[str]
    subject_id: Mapped[UUID]
    payload: Mapped[Json | None]
    state: Mapped[str] = one_of(ApprovalState, ApprovalState.PENDING)
    level: Mapped[int] = mapped_column(server_default=text("1"))
    required_levels: Mapped[int] = mapped_column(server_default=text("1"))
    requested_by: Mapped[UUID] = refers_to("users")
    sla_due_at: Mapped[Timestamp | None]


class ApprovalStep(UuidKey, TenantOwned, Created, Base):
    """What somebody did about a request."""

    __tablename__ = "approval_history"
    __listed_by__ = ("approval_id",)

    approval_id: Mapped[UUID] = refers_to("approvals", CASCADE)
    actor_user_id: Mapped[UUID | None]
    action: Mapped[str] = one_of(ApprovalAction)
    note: Mapped[str | None]


__all__ = ["Approval", "ApprovalStep"]
