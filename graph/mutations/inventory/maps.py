"""Changing map overlays and what is drawn on them."""

from __future__ import annotations

from typing import Annotated, Any, Final

import sqlalchemy as sa
import strawberry
from strawberry import ID

from db import models
from db.enums import MapShapeKind
from graph.context import Info
from graph.errors import UserErrorCode
from graph.geojson import check_outline
from graph.inputs import camel_case
from graph.mutations.inventory.codes import component_type_codes, unit_type_codes
from graph.permissions import Permission
from graph.scalars import JSON, Decimal
from graph.types.inventory import MapOverlay, MapShape
from graph.writing.editing import Editing
from graph.writing.mutation import Payload, mutation, payload, written
from graph.writing.values import Draft
from graph.writing.work import Refused, Work, refusal


@payload("What became of a map overlay.")
class MapOverlayPayload(Payload):
    """A map overlay."""

    map_overlay: MapOverlay | None = written(models.MapOverlay, "The overlay, as it now is or last was.")


@payload("What became of a shape on a map.")
class MapShapePayload(Payload):
    """A shape on a map."""

    map_shape: MapShape | None = written(models.MapShape, "The shape, as it now is or last was.")


overlays = Editing(
    models.MapOverlay,
    MapOverlayPayload,
    "project_id name file_url file_type width_px height_px dpi",
    create=Permission.INVENTORY_MANAGE,
    update=Permission.INVENTORY_MANAGE,
    delete=Permission.INVENTORY_MANAGE,
)


async def _shape_rules(work: Work, draft: Draft) -> None:
    _check_outline(draft)
    if draft.before is None:
        draft.values["updated_by_user_id"] = work.viewer.user_id
    await unit_type_codes.check_named(work, draft, "unit_type_code")
    await component_type_codes.check_named(work, draft, "component_type_code")
    if not draft.values.keys().isdisjoint({"unit_id", "unit_component_id"}):
        await _check_component(work, draft)


def _check_outline(draft: Draft) -> None:
    if "geom_geojson" in draft.values:
        try:
            check_outline(draft.values["geom_geojson"])
        except ValueError as error:
            draft.invalid("geom_geojson", str(error))


async def _check_component(work: Work, draft: Draft) -> None:
    """A part is outlined as a part, and as one of its own unit."""
    component_id = draft.now("unit_component_id")
    if component_id is None:
        return
    if draft.now("kind") == MapShapeKind.UNIT:
        draft.invalid("unit_component_id", "The outline of a whole unit names no part of it.")
        return
    part = models.UnitComponent
    unit_of = sa.select(part.unit_id).where(part.tenant_id == work.viewer.tenant_id, part.id == component_id)
    unit_id = (await work.execute(unit_of)).scalar_one_or_none()
    if unit_id is None:
        draft.invalid("unit_component_id", "There is nothing with this id.", UserErrorCode.NOT_FOUND)
    elif draft.now("unit_id") not in (None, unit_id):
        draft.invalid("unit_component_id", "This is a part of another unit.")
    else:
        draft.values["unit_id"] = unit_id


shapes = Editing(
    models.MapShape,
    MapShapePayload,
    "unit_id unit_component_id unit_type_code component_type_code area_sqm perimeter_m label",
    fixed="overlay_id kind geom_geojson",
    create=Permission.INVENTORY_MANAGE,
    update=Permission.INVENTORY_MANAGE,
    delete=Permission.INVENTORY_MANAGE,
    rules=_shape_rules,
)

CARRIED: Final = (
    "overlay_id",
    "kind",
    "unit_id",
    "unit_component_id",
    "unit_type_code",
    "component_type_code",
    "label",
)
"""What a new version has of the one before. Area and perimeter are not among it: they were of its outline."""
REVISED: Final = ("geom_geojson", "area_sqm", "perimeter_m", "label")


@strawberry.input(description="Which shape gets which outline.")
class ReviseMapShapeInput:
    """The new version of a shape."""

    id: ID = strawberry.field(description="The id of the version in force.")
    geom_geojson: JSON = strawberry.field(
        description="The new outline: a GeoJSON `Polygon` or `MultiPolygon`, in pixels from the upper left."
    )
    area_sqm: Decimal | None = strawberry.field(
        default=None, description="What the new outline covers, in square metres; null if unknown."
    )
    perimeter_m: Decimal | None = strawberry.field(
        default=None, description="The way around the new outline, in metres; null if unknown."
    )
    label: str | None = strawberry.field(
        default=strawberry.UNSET, description="What is written on it. Left out, it stays; null clears it."
    )


@strawberry.type
class MapsMutation:
    """Overlays and shapes."""

    create_map_overlay: MapOverlayPayload | None = overlays.create("Add a plan or picture to draw on.")
    update_map_overlay: MapOverlayPayload | None = overlays.update("Change a map overlay.")
    delete_map_overlay: MapOverlayPayload | None = overlays.delete(
        "Delete a map overlay on which nothing is drawn."
    )
    create_map_shape: MapShapePayload | None = shapes.create(
        "Draw the outline of a unit or of a part of one, as version 1: a GeoJSON `Polygon` or `MultiPolygon` "
        "of closed rings that do not cross. Of a part the unit may be left out."
    )
    update_map_shape: MapShapePayload | None = shapes.update(
        "Change what a shape says of its outline. The outline itself changes by `reviseMapShape`."
    )
    delete_map_shape: MapShapePayload | None = shapes.delete("Delete one version of a shape.")

    @mutation(
        "Draw a shape anew: the next version comes into force in place of this one, which stays to be read. "
        "Of several at once one succeeds.",
        needs=Permission.INVENTORY_MANAGE,
    )
    async def revise_map_shape(
        self,
        info: Info,
        input: Annotated[ReviseMapShapeInput, strawberry.argument(description="Which shape, what outline.")],
    ) -> MapShapePayload | None:
        """The payload has the new version, which has an id of its own."""
        work, shown = info.context.work, shapes.shown
        before = await shapes.locked(work, input.id, None, "id")
        if not before.is_active:
            message = "This version is no longer in force: revise the one that is."
            raise refusal(UserErrorCode.CONFLICT, message, row=before)
        draft = _revision(before, input)
        if draft.errors:
            raise Refused(*draft.errors, row=before)
        await shapes.change(work, before, {"is_active": False}, "supersede")
        values = {name: getattr(before, name) for name in CARRIED} | draft.values
        new = sa.insert(shown.table).values(
            tenant_id=work.viewer.tenant_id,
            version=before.version + 1,
            updated_by_user_id=work.viewer.user_id,
            **values,
        )
        made = await shapes.attempt(work, new.returning(*shown.select(shown.table)))
        after = shown.row(tuple(made.one()))
        await work.audit("map_shape.revise", shown, before, after)
        return MapShapePayload.of(after)


def _revision(before: Any, input: ReviseMapShapeInput) -> Draft:
    """What a new version has of its own."""
    c = shapes.shown.table.c
    given = {camel_case(name): getattr(input, name) for name in REVISED}
    draft = Draft(before)
    draft.take(
        {camel_case(name): c[name] for name in REVISED},
        {name: value for name, value in given.items() if value is not strawberry.UNSET},
    )
    _check_outline(draft)
    return draft
