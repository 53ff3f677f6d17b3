"""Changing units, their parts, their prices, and whether they can be sold."""

from __future__ import annotations

from typing import Annotated

import strawberry
from strawberry import ID

from db import models
from graph.context import Info
from graph.errors import Forbidden
from graph.mutations.inventory.codes import component_type_codes, unit_type_codes
from graph.permissions import Permission
from graph.scalars import BigInt, CurrencyCode
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
    _check_price(work, draft)
    await unit_type_codes.check_named(work, draft, "unit_type_code")


def _check_price(work: Work, draft: Draft) -> None:
    """A first price is a price: it takes the right to give one, and its currency."""
    price, currency = draft.values.get("price_minor"), draft.values.get("currency")
    if price is None and currency is None:
        return
    if not work.viewer.has(Permission.INVENTORY_PRICE):
        raise Forbidden(Permission.INVENTORY_PRICE)
    if price is None or currency is None:
        draft.invalid(
            "currency" if currency is None else "price_minor", "A price and its currency go together."
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
        "Give a unit a price. The database keeps it in `Unit.priceHistory`, with you as the one who set it.",
        needs=Permission.INVENTORY_PRICE,
    )
    async def change_unit_price(
        self,
        info: Info,
        input: Annotated[ChangeUnitPriceInput, strawberry.argument(description="Which unit, what price.")],
    ) -> UnitPayload | None:
        """The price that it has already changes nothing."""
        work, c = info.context.work, units.shown.table.c
        draft = Draft(await units.locked(work, input.id, None, "id"))
        draft.take(
            {"priceMinor": c.price_minor, "currency": c.currency},
            {"priceMinor": input.price_minor, "currency": input.currency},
        )
        if draft.errors:
            raise Refused(*draft.errors, row=draft.before)
        return UnitPayload.of(await units.change(work, draft.before, draft.values, "change_price"))
