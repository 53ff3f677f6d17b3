"""The maps of the projects, and what is drawn on them."""

import math
from typing import Final

from sqlalchemy import bindparam, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.demo.identity import Staff
from db.demo.inventory import Offer, metres
from db.demo.outline import Outline
from db.demo.places import ROOMS, Site
from db.demo.sheet import Row, Sheet
from db.enums import MapShapeKind
from db.models import MapOverlay, MapShape, Project

# Key, name, type, width and height in pixels
PLANS: Final = (
    ("plan", "Master plan", "image/png", 4096, 2304),
    ("floor", "Typical floor", "image/svg+xml", 2480, 1754),
)
METRES_A_DEGREE: Final = 111_320
"""Of latitude; one of longitude has fewer, the farther from the equator."""


def build(sheet: Sheet, outline: Outline, staff: Staff, offers: list[Offer]) -> None:
    """Draw a master plan of each project, with its first units, and a floor with the rooms of the first."""
    for site in outline.sites:
        for key, name, kind, width, height in PLANS:
            sheet.add(
                MapOverlay,
                f"{site.code}/{key}",
                project_id=sheet.id_of(Project, site.code),
                name=f"{name} – {site.name}",
                file_url=f"https://cdn.demo.test/maps/{site.code.lower()}-{key}",
                file_type=kind,
                width_px=width,
                height_px=height,
                dpi=150,
                created_at=sheet.ago(370),
            )
        units = [offer for offer in offers if offer.site is site][:8]
        _plots(sheet, staff, site, units)
        _floor(sheet, staff, site, units[0])


async def hang(connection: AsyncConnection, sheet: Sheet, outline: Outline) -> None:
    """Make the master plans their projects' maps: each row refers to the other, so this comes last."""
    statement = update(Project).where(
        Project.tenant_id == sheet.tenant_id, Project.id == bindparam("project")
    )
    plans = [
        {"project": sheet.id_of(Project, site.code), "map": sheet.id_of(MapOverlay, f"{site.code}/plan")}
        for site in outline.sites
    ]
    await connection.execute(statement.values(map_overlay_id=bindparam("map")), plans)


def _plots(sheet: Sheet, staff: Staff, site: Site, units: list[Offer]) -> None:
    """The units in two rows; every fourth was drawn too small first, and that version is kept."""
    for n, unit in enumerate(units):
        width = math.sqrt(unit.size)
        widths = (width * 0.9, width) if n % 4 == 0 else (width,)
        for version, drawn in enumerate(widths, start=1):
            sheet.add(
                MapShape,
                f"{unit.code}/{version}",
                overlay_id=sheet.id_of(MapOverlay, f"{site.code}/plan"),
                kind=MapShapeKind.UNIT,
                unit_id=unit.id,
                unit_type_code=unit.kind,
                label=unit.code,
                version=version,
                is_active=version == len(widths),
                updated_by_user_id=staff.inventory,
                created_at=sheet.ago(360 - 30 * version - n),
                **_rectangle(site, n % 4 * 30.0, n // 4 * 24.0, drawn, width),
            )


def _floor(sheet: Sheet, staff: Staff, site: Site, unit: Offer) -> None:
    for n, (room, code) in enumerate(unit.rooms):
        about = ROOMS[code]
        sheet.add(
            MapShape,
            f"{unit.code}/room/{n}",
            overlay_id=sheet.id_of(MapOverlay, f"{site.code}/floor"),
            kind=MapShapeKind.COMPONENT,
            unit_component_id=room,
            component_type_code=code,
            label=about.arabic if n % 2 else about.english,
            version=1,
            is_active=True,
            updated_by_user_id=staff.inventory,
            created_at=sheet.ago(290 - n),
            **_rectangle(site, n % 3 * 13.0, n // 3 * 9.0, about.length, about.width),
        )


def _rectangle(site: Site, east: float, north: float, width: float, depth: float) -> Row:
    """A shape of so many metres, as far east and north of the project's place."""
    across = METRES_A_DEGREE * math.cos(math.radians(site.lat))
    west, right = (round(site.lng + m / across, 7) for m in (east, east + width))
    south, top = (round(site.lat + m / METRES_A_DEGREE, 7) for m in (north, north + depth))
    ring = [[west, south], [right, south], [right, top], [west, top], [west, south]]
    return {
        "geom_geojson": {"type": "Polygon", "coordinates": [ring]},
        "area_sqm": metres(width * depth),
        "perimeter_m": metres(2 * (width + depth)),
    }
