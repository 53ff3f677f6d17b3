"""Root fields of the CRM."""

from __future__ import annotations

import strawberry

from db import models
from graph.connection import Connection
from graph.roots import many, one
from graph.types.crm import Activity, Company, Contact, Deal, DealPipeline, DealStage, Lead


@strawberry.type
class CrmQuery:
    """Companies, contacts, leads, deals, activities."""

    company: Company | None = one(models.Company, "A company by its id.")
    companies: Connection[Company] | None = many(models.Company, "The tenant's companies, newest first.")
    contact: Contact | None = one(models.Contact, "A contact by its id.")
    contacts: Connection[Contact] | None = many(models.Contact, "The tenant's contacts, newest first.")
    lead: Lead | None = one(models.Lead, "A lead by its id.")
    leads: Connection[Lead] | None = many(models.Lead, "The tenant's leads, newest first.")
    deal_pipeline: DealPipeline | None = one(models.DealPipeline, "A pipeline by its id.")
    deal_pipelines: Connection[DealPipeline] | None = many(
        models.DealPipeline, "The tenant's pipelines, newest first."
    )
    deal_stage: DealStage | None = one(models.DealStage, "A stage by its id.")
    deal_stages: Connection[DealStage] | None = many(
        models.DealStage, "The stages of all pipelines, by their place."
    )
    deal: Deal | None = one(models.Deal, "A deal by its id.")
    deals: Connection[Deal] | None = many(models.Deal, "The tenant's deals, newest first.")
    activity: Activity | None = one(models.Activity, "An activity by its id.")
    activities: Connection[Activity] | None = many(models.Activity, "The tenant's activities, newest first.")
