"""Units and their components: added one by one and many at once, changed, deleted."""

import asyncio
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import ComponentTypeCode, Developer, Project, Unit, UnitComponent, UnitTypeCode
from tests.client import Client
from tests.mutations.scene import NOWHERE, Scene

MANAGER = ("inventory.manage", "inventory.view")


@pytest.fixture
async def scene(anyone: Client, owner: AsyncConnection) -> Scene:
    return await Scene.make(anyone, owner, *MANAGER)


@pytest.fixture
async def project(scene: Scene) -> str:
    return str((await scene.insert(Project))["id"])


def flat(project: str, **values: Any) -> dict[str, Any]:
    return {"projectId": project, "unitTypeCode": "APT_2BR", **values}


async def test_a_unit_is_added_available_and_without_a_price(scene: Scene, project: str) -> None:
    given = flat(
        project, code=" B-12 ", floor=-1, sizeSqm="120.50", bedrooms=2, virtualTourUrl="https://tour.test/b12"
    )
    done = await scene.call("createUnit", "unit { id code status priceMinor sizeSqm }", input=given)
    made = done["unit"]
    assert made == {
        "id": made["id"],
        "code": "B-12",
        "status": "AVAILABLE",
        "priceMinor": None,
        "sizeSqm": "120.50",
    }
    row = await scene.row(Unit, made["id"])
    assert (str(row["project_id"]), row["floor"], row["unit_type_code"]) == (project, -1, "APT_2BR")
    (entry,) = await scene.audit()
    assert (entry["action"], str(entry["entity_id"])) == ("unit.create", made["id"])
    assert (entry["before_data"], entry["after_data"]["code"]) == (None, "B-12")


async def test_a_unit_is_changed(scene: Scene) -> None:
    unit = await scene.insert(Unit, unit_type_code="APT_2BR", view="sea", floor=1)
    done = await scene.call(
        "updateUnit",
        "unit { view floor unitTypeCode }",
        id=str(unit["id"]),
        input={"view": None, "unitTypeCode": "VILLA_4BR"},
    )
    assert done["unit"] == {"view": None, "floor": 1, "unitTypeCode": "VILLA_4BR"}
    (entry,) = await scene.audit()
    assert (entry["before_data"]["view"], entry["after_data"]["view"]) == ("sea", None)


@pytest.mark.parametrize("name", ["status", "priceMinor", "currency"])
async def test_status_and_price_are_in_no_update(scene: Scene, name: str) -> None:
    unit = await scene.insert(Unit)
    value = {"status": "SOLD", "priceMinor": "1", "currency": "EGP"}[name]
    answer = await scene.codes("updateUnit", id=str(unit["id"]), input={name: value})
    assert answer == ["BAD_INPUT"]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"unitTypeCode": "NO_SUCH"}, ("NOT_FOUND", "input.unitTypeCode")),
        ({"unitTypeCode": " "}, ("INVALID", "input.unitTypeCode")),
        ({"projectId": NOWHERE}, ("NOT_FOUND", "input.projectId")),
        ({"projectId": "12"}, ("INVALID", "input.projectId")),
        ({"bedrooms": -1}, ("INVALID", "input.bedrooms")),
        ({"sizeSqm": "1.005"}, ("INVALID", "input.sizeSqm")),
        ({"sizeSqm": "-1"}, ("INVALID", "input.sizeSqm")),
        ({"sizeSqm": "99999999999"}, ("INVALID", None)),
    ],
)
async def test_what_a_unit_cannot_have(
    scene: Scene, project: str, given: dict[str, Any], told: tuple[str, str | None]
) -> None:
    assert await scene.refused("createUnit", input=flat(project) | given) == [told]
    unit = await scene.insert(Unit, unit_type_code="APT_2BR")
    assert await scene.refused("updateUnit", id=str(unit["id"]), input=given) == [told]


@pytest.mark.parametrize("url", ["ftp://tour.test/", "javascript:alert(1)", "tour.test"])
async def test_a_tour_is_on_the_web(scene: Scene, project: str, url: str) -> None:
    assert await scene.codes("createUnit", input=flat(project, virtualTourUrl=url)) == ["BAD_INPUT"]


async def test_an_address_on_the_web_may_be_long(scene: Scene, project: str) -> None:
    url = f"https://tour.test/{'a' * 2030}"
    done = await scene.call("createUnit", "unit { virtualTourUrl }", input=flat(project, virtualTourUrl=url))
    assert done["unit"] == {"virtualTourUrl": url}
    assert await scene.codes("createUnit", input=flat(project, virtualTourUrl=url + "a")) == ["BAD_INPUT"]


async def test_anothers_project_and_code_are_not_there(
    scene: Scene, anyone: Client, owner: AsyncConnection, project: str
) -> None:
    other = await Scene.make(anyone, owner)
    theirs = await other.insert(Project)
    await other.insert(UnitTypeCode, code="THEIRS", is_active=True)
    assert await scene.refused("createUnit", input=flat(str(theirs["id"]))) == [
        ("NOT_FOUND", "input.projectId")
    ]
    assert await scene.refused("createUnit", input=flat(project, unitTypeCode="THEIRS")) == [
        ("NOT_FOUND", "input.unitTypeCode")
    ]


async def test_a_tenants_own_code_rules_over_the_global_one(scene: Scene, project: str) -> None:
    await scene.insert(UnitTypeCode, code="PENTHOUSE", is_active=None)
    await scene.call("createUnit", "unit { id }", input=flat(project, unitTypeCode="PENTHOUSE"))
    await scene.insert(UnitTypeCode, code="APT_2BR", is_active=False)
    assert await scene.refused("createUnit", input=flat(project)) == [("INVALID", "input.unitTypeCode")]


async def test_a_unit_keeps_a_code_that_is_no_longer_offered(scene: Scene) -> None:
    await scene.insert(UnitTypeCode, code="OLD", is_active=False)
    unit = await scene.insert(Unit, unit_type_code="OLD")
    await scene.call(
        "updateUnit", "unit { id }", id=str(unit["id"]), input={"unitTypeCode": "OLD", "floor": 3}
    )
    assert (await scene.row(Unit, unit["id"]))["floor"] == 3


async def test_a_unit_with_components_or_prices_stays(scene: Scene) -> None:
    free, built, priced = [await scene.insert(Unit) for _ in range(3)]
    await scene.insert(UnitComponent, unit_id=built["id"])
    await scene.insert(UnitComponent, unit_id=built["id"])
    table = Unit.__table__
    await scene.owner.execute(
        table.update().where(table.c.id == priced["id"]).values(price_minor=1, currency="EGP")  # type: ignore[attr-defined]
    )
    await scene.call("deleteUnit", "unit { id }", id=str(free["id"]))
    assert [row["id"] for row in await scene.rows(Unit)] == [built["id"], priced["id"]]
    for unit, count in ((built, "2 unit components"), (priced, "1 unit price history")):
        async with scene.unchanged():
            answer = await scene.ask("deleteUnit", "errors { code message }", id=str(unit["id"]))
        assert answer["data"]["deleteUnit"]["errors"] == [
            {"code": "IN_USE", "message": f"This is still used by {count}."}
        ]


async def test_many_units_each_for_itself(scene: Scene, project: str) -> None:
    rows = [flat(project, code="1"), flat(project, unitTypeCode="NO"), flat(NOWHERE), flat(project, code="4")]
    done = await scene.call(
        "createUnits", "results { unit { code } errors { code field } }", input=rows, mode="EACH"
    )
    assert done["results"] == [
        {"unit": {"code": "1"}, "errors": []},
        {"unit": None, "errors": [{"code": "NOT_FOUND", "field": ["input", "1", "unitTypeCode"]}]},
        {"unit": None, "errors": [{"code": "NOT_FOUND", "field": ["input", "2", "projectId"]}]},
        {"unit": {"code": "4"}, "errors": []},
    ]
    assert sorted(row["code"] for row in await scene.rows(Unit)) == ["1", "4"]
    assert len(await scene.audit("unit.create")) == 2


async def test_components_are_added_changed_and_deleted(scene: Scene) -> None:
    unit = await scene.insert(Unit)
    given = {"unitId": str(unit["id"]), "componentTypeCode": "ROOM_BED", "areaSqm": "12.5", "sortOrder": 2}
    done = await scene.call("createUnitComponent", "unitComponent { id unit { id } areaSqm }", input=given)
    made = done["unitComponent"]
    assert made == {"id": made["id"], "unit": {"id": str(unit["id"])}, "areaSqm": "12.50"}
    changed = await scene.call(
        "updateUnitComponent", "unitComponent { name }", id=made["id"], input={"name": "Guests"}
    )
    assert changed["unitComponent"] == {"name": "Guests"}
    await scene.call("deleteUnitComponent", "unitComponent { id }", id=made["id"])
    assert await scene.rows(UnitComponent) == []
    assert [entry["action"] for entry in await scene.audit()] == [
        "unit_component.create",
        "unit_component.update",
        "unit_component.delete",
    ]


async def test_what_a_component_cannot_have(scene: Scene) -> None:
    given = {"unitId": str((await scene.insert(Unit))["id"]), "componentTypeCode": "ROOM_BED"}
    await scene.insert(ComponentTypeCode, code="CELLAR", is_active=False)
    for wrong, told in (
        ({"componentTypeCode": "APT_2BR"}, ("NOT_FOUND", "input.componentTypeCode")),
        ({"componentTypeCode": "CELLAR"}, ("INVALID", "input.componentTypeCode")),
        ({"unitId": NOWHERE}, ("NOT_FOUND", "input.unitId")),
    ):
        assert await scene.refused("createUnitComponent", input=given | wrong) == [told]


async def test_a_project_deleted_meanwhile_is_not_there(scene: Scene, project: str) -> None:
    answers = await asyncio.gather(
        scene.ask("deleteProject", "errors { code }", id=project),
        scene.ask("createUnit", "errors { code field }", input=flat(project)),
    )
    deleted, created = (next(iter(answer["data"].values()))["errors"] for answer in answers)
    units, projects = await scene.rows(Unit), await scene.rows(Project)
    if deleted:
        assert (deleted, created, len(units), len(projects)) == ([{"code": "IN_USE"}], [], 1, 1)
    else:
        assert created == [{"code": "NOT_FOUND", "field": ["input", "projectId"]}]
        assert (units, projects) == ([], [])


async def test_developers_and_projects(scene: Scene) -> None:
    firm = {"name": "Nile", "website": "https://nile.test/", "email": "info@nile.eg", "phone": "02 2345"}
    done = await scene.call("createDeveloper", "developer { id name phone }", input=firm)
    developer = done["developer"]["id"]
    assert done["developer"] == {"id": developer, "name": "Nile", "phone": "02 2345"}
    given = {
        "name": "Marina",
        "developerId": developer,
        "location": {"lat": 30.04, "lng": 31},
        "startDate": "2026-01-01",
        "endDate": "2026-01-01",
    }
    done = await scene.call("createProject", "project { id location developer { id } }", input=given)
    project = done["project"]["id"]
    assert done["project"]["location"] == {"lat": 30.04, "lng": 31}
    await scene.call("updateProject", "project { id }", id=project, input={"status": "selling"})
    await scene.call("deleteDeveloper", "developer { id }", id=developer)
    (row,) = await scene.rows(Project)
    assert (row["status"], row["developer_id"]) == ("selling", None)
    assert await scene.rows(Developer) == []


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"location": {"lat": 91, "lng": 0}}, "location"),
        ({"location": {"lat": 30}}, "location"),
        ({"location": {"lat": True, "lng": 0}}, "location"),
        ({"location": [30, 31]}, "location"),
        ({"endDate": "2025-12-31"}, "endDate"),
    ],
)
async def test_where_and_when_no_project_is(scene: Scene, given: dict[str, Any], field: str) -> None:
    start = {"name": "Marina", "startDate": "2026-01-01"}
    told = [("INVALID", f"input.{field}")]
    assert await scene.refused("createProject", input=start | given) == told
    row = await scene.call("createProject", "project { id }", input=start)
    assert await scene.refused("updateProject", id=row["project"]["id"], input=given) == told


async def test_a_project_with_units_stays(scene: Scene, project: str) -> None:
    await scene.insert(Unit, project_id=project)
    assert await scene.refused("deleteProject", id=project) == [("IN_USE", None)]


async def test_without_the_permission_nothing_is_done(scene: Scene, project: str) -> None:
    weak = await scene.joined_by("inventory.view", "inventory.price", "deals.create")
    unit = await scene.insert(Unit)
    for name, arguments in (
        ("createUnit", {"input": flat(project)}),
        ("createUnits", {"input": [flat(project)]}),
        ("updateUnit", {"id": str(unit["id"]), "input": {"floor": 1}}),
        ("deleteUnit", {"id": str(unit["id"])}),
        ("createProject", {"input": {"name": "A"}}),
        ("createDeveloper", {"input": {"name": "A"}}),
        ("createUnitTypeCode", {"input": {"code": "A", "label": "A"}}),
        ("createMapOverlay", {"input": {"name": "A"}}),
    ):
        assert await weak.codes(name, **arguments) == ["FORBIDDEN"]
