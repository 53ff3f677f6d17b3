"""Changing a tenant's own codes of types, and checking what names a code.

A tenant reads M3Core's codes and its own; its own rules where both have the same. Nothing but this keeps
units and components to codes that exist: the master document has no foreign key there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
import strawberry
from sqlalchemy.orm import InstrumentedAttribute

from db import models
from db.base import Base
from graph.errors import UserErrorCode
from graph.permissions import Permission
from graph.types.inventory import ComponentTypeCode, UnitTypeCode
from graph.writing.editing import Editing
from graph.writing.mutation import Payload, payload, written
from graph.writing.values import Draft
from graph.writing.work import Work, refusal


@payload("What became of a type of unit.")
class UnitTypeCodePayload(Payload):
    """A type of unit."""

    unit_type_code: UnitTypeCode | None = written(
        models.UnitTypeCode, "The type of unit, as it now is or last was."
    )


@payload("What became of a type of component.")
class ComponentTypeCodePayload(Payload):
    """A type of component."""

    component_type_code: ComponentTypeCode | None = written(
        models.ComponentTypeCode, "The type of component, as it now is or last was."
    )


class Dictionary(Editing):
    """A table of codes; `uses` are the columns that hold its codes."""

    def __init__(self, model: type[Base], payload: type[Payload], *uses: InstrumentedAttribute[Any]) -> None:
        manage = Permission.INVENTORY_MANAGE
        super().__init__(
            model,
            payload,
            "code label is_active",
            create=manage,
            update=manage,
            delete=manage,
            rules=self._keep_used,
        )
        self.uses: Sequence[InstrumentedAttribute[Any]] = uses

    async def remove(self, work: Work, before: Any) -> Any:
        """Delete a code; Refused while rows have it and M3Core has none of that name."""
        await self._check_unused(work, before)
        return await super().remove(work, before)

    async def check_named(self, work: Work, draft: Draft, column: str) -> None:
        """Say what is wrong with the code that a client gives for `column`, unless it had that before.

        A code of the tenant's own that is named does not go away before the end of the transaction.
        """
        code = draft.values.get(column)
        if code is None or code == getattr(draft.before, column, None):
            return
        active = await work.once((self.shown.table, code), lambda: self._look_up(work, code))
        if active is None:
            draft.invalid(column, "There is no such code.", UserErrorCode.NOT_FOUND)
        elif not active:
            draft.invalid(column, "This code is no longer offered.")

    async def _look_up(self, work: Work, code: str) -> bool | None:
        """Whether a code is active; None if there is none of that name."""
        c = self.shown.table.c
        found = sa.select(sa.func.coalesce(c.is_active, sa.true())).where(c.code == code)
        own = found.where(c.tenant_id == work.viewer.tenant_id).with_for_update(read=True)
        active = (await work.execute(own)).scalar_one_or_none()
        if active is None:
            active = (await work.execute(found.where(c.tenant_id.is_(None)))).scalar_one_or_none()
        return active

    async def _keep_used(self, work: Work, draft: Draft) -> None:
        if draft.before is not None and draft.now("code") != draft.before.code:
            await self._check_unused(work, draft.before, "code")

    async def _check_unused(self, work: Work, before: Any, *field: str) -> None:
        c, tenant_id = self.shown.table.c, work.viewer.tenant_id
        elsewhere = sa.exists().where(c.tenant_id.is_(None), c.code == before.code)
        counts = [
            sa.select(sa.literal(use.class_.__tablename__), sa.func.count())
            .select_from(use.class_)
            .where(use.class_.tenant_id == tenant_id, use == before.code, ~elsewhere)
            for use in self.uses
        ]
        rows = [tuple(row) for row in await work.execute(sa.union_all(*counts))]
        used = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in rows if count)
        if used:
            raise refusal(UserErrorCode.IN_USE, f"This is still used by {used}.", *field, row=before)


unit_type_codes = Dictionary(
    models.UnitTypeCode, UnitTypeCodePayload, models.Unit.unit_type_code, models.MapShape.unit_type_code
)
component_type_codes = Dictionary(
    models.ComponentTypeCode,
    ComponentTypeCodePayload,
    models.UnitComponent.component_type_code,
    models.MapShape.component_type_code,
)


@strawberry.type
class CodesMutation:
    """The tenant's own codes."""

    create_unit_type_code: UnitTypeCodePayload | None = unit_type_codes.create(
        "Add a type of unit. One with the code of one of M3Core's stands in for it: renamed, or not offered."
    )
    update_unit_type_code: UnitTypeCodePayload | None = unit_type_codes.update(
        "Change a type of unit of the tenant's own. Its code stays while units have it."
    )
    delete_unit_type_code: UnitTypeCodePayload | None = unit_type_codes.delete(
        "Delete a type of unit of the tenant's own that no unit has."
    )
    create_component_type_code: ComponentTypeCodePayload | None = component_type_codes.create(
        "Add a type of component. One with the code of one of M3Core's stands in for it."
    )
    update_component_type_code: ComponentTypeCodePayload | None = component_type_codes.update(
        "Change a type of component of the tenant's own. Its code stays while components have it."
    )
    delete_component_type_code: ComponentTypeCodePayload | None = component_type_codes.delete(
        "Delete a type of component of the tenant's own that no component has."
    )
