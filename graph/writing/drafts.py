"""Tables whose rows people change while they are drafts, and not once somebody relies on them."""

from typing import Any

from graph.errors import UserErrorCode
from graph.writing.editing import Editing
from graph.writing.values import Draft
from graph.writing.work import Work, refusal


class DraftEditing(Editing):
    """`Editing` by the state in `column`: rows change in `draft` alone, and are deleted in `removable`."""

    def __init__(self, *args: Any, column: str, removable: str = "draft", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._column, self._removable = column, removable.split()

    async def check(self, work: Work, draft: Draft) -> None:
        """Refused with CONFLICT, before anything else, where the row is no draft any more."""
        if draft.before is not None and getattr(draft.before, self._column) != "draft":
            raise self._refused(draft.before, "changed")
        if draft.before is None:
            draft.values[self._column] = "draft"
        await super().check(work, draft)

    async def remove(self, work: Work, before: Any) -> Any:
        """Delete the row, if its state allows that."""
        if getattr(before, self._column) not in self._removable:
            raise self._refused(before, "deleted")
        return await super().remove(work, before)

    def _refused(self, row: Any, done: str) -> Exception:
        message = f"This is {getattr(row, self._column)}: it cannot be {done} any more."
        return refusal(UserErrorCode.CONFLICT, message, row=row)
