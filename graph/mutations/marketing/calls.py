"""Changing telemarketing calls, and making them."""

from __future__ import annotations

from typing import Annotated, Any

import strawberry
from strawberry import ID

from db import models
from graph.context import Info
from graph.errors import UserErrorCode
from graph.permissions import Permission
from graph.scalars import SCALARS, URL, DateTime, PhoneNumber
from graph.types.marketing import TelemarketingCall
from graph.writing.editing import Editing
from graph.writing.mutation import Payload, mutation, payload, written
from graph.writing.users import check_active
from graph.writing.values import Draft
from graph.writing.work import Refused, Work, refusal

LONGEST = 2**31 - 1
"""Seconds that a call may have lasted."""


@payload("What became of a call.")
class TelemarketingCallPayload(Payload):
    """A call."""

    telemarketing_call: TelemarketingCall | None = written(
        models.TelemarketingCall, "The call, as it now is or last was."
    )


async def _rules(work: Work, draft: Draft) -> None:
    if "phone_number" in draft.values:
        try:
            parse: Any = SCALARS[PhoneNumber].parse_value
            draft.values["phone_number"] = parse(draft.values["phone_number"])
        except ValueError:
            draft.invalid("phone_number", "This is no phone number.")
    ended = getattr(draft.before, "ended_at", None)
    if draft.values.get("outcome_code") is not None and ended is None:
        draft.invalid(
            "outcome_code", "What came of a call is known when it has ended.", UserErrorCode.CONFLICT
        )
    await check_active(work, draft, "agent_user_id")


calls = Editing(
    models.TelemarketingCall,
    TelemarketingCallPayload,
    "campaign_id agent_user_id contact_id lead_id phone_number outcome_code notes "
    "recording_url provider_session_id",
    fixed="scheduled_at",
    create=Permission.TELEMARKETING_MANAGE,
    update=Permission.TELEMARKETING_MANAGE,
    delete=Permission.TELEMARKETING_MANAGE,
    rules=_rules,
)


@strawberry.input(description="Which call is to be made when.")
class ScheduleCallInput:
    """A call and a time."""

    id: ID = strawberry.field(description="The id of a call that has not begun.")
    scheduled_at: DateTime = strawberry.field(description="When it is to be made.")


@strawberry.input(description="Which call begins.")
class StartCallInput:
    """A call."""

    id: ID = strawberry.field(description="The id of a call that has not begun.")


@strawberry.input(description="Which call has ended, and what came of it.")
class EndCallInput:
    """A call and its outcome."""

    id: ID = strawberry.field(description="The id of a call that has begun and not ended.")
    outcome_code: str | None = strawberry.field(
        default=strawberry.UNSET, description="What came of it, as the tenant codes it."
    )
    notes: str | None = strawberry.field(
        default=strawberry.UNSET, description="What to write down; left out, what is written down stays."
    )
    recording_url: URL | None = strawberry.field(
        default=strawberry.UNSET, description="Where its recording is; left out, that stays as it is."
    )


def state(call: Any) -> str:
    """How far a call has come: `planned`, `running` or `ended`, by its times."""
    if call.ended_at is not None:
        return "ended"
    return "planned" if call.started_at is None else "running"


async def _in_state(work: Work, id: str, wanted: str) -> Any:
    """The call, locked; Refused with CONFLICT unless it is in the state `wanted`."""
    call = await calls.locked(work, id, None, "id")
    if state(call) != wanted:
        raise refusal(UserErrorCode.CONFLICT, f"This call is {state(call)}, not {wanted}.", row=call)
    return call


@strawberry.type
class CallsMutation:
    """Telemarketing calls."""

    create_telemarketing_call: TelemarketingCallPayload | None = calls.create("Plan a call.")
    update_telemarketing_call: TelemarketingCallPayload | None = calls.update(
        "Change a call. When it is made changes by `scheduleCall`, `startCall` and `endCall`."
    )
    delete_telemarketing_call: TelemarketingCallPayload | None = calls.delete("Delete a call.")

    @mutation("Say when a call that has not begun is to be made.", needs=Permission.TELEMARKETING_MANAGE)
    async def schedule_call(
        self, info: Info, input: Annotated[ScheduleCallInput, strawberry.argument(description="What when.")]
    ) -> TelemarketingCallPayload | None:
        """Any time, also one that has passed: calls are entered late."""
        work = info.context.work
        call = await _in_state(work, input.id, "planned")
        values = {"scheduled_at": input.scheduled_at}
        return TelemarketingCallPayload.of(await calls.change(work, call, values, "schedule"))

    @mutation(
        "Begin a call, now. It becomes yours if it was nobody's.", needs=Permission.TELEMARKETING_MANAGE
    )
    async def start_call(
        self, info: Info, input: Annotated[StartCallInput, strawberry.argument(description="Which one.")]
    ) -> TelemarketingCallPayload | None:
        """Of two at once one begins it."""
        work = info.context.work
        call = await _in_state(work, input.id, "planned")
        agent = call.agent_user_id or work.viewer.user_id
        values = {"started_at": await work.moment(), "agent_user_id": agent}
        return TelemarketingCallPayload.of(await calls.change(work, call, values, "start"))

    @mutation(
        "End a call that has begun, now; how long it took is worked out.",
        needs=Permission.TELEMARKETING_MANAGE,
    )
    async def end_call(
        self, info: Info, input: Annotated[EndCallInput, strawberry.argument(description="Which, and how.")]
    ) -> TelemarketingCallPayload | None:
        """Of two at once one ends it."""
        work = info.context.work
        call = await _in_state(work, input.id, "running")
        said = {"outcomeCode": input.outcome_code, "notes": input.notes, "recordingUrl": input.recording_url}
        draft = Draft(call)
        given = {name: value for name, value in said.items() if value is not strawberry.UNSET}
        draft.take(calls.columns(creating=False), given)
        if draft.errors:
            raise Refused(*draft.errors, row=call)
        ended = await work.moment()
        # Whoever began it may have had another clock.
        seconds = min(max(int((ended - call.started_at).total_seconds()), 0), LONGEST)
        values = {**draft.values, "ended_at": ended, "talk_time_sec": seconds}
        return TelemarketingCallPayload.of(await calls.change(work, call, values, "end"))
