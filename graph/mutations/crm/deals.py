"""Changing deals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import sqlalchemy as sa
import strawberry
from strawberry import ID

from db import models
from db.enums import ApprovalDomain
from graph.approvals.operations import Ready, operation
from graph.approvals.policies import policy
from graph.approvals.requests import perform
from graph.context import Info
from graph.errors import UserErrorCode
from graph.permissions import Permission
from graph.types.approvals import Approval
from graph.types.crm import Deal
from graph.writing.bulk import BulkPayload, create_all
from graph.writing.editing import Editing
from graph.writing.mutation import Payload, mutation, payload, written
from graph.writing.states import States
from graph.writing.users import assignee, check_active
from graph.writing.values import Draft
from graph.writing.work import Work, id_of, refusal


@payload("What became of a deal.")
class DealPayload(Payload):
    """A deal."""

    deal: Deal | None = written(models.Deal, "The deal, as it now is or last was.")
    approval: Approval | None = written(
        models.Approval, "What it waits for, where a policy lets others agree before it moves.", "approval"
    )


@payload("What became of each of several deals.")
class DealsPayload(BulkPayload):
    """Several deals."""

    results: list[DealPayload] = strawberry.field(description="One for each row, in their order.")


async def _rules(work: Work, draft: Draft) -> None:
    if draft.now("amount_minor") is not None and draft.now("currency") is None:
        draft.invalid("currency", "An amount takes a currency.")
    if draft.before is None:
        await _check_stage(work, draft)
        draft.values.setdefault("owner_user_id", work.viewer.user_id)
        await check_active(work, draft, "owner_user_id")


async def _check_stage(work: Work, draft: Draft) -> None:
    """A new deal starts where the client says; where moving takes approval, only at the first stage."""
    given = draft.values.get("stage_id")
    if given is not None and await policy(work, ApprovalDomain.DEAL_STAGE_MOVE) is None:
        return
    await _first_stage(work, draft)
    if given is not None and draft.values["stage_id"] != given:
        message = "Moving a deal takes approval: a new one starts at the first stage of its pipeline."
        draft.invalid("stage_id", message)


async def _first_stage(work: Work, draft: Draft) -> None:
    """Let a new deal start at the first stage of its pipeline."""
    pipeline_id = draft.values["pipeline_id"]
    pipeline, stage = models.DealPipeline.__table__.c, models.DealStage.__table__.c
    first = (
        sa.select(stage.id)
        .where(stage.tenant_id == pipeline.tenant_id, stage.pipeline_id == pipeline.id)
        .order_by(stage.order_index, stage.id)
        .limit(1)
        .scalar_subquery()
    )
    # Locked as the reference will lock it, or of a pipeline just being deleted the stage would be missed.
    statement = (
        sa.select(first)
        .where(pipeline.tenant_id == work.viewer.tenant_id, pipeline.id == pipeline_id)
        .with_for_update(read=True, key_share=True, of=models.DealPipeline.__table__)
    )

    async def look_up() -> Any:
        return (await work.execute(statement)).all()

    found = await work.once(("first stage", pipeline_id), look_up)
    if not found:
        draft.invalid("pipeline_id", "There is nothing with this id.", UserErrorCode.NOT_FOUND)
    elif found[0][0] is None:
        draft.invalid("pipeline_id", "This pipeline has no stage yet.")
    else:
        draft.values["stage_id"] = found[0][0]


deals = Editing(
    models.Deal,
    DealPayload,
    "contact_id company_id name amount_minor currency expected_close_at tags",
    fixed="pipeline_id stage_id owner_user_id",
    defaults={
        "stage_id": "Left out, it is the first of the pipeline.",
        "owner_user_id": "Left out, it is you; with null the deal is nobody's.",
    },
    create=Permission.DEALS_CREATE,
    update=Permission.DEALS_UPDATE,
    delete=Permission.DEALS_DELETE,
    rules=_rules,
)
deal_states = States(
    deals, "status", {"win": ("open", "won"), "lose": ("open", "lost"), "reopen": ("won lost", "open")}
)


@strawberry.input(description="Which deal goes to which stage.")
class MoveDealInput:
    """A step of a deal."""

    id: ID = strawberry.field(description="The id of the deal.")
    stage_id: ID = strawberry.field(description="The id of a stage of the deal's pipeline.")


@operation(ApprovalDomain.DEAL_STAGE_MOVE, "deal", "MoveDealInput", Permission.DEALS_MOVE, "move a deal")
async def move_a_deal(work: Work, given: Mapping[str, Any]) -> Ready:
    """An open deal and a stage of its pipeline."""
    deal = await deals.locked(work, given["id"], None, "id")
    if deal.status != "open":
        message = f"This deal is {deal.status}: open it again before you move it."
        raise refusal(UserErrorCode.CONFLICT, message, row=deal)
    stage_id = id_of(given["stageId"], "stageId")
    stage = models.DealStage.__table__.c
    # Locked as the reference will lock it, or a request could be for a stage that is just being deleted.
    statement = (
        sa.select(stage.id)
        .where(
            stage.tenant_id == work.viewer.tenant_id,
            stage.pipeline_id == deal.pipeline_id,
            stage.id == stage_id,
        )
        .with_for_update(read=True, key_share=True)
    )
    if (await work.execute(statement)).one_or_none() is None:
        raise refusal(UserErrorCode.NOT_FOUND, "There is nothing with this id.", "stageId")

    async def do(work: Work, approved: bool) -> Any:
        return await deals.change(work, deal, {"stage_id": stage_id}, "move")

    return Ready(
        deal,
        wanted={"stageId": str(stage_id)},
        found={"stageId": str(deal.stage_id)},
        do=do,
        changes=stage_id != deal.stage_id,
    )


@strawberry.input(description="Which deal becomes whose.")
class AssignDealInput:
    """A deal and a user."""

    id: ID = strawberry.field(description="The id of the deal.")
    owner_user_id: ID | None = strawberry.field(
        default=strawberry.UNSET, description="The id of an active user, or null for nobody."
    )


@strawberry.type
class DealsMutation:
    """Deals."""

    create_deal: DealPayload | None = deals.create("Open a deal.")
    create_deals: DealsPayload | None = create_all(deals, "Open up to 500 deals.")
    update_deal: DealPayload | None = deals.update(
        "Change a deal. Its stage changes by `moveDeal`, its status by `winDeal`, `loseDeal` and "
        "`reopenDeal`, its owner by `assignDeal`."
    )
    delete_deal: DealPayload | None = deals.delete("Delete a deal. What was done about it stays.")
    win_deal: DealPayload | None = deal_states.field("win", "Win an open deal.", Permission.DEALS_MOVE)
    lose_deal: DealPayload | None = deal_states.field("lose", "Lose an open deal.", Permission.DEALS_MOVE)
    reopen_deal: DealPayload | None = deal_states.field(
        "reopen", "Open a deal again that was won or lost; it stands where it stood.", Permission.DEALS_MOVE
    )

    @mutation(
        "Move an open deal to another stage of its pipeline. Under a policy for `deal.stage.move` it stays "
        "where it is, and the payload has the `approval` that it waits for.",
        needs=Permission.DEALS_MOVE,
    )
    async def move_deal(
        self, info: Info, input: Annotated[MoveDealInput, strawberry.argument(description="What goes where.")]
    ) -> DealPayload | None:
        """A stage of another pipeline is as if it were not there."""
        given = {"id": input.id, "stageId": input.stage_id}
        return await perform(info.context.work, move_a_deal, DealPayload, given)

    @mutation("Make a deal another user's, or nobody's.", needs=Permission.DEALS_UPDATE)
    async def assign_deal(
        self, info: Info, input: Annotated[AssignDealInput, strawberry.argument(description="What to whom.")]
    ) -> DealPayload | None:
        """Only an active user of the tenant can have it."""
        work = info.context.work
        deal = await deals.locked(work, input.id, None, "id")
        owner = await assignee(work, input.owner_user_id, "ownerUserId")
        return DealPayload.of(await deals.change(work, deal, {"owner_user_id": owner}, "assign"))
