"""State machines: the one way in which a state column changes."""

from collections.abc import Mapping
from typing import Any

from graph.errors import UserErrorCode
from graph.writing.editing import Editing
from graph.writing.work import Work, refusal


class States:
    """The steps that rows of a table may take, by name: from which states, to which.

        unit_states = States(units, "status", {"reserve": ("available", "reserved")})
        row = await unit_states.step(work, input.id, "reserve")

    Several states to come from are separated by spaces. Any other step is refused with CONFLICT.
    """

    def __init__(self, editing: Editing, column: str, steps: Mapping[str, tuple[str, str]]) -> None:
        self.editing, self.column = editing, column
        self.steps = {name: (frozenset(before.split()), after) for name, (before, after) in steps.items()}

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
