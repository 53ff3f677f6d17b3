"""Changing companies, contacts, leads, deals and activities."""

from __future__ import annotations

import strawberry

from db import models
from graph.permissions import Permission
from graph.types.crm import Company
from graph.writing.bulk import BulkPayload, create_all
from graph.writing.editing import Editing
from graph.writing.mutation import Payload, payload, written


@payload("What became of a company.")
class CompanyPayload(Payload):
    """A company."""

    company: Company | None = written(models.Company, "The company, as it now is or last was.")


companies = Editing(
    models.Company,
    CompanyPayload,
    "name industry_code city country website",
    create=Permission.COMPANIES_CREATE,
    update=Permission.COMPANIES_UPDATE,
    delete=Permission.COMPANIES_DELETE,
)


@payload("What became of each of several companies.")
class CompaniesPayload(BulkPayload):
    """Several companies."""

    results: list[CompanyPayload] = strawberry.field(description="One for each row, in their order.")


@strawberry.type
class CrmMutation:
    """Companies."""

    create_company: CompanyPayload | None = companies.create("Add a company.")
    create_companies: CompaniesPayload | None = create_all(companies, "Add up to 500 companies.")
    update_company: CompanyPayload | None = companies.update("Change a company.")
    delete_company: CompanyPayload | None = companies.delete("Delete a company; what names it stays.")
