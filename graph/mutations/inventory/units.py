"""Changing units, their parts, their prices, and whether they can be sold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import strawberry
from strawberry import ID

from db import models
from db.enums import ApprovalDomain
from graph.approvals.operations import Ready, operation
from graph.approvals.policies import policy
from graph.approvals.requests import perform
from graph.context import Info
from graph.errors import Forbidden
from graph.mutations.inventory.codes import component_type_codes, unit_type_codes
from graph.permissions import Permission
from graph.scalars import BigInt, CurrencyCode
from graph.types.approvals import Approval
from graph.types.inventory import Unit, UnitComponent
from graph.writing.bulk import BulkPayload, create_all
from graph.writing.editing import Editing
from graph.writing.mutation import Payload, mutation, payload, written
from graph.writing.states import States
from graph.writing.values import Draft
from graph.writing.work import Refused, Work


@payload("What became of a unit.")
class UnitPayload(Payload):
    """A unit."""

    unit: Unit | None = written(models.Unit, "The unit, as it now is or last was.")
    approval: Approval | None = written(
        models.Approval, "What it waits for, where a policy lets others agree to its price.", "approval"
    )


@payload("What became of each of several units.")
class UnitsPayload(BulkPayload):
    """Several units."""

    results: list[UnitPayload] = strawberry.field(description="One for each row, in their order.")


@payload("What became of a component.")
class UnitComponentPayload(Payload):
    """A component."""

    unit_component: UnitComponent | None = written(
        models.UnitComponent, "The component, as it now is or last was."
    )


async def _unit_rules(work: Work, draft: Draft) -> None:
    await _check_price(work, draft)
    await unit_type_codes.check_named(work, draft, "unit_type_code")


async def _check_price(work: Work, draft: Draft) -> None:
    """A first price is a price: it takes the right to give one, its currency, and approval where any does."""
    price, currency = draft.values.get("price_minor"), draft.values.get("currency")
    if price is None and currency is None:
        return
    if not work.viewer.has(Permission.INVENTORY_PRICE):
        raise Forbidden(Permission.INVENTORY_PRICE)
    if price is None or currency is None:
        draft.invalid(
            "currency" if currency is None else "price_minor", "A price and its currency go together."
        )
    elif await policy(work, ApprovalDomain.UNIT_PRICE_CHANGE) is not None:
        draft.invalid(
            "price_minor",
            "A price takes approval: add the unit without one, and give it by `changeUnitPrice`.",
        )


units = Editing(
    models.Unit,
    UnitPayload,
    "project_id code floor unit_type_code size_sqm bedrooms bathrooms view virtual_tour_url "
    "length_m width_m height_m",
    fixed="price_minor currency",
    create=Permission.INVENTORY_MANAGE,
    update=Permission.INVENTORY_MANAGE,
    delete=Permission.INVENTORY_MANAGE,
    rules=_unit_rules,
)
unit_states = States(
    units,
    "status",
    {
        "reserve": ("available", "reserved"),
        "release": ("reserved withdrawn", "available"),
        "sell": ("available reserved", "sold"),
        "withdraw": ("available", "withdrawn"),
    },
)


async def _component_rules(work: Work, draft: Draft) -> None:
    await component_type_codes.check_named(work, draft, "component_type_code")


components = Editing(
    models.UnitComponent,
    UnitComponentPayload,
    "component_type_code name length_m width_m height_m area_sqm sort_order",
    fixed="unit_id",
    create=Permission.INVENTORY_MANAGE,
    update=Permission.INVENTORY_MANAGE,
    delete=Permission.INVENTORY_MANAGE,
    rules=_component_rules,
)


@strawberry.input(description="Which unit gets which price.")
class ChangeUnitPriceInput:
    """A unit and its new price."""

    id: ID = strawberry.field(description="The id of the unit.")
    price_minor: BigInt = strawberry.field(
        description="The new price, in the currency's minor unit; not less than 0."
    )
    currency: CurrencyCode = strawberry.field(description="The currency of the new price.")


@operation(
    ApprovalDomain.UNIT_PRICE_CHANGE,
    "unit",
    "ChangeUnitPriceInput",
    Permission.INVENTORY_PRICE,
    "change a unit's price",
)
async def change_a_price(work: Work, given: Mapping[str, Any]) -> Ready:
    """A unit and its new price."""
    c = units.shown.table.c
    unit = await units.locked(work, given["id"], None, "id")
    draft = Draft(unit)
    draft.take(
        {"priceMinor": c.price_minor, "currency": c.currency},
        {"priceMinor": given["priceMinor"], "currency": given["currency"]},
    )
    if draft.errors:
        raise Refused(*draft.errors, row=unit)

    async def do(work: Work, approved: bool) -> Any:
        return await units.change(work, unit, draft.values, "change_price")

    before, after = _price(unit.price_minor, unit.currency), _price(**draft.values)
    return Ready(unit, wanted=after, found=before, do=do, changes=after != before)


def _price(price_minor: int | None, currency: str | None) -> dict[str, Any]:
    return {"priceMinor": None if price_minor is None else str(price_minor), "currency": currency}


@strawberry.type
class UnitsMutation:
    """Units and their components."""

    create_unit: UnitPayload | None = units.create(
        "Add a unit, available. With a price it takes `inventory.price` as well."
    )
    create_units: UnitsPayload | None = create_all(
        units, "Add up to 500 units, available. With a price in any it takes `inventory.price` as well."
    )
    update_unit: UnitPayload | None = units.update(
        "Change a unit. Its price changes by `changeUnitPrice`, its status by `reserveUnit` and the like."
    )
    delete_unit: UnitPayload | None = units.delete(
        "Delete a unit without components that never had a price. `withdrawUnit` takes any other off sale."
    )
    reserve_unit: UnitPayload | None = unit_states.field(
        "reserve", "Reserve an available unit. Of several at once one succeeds.", Permission.INVENTORY_MANAGE
    )
    release_unit: UnitPayload | None = unit_states.field(
        "release", "Make a reserved or withdrawn unit available again.", Permission.INVENTORY_MANAGE
    )
    sell_unit: UnitPayload | None = unit_states.field(
        "sell", "Mark an available or reserved unit as sold. It stays sold.", Permission.INVENTORY_MANAGE
    )
    withdraw_unit: UnitPayload | None = unit_states.field(
        "withdraw", "Take an available unit off sale.", Permission.INVENTORY_MANAGE
    )

    create_unit_component: UnitComponentPayload | None = components.create("Add a component to a unit.")
    update_unit_component: UnitComponentPayload | None = components.update("Change a component.")
    delete_unit_component: UnitComponentPayload | None = components.delete(
        "Delete a component. Its outlines on maps stay, as outlines of its unit."
    )

    @mutation(
        "Give a unit a price. The database keeps it in `Unit.priceHistory`, with you as the one who set it. "
        "Under a policy for `unit.price.change` the unit keeps the price that it has, and the payload has "
        "the `approval` that it waits for.",
        needs=Permission.INVENTORY_PRICE,
    )
    async def change_unit_price(
        self,
        info: Info,
        input: Annotated[ChangeUnitPriceInput, strawberry.argument(description="Which unit, what price.")],
    ) -> UnitPayload | None:
        """The price that it has already changes nothing."""
        given = {"id": input.id, "priceMinor": input.price_minor, "currency": input.currency}
        return await perform(info.context.work, change_a_price, UnitPayload, given)
