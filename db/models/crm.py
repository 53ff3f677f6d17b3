"""Companies, contacts, leads, deals and the work done on them."""

from datetime import date
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db.base import (
    CASCADE,
    SET_NULL,
    Base,
    Currency,
    Email,
    Json,
    Money,
    Tags,
    TenantOwned,
    Timestamp,
    Timestamped,
    UuidKey,
    normalised,
    one_of,
    refers_to,
)
from db.enums import ActivityStatus, ActivityType, DealStatus


class Company(UuidKey, TenantOwned, Timestamped, Base):
    """A firm that buys, or that contacts work for."""

    __tablename__ = "companies"
    __ordered_by__ = ("name", "updated_at")
    __table_args__ = (Index("companies_tenant_name_ix", "tenant_id", "name"),)

    name: Mapped[str] = mapped_column(info={"norm": "name_norm"})
    industry_code: Mapped[str | None]
    city: Mapped[str | None]
    country: Mapped[str | None]
    website: Mapped[str | None]
    name_norm: Mapped[str | None] = normalised("name")


class Contact(UuidKey, TenantOwned, Timestamped, Base):
    """A person one sells to."""

    __tablename__ = "contacts"
    __listed_by__ = ("company_id",)
    __ordered_by__ = ("full_name", "updated_at")
    __table_args__ = (
        Index(
            "contacts_email_per_tenant_uq",
            "tenant_id",
            "email",
            unique=True,
            postgresql_where=text("email IS NOT NULL"),
        ),
        Index("contacts_phone_ix", "tenant_id", "phone_e164"),
    )

    company_id: Mapped[UUID | None] = refers_to("companies", SET_NULL)
    full_name: Mapped[str] = mapped_column(info={"norm": "full_name_norm"})
    email: Mapped[Email | None] = mapped_column(info={"norm": "email_norm"})
    phone_e164: Mapped[str | None]
    role_title_code: Mapped[str | None]
    tags: Mapped[Tags | None] = mapped_column(server_default=text("'{}'"))
    full_name_norm: Mapped[str | None] = normalised("full_name")
    email_norm: Mapped[str | None] = normalised("email::text")


class Lead(UuidKey, TenantOwned, Timestamped, Base):
    """An interest that may become a deal."""

    __tablename__ = "leads"
    __listed_by__ = ("contact_id", "company_id", "assigned_to")
    __ordered_by__ = ("score", "updated_at")
    __table_args__ = (Index("leads_assignee_ix", "tenant_id", "assigned_to"),)

    contact_id: Mapped[UUID | None] = refers_to("contacts", SET_NULL)
    company_id: Mapped[UUID | None] = refers_to("companies", SET_NULL)
    source_code: Mapped[str | None]
    status_code: Mapped[str] = mapped_column(server_default=text("'new'"))
    score: Mapped[int | None]
    attributes: Mapped[Json | None]
    assigned_to: Mapped[UUID | None] = refers_to("users", SET_NULL)
    tags: Mapped[Tags | None] = mapped_column(server_default=text("'{}'"))


Index("leads_status_time_ix", Lead.tenant_id, Lead.status_code, Lead.created_at.desc())


class DealPipeline(UuidKey, TenantOwned, Timestamped, Base):
    """The way that a kind of sale goes."""

    __tablename__ = "deal_pipelines"
    __ordered_by__ = ("name",)

    name: Mapped[str]


class DealStage(UuidKey, TenantOwned, Timestamped, Base):
    """A step of a pipeline."""

    __tablename__ = "deal_stages"
    __listed_by__ = ("pipeline_id",)
    __ordered_by__ = ("order_index",)
    __table_args__ = (
        Index("stage_code_uq", "tenant_id", "pipeline_id", "code", unique=True),
        Index("deal_stages_pipeline_order_ix", "tenant_id", "pipeline_id", "order_index", "id"),
        UniqueConstraint("tenant_id", "id", "pipeline_id"),  # what a deal's key refers to
    )

    pipeline_id: Mapped[UUID] = refers_to("deal_pipelines", CASCADE)
    code: Mapped[str]
    order_index: Mapped[int]


class Deal(UuidKey, TenantOwned, Timestamped, Base):
    """A sale in progress, won or lost."""

    __tablename__ = "deals"
    __listed_by__ = ("pipeline_id", "stage_id", "contact_id", "company_id", "owner_user_id")
    __ordered_by__ = ("name", "amount_minor", "expected_close_at", "updated_at")
    __table_args__ = (
        # The pipeline in the key: a deal cannot stand on a stage of another pipeline.
        ForeignKeyConstraint(
            ["tenant_id", "pipeline_id", "stage_id"],
            ["deal_stages.tenant_id", "deal_stages.pipeline_id", "deal_stages.id"],
        ),
    )

    pipeline_id: Mapped[UUID] = refers_to("deal_pipelines", CASCADE)
    stage_id: Mapped[UUID]
    contact_id: Mapped[UUID | None] = refers_to("contacts", SET_NULL)
    company_id: Mapped[UUID | None] = refers_to("companies", SET_NULL)
    name: Mapped[str] = mapped_column(info={"norm": "name_norm"})
    amount_minor: Mapped[Money | None]
    currency: Mapped[Currency | None]
    status: Mapped[str] = one_of(DealStatus, DealStatus.OPEN)
    expected_close_at: Mapped[date | None]
    tags: Mapped[Tags | None] = mapped_column(server_default=text("'{}'"))
    owner_user_id: Mapped[UUID | None] = refers_to("users", SET_NULL)
    name_norm: Mapped[str | None] = normalised("name")


Index("deals_stage_time_ix", Deal.tenant_id, Deal.pipeline_id, Deal.stage_id, Deal.updated_at.desc())


class Activity(UuidKey, TenantOwned, Timestamped, Base):
    """A call, an e-mail, a meeting or a task."""

    __tablename__ = "activities"
    __listed_by__ = ("contact_id", "company_id", "deal_id", "owner_user_id")
    __ordered_by__ = ("due_at", "updated_at")
    __table_args__ = (Index("activities_owner_due_ix", "tenant_id", "owner_user_id", "due_at"),)

    type_code: Mapped[str] = one_of(ActivityType)
    contact_id: Mapped[UUID | None] = refers_to("contacts", SET_NULL)
    company_id: Mapped[UUID | None] = refers_to("companies", SET_NULL)
    deal_id: Mapped[UUID | None] = refers_to("deals", SET_NULL)
    owner_user_id: Mapped[UUID | None] = refers_to("users", SET_NULL)
    subject: Mapped[str | None]
    description: Mapped[str | None]
    due_at: Mapped[Timestamp | None]
    status: Mapped[str] = one_of(ActivityStatus, ActivityStatus.OPEN)


__all__ = ["Activity", "Company", "Contact", "Deal", "DealPipeline", "DealStage", "Lead"]
