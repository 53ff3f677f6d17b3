"""State machines: the one way in which a state column changes."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import strawberry
from strawberry.annotation import StrawberryAnnotation
from strawberry.types.arguments import StrawberryArgument

from graph.errors import UserErrorCode
from graph.inputs import make_input
from graph.permissions import Permission
from graph.tables import type_namespace
from graph.writing.editing import Editing
from graph.writing.mutation import MutationField
from graph.writing.work import Work, refusal


class States:
    """The steps that rows of a table may take, by name: from which states, to which.

        unit_states = States(units, "status", {"reserve": ("available", "reserved")})
        reserve_unit: UnitPayload | None = unit_states.field("reserve", "Reserve a unit.", needs)

    or, where the mutation does more than that, `row = await unit_states.step(work, input.id, "reserve")`.
    Several states to come from are separated by spaces. Any other step is refused with CONFLICT.
    """

    def __init__(self, editing: Editing, column: str, steps: Mapping[str, tuple[str, str]]) -> None:
        self.editing, self.column = editing, column
        self.steps = {name: (frozenset(before.split()), after) for name, (before, after) in steps.items()}

    def field(self, step: str, description: str, needs: Permission) -> Any:
        """The mutation `reserveUnit(input: { id })` that takes a step and does nothing else."""
        made = StepField(type_annotation=None, description=description)
        made.states, made.step = self, step
        made.gate(needs)
        return made

    async def step(self, work: Work, id: str, name: str, **values: Any) -> Any:
        """The row with this id after the step, with `values` beside the state; audited as `entity.name`."""
        row = await self.editing.locked(work, id, None, "id")
        self.check(row, name)
        return await self.take(work, row, name, **values)

    def check(self, row: Any, name: str) -> None:
        """Refused with CONFLICT unless the row, locked, may take the step."""
        state = getattr(row, self.column)
        if state not in self.steps[name][0]:
            message = f"This is {state}: it cannot {name.replace('_', ' ')} from there."
            raise refusal(UserErrorCode.CONFLICT, message, row=row)

    async def take(self, work: Work, row: Any, name: str, **values: Any) -> Any:
        """The row, checked and locked, after the step."""
        return await self.editing.change(work, row, {self.column: self.steps[name][1], **values}, name)


class StepField(MutationField):
    """One step of a state machine."""

    states: States
    step: str

    @cached_property
    def arguments(self) -> list[StrawberryArgument]:
        """`input`, with the id of the row."""
        shown = self.states.editing.shown
        what = f"Which {shown.name} to {self.step}."
        fields = {"id": ("id", strawberry.ID, f"The id of the {shown.name}.")}
        made: Any = make_input(f"{self.step.capitalize()}{shown.name}Input", what, fields)
        kind = StrawberryAnnotation(made, namespace=type_namespace)
        return [StrawberryArgument("input", None, kind, description=what)]

    async def perform(self, source: Any, info: Any, args: list[Any], kwargs: Any) -> Any:
        """The row after the step."""
        row = await self.states.step(info.context.work, kwargs["input"]["id"], self.step)
        return self.payload.of(row)
