"""Changing companies, contacts, leads, deals and activities."""

from __future__ import annotations

from typing import Annotated

import strawberry
from strawberry import ID

from db import models
from graph.context import Info
from graph.filters import parse_id
from graph.permissions import Permission
from graph.types.crm import Company, Deal
from graph.writing.bulk import BulkPayload, create_all
from graph.writing.editing import Editing
from graph.writing.mutation import Payload, mutation, payload, written
from graph.writing.states import States


@payload("What became of a company.")
class CompanyPayload(Payload):
    """A company."""

    company: Company | None = written(models.Company, "The company, as it now is or last was.")


@payload("What became of each of several companies.")
class CompaniesPayload(BulkPayload):
    """Several companies."""

    results: list[CompanyPayload] = strawberry.field(description="One for each row, in their order.")


companies = Editing(
    models.Company,
    CompanyPayload,
    "name industry_code city country website",
    create=Permission.COMPANIES_CREATE,
    update=Permission.COMPANIES_UPDATE,
    delete=Permission.COMPANIES_DELETE,
)


@payload("What became of a deal.")
class DealPayload(Payload):
    """A deal."""

    deal: Deal | None = written(models.Deal, "The deal, as it now is or last was.")


deals = Editing(
    models.Deal,
    DealPayload,
    "contact_id company_id name amount_minor currency expected_close_at tags",
    fixed="pipeline_id stage_id owner_user_id",
    create=Permission.DEALS_CREATE,
    update=Permission.DEALS_UPDATE,
    delete=Permission.DEALS_DELETE,
)
deal_states = States(
    deals, "status", {"win": ("open", "won"), "lose": ("open", "lost"), "reopen": ("won lost", "open")}
)


@strawberry.input(description="Which deal goes to which stage.")
class MoveDealInput:
    """A step of a deal."""

    id: ID = strawberry.field(description="The id of the deal.")
    stage_id: ID = strawberry.field(description="The id of a stage of the deal's pipeline.")


@strawberry.input(description="Which deal is won.")
class WinDealInput:
    """A deal."""

    id: ID = strawberry.field(description="The id of the deal.")


@strawberry.type
class CrmMutation:
    """Companies and deals."""

    create_company: CompanyPayload | None = companies.create("Add a company.")
    create_companies: CompaniesPayload | None = create_all(companies, "Add up to 500 companies.")
    update_company: CompanyPayload | None = companies.update("Change a company.")
    delete_company: CompanyPayload | None = companies.delete("Delete a company; what names it stays.")
    create_deal: DealPayload | None = deals.create("Open a deal.")
    update_deal: DealPayload | None = deals.update("Change a deal; stage, status, owner have their own ways.")
    delete_deal: DealPayload | None = deals.delete("Delete a deal; what was done about it stays.")

    @mutation("Move a deal to another stage of its pipeline.", needs=Permission.DEALS_MOVE)
    async def move_deal(
        self, info: Info, input: Annotated[MoveDealInput, strawberry.argument(description="What goes where.")]
    ) -> DealPayload | None:
        """A stage of another pipeline is NOT_FOUND: the foreign key says so."""
        work = info.context.work
        deal = await deals.locked(work, input.id, None, "id")
        moved = await deals.change(work, deal, {"stage_id": parse_id(input.stage_id)}, "move")
        return DealPayload.of(moved)

    @mutation("Win an open deal.", needs=Permission.DEALS_MOVE)
    async def win_deal(
        self, info: Info, input: Annotated[WinDealInput, strawberry.argument(description="Which deal.")]
    ) -> DealPayload | None:
        """Open becomes won."""
        return DealPayload.of(await deal_states.step(info.context.work, input.id, "win"))
