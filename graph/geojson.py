"""Outlines on maps: GeoJSON geometries (RFC 7946, sections 3.1.6 and 3.1.7) that enclose an area.

Plan: check by hand what makes it GeoJSON, cheaply and in words for the person; then let GEOS say whether
the lines cross.
"""

from itertools import chain

import shapely

from graph.limits import MAX_OUTLINE_POINTS, MAX_PIXEL

MIN_RING = 4

Ring = list[tuple[float, float]]


def check_outline(value: object) -> None:
    """Accept a `Polygon` or `MultiPolygon`; ValueError says what is wrong with anything else.

    Rings are closed, they neither cross nor touch themselves along a line, holes are inside, and the
    polygons do not overlap. Which way round a ring goes does not matter, nor does what else is in the object.
    """
    if not isinstance(value, dict):
        raise ValueError("This is a GeoJSON object.")
    coordinates = value.get("coordinates")
    match value.get("type"):
        case "Polygon":
            polygons = [_rings(coordinates)]
        case "MultiPolygon":
            polygons = [_rings(item) for item in _list(coordinates, "A MultiPolygon")]
        case _:
            raise ValueError("This is a GeoJSON Polygon or MultiPolygon.")
    if sum(map(len, chain.from_iterable(polygons))) > MAX_OUTLINE_POINTS:
        raise ValueError(f"At most {MAX_OUTLINE_POINTS} positions.")
    shape = shapely.MultiPolygon([(outer, holes) for outer, *holes in polygons])
    # "Self-intersection[3 4]": the reason is GEOS's and follows no grammar, the place is of use.
    reason = "" if shape.is_valid else shapely.is_valid_reason(shape)
    if reason:
        where = reason.partition("[")[2].rstrip("]").replace(" ", ", ")
        raise ValueError(f"The lines cross or touch at ({where}).")


def _rings(value: object) -> list[Ring]:
    return [_ring(item) for item in _list(value, "A polygon")]


def _ring(value: object) -> Ring:
    ring = [_position(item) for item in _list(value, "A ring")]
    if len(ring) < MIN_RING:
        raise ValueError(f"A ring has at least {MIN_RING} positions.")
    if ring[0] != ring[-1]:
        raise ValueError("A ring ends where it begins.")
    return ring


def _position(value: object) -> tuple[float, float]:
    match value:
        case [int() | float() as x, int() | float() as y] if bool not in (type(x), type(y)):
            if abs(x) <= MAX_PIXEL and abs(y) <= MAX_PIXEL:
                return x, y
            raise ValueError(f"A coordinate is a number between -{MAX_PIXEL} and {MAX_PIXEL}.")
    raise ValueError("A position is a list of two numbers, x and y.")


def _list(value: object, what: str) -> list[object]:
    if not isinstance(value, list) or not value:
        raise ValueError(f"{what} is a list that is not empty.")
    return value
