"""Changing activities."""

from __future__ import annotations

import strawberry

from db import models
from graph.permissions import Permission
from graph.types.crm import Activity
from graph.writing.editing import Editing
from graph.writing.mutation import Payload, payload, written
from graph.writing.states import States
from graph.writing.users import check_active
from graph.writing.values import Draft
from graph.writing.work import Work


@payload("What became of an activity.")
class ActivityPayload(Payload):
    """An activity."""

    activity: Activity | None = written(models.Activity, "The activity, as it now is or last was.")


async def _rules(work: Work, draft: Draft) -> None:
    if draft.before is None:
        draft.values.setdefault("owner_user_id", work.viewer.user_id)
    await check_active(work, draft, "owner_user_id")


activities = Editing(
    models.Activity,
    ActivityPayload,
    "type_code contact_id company_id deal_id owner_user_id subject description due_at",
    defaults={"owner_user_id": "Left out, it is you; with null the activity is nobody's."},
    create=Permission.ACTIVITIES_CREATE,
    update=Permission.ACTIVITIES_UPDATE,
    delete=Permission.ACTIVITIES_DELETE,
    rules=_rules,
)
activity_states = States(
    activities, "status", {"complete": ("open", "done"), "cancel": ("open", "cancelled")}
)


@strawberry.type
class ActivitiesMutation:
    """Activities."""

    create_activity: ActivityPayload | None = activities.create("Add an activity, still to be done.")
    update_activity: ActivityPayload | None = activities.update(
        "Change an activity. Its status changes by `completeActivity` and `cancelActivity`."
    )
    delete_activity: ActivityPayload | None = activities.delete("Delete an activity.")
    complete_activity: ActivityPayload | None = activity_states.field(
        "complete", "Say that an open activity is done.", Permission.ACTIVITIES_UPDATE
    )
    cancel_activity: ActivityPayload | None = activity_states.field(
        "cancel", "Say that an open activity will not be done.", Permission.ACTIVITIES_UPDATE
    )
