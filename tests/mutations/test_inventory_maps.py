"""Overlays, shapes on them, and new versions of shapes."""

import asyncio
from collections import Counter
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import MapOverlay, MapShape, Project, Unit, UnitComponent
from tests.client import Client
from tests.mutations.scene import NOWHERE, Scene


def square(corner: float, side: float) -> dict[str, Any]:
    low, high = corner, corner + side
    ring = [[low, low], [high, low], [high, high], [low, high], [low, low]]
    return {"type": "Polygon", "coordinates": [ring]}


BOWTIE = {"type": "Polygon", "coordinates": [[[0, 0], [2, 2], [2, 0], [0, 2], [0, 0]]]}


@pytest.fixture
async def scene(anyone: Client, owner: AsyncConnection) -> Scene:
    return await Scene.make(anyone, owner, "inventory.manage", "inventory.view")


@pytest.fixture
async def overlay(scene: Scene) -> str:
    return str((await scene.insert(MapOverlay))["id"])


def drawn(overlay: str, **values: Any) -> dict[str, Any]:
    return {"overlayId": overlay, "kind": "UNIT", "geomGeojson": square(0, 10), **values}


async def test_overlays_are_added_changed_and_deleted(scene: Scene) -> None:
    project = str((await scene.insert(Project))["id"])
    given = {"projectId": project, "fileUrl": "https://files.test/plan.png", "widthPx": 800, "heightPx": 600}
    done = await scene.call("createMapOverlay", "mapOverlay { id fileUrl widthPx }", input=given)
    id = done["mapOverlay"]["id"]
    assert done["mapOverlay"] == {"id": id, "fileUrl": "https://files.test/plan.png", "widthPx": 800}
    await scene.call("updateMapOverlay", "mapOverlay { id }", id=id, input={"name": "Ground floor"})
    assert await scene.refused("deleteProject", id=project) == [("IN_USE", None)]
    await scene.insert(MapShape, overlay_id=(await scene.row(MapOverlay, id))["id"])
    assert await scene.refused("deleteMapOverlay", id=id) == [("IN_USE", None)]
    (shape,) = await scene.rows(MapShape)
    await scene.call("deleteMapShape", "mapShape { id }", id=str(shape["id"]))
    await scene.call("deleteMapOverlay", "mapOverlay { id }", id=id)
    assert await scene.rows(MapOverlay) == []
    for wrong in ({"fileUrl": "file:///etc/passwd"}, {"widthPx": "wide"}):
        assert await scene.codes("createMapOverlay", input=wrong) == ["BAD_INPUT"]
    assert await scene.refused("createMapOverlay", input={"dpi": -1}) == [("INVALID", "input.dpi")]


async def test_a_shape_is_drawn_as_version_1(scene: Scene, overlay: str) -> None:
    given = drawn(overlay, areaSqm="100", perimeterM="40.5", unitTypeCode="APT_2BR", label="B-12")
    done = await scene.call(
        "createMapShape", "mapShape { id version isActive geomGeojson updatedByUserId }", input=given
    )
    id = done["mapShape"]["id"]
    assert done["mapShape"] == {
        "id": id,
        "version": 1,
        "isActive": True,
        "geomGeojson": square(0, 10),
        "updatedByUserId": str(scene.client.user_id),
    }
    (entry,) = await scene.audit()
    assert (entry["action"], entry["after_data"]["label"]) == ("map_shape.create", "B-12")
    done = await scene.call("updateMapShape", "mapShape { areaSqm label }", id=id, input={"areaSqm": "99.5"})
    assert done["mapShape"] == {"areaSqm": "99.50", "label": "B-12"}


@pytest.mark.parametrize("name", ["geomGeojson", "version", "isActive", "kind", "overlayId"])
async def test_what_makes_a_version_is_in_no_update(scene: Scene, name: str) -> None:
    shape = await scene.insert(MapShape)
    value = {
        "geomGeojson": square(0, 1),
        "version": 2,
        "isActive": False,
        "kind": "UNIT",
        "overlayId": NOWHERE,
    }
    assert await scene.codes("updateMapShape", id=str(shape["id"]), input={name: value[name]}) == [
        "BAD_INPUT"
    ]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"geomGeojson": BOWTIE}, ("INVALID", "input.geomGeojson")),
        ({"geomGeojson": {"type": "Point", "coordinates": [0, 0]}}, ("INVALID", "input.geomGeojson")),
        ({"overlayId": NOWHERE}, ("NOT_FOUND", "input.overlayId")),
        ({"unitId": NOWHERE}, ("NOT_FOUND", "input.unitId")),
        ({"kind": "COMPONENT", "unitComponentId": NOWHERE}, ("NOT_FOUND", "input.unitComponentId")),
        ({"unitTypeCode": "NO"}, ("NOT_FOUND", "input.unitTypeCode")),
        ({"componentTypeCode": "NO"}, ("NOT_FOUND", "input.componentTypeCode")),
        ({"areaSqm": "-1"}, ("INVALID", "input.areaSqm")),
    ],
)
async def test_what_is_no_shape(
    scene: Scene, overlay: str, given: dict[str, Any], told: tuple[str, str]
) -> None:
    assert await scene.refused("createMapShape", input=drawn(overlay) | given) == [told]


async def test_a_part_is_outlined_as_one_of_its_unit(scene: Scene, overlay: str) -> None:
    part, other = await scene.insert(UnitComponent), await scene.insert(Unit)
    given = drawn(overlay, unitComponentId=str(part["id"]))
    wrong = [("INVALID", "input.unitComponentId")]
    assert await scene.refused("createMapShape", input=given) == wrong
    given["kind"] = "COMPONENT"
    assert await scene.refused("createMapShape", input=given | {"unitId": str(other["id"])}) == wrong
    done = await scene.call("createMapShape", "mapShape { id unitId }", input=given)
    shape = done["mapShape"]
    assert shape["unitId"] == str(part["unit_id"])
    moved = {"unitId": str(other["id"])}
    assert await scene.refused("updateMapShape", id=shape["id"], input=moved) == wrong
    await scene.call(
        "updateMapShape", "mapShape { id }", id=shape["id"], input=moved | {"unitComponentId": None}
    )
    (row,) = await scene.rows(MapShape)
    assert (row["unit_id"], row["unit_component_id"]) == (other["id"], None)


async def test_a_shape_is_drawn_anew(scene: Scene, overlay: str) -> None:
    unit = await scene.insert(Unit)
    given = drawn(overlay, unitId=str(unit["id"]), areaSqm="100", perimeterM="40", label="B-12")
    first = (await scene.call("createMapShape", "mapShape { id }", input=given))["mapShape"]["id"]
    colleague = await scene.joined_by("inventory.manage", "inventory.view")
    done = await colleague.call(
        "reviseMapShape",
        "mapShape { id version isActive unitId label areaSqm perimeterM geomGeojson updatedByUserId }",
        input={"id": first, "geomGeojson": square(5, 10), "areaSqm": "101.5"},
    )
    second = done["mapShape"]["id"]
    assert done["mapShape"] == {
        "id": second,
        "version": 2,
        "isActive": True,
        "unitId": str(unit["id"]),
        "label": "B-12",
        "areaSqm": "101.50",
        "perimeterM": None,
        "geomGeojson": square(5, 10),
        "updatedByUserId": str(colleague.client.user_id),
    }
    old = await scene.row(MapShape, first)
    assert (old["version"], old["is_active"], old["geom_geojson"]) == (1, False, square(0, 10))
    assert (old["area_sqm"], old["updated_by_user_id"]) == (100, scene.client.user_id)
    _, superseded, revised = await scene.audit()
    assert (superseded["action"], str(superseded["entity_id"])) == ("map_shape.supersede", first)
    assert (revised["action"], str(revised["entity_id"])) == ("map_shape.revise", second)
    assert (revised["before_data"]["version"], revised["after_data"]["version"]) == (1, 2)
    done = await scene.call(
        "reviseMapShape",
        "mapShape { version label }",
        input={"id": second, "geomGeojson": square(1, 1), "label": None},
    )
    assert done["mapShape"] == {"version": 3, "label": None}


async def test_what_is_no_new_version(scene: Scene, anyone: Client, owner: AsyncConnection) -> None:
    shape, old = await scene.insert(MapShape), await scene.insert(MapShape, is_active=False)
    theirs = await (await Scene.make(anyone, owner)).insert(MapShape)
    given = {"id": str(shape["id"]), "geomGeojson": square(0, 1)}
    for wrong, told in (
        ({"geomGeojson": BOWTIE}, ("INVALID", "input.geomGeojson")),
        ({"areaSqm": "-1"}, ("INVALID", "input.areaSqm")),
        ({"label": " "}, ("INVALID", "input.label")),
        ({"id": str(theirs["id"])}, ("NOT_FOUND", "input.id")),
        ({"id": str(old["id"])}, ("CONFLICT", None)),
    ):
        assert await scene.refused("reviseMapShape", input=given | wrong) == [told]
    weak = await scene.joined_by("inventory.view")
    assert await weak.codes("reviseMapShape", input=given) == ["FORBIDDEN"]


async def test_of_many_new_versions_at_once_one_comes_into_force(scene: Scene) -> None:
    shape = await scene.insert(MapShape)
    answers = await asyncio.gather(
        *(
            scene.ask(
                "reviseMapShape",
                "errors { code }",
                input={"id": str(shape["id"]), "geomGeojson": square(side, side)},
            )
            for side in range(1, 31)
        )
    )
    told = Counter(str(answer["data"]["reviseMapShape"]["errors"]) for answer in answers)
    assert told == {"[]": 1, "[{'code': 'CONFLICT'}]": 29}
    rows = await scene.rows(MapShape)
    assert [(row["version"], row["is_active"]) for row in rows] == [(1, False), (2, True)]


async def test_a_unit_that_goes_while_its_shapes_are_drawn_anew(scene: Scene) -> None:
    for _ in range(5):
        unit = await scene.insert(Unit)
        shapes = [await scene.insert(MapShape, unit_id=unit["id"]) for _ in range(6)]
        revisions = [
            scene.ask(
                "reviseMapShape",
                "errors { code }",
                input={"id": str(shape["id"]), "geomGeojson": square(1, 2)},
            )
            for shape in shapes
        ]
        revisions.insert(3, scene.ask("deleteUnit", "errors { code }", id=str(unit["id"])))
        answers = [
            payload for answer in await asyncio.gather(*revisions) for payload in answer["data"].values()
        ]
        assert answers[3] == {"errors": []}
        assert {str(answer) for answer in answers} <= {
            "{'errors': []}",
            "{'errors': [{'code': 'NOT_FOUND'}]}",
        }
    rows = await scene.rows(MapShape)
    assert {row["unit_id"] for row in rows} == {None}
    assert all(row["is_active"] for row in rows if row["version"] == 2)
