"""Changing companies and contacts."""

from __future__ import annotations

import strawberry

from db import models
from graph.permissions import Permission
from graph.types.crm import Company, Contact
from graph.writing.bulk import BulkPayload, create_all
from graph.writing.editing import Editing
from graph.writing.mutation import Payload, payload, written
from graph.writing.plan_limits import room_for_contacts


@payload("What became of a company.")
class CompanyPayload(Payload):
    """A company."""

    company: Company | None = written(models.Company, "The company, as it now is or last was.")


@payload("What became of each of several companies.")
class CompaniesPayload(BulkPayload):
    """Several companies."""

    results: list[CompanyPayload] = strawberry.field(description="One for each row, in their order.")


@payload("What became of a contact.")
class ContactPayload(Payload):
    """A contact."""

    contact: Contact | None = written(models.Contact, "The contact, as it now is or last was.")


@payload("What became of each of several contacts.")
class ContactsPayload(BulkPayload):
    """Several contacts."""

    results: list[ContactPayload] = strawberry.field(description="One for each row, in their order.")


companies = Editing(
    models.Company,
    CompanyPayload,
    "name industry_code city country website",
    create=Permission.COMPANIES_CREATE,
    update=Permission.COMPANIES_UPDATE,
    delete=Permission.COMPANIES_DELETE,
)
contacts = Editing(
    models.Contact,
    ContactPayload,
    "company_id full_name email phone_e164 role_title_code tags",
    create=Permission.CONTACTS_CREATE,
    update=Permission.CONTACTS_UPDATE,
    delete=Permission.CONTACTS_DELETE,
    make_room=room_for_contacts,
)


@strawberry.type
class PartiesMutation:
    """Companies and contacts."""

    create_company: CompanyPayload | None = companies.create("Add a company.")
    create_companies: CompaniesPayload | None = create_all(companies, "Add up to 500 companies.")
    update_company: CompanyPayload | None = companies.update("Change a company.")
    delete_company: CompanyPayload | None = companies.delete("Delete a company. What names it stays.")

    create_contact: ContactPayload | None = contacts.create(
        "Add a contact. The e-mail address is `TAKEN` while another contact of the tenant has it."
    )
    create_contacts: ContactsPayload | None = create_all(contacts, "Add up to 500 contacts.")
    update_contact: ContactPayload | None = contacts.update("Change a contact.")
    delete_contact: ContactPayload | None = contacts.delete("Delete a contact. What names it stays.")
