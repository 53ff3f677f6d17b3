"""What is done about providers' reports."""

from __future__ import annotations

from typing import Annotated

import sqlalchemy as sa
import strawberry
from strawberry import ID

from db import models
from graph.context import Info
from graph.permissions import Permission
from graph.types.integrations import IntegrationWebhookLog
from graph.writing.editing import Editing
from graph.writing.mutation import Payload, mutation, payload, written


@payload("What became of a provider's call.")
class IntegrationWebhookLogPayload(Payload):
    """A call by a provider."""

    integration_webhook_log: IntegrationWebhookLog | None = written(
        models.IntegrationWebhookLog, "The call, as it now is or last was."
    )


calls = Editing(
    models.IntegrationWebhookLog,
    IntegrationWebhookLogPayload,
    "",
    create=Permission.INTEGRATIONS_MANAGE,
    update=Permission.INTEGRATIONS_MANAGE,
    delete=Permission.INTEGRATIONS_MANAGE,
)


@strawberry.input(description="Which call of a provider has been dealt with.")
class MarkWebhookProcessedInput:
    """A call, and whether it is done with."""

    id: ID = strawberry.field(description="The id of the IntegrationWebhookLog.")
    processed: bool = strawberry.field(
        default=True, description="Whether it has been dealt with; false puts it back."
    )


@strawberry.type
class IntegrationsMutation:
    """Calls by providers."""

    @mutation(
        "Mark a provider's call as dealt with, or as not dealt with.", needs=Permission.INTEGRATIONS_MANAGE
    )
    async def mark_webhook_processed(
        self,
        info: Info,
        input: Annotated[MarkWebhookProcessedInput, strawberry.argument(description="Which call.")],
    ) -> IntegrationWebhookLogPayload | None:
        """The audit log does not repeat what the call carried: nobody knows what is in there."""
        work, shown = info.context.work, calls.shown
        before = await calls.locked(work, input.id, None, "id")
        if before.processed == input.processed:
            return IntegrationWebhookLogPayload.of(before)
        table = shown.table
        changed = await work.execute(
            sa.update(table)
            .where(shown.scope(table, work.viewer), table.c.id == before.id)
            .values(processed=input.processed)
            .returning(*shown.select(table))
        )
        after = shown.row(tuple(changed.one()))
        entry = work.entry(f"{calls.entity}.mark_processed", shown, before, after)
        for side in ("before_data", "after_data"):
            del entry[side]["raw"]
        await work.write_down([entry])
        return IntegrationWebhookLogPayload.of(after)
