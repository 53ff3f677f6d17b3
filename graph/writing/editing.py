"""`createThing`, `updateThing`, `deleteThing`, from what a table says of itself and a few lines of its own.

    companies = Editing(
        models.Company,
        CompanyPayload,
        "name industry_code city country website",
        create=Permission.COMPANIES_CREATE,
        update=Permission.COMPANIES_UPDATE,
        delete=Permission.COMPANIES_DELETE,
    )

    class CrmMutation:
        create_company: CompanyPayload | None = companies.create("Add a company.")

The inputs are made from the columns named: types and descriptions are those of the type that shows them.
"""

import sys
from collections.abc import Awaitable, Callable, Mapping
from functools import cache, cached_property
from typing import Any
from uuid import UUID

import sqlalchemy as sa
import strawberry
from sqlalchemy.exc import DBAPIError
from strawberry.annotation import StrawberryAnnotation
from strawberry.types.arguments import StrawberryArgument

from db.base import Base
from graph.errors import UserErrorCode
from graph.inputs import camel_case, make_input
from graph.limits import AUDITED_IDS
from graph.permissions import Permission
from graph.scalars import DateTime
from graph.stored import differs
from graph.tables import TABLES, TableType, type_namespace
from graph.writing import faults
from graph.writing.mutation import MutationField, Payload
from graph.writing.values import Draft
from graph.writing.work import Refused, Work, id_of, refusal

Rules = Callable[[Work, Draft], Awaitable[None]]
"""What a table adds: it reads and changes `draft.values`, and says with `draft.invalid` what is wrong."""


Room = Callable[[Work, int], Awaitable[None]]
"""Whether the tenant's plan has room for so many more rows; Refused with LIMIT_REACHED if not."""


async def _no_rules(work: Work, draft: Draft) -> None:
    pass


async def _boundless(work: Work, rows: int) -> None:
    pass


class Editing:
    """What people may change of a table, and how.

    `columns` are those an input has, by name, separated by spaces; `fixed` are the ones that only the
    create input has. `defaults` are columns that `rules` fill in where a client leaves them out, with what
    the create input says of that. `rules` run before every create and update, `make_room` before rows are
    added.
    """

    def __init__(
        self,
        model: type[Base],
        payload: type[Payload],
        columns: str,
        *,
        fixed: str = "",
        defaults: Mapping[str, str] = {},
        create: Permission,
        update: Permission,
        delete: Permission,
        rules: Rules = _no_rules,
        make_room: Room = _boundless,
    ) -> None:
        self.model, self.payload = model, payload
        self.permissions = {"create": create, "update": update, "delete": delete}
        self.rules, self.make_room = rules, make_room
        self._columns, self._fixed, self._defaults = columns.split(), fixed.split(), defaults

    @cached_property
    def shown(self) -> TableType:
        """The table and the type that shows it."""
        return TABLES[self.model.__table__]  # type: ignore[index]

    @cached_property
    def entity(self) -> str:
        """The name in the audit log: `deal`, `unit_component`."""
        name = self.shown.name
        return "".join(f"_{char.lower()}" if char.isupper() else char for char in name).strip("_")

    def columns(self, *, creating: bool) -> dict[str, sa.Column[Any]]:
        """The columns of the create or the update input, by GraphQL name."""
        names = [*self._fixed, *self._columns] if creating else self._columns
        return {camel_case(name): self.shown.table.c[name] for name in names}

    def create(self, description: str) -> Any:
        """`createThing(input)`."""
        return self._field(CreateField, description, "create")

    def update(self, description: str) -> Any:
        """`updateThing(id, input, ifUpdatedAt)`: what is absent stays, what is null is cleared."""
        return self._field(UpdateField, description, "update")

    def delete(self, description: str) -> Any:
        """`deleteThing(id, ifUpdatedAt)`, refused while it would take other rows along."""
        return self._field(DeleteField, description, "delete")

    def _field(self, kind: "type[EditField]", description: str, verb: str) -> Any:
        made = kind(type_annotation=None, description=description)
        made.editing, made.verb = self, verb
        made.gate(self.permissions[verb])
        return made

    def input(self, *, creating: bool, name: str | None = None) -> type:
        """The input type, made once."""
        name = name or f"{'Create' if creating else 'Update'}{self.shown.name}Input"
        if name not in type_namespace:
            fields = {
                graphql_name: (column.name, self._annotation(column, creating), self._help(column, creating))
                for graphql_name, column in self.columns(creating=creating).items()
            }
            what = "What a new row holds." if creating else "What changes: absent stays, null is cleared."
            names = {**sys.modules[self.shown.origin.__module__].__dict__, **type_namespace}
            make_input(name, what, fields, names)
        made: type = type_namespace[name]
        return made

    def _annotation(self, column: sa.Column[Any], creating: bool) -> str:
        kind = str(self.shown.origin.__annotations__[column.name]).removesuffix(" | None")
        filled = column.server_default is not None or column.name in self._defaults
        required = creating and not column.nullable and not filled
        return kind if required else f"{kind} | None"

    def _help(self, column: sa.Column[Any], creating: bool) -> str:
        description = self.shown.fields[column.name].description or ""
        return f"{description} {self._defaults.get(column.name, '') if creating else ''}".strip()

    async def insert(self, work: Work, given: Mapping[str, Any], *path: str) -> Any:
        """A new row with what the client gave; Refused where that cannot be."""
        draft = Draft(None, *path)
        draft.take(self.columns(creating=True), given)
        return await self.insert_draft(work, draft)

    async def insert_draft(self, work: Work, draft: Draft, action: str = "create") -> Any:
        """A new row as drafted, by the table's rules; written down as `entity.action`."""
        await self.check(work, draft)
        await self.make_room(work, 1)
        table = self.shown.table
        statement = (
            sa.insert(table)
            .values(tenant_id=work.viewer.tenant_id, **draft.values)
            .returning(*self.shown.select(table))
        )
        row = self.shown.row(tuple((await self.attempt(work, statement, *draft.path)).one()))
        await work.audit(f"{self.entity}.{action}", self.shown, after=row)
        return row

    async def change(self, work: Work, before: Any, values: dict[str, Any], action: str = "update") -> Any:
        """The row `before`, locked by this transaction, with `values`; written down as `entity.action`."""
        values = {name: new for name, new in values.items() if differs(getattr(before, name, None), new)}
        if not values:
            return before
        table, key = self.shown.table, self.shown.key[0]
        statement = (
            sa.update(table)
            .where(self.shown.scope(table, work.viewer), table.c[key] == getattr(before, key))
            .values(**values)
            .returning(*self.shown.select(table))
        )
        row = self.shown.row(tuple((await self.attempt(work, statement)).one()))
        await work.audit(f"{self.entity}.{action}", self.shown, before, row)
        return row

    async def locked(self, work: Work, id: str, if_updated_at: Any = None, *field: str) -> Any:
        """The row with this id, locked; Refused if it is not there or newer than `if_updated_at`."""
        before = await work.read(self.shown, id_of(id, *field), lock=True)
        if before is None:
            raise refusal(UserErrorCode.NOT_FOUND, "There is nothing with this id.", *field)
        if if_updated_at is not None and before.updated_at != if_updated_at:
            raise refusal(UserErrorCode.STALE, "This has changed since you read it.", row=before)
        return before

    async def attempt(self, work: Work, statement: sa.Executable, *path: str) -> sa.CursorResult[Any]:
        """The result of a write; Refused where the database's own checks say no."""
        try:
            return await work.execute(statement)
        except DBAPIError as error:
            refused = faults.refused(error, self.shown.table, *path)
            if refused is None:
                raise
            raise refused from None

    async def check(self, work: Work, draft: Draft) -> None:
        """Apply the table's rules to what a client gave; Refused if anything is wrong with it."""
        if not draft.errors:
            await self.rules(work, draft)
        if draft.errors:
            raise Refused(*draft.errors, row=draft.before)

    async def remove(self, work: Work, before: Any) -> Any:
        """Delete the row `before`; Refused with the counts while rows that people list depend on it."""
        used = await self._dependents(work, before.id)
        if used:
            counts = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in used.items())
            raise refusal(UserErrorCode.IN_USE, f"This is still used by {counts}.", row=before)
        table = self.shown.table
        await self.attempt(
            work, sa.delete(table).where(self.shown.scope(table, work.viewer), table.c.id == before.id)
        )
        await work.audit(f"{self.entity}.delete", self.shown, before)
        return before

    async def lock_loose(self, work: Work, id: UUID) -> dict[str, list[str]]:
        """Lock the rows that will name nothing once the row with this id is deleted; their ids by column.

        Whoever changes one of them locks it before the row that it names, and would deadlock with a delete
        that locked that row first.
        """
        found: dict[str, list[str]] = {}
        for other, column in loose(self.shown.table):
            naming = sa.select(other.c.id).where(
                other.c.tenant_id == work.viewer.tenant_id, other.c[column] == id
            )
            ids = await work.execute(naming.order_by(other.c.id).with_for_update(key_share=True))
            found[f"{other.name}.{column}"] = [str(each) for each in ids.scalars()]
        return {column: ids for column, ids in found.items() if ids}

    async def _dependents(self, work: Work, id: Any) -> dict[str, int]:
        """How many rows of which tables would go along, or stand in the way."""
        counts = [
            sa.select(sa.literal(other.name).label("name"), sa.func.count().label("count"))
            .select_from(other)
            .where(other.c.tenant_id == work.viewer.tenant_id, other.c[column] == id)
            for other, column in dependents(self.shown.table)
        ]
        if not counts:
            return {}
        rows = (await work.execute(sa.union_all(*counts))).all()
        return {name: count for name, count in map(tuple, rows) if count}


def dependents(table: sa.Table) -> list[tuple[sa.Table, str]]:
    """The tables, and their columns, whose rows a delete in `table` would take along or be stopped by."""
    return [(other, column) for other, column, kept in _references(table) if not kept]


@cache
def loose(table: sa.Table) -> list[tuple[sa.Table, str]]:
    """The tables, and their columns, in which a delete in `table` sets NULL; no table after one it names."""
    order = table.metadata.sorted_tables
    found = [(other, column) for other, column, kept in _references(table) if kept]
    return sorted(found, key=lambda item: order.index(item[0]), reverse=True)


def _references(table: sa.Table) -> list[tuple[sa.Table, str, bool]]:
    """What refers to `table`, and whether its rows stay when the row they name is deleted."""
    found = [
        (shown.table, element.parent.name, (key.ondelete or "").startswith("SET NULL"))
        for shown in TABLES.values()
        for key in shown.table.foreign_key_constraints
        for element in key.elements
        if key.referred_table is table and element.column.name == "id"
    ]
    return list(dict.fromkeys(found))


class EditField(MutationField):
    """One of the three mutations of a table."""

    editing: Editing
    verb: str

    async def perform(self, source: Any, info: Any, args: list[Any], kwargs: Any) -> Any:
        """Do it, and answer with the row."""
        return self.editing.payload.of(await self.edit(info.context.work, **kwargs))

    async def edit(self, work: Work, **kwargs: Any) -> Any:
        """The row, after."""
        raise NotImplementedError


def _argument(name: str, annotation: Any, description: str) -> StrawberryArgument:
    kind = StrawberryAnnotation(annotation, namespace=type_namespace)
    return StrawberryArgument(name, None, kind, description=description)


def _id(shown: TableType) -> StrawberryArgument:
    return _argument("id", strawberry.ID, f"The id of the {shown.name}.")


def _condition() -> StrawberryArgument:
    help_text = "The `updatedAt` that you read: with a newer row nothing is done, and the error is `STALE`."
    return _argument("if_updated_at", DateTime | None, help_text)


class CreateField(EditField):
    """`createThing`."""

    @cached_property
    def arguments(self) -> list[StrawberryArgument]:
        """`input`."""
        return [_argument("input", self.editing.input(creating=True), "The new row.")]

    async def edit(self, work: Work, *, input: Mapping[str, Any]) -> Any:  # type: ignore[override]
        """The new row."""
        return await self.editing.insert(work, input)


class UpdateField(EditField):
    """`updateThing`."""

    @cached_property
    def arguments(self) -> list[StrawberryArgument]:
        """`id`, `input`, `ifUpdatedAt`."""
        given = _argument("input", self.editing.input(creating=False), "What changes.")
        return [_id(self.editing.shown), given, _condition()]

    async def edit(  # type: ignore[override]
        self, work: Work, *, id: str, input: Mapping[str, Any], if_updated_at: Any = None
    ) -> Any:
        """The row as changed."""
        editing = self.editing
        draft = Draft(await editing.locked(work, id, if_updated_at))
        draft.take(editing.columns(creating=False), input)
        await editing.check(work, draft)
        return await editing.change(work, draft.before, draft.values)


class DeleteField(EditField):
    """`deleteThing`."""

    @cached_property
    def arguments(self) -> list[StrawberryArgument]:
        """`id`, `ifUpdatedAt`."""
        return [_id(self.editing.shown), _condition()]

    async def edit(self, work: Work, *, id: str, if_updated_at: Any = None) -> Any:  # type: ignore[override]
        """The row as it was."""
        unlinked = await self.editing.lock_loose(work, id_of(id))
        row = await self.editing.remove(work, await self.editing.locked(work, id, if_updated_at))
        for column, ids in unlinked.items():
            for start in range(0, len(ids), AUDITED_IDS):
                some = {column: ids[start : start + AUDITED_IDS]}
                await work.note(f"{self.editing.entity}.unlink", row.id, None, some)
        return row
