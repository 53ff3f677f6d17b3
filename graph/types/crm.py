"""Companies, contacts, leads, deals and the work done on them, as they are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from strawberry import ID

from db import models
from db.enums import ActivityStatus, ActivityType, DealStatus
from graph.connection import Connection
from graph.node import Node, Timestamped
from graph.permissions import Permission
from graph.relations import to_many, to_one
from graph.scalars import JSON, URL, BigInt, CurrencyCode, Date, DateTime, EmailAddress, PhoneNumber
from graph.tables import column, table

if TYPE_CHECKING:
    from graph.types.identity import User
    from graph.types.marketing import TelemarketingCall


@table(models.Company, needs=Permission.COMPANIES_VIEW)
class Company(Node, Timestamped):
    """A firm that buys, or that contacts work for."""

    name: str = column("What the firm is called.")
    industry_code: str | None = column("Its line of business, as the tenant codes it.")
    city: str | None = column("The city of its seat.")
    country: str | None = column("The country of its seat, as entered.")
    website: URL | None = column("Its web site.")
    contacts: Connection[Contact] | None = to_many(models.Contact.company_id, "The people who work there.")
    leads: Connection[Lead] | None = to_many(models.Lead.company_id, "The interests it has shown.")
    deals: Connection[Deal] | None = to_many(models.Deal.company_id, "The sales to it.")
    activities: Connection[Activity] | None = to_many(models.Activity.company_id, "What was done with it.")


@table(models.Contact, needs=Permission.CONTACTS_VIEW)
class Contact(Node, Timestamped):
    """A person one sells to."""

    company_id: ID | None = column("The id of the firm the person works for.")
    company: Company | None = to_one(models.Contact.company_id, "The firm the person works for.")
    full_name: str = column("The person's name.")
    email: EmailAddress | None = column("The person's e-mail address, one contact a tenant.")
    phone_e164: PhoneNumber | None = column("The person's phone number.")
    role_title_code: str | None = column("What the person does at the firm, as the tenant codes it.")
    tags: list[str] | None = column("Free labels.")
    leads: Connection[Lead] | None = to_many(models.Lead.contact_id, "The interests the person has shown.")
    deals: Connection[Deal] | None = to_many(models.Deal.contact_id, "The sales to the person.")
    activities: Connection[Activity] | None = to_many(
        models.Activity.contact_id, "What was done with the person."
    )
    calls: Connection[TelemarketingCall] | None = to_many(
        models.TelemarketingCall.contact_id, "The telemarketing calls to the person."
    )


@table(models.Lead, needs=Permission.LEADS_VIEW)
class Lead(Node, Timestamped):
    """An interest that may become a deal."""

    contact_id: ID | None = column("The id of the person interested.")
    contact: Contact | None = to_one(models.Lead.contact_id, "The person interested.")
    company_id: ID | None = column("The id of the firm interested.")
    company: Company | None = to_one(models.Lead.company_id, "The firm interested.")
    source_code: str | None = column("Where the lead came from, as the tenant codes it.")
    status_code: str = column("How the lead stands, as the tenant codes it; `new` at first.")
    score: int | None = column("How promising it is; higher is better.")
    attributes: JSON | None = column("What else the source told.")
    assigned_to: ID | None = column("The id of the user who follows it up.")
    assignee: User | None = to_one(models.Lead.assigned_to, "The user who follows it up.")
    tags: list[str] | None = column("Free labels.")
    calls: Connection[TelemarketingCall] | None = to_many(
        models.TelemarketingCall.lead_id, "The telemarketing calls about it."
    )


@table(models.DealPipeline, needs=Permission.DEALS_VIEW)
class DealPipeline(Node, Timestamped):
    """The way that a kind of sale goes."""

    name: str = column("What the pipeline is called.")
    stages: Connection[DealStage] | None = to_many(models.DealStage.pipeline_id, "Its steps, in order.")
    deals: Connection[Deal] | None = to_many(models.Deal.pipeline_id, "The sales on it.")


@table(models.DealStage, needs=Permission.DEALS_VIEW, sort="order_index")
class DealStage(Node, Timestamped):
    """A step of a pipeline."""

    pipeline_id: ID = column("The id of the pipeline it belongs to.")
    pipeline: DealPipeline | None = to_one(models.DealStage.pipeline_id, "The pipeline it belongs to.")
    code: str = column("Its code, unique in the pipeline.")
    order_index: int = column("Its place in the pipeline; lower comes first.")
    deals: Connection[Deal] | None = to_many(models.Deal.stage_id, "The sales that stand on it.")


@table(models.Deal, needs=Permission.DEALS_VIEW)
class Deal(Node, Timestamped):
    """A sale in progress, won or lost."""

    pipeline_id: ID = column("The id of the pipeline it is on.")
    pipeline: DealPipeline | None = to_one(models.Deal.pipeline_id, "The pipeline it is on.")
    stage_id: ID = column("The id of the stage it stands on.")
    stage: DealStage | None = to_one(models.Deal.stage_id, "The stage it stands on, of the same pipeline.")
    contact_id: ID | None = column("The id of the person who buys.")
    contact: Contact | None = to_one(models.Deal.contact_id, "The person who buys.")
    company_id: ID | None = column("The id of the firm that buys.")
    company: Company | None = to_one(models.Deal.company_id, "The firm that buys.")
    name: str = column("What the deal is called.")
    amount_minor: BigInt | None = column("Its worth, in the currency's minor unit.")
    currency: CurrencyCode | None = column("The currency of its worth.")
    status: DealStatus = column("Whether it is open, won or lost.")
    expected_close_at: Date | None = column("The day it is expected to close.")
    tags: list[str] | None = column("Free labels.")
    owner_user_id: ID | None = column("The id of the user whose sale it is.")
    owner: User | None = to_one(models.Deal.owner_user_id, "The user whose sale it is.")
    activities: Connection[Activity] | None = to_many(models.Activity.deal_id, "What was done about it.")


@table(models.Activity, needs=Permission.ACTIVITIES_VIEW)
class Activity(Node, Timestamped):
    """A call, an e-mail, a meeting or a task."""

    type_code: ActivityType = column("What kind of work it is.")
    contact_id: ID | None = column("The id of the person it is about.")
    contact: Contact | None = to_one(models.Activity.contact_id, "The person it is about.")
    company_id: ID | None = column("The id of the firm it is about.")
    company: Company | None = to_one(models.Activity.company_id, "The firm it is about.")
    deal_id: ID | None = column("The id of the deal it is about.")
    deal: Deal | None = to_one(models.Activity.deal_id, "The deal it is about.")
    owner_user_id: ID | None = column("The id of the user whose work it is.")
    owner: User | None = to_one(models.Activity.owner_user_id, "The user whose work it is.")
    subject: str | None = column("What it is about, in a line.")
    description: str | None = column("What it is about, at length.")
    due_at: DateTime | None = column("When it is due.")
    status: ActivityStatus = column("Whether it is open, done or cancelled.")
