"""Changing pipelines and their stages."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import sqlalchemy as sa
import strawberry
from strawberry import ID

from db import models
from graph.context import Info
from graph.errors import UserErrorCode
from graph.permissions import Permission
from graph.types.crm import DealPipeline, DealStage
from graph.writing.editing import Editing
from graph.writing.mutation import Payload, mutation, payload, written
from graph.writing.values import Draft
from graph.writing.work import Work, id_of, refusal

LAST_PLACE = 2**31 - 1
"""The largest `order_index`; stages that share a place stand in the order of their ids."""


@payload("What became of a pipeline.")
class DealPipelinePayload(Payload):
    """A pipeline."""

    deal_pipeline: DealPipeline | None = written(
        models.DealPipeline, "The pipeline, as it now is or last was."
    )


@payload("What became of a stage.")
class DealStagePayload(Payload):
    """A stage."""

    deal_stage: DealStage | None = written(models.DealStage, "The stage, as it now is or last was.")


pipelines = Editing(
    models.DealPipeline,
    DealPipelinePayload,
    "name",
    create=Permission.PIPELINES_MANAGE,
    update=Permission.PIPELINES_MANAGE,
    delete=Permission.PIPELINES_MANAGE,
)


async def _place(work: Work, draft: Draft) -> None:
    """A new stage without a place comes last."""
    if draft.before is not None or "order_index" in draft.values:
        return
    pipeline = await _locked(work, draft.values["pipeline_id"])
    if pipeline is None:
        draft.invalid("pipeline_id", "There is nothing with this id.", UserErrorCode.NOT_FOUND)
        return
    table = stages.shown.table
    last = sa.select(sa.func.max(table.c.order_index)).where(
        table.c.tenant_id == work.viewer.tenant_id, table.c.pipeline_id == pipeline.id
    )
    found = (await work.execute(last)).scalar_one()
    draft.values["order_index"] = 0 if found is None else min(found + 1, LAST_PLACE)


stages = Editing(
    models.DealStage,
    DealStagePayload,
    "code",
    fixed="pipeline_id order_index",
    defaults={"order_index": "Left out, the stage comes last."},
    create=Permission.PIPELINES_MANAGE,
    update=Permission.PIPELINES_MANAGE,
    delete=Permission.PIPELINES_MANAGE,
    rules=_place,
)


async def _locked(work: Work, id: UUID) -> Any:
    """The pipeline with this id, or None; whoever places its stages waits for the other.

    Not FOR UPDATE: whoever opens a deal holds the keys of pipeline and stage in either order, and would
    deadlock with it.
    """
    shown = pipelines.shown
    table = shown.table
    statement = sa.select(*shown.select(table)).where(shown.scope(table, work.viewer), table.c.id == id)
    row = (await work.execute(statement.with_for_update(key_share=True))).one_or_none()
    return None if row is None else shown.row(tuple(row))


@strawberry.input(description="The new order of a pipeline's stages.")
class ReorderStagesInput:
    """A pipeline and all of its stages."""

    pipeline_id: ID = strawberry.field(description="The id of the pipeline.")
    stage_ids: list[ID] = strawberry.field(
        description="The ids of all its stages, each once, in their new order."
    )


@strawberry.type
class PipelinesMutation:
    """Pipelines and stages."""

    create_deal_pipeline: DealPipelinePayload | None = pipelines.create("Add a pipeline.")
    update_deal_pipeline: DealPipelinePayload | None = pipelines.update("Change a pipeline.")
    delete_deal_pipeline: DealPipelinePayload | None = pipelines.delete(
        "Delete a pipeline that has neither stages nor deals."
    )

    create_deal_stage: DealStagePayload | None = stages.create("Add a stage to a pipeline.")
    update_deal_stage: DealStagePayload | None = stages.update("Change a stage.")
    delete_deal_stage: DealStagePayload | None = stages.delete("Delete a stage on which no deal stands.")

    @mutation(
        "Put the stages of a pipeline into another order. Their `orderIndex` is counted from 0 then.",
        needs=Permission.PIPELINES_MANAGE,
    )
    async def reorder_stages(
        self,
        info: Info,
        input: Annotated[ReorderStagesInput, strawberry.argument(description="All stages, in order.")],
    ) -> DealPipelinePayload | None:
        """Two at once take turns at the pipeline's lock."""
        work = info.context.work
        pipeline = await _locked(work, id_of(input.pipeline_id, "pipelineId"))
        if pipeline is None:
            raise refusal(UserErrorCode.NOT_FOUND, "There is nothing with this id.", "pipelineId")
        before = await _stages(work, pipeline.id)
        order = [id_of(id, "stageIds", str(place)) for place, id in enumerate(input.stage_ids)]
        for place, id in enumerate(order):
            if id not in before:
                message = "The pipeline has no stage with this id."
                raise refusal(UserErrorCode.NOT_FOUND, message, "stageIds", str(place), row=pipeline)
        if len(order) != len(before) or len(set(order)) != len(before):
            message = f"Name each of the pipeline's {len(before)} stages once."
            raise refusal(UserErrorCode.INVALID, message, "stageIds", row=pipeline)
        for place, id in enumerate(order):
            await stages.change(work, before[id], {"order_index": place}, "reorder")
        return DealPipelinePayload.of(pipeline)


async def _stages(work: Work, pipeline_id: UUID) -> dict[UUID, Any]:
    """The stages of a pipeline by id, locked: none can be deleted before the end."""
    shown = stages.shown
    table = shown.table
    statement = (
        sa.select(*shown.select(table))
        .where(shown.scope(table, work.viewer), table.c.pipeline_id == pipeline_id)
        .order_by(table.c.id)
        .with_for_update(key_share=True)
    )
    rows = [shown.row(tuple(row)) for row in await work.execute(statement)]
    return {row.id: row for row in rows}
