"""Developers, projects, units, their prices, and where they are on a map, as they are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from strawberry import ID

from db import models
from db.enums import MapShapeKind, UnitStatus
from graph.connection import Connection
from graph.node import Created, Node, Timestamped
from graph.permissions import Permission
from graph.relations import to_many, to_one
from graph.scalars import JSON, URL, BigInt, CurrencyCode, Date, DateTime, Decimal, EmailAddress
from graph.tables import column, table

if TYPE_CHECKING:
    from graph.types.identity import User


@table(models.Developer, needs=Permission.INVENTORY_VIEW)
class Developer(Node, Timestamped):
    """A firm that builds."""

    name: str = column("What the firm is called.")
    website: URL | None = column("Its web site.")
    phone: str | None = column("Its phone number, as entered.")
    email: EmailAddress | None = column("Its e-mail address.")
    address: str | None = column("The address of its seat, as entered.")
    logo_url: URL | None = column("Where its logo is.")
    projects: Connection[Project] | None = to_many(models.Project.developer_id, "What it builds.")


@table(models.Project, needs=Permission.INVENTORY_VIEW)
class Project(Node, Timestamped):
    """What a developer builds in one place."""

    developer_id: ID | None = column("The id of the firm that builds it; null if none is entered.")
    developer: Developer | None = to_one(models.Project.developer_id, "The firm that builds it.")
    name: str = column("What the project is called.")
    location: JSON | None = column("Where it is: `{ lat, lng }`, in degrees (WGS 84).")
    status: str | None = column("How far it has come, as the tenant words it.")
    start_date: Date | None = column("The day that building begins; null while unknown.")
    end_date: Date | None = column("The day that building ends; null while unknown.")
    description: str | None = column("What it is, at length.")
    map_overlay_id: ID | None = column("The id of the overlay that shows all of it; null if none does.")
    map_overlay: MapOverlay | None = to_one(
        models.Project.map_overlay_id, "The overlay that shows all of it."
    )
    units: Connection[Unit] | None = to_many(models.Unit.project_id, "What is sold in it.")
    overlays: Connection[MapOverlay] | None = to_many(
        models.MapOverlay.project_id, "All its plans and pictures."
    )


@table(models.UnitTypeCode)
class UnitTypeCode(Node, Timestamped):
    """A type of unit that `Unit.unitTypeCode` may name: M3Core's own, or one that the tenant added."""

    code: str = column("The code, such as `VILLA_4BR`; a tenant may word one of M3Core's anew.")
    label: str = column("What people read, such as `Villa 4BR`.")
    is_active: bool | None = column("Whether it is offered for new units; null counts as true.")


@table(models.ComponentTypeCode)
class ComponentTypeCode(Node, Timestamped):
    """A type of part that `UnitComponent.componentTypeCode` may name: M3Core's, or one the tenant added."""

    code: str = column("The code, such as `ROOM_BED`; a tenant may word one of M3Core's anew.")
    label: str = column("What people read, such as `Bedroom`.")
    is_active: bool | None = column("Whether it is offered for new components; null counts as true.")


@table(models.Unit, needs=Permission.INVENTORY_VIEW)
class Unit(Node, Timestamped):
    """A flat, villa, shop or plot that is sold as one."""

    project_id: ID = column("The id of the project it is part of.")
    project: Project | None = to_one(models.Unit.project_id, "The project it is part of.")
    code: str | None = column("Its number or name within the project, as entered.")
    floor: int | None = column("The floor it is on: 0 is the ground floor, below it negative.")
    unit_type_code: str = column("What type of unit it is: the `code` of a `UnitTypeCode`.")
    size_sqm: Decimal | None = column("Its area in square metres.")
    bedrooms: int | None = column("How many bedrooms it has; null if unknown.")
    bathrooms: int | None = column("How many bathrooms it has; null if unknown.")
    view: str | None = column("What one sees from it, in words.")
    price_minor: BigInt | None = column("Its price, in the currency's minor unit; null if it has none.")
    currency: CurrencyCode | None = column("The currency of its price; null if it has none.")
    status: UnitStatus = column("Whether it can be sold.")
    virtual_tour_url: URL | None = column("Where one can walk through it on a screen.")
    length_m: Decimal | None = column("Its length in metres.")
    width_m: Decimal | None = column("Its width in metres.")
    height_m: Decimal | None = column("Its height in metres.")
    components: Connection[UnitComponent] | None = to_many(
        models.UnitComponent.unit_id, "Its rooms and other parts, by `sortOrder`."
    )
    price_history: Connection[UnitPriceChange] | None = to_many(
        models.UnitPriceChange.unit_id, "The prices it was given, newest first."
    )
    shapes: Connection[MapShape] | None = to_many(
        models.MapShape.unit_id, "Its outlines on maps, in all versions, newest first."
    )


@table(models.UnitComponent, needs=Permission.INVENTORY_VIEW, sort="sort_order")
class UnitComponent(Node, Timestamped):
    """A room or other part of a unit."""

    unit_id: ID = column("The id of the unit it is part of.")
    unit: Unit | None = to_one(models.UnitComponent.unit_id, "The unit it is part of.")
    component_type_code: str = column("What type of part it is: the `code` of a `ComponentTypeCode`.")
    name: str | None = column("What it is called; null if its type says enough.")
    length_m: Decimal | None = column("Its length in metres.")
    width_m: Decimal | None = column("Its width in metres.")
    height_m: Decimal | None = column("Its height in metres.")
    area_sqm: Decimal | None = column("Its area in square metres.")
    sort_order: int | None = column("Its place among the parts of the unit; lower comes first, null last.")
    shapes: Connection[MapShape] | None = to_many(
        models.MapShape.unit_component_id, "Its outlines on maps, in all versions, newest first."
    )


@table(models.UnitPriceChange, needs=Permission.INVENTORY_VIEW)
class UnitPriceChange(Node, Created):
    """A price that a unit was given. Written by the database whenever a price changes, and never changed."""

    unit_id: ID = column("The id of the unit.")
    unit: Unit | None = to_one(models.UnitPriceChange.unit_id, "The unit.")
    price_minor: BigInt = column("The price it was given, in the currency's minor unit.")
    currency: CurrencyCode = column("The currency of that price.")
    effective_at: DateTime = column("Since when that price holds.")
    changed_by_user_id: ID | None = column("The id of the user who set it; null if no user did.")
    changed_by: User | None = to_one(
        models.UnitPriceChange.changed_by_user_id, "The user who set it; null if no user did."
    )


@table(models.MapOverlay, needs=Permission.INVENTORY_VIEW)
class MapOverlay(Node, Timestamped):
    """A plan or picture that shapes are drawn on."""

    project_id: ID | None = column("The id of the project it shows; null if it shows none.")
    project: Project | None = to_one(models.MapOverlay.project_id, "The project it shows.")
    name: str | None = column("What it is called.")
    file_url: URL | None = column("Where the picture is.")
    file_type: str | None = column("The kind of file, such as `image/png`, as entered.")
    width_px: int | None = column("The picture's width in pixels.")
    height_px: int | None = column("The picture's height in pixels.")
    dpi: int | None = column("The picture's resolution in dots per inch.")
    shapes: Connection[MapShape] | None = to_many(
        models.MapShape.overlay_id, "What is drawn on it, in all versions, newest first."
    )


@table(models.MapShape, needs=Permission.INVENTORY_VIEW)
class MapShape(Node, Timestamped):
    """The outline of a unit or of a part of one, in one of its versions."""

    overlay_id: ID = column("The id of the overlay it is drawn on.")
    overlay: MapOverlay | None = to_one(models.MapShape.overlay_id, "The overlay it is drawn on.")
    kind: MapShapeKind = column("Whether it outlines a unit or a part of one.")
    unit_id: ID | None = column("The id of the unit that it outlines, or a part of; null if unknown.")
    unit: Unit | None = to_one(models.MapShape.unit_id, "The unit that it outlines, or a part of.")
    unit_component_id: ID | None = column("The id of the part it outlines; null for a whole unit.")
    unit_component: UnitComponent | None = to_one(models.MapShape.unit_component_id, "The part it outlines.")
    unit_type_code: str | None = column("The type of unit: the `code` of a `UnitTypeCode`.")
    component_type_code: str | None = column("The type of part: the `code` of a `ComponentTypeCode`.")
    geom_geojson: JSON | None = column("The outline as GeoJSON, in pixels from the overlay's upper left.")
    area_sqm: Decimal | None = column("What it covers, in square metres, as a client measured it.")
    perimeter_m: Decimal | None = column("The way around it, in metres, as a client measured it.")
    label: str | None = column("What is written on it.")
    version: int = column("Which version of the outline this is, counted from 1.")
    is_active: bool = column("Whether this version is the one in force.")
    updated_by_user_id: ID | None = column("The id of the user who drew this version; null if no user did.")
    updated_by: User | None = to_one(
        models.MapShape.updated_by_user_id, "The user who drew this version; null if no user did."
    )
