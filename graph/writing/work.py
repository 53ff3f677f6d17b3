"""The work of one root mutation: its transaction, who asks, and what goes into the audit log."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa

from db.models import AuditLog
from graph.auth.viewer import Viewer
from graph.errors import BadInput, UserError, UserErrorCode
from graph.filters import parse_id
from graph.snapshot import Change
from graph.tables import TableType

T = TypeVar("T")

# Not now(), when the transaction began: of two that change a row, the one that waited may have begun first.
_AUDIT = sa.insert(AuditLog).values(created_at=sa.func.clock_timestamp())


class Refused(Exception):
    """The mutation is not done, for reasons that the person can mend; `row` is the row as it is."""

    def __init__(self, *errors: UserError, row: Any = None) -> None:
        super().__init__(", ".join(error.message for error in errors))
        self.errors = list(errors)
        self.row = row

    def below(self, name: str) -> "Refused":
        """The same of an input within the input, in its field `name`; the row is another type's."""
        return Refused(
            *[
                UserError(code=e.code, field=e.field and ["input", name, *e.field[1:]], message=e.message)
                for e in self.errors
            ]
        )


def refusal(code: UserErrorCode, message: str, *field: str, row: Any = None) -> Refused:
    """One reason, about the input field whose path is `field`."""
    return Refused(UserError(code=code, field=["input", *field] if field else None, message=message), row=row)


def id_of(given: str, *field: str) -> UUID:
    """An id that a client gave in `field`; Refused if it is none."""
    try:
        return parse_id(given)
    except BadInput as error:
        raise refusal(UserErrorCode.INVALID, str(error), *field) from None


@dataclass
class Work:
    """What a root mutation does its work with. Everything here is one transaction."""

    viewer: Viewer
    transaction: Change
    ip: str | None
    user_agent: str | None
    done: bool = False
    """Whether the mutation answered without errors: only then is the transaction committed."""
    keep: bool = True
    """Whether what was done is to stay; a dry run says no."""
    found: dict[Any, Any] = field(default_factory=dict, init=False)
    """What rules have looked up, for `once`."""

    async def execute(self, statement: sa.Executable) -> sa.CursorResult[Any]:
        """The result of a statement."""
        return await self.transaction.execute(statement)

    async def moment(self) -> datetime:
        """The time by the database's clock, for columns that say when something was done."""
        found: datetime = (await self.execute(sa.select(sa.func.clock_timestamp()))).scalar_one()
        return found

    async def once(self, key: Any, look_up: Callable[[], Awaitable[T]]) -> T:
        """What `look_up` finds; the rows of a bulk that need the same share one statement."""
        if key not in self.found:
            self.found[key] = await look_up()
        found: T = self.found[key]
        return found

    async def read(self, shown: TableType, id: UUID, *, lock: bool = False) -> Any:
        """The row of `shown` with this id that the viewer may see, or None; `lock` until the end."""
        source = shown.table
        statement = sa.select(*shown.select(source)).where(
            shown.scope(source, self.viewer), source.c[shown.key[0]] == id
        )
        if lock:
            # Codes without a tenant may be read, and are nobody's to change.
            own = source.c.get("tenant_id", source.c[shown.key[0]]) == self.viewer.tenant_id
            statement = statement.where(own).with_for_update()
        row = (await self.execute(statement)).one_or_none()
        return None if row is None else shown.row(tuple(row))

    async def audit(self, action: str, shown: TableType, before: Any = None, after: Any = None) -> None:
        """Write down that `action` (`deal.update`) turned the row `before` into `after`.

        What the type does not show, secrets among it, is in neither.
        """
        await self.write_down([self.entry(action, shown, before, after)])

    async def write_down(self, entries: list[dict[str, Any]]) -> None:
        """Add rows to the audit log."""
        await self.transaction.execute(_AUDIT, entries)

    async def note(
        self, action: str, id: UUID | None, after: dict[str, Any] | None, before: dict[str, Any] | None = None
    ) -> None:
        """Write down an `action` that is not the change of one row shown: to what, what it was and became."""
        about = {"entity_type": action.partition(".")[0], "entity_id": id}
        data = {"before_data": before, "after_data": after}
        await self.write_down([self._done(action) | about | data])

    def entry(self, action: str, shown: TableType, before: Any = None, after: Any = None) -> dict[str, Any]:
        """The row of the audit log for `audit`, for those who write many at once."""
        row = after if after is not None else before
        about = {
            "entity_type": action.partition(".")[0],
            "entity_id": getattr(row, shown.key[0], None),
            "before_data": plain(shown, before),
            "after_data": plain(shown, after),
        }
        return self._done(action) | about

    def _done(self, action: str) -> dict[str, Any]:
        return {
            "tenant_id": self.viewer.tenant_id,
            "user_id": self.viewer.user_id,
            "action": action,
            "ip_address": self.ip,
            "user_agent": self.user_agent,
        }


def plain(shown: TableType, row: Any) -> Any:
    """What `shown` shows of the row, for a column of JSON."""
    return None if row is None else {name: getattr(row, name) for name in shown.columns}
