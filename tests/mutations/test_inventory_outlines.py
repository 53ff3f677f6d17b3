"""Which GeoJSON is an outline."""

import time
from typing import Any

import pytest

from graph.geojson import check_outline
from graph.limits import MAX_OUTLINE_POINTS

TRIANGLE = [[0, 0], [4, 0], [0, 4], [0, 0]]


def square(x: float, y: float, side: float) -> list[list[float]]:
    return [[x, y], [x + side, y], [x + side, y + side], [x, y + side], [x, y]]


def polygon(*rings: Any) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": list(rings)}


def polygons(*members: Any) -> dict[str, Any]:
    return {"type": "MultiPolygon", "coordinates": list(members)}


@pytest.mark.parametrize(
    "outline",
    [
        polygon(TRIANGLE),
        polygon(TRIANGLE[::-1]),
        polygon(square(0.5, 0, 10), square(1, 1, 2), square(5, 5, 2)),
        polygon([[0, 0], [4, 0], [4, 0], [0, 4], [0, 0]]),
        polygons([square(0, 0, 5), square(1, 1, 1)], [square(5, 5, 5)]),
        polygon(square(-1_000_000, 0, 1_000_000)),
        polygon(TRIANGLE) | {"bbox": [0, 0, 4, 4]},
    ],
)
def test_an_outline(outline: object) -> None:
    check_outline(outline)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("POLYGON ((0 0))", "This is a GeoJSON object."),
        ([TRIANGLE], "This is a GeoJSON object."),
        ({}, "This is a GeoJSON Polygon or MultiPolygon."),
        ({"type": "LineString", "coordinates": TRIANGLE}, "This is a GeoJSON Polygon or MultiPolygon."),
        ({"type": "Feature", "geometry": polygon(TRIANGLE)}, "This is a GeoJSON Polygon or MultiPolygon."),
        ({"type": ["Polygon"], "coordinates": [TRIANGLE]}, "This is a GeoJSON Polygon or MultiPolygon."),
        ({"type": "Polygon"}, "A polygon is a list that is not empty."),
        (polygon(), "A polygon is a list that is not empty."),
        (polygons(), "A MultiPolygon is a list that is not empty."),
        (polygon([]), "A ring is a list that is not empty."),
        (polygon({"0": [0, 0]}), "A ring is a list that is not empty."),
        (polygon([[0, 0], [1, 0], [0, 0]]), "A ring has at least 4 positions."),
        (polygon([[0, 0], [4, 0], [4, 4], [0, 4]]), "A ring ends where it begins."),
        (polygon([[0, 0, 1], *TRIANGLE[1:]]), "A position is a list of two numbers, x and y."),
        (polygon([[0], *TRIANGLE[1:]]), "A position is a list of two numbers, x and y."),
        (polygon([["0", "0"], *TRIANGLE[1:]]), "A position is a list of two numbers, x and y."),
        (polygon([[True, 0], *TRIANGLE[1:]]), "A position is a list of two numbers, x and y."),
        (polygon([[0, None], *TRIANGLE[1:]]), "A position is a list of two numbers, x and y."),
        (polygon(square(0, 0, 1_000_001)), "A coordinate is a number between -1000000 and 1000000."),
        (polygon(square(0, 0, 10**400)), "A coordinate is a number between -1000000 and 1000000."),
        (polygon(square(0, 0, float("inf"))), "A coordinate is a number between -1000000 and 1000000."),
        (polygon(square(float("nan"), 0, 1)), "A coordinate is a number between -1000000 and 1000000."),
        (polygon([[0, 0], [2, 2], [2, 0], [0, 2], [0, 0]]), "The lines cross or touch at (1, 1)."),
        (polygon([[0, 0], [1, 1], [2, 2], [0, 0]]), "The lines cross or touch at (1, 1)."),
        (polygon([[0, 0]] * 4), "The lines cross or touch at (0, 0)."),
        (polygon(square(0, 0, 4), square(9, 9, 1)), "The lines cross or touch at (9, 9)."),
        (polygons([square(0, 0, 4)], [square(2, 2, 4)]), "The lines cross or touch at (2, 4)."),
        (polygons([square(0, 0, 4)], [square(1, 1, 1)]), "The lines cross or touch at (1, 1)."),
    ],
)
def test_no_outline(value: object, message: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011  the message is compared whole
        check_outline(value)
    assert str(refused.value) == message


def test_an_outline_has_an_end() -> None:
    ring = [[x, 0] for x in range(MAX_OUTLINE_POINTS - 1)] + [[0, 1], [0, 0]]
    with pytest.raises(ValueError, match=f"^At most {MAX_OUTLINE_POINTS} positions.$"):
        check_outline(polygon(ring))


def test_the_worst_outline_holds_nobody_up() -> None:
    teeth = MAX_OUTLINE_POINTS // 2 - 1
    ring = [point for n in range(teeth) for point in ([n, n], [n + 0.5 + teeth, n + teeth])]
    before = time.process_time()
    check_outline(polygon([*ring, [3 * teeth, -3 * teeth], ring[0]]))
    assert time.process_time() - before < 1
