"""Mutations as fields: what they need, and the payload they answer with.

    @mutation("Give the lead to a user.", needs=Permission.LEADS_ASSIGN)
    async def assign_lead(self, info: Info, input: AssignLeadInput) -> LeadPayload: ...

The executor has opened `info.context.work` when the function runs, and commits it when the payload has been
read, if the payload has no errors.
"""

from collections.abc import Callable, Mapping
from typing import Any, Self

import strawberry
from sqlalchemy.exc import DBAPIError
from strawberry.types.base import has_object_definition

from db.base import Base
from graph.errors import Overtaken, UserError
from graph.inputs import camel_case
from graph.limits import MAX_TRIES
from graph.permissions import Permission
from graph.tables import TABLES, GatedField, TableType
from graph.writing import faults
from graph.writing.work import Refused


class MutationField(GatedField):
    """A root mutation that runs in a transaction of its own."""

    is_async = True

    @property
    def is_basic_field(self) -> bool:
        """Never: it does something."""
        return False

    async def get_result(self, source: Any, info: Any, args: list[Any], kwargs: Any) -> Any:
        """The payload; what was overtaken by others is done again from the beginning."""
        for _ in range(MAX_TRIES - 1):
            try:
                return await self._attempt(source, info, args, kwargs)
            except Overtaken:
                await info.context.begin()
            if info.context.answered is not None:  # a twin has done it meanwhile
                return None
        return await self._attempt(source, info, args, kwargs)

    async def _attempt(self, source: Any, info: Any, args: list[Any], kwargs: Any) -> Any:
        """The payload; before anything else is read, the permission."""
        work = info.context.work
        self.allow(work.viewer)
        try:
            payload = await self.perform(source, info, args, kwargs)
        except Refused as refused:
            return self.payload.refused(refused)
        except DBAPIError as error:
            escaped = faults.escaped(error, _fields(kwargs.get("input")))
            if escaped is None:
                raise
            return self.payload.refused(escaped)
        finally:
            info.context.settle()
        work.done = True
        return payload

    async def perform(self, source: Any, info: Any, args: list[Any], kwargs: Any) -> Any:
        """What the mutation does."""
        return await super().get_result(source, info, args, kwargs)

    @property
    def payload(self) -> "type[Payload]":
        """The type it answers with."""
        answered: Any = getattr(self.type, "of_type", self.type)
        assert has_object_definition(answered)
        assert issubclass(answered, Payload)
        return answered


def _fields(given: Any) -> set[str]:
    """The fields of an input, whichever way it was parsed."""
    if isinstance(given, Mapping):
        return set(given)
    return {camel_case(name) for name in getattr(given, "__dict__", ())}


def mutation(description: str, *, needs: Permission | None = None) -> Any:
    """A mutation, as the decorator of the function that does it. Its result is nullable in the schema."""
    result = MutationField(type_annotation=None, description=description)
    result.gate(needs)
    return result


class WrittenField(GatedField):
    """The row that a mutation wrote, for who may read it."""

    model: type[Base]
    attribute: str

    @property
    def is_basic_field(self) -> bool:
        """Never: reading takes the type's permission."""
        return False

    @property
    def target(self) -> TableType:
        """The table of the row."""
        return TABLES[self.model.__table__]  # type: ignore[index]

    def get_result(self, source: Any, info: Any, args: list[Any], kwargs: Any) -> Any:
        """The row, if the viewer may read its type."""
        self.target.allow(info.context.viewer)
        return getattr(source, self.attribute, None)


def written(model: type[Base], description: str, attribute: str = "row") -> Any:
    """The row of `model` that the mutation is about: `deal: Deal | None = written(models.Deal, …)`.

    A payload of several rows names them by `attribute`, and gets them as `Payload.of(row, attribute=other)`.
    """
    result = WrittenField(type_annotation=None, description=description)
    result.model, result.attribute = model, attribute
    return result


@strawberry.type
class Payload:
    """What a mutation answers: the row, and what the person must mend before it can be done."""

    errors: list[UserError] = strawberry.field(
        description="What to mend; while there is any, nothing was done."
    )
    row: strawberry.Private[Any] = None

    @classmethod
    def of(cls, row: Any, **others: Any) -> Self:
        """The payload of a mutation that wrote `row`, and `others`."""
        made = object.__new__(cls)
        made.__dict__.update(others, errors=[], row=row)
        return made

    @classmethod
    def refused(cls, refused: Refused) -> Self:
        """The payload of a mutation that was not done."""
        made = cls.of(refused.row)
        made.errors = refused.errors
        return made


def payload(description: str) -> Callable[[type], type]:
    """A payload type: `@payload("…") class DealPayload(Payload): deal: Deal | None = written(…)`."""
    return lambda origin: strawberry.type(origin, description=description)
