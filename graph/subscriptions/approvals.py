"""The feed of requests for approval."""

from __future__ import annotations

from enum import Enum

import strawberry

from db import models
from graph.relations import to_one
from graph.subscriptions.feed import FeedEvent, feed
from graph.types.approvals import Approval


@strawberry.enum(description="What happened to a request for approval.")
class ApprovalEventAction(Enum):
    """The actions of the topic `approval`."""

    REQUESTED = strawberry.enum_value("requested", description="It was made.")
    ADVANCED = strawberry.enum_value("advanced", description="A level agreed; the next one is asked.")
    APPROVED = strawberry.enum_value("approved", description="All levels agreed; it waits to be applied.")
    REJECTED = strawberry.enum_value("rejected", description="Somebody who may decide it did not agree.")
    CANCELLED = strawberry.enum_value("cancelled", description="It was taken back.")
    APPLIED = strawberry.enum_value("applied", description="The change that it asked for was made.")


@strawberry.type(description="Something that happened to a request for approval.")
class ApprovalEvent(FeedEvent):
    """An event of the topic `approval`."""

    action: ApprovalEventAction = strawberry.field(description="What happened.")
    approval: Approval = to_one(
        models.Approval.id,
        "The request as it is now, which may be further than this event brought it.",
        local="entity_id",
    )


@strawberry.type
class ApprovalsSubscription:
    """Requests that others must agree to."""

    approval_state_changed: ApprovalEvent | None = feed(
        models.Approval,
        "What happens to the requests that the viewer sees when it happens; the others are passed over.",
        told=ApprovalEvent,
        actions=ApprovalEventAction,
        topic="approval",
        row="approval",
        one="approval_id",
    )
