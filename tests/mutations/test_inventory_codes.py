"""The codes of types: a tenant changes its own, and none that is in use goes away."""

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from db.base import Base
from db.models import ComponentTypeCode, MapShape, Project, Unit, UnitComponent, UnitTypeCode
from tests.client import Client
from tests.mutations.scene import Scene

KINDS = [
    pytest.param("UnitTypeCode", UnitTypeCode, Unit, "unit_type_code", "APT_2BR", id="unit"),
    pytest.param(
        "ComponentTypeCode",
        ComponentTypeCode,
        UnitComponent,
        "component_type_code",
        "ROOM_BED",
        id="component",
    ),
]


@pytest.fixture
async def scene(anyone: Client, owner: AsyncConnection) -> Scene:
    return await Scene.make(anyone, owner, "inventory.manage", "inventory.view")


def field(kind: str) -> str:
    return kind[0].lower() + kind[1:]


async def of_everybody(owner: AsyncConnection, model: type[Base], code: str) -> dict[str, Any]:
    """The row of M3Core's own code."""
    table = model.__table__
    found = await owner.execute(sa.select(table).where(table.c.tenant_id.is_(None), table.c.code == code))
    return dict(found.mappings().one())


@pytest.mark.parametrize(("kind", "model", "user", "column", "everybodys"), KINDS)
async def test_a_code_is_added_changed_and_deleted(
    scene: Scene, kind: str, model: type[Base], user: type[Base], column: str, everybodys: str
) -> None:
    select = f"{field(kind)} {{ id code label isActive }}"
    done = await scene.call(f"create{kind}", select, input={"code": "LOFT", "label": "Loft"})
    made = done[field(kind)]
    assert made == {"id": made["id"], "code": "LOFT", "label": "Loft", "isActive": True}
    changed = {"code": "LOFT_XL", "label": "Loft XL", "isActive": False}
    done = await scene.call(f"update{kind}", select, id=made["id"], input=changed)
    assert done[field(kind)] == made | changed
    await scene.call(f"delete{kind}", select, id=made["id"])
    assert await scene.rows(model) == []
    assert [entry["action"] for entry in await scene.audit()] == [
        f"{column}.create",
        f"{column}.update",
        f"{column}.delete",
    ]


@pytest.mark.parametrize(("kind", "model", "user", "column", "everybodys"), KINDS)
async def test_everybodys_codes_are_not_a_tenants_to_change(
    scene: Scene,
    owner: AsyncConnection,
    kind: str,
    model: type[Base],
    user: type[Base],
    column: str,
    everybodys: str,
) -> None:
    before = await of_everybody(owner, model, everybodys)
    id = str(before["id"])
    assert await scene.refused(f"update{kind}", id=id, input={"label": "Mine"}) == [("NOT_FOUND", None)]
    assert await scene.refused(f"delete{kind}", id=id) == [("NOT_FOUND", None)]
    assert await of_everybody(owner, model, everybodys) == before


@pytest.mark.parametrize(("kind", "model", "user", "column", "everybodys"), KINDS)
async def test_a_code_is_the_tenants_once(
    scene: Scene, kind: str, model: type[Base], user: type[Base], column: str, everybodys: str
) -> None:
    given = {"code": everybodys, "label": "In our words"}
    await scene.call(f"create{kind}", f"{field(kind)} {{ id }}", input=given)
    assert await scene.refused(f"create{kind}", input=given) == [("TAKEN", "input.code")]


@pytest.mark.parametrize(("kind", "model", "user", "column", "everybodys"), KINDS)
async def test_a_code_in_use_stays(
    scene: Scene, kind: str, model: type[Base], user: type[Base], column: str, everybodys: str
) -> None:
    code = await scene.insert(model, code="LOFT")
    await scene.insert(user, **{column: "LOFT"})
    await scene.insert(MapShape, **{column: "LOFT"})
    id = str(code["id"])
    async with scene.unchanged():
        answer = await scene.ask(f"delete{kind}", "errors { code field message }", id=id)
    counts = f"1 {user.__tablename__.replace('_', ' ')}, 1 map shapes"
    assert answer["data"][f"delete{kind}"]["errors"] == [
        {"code": "IN_USE", "field": None, "message": f"This is still used by {counts}."}
    ]
    assert await scene.refused(f"update{kind}", id=id, input={"code": "FLAT"}) == [("IN_USE", "input.code")]
    await scene.call(f"update{kind}", f"{field(kind)} {{ id }}", id=id, input={"code": "LOFT", "label": "L"})


@pytest.mark.parametrize(("kind", "model", "user", "column", "everybodys"), KINDS)
async def test_a_code_that_stands_in_for_everybodys_goes(
    scene: Scene, kind: str, model: type[Base], user: type[Base], column: str, everybodys: str
) -> None:
    code = await scene.insert(model, code=everybodys)
    await scene.insert(user, **{column: everybodys})
    await scene.call(f"delete{kind}", f"{field(kind)} {{ id }}", id=str(code["id"]))
    assert await scene.rows(model) == []


async def test_a_code_that_goes_while_a_unit_takes_it(scene: Scene) -> None:
    project = str((await scene.insert(Project))["id"])
    for _ in range(10):
        code = await scene.insert(UnitTypeCode, code="LOFT", is_active=True)
        units = len(await scene.rows(Unit))
        await asyncio.gather(
            scene.ask("deleteUnitTypeCode", "errors { code }", id=str(code["id"])),
            scene.ask("createUnit", "errors { code }", input={"projectId": project, "unitTypeCode": "LOFT"}),
        )
        codes, added = await scene.rows(UnitTypeCode), len(await scene.rows(Unit)) - units
        assert (len(codes), added) in {(0, 0), (1, 1)}
        if added:
            await scene.owner.execute(sa.delete(Unit).where(Unit.tenant_id == scene.tenant))
            await scene.owner.execute(sa.delete(UnitTypeCode).where(UnitTypeCode.tenant_id == scene.tenant))
