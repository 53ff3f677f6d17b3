"""Changing leads, and making deals of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

import strawberry
from strawberry import ID

from db import models
from graph.context import Info
from graph.errors import Forbidden, UserErrorCode
from graph.inputs import make_input
from graph.mutations.crm.deals import deals
from graph.mutations.crm.parties import companies, contacts
from graph.permissions import Permission
from graph.types.crm import Company, Contact, Deal, Lead
from graph.writing.bulk import BulkPayload, create_all
from graph.writing.editing import Editing
from graph.writing.mutation import Payload, mutation, payload, written
from graph.writing.users import assignee, check_active, is_active
from graph.writing.values import Draft
from graph.writing.work import Work, id_of, refusal

CONVERTED = "converted"
"""The one status code that means something here: the lead became a deal, by `convertLead`, once."""


@payload("What became of a lead.")
class LeadPayload(Payload):
    """A lead."""

    lead: Lead | None = written(models.Lead, "The lead, as it now is or last was.")


@payload("What became of each of several leads.")
class LeadsPayload(BulkPayload):
    """Several leads."""

    results: list[LeadPayload] = strawberry.field(description="One for each row, in their order.")


@payload("What became of a lead that was to become a deal.")
class ConvertLeadPayload(Payload):
    """A lead and what it turned into."""

    lead: Lead | None = written(models.Lead, "The lead, as it now is or last was.")
    contact: Contact | None = written(models.Contact, "The person interested, new or not.", "contact")
    company: Company | None = written(models.Company, "The firm interested, new or not.", "company")
    deal: Deal | None = written(models.Deal, "The new deal.", "deal")


async def _rules(work: Work, draft: Draft) -> None:
    code, before = draft.values.get("status_code"), getattr(draft.before, "status_code", None)
    if before == CONVERTED and code not in (None, CONVERTED):
        draft.invalid("status_code", "This lead is converted, and stays so.", UserErrorCode.CONFLICT)
    elif code is not None and code.casefold() == CONVERTED and before != CONVERTED:
        draft.invalid("status_code", "A lead is converted by `convertLead` alone.")
    if draft.values.get("assigned_to") not in (None, work.viewer.user_id):
        _need(work, Permission.LEADS_ASSIGN)
        await check_active(work, draft, "assigned_to")


leads = Editing(
    models.Lead,
    LeadPayload,
    "contact_id company_id source_code status_code score attributes tags",
    fixed="assigned_to",
    defaults={"assigned_to": "Another one than you takes the permission LEADS_ASSIGN."},
    create=Permission.LEADS_CREATE,
    update=Permission.LEADS_UPDATE,
    delete=Permission.LEADS_DELETE,
    rules=_rules,
)


def _need(work: Work, permission: Permission) -> None:
    if not work.viewer.has(permission):
        raise Forbidden(permission)


@strawberry.input(description="Which lead is followed up by whom.")
class AssignLeadInput:
    """A lead and a user."""

    id: ID = strawberry.field(description="The id of the lead.")
    assigned_to: ID | None = strawberry.field(
        default=strawberry.UNSET, description="The id of an active user, or null for nobody."
    )


for editing in (deals, contacts, companies):
    editing.input(creating=True)
ConvertLeadInput: Any = make_input(
    "ConvertLeadInput",
    "Which lead becomes what. The deal is with a contact, a company or both: each is the lead's own, or one "
    "that `deal` names, or a new one.",
    {
        "id": ("id", ID, "The id of the lead."),
        "deal": (
            "deal",
            "CreateDealInput",
            "The deal. Left out, its owner is who followed the lead up, or else you; `contactId` and "
            "`companyId` are for a lead that has none and name those that the tenant has already.",
        ),
        "contact": (
            "contact",
            "CreateContactInput | None",
            "A new contact, for a lead that has none; takes CONTACTS_CREATE. Left out, its `companyId` is "
            "the company of the deal.",
        ),
        "company": (
            "company",
            "CreateCompanyInput | None",
            "A new company, for a lead that has none; takes COMPANIES_CREATE.",
        ),
    },
)


@strawberry.type
class LeadsMutation:
    """Leads."""

    create_lead: LeadPayload | None = leads.create("Add a lead.")
    create_leads: LeadsPayload | None = create_all(leads, "Add up to 500 leads.")
    update_lead: LeadPayload | None = leads.update(
        "Change a lead. Who follows it up changes by `assignLead`; `converted` it becomes by `convertLead`."
    )
    delete_lead: LeadPayload | None = leads.delete("Delete a lead. The calls about it stay.")

    @mutation("Give a lead to a user to follow up, or to nobody.", needs=Permission.LEADS_ASSIGN)
    async def assign_lead(
        self, info: Info, input: Annotated[AssignLeadInput, strawberry.argument(description="What to whom.")]
    ) -> LeadPayload | None:
        """Only an active user of the tenant can have it."""
        work = info.context.work
        lead = await leads.locked(work, input.id, None, "id")
        user_id = await assignee(work, input.assigned_to, "assignedTo")
        return LeadPayload.of(await leads.change(work, lead, {"assigned_to": user_id}, "assign"))

    @mutation(
        "Make a deal of a lead, with a contact and a company where it has none. Its status code becomes "
        "`converted`, and a second time is a `CONFLICT`. Takes DEALS_CREATE as well, and CONTACTS_CREATE or "
        "COMPANIES_CREATE for what is new.",
        needs=Permission.LEADS_CONVERT,
    )
    async def convert_lead(
        self, info: Info, input: Annotated[ConvertLeadInput, strawberry.argument(description="What of it.")]
    ) -> ConvertLeadPayload | None:
        """The lead's lock makes two at once take turns."""
        work, given = info.context.work, dict(input)
        _need(work, Permission.DEALS_CREATE)
        for name, permission in _MADE.items():
            if given.get(name) is not None:
                _need(work, permission)
        lead = await leads.locked(work, given["id"], None, "id")
        if lead.status_code == CONVERTED:
            raise refusal(UserErrorCode.CONFLICT, "This lead is converted already.", row=lead)
        deal = dict(given["deal"])
        company_id = await _party(work, lead, companies, given.get("company"), deal)
        contact = given.get("contact")
        if contact is not None:
            contact = {"companyId": company_id and str(company_id), **contact}
        contact_id = await _party(work, lead, contacts, contact, deal)
        if contact_id is None and company_id is None:
            raise refusal(UserErrorCode.INVALID, "Name or add a contact or a company.", row=lead)
        if "ownerUserId" not in deal and lead.assigned_to and await is_active(work, lead.assigned_to):
            deal["ownerUserId"] = str(lead.assigned_to)
        # The deal before the lead: an id that is not there is then said to be the deal's, where it was given.
        made = await deals.insert(work, deal, "deal")
        values = {"status_code": CONVERTED, "contact_id": contact_id, "company_id": company_id}
        return ConvertLeadPayload.of(
            await leads.change(work, lead, values, "convert"),
            deal=made,
            contact=contact_id and await work.read(contacts.shown, contact_id),
            company=company_id and await work.read(companies.shown, company_id),
        )


_MADE = {"contact": Permission.CONTACTS_CREATE, "company": Permission.COMPANIES_CREATE}


async def _party(
    work: Work, lead: Any, editing: Editing, new: Mapping[str, Any] | None, deal: dict[str, Any]
) -> UUID | None:
    """The id of the contact or company of the deal, which is told of it; made if `new`."""
    name = editing.entity
    own: UUID | None = getattr(lead, f"{name}_id")
    named = None if deal.get(f"{name}Id") is None else id_of(deal[f"{name}Id"], "deal", f"{name}Id")
    if new is not None and (own or named) is not None:
        message = f"There is a {name} already: of the lead, or named for the deal."
        raise refusal(UserErrorCode.INVALID, message, name, row=lead)
    if None not in (named, own) and named != own:
        raise refusal(UserErrorCode.INVALID, f"The lead has another {name}.", "deal", f"{name}Id", row=lead)
    if new is not None:
        own = (await editing.insert(work, new, name)).id
    own = own or named
    deal[f"{name}Id"] = own and str(own)
    return own
