"""Root fields of the inventory."""

from __future__ import annotations

import strawberry

from db import models
from graph.connection import Connection
from graph.roots import many, one
from graph.types.inventory import (
    ComponentTypeCode,
    Developer,
    MapOverlay,
    MapShape,
    Project,
    Unit,
    UnitComponent,
    UnitPriceChange,
    UnitTypeCode,
)


@strawberry.type
class InventoryQuery:
    """Developers, projects, units with their parts and prices, maps, and the codes of types."""

    developer: Developer | None = one(models.Developer, "A developer by its id.")
    developers: Connection[Developer] | None = many(
        models.Developer, "The tenant's developers, newest first."
    )
    project: Project | None = one(models.Project, "A project by its id.")
    projects: Connection[Project] | None = many(models.Project, "The tenant's projects, newest first.")
    unit_type_code: UnitTypeCode | None = one(models.UnitTypeCode, "A type of unit by its id.")
    unit_type_codes: Connection[UnitTypeCode] | None = many(
        models.UnitTypeCode, "The types of unit, M3Core's and the tenant's, newest first."
    )
    component_type_code: ComponentTypeCode | None = one(
        models.ComponentTypeCode, "A type of room or part by its id."
    )
    component_type_codes: Connection[ComponentTypeCode] | None = many(
        models.ComponentTypeCode, "The types of room or part, M3Core's and the tenant's, newest first."
    )
    unit: Unit | None = one(models.Unit, "A unit by its id.")
    units: Connection[Unit] | None = many(models.Unit, "The tenant's units, newest first.")
    unit_component: UnitComponent | None = one(models.UnitComponent, "A room or part of a unit by its id.")
    unit_components: Connection[UnitComponent] | None = many(
        models.UnitComponent, "The rooms and parts of all units, by `sortOrder`."
    )
    unit_price_changes: Connection[UnitPriceChange] | None = many(
        models.UnitPriceChange, "The prices that units were given, newest first."
    )
    map_overlay: MapOverlay | None = one(models.MapOverlay, "An overlay by its id.")
    map_overlays: Connection[MapOverlay] | None = many(
        models.MapOverlay, "The tenant's overlays, newest first."
    )
    map_shape: MapShape | None = one(models.MapShape, "A shape by its id.")
    map_shapes: Connection[MapShape] | None = many(
        models.MapShape, "The tenant's shapes, in all versions, newest first."
    )
