"""Prices of units: who may give them, and that each is in the history, whoever wrote it."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Project, Unit, UnitPriceChange
from db.session import Database, Scope
from tests.client import Client
from tests.mutations.scene import NOWHERE, Scene


@pytest.fixture
async def scene(anyone: Client, owner: AsyncConnection) -> Scene:
    return await Scene.make(anyone, owner, "inventory.manage", "inventory.price", "inventory.view")


@pytest.fixture
async def unit(scene: Scene) -> str:
    return str((await scene.insert(Unit))["id"])


async def history(scene: Scene) -> list[tuple[Any, ...]]:
    """Prices and who set them, oldest first."""
    rows = sorted(await scene.rows(UnitPriceChange), key=lambda row: row["effective_at"])
    return [(row["price_minor"], row["currency"], row["changed_by_user_id"]) for row in rows]


def price(id: str, minor: int, currency: str = "EGP") -> dict[str, Any]:
    return {"id": id, "priceMinor": str(minor), "currency": currency}


async def test_a_price_is_changed_written_down_and_kept(scene: Scene, unit: str) -> None:
    done = await scene.call(
        "changeUnitPrice",
        "unit { priceMinor currency priceHistory { nodes { priceMinor currency changedByUserId } } }",
        input=price(unit, 9_000_000_000_00),
    )
    me = scene.client.user_id
    entry = {"priceMinor": "900000000000", "currency": "EGP"}
    assert done["unit"] == entry | {"priceHistory": {"nodes": [entry | {"changedByUserId": str(me)}]}}
    await scene.call("changeUnitPrice", "unit { id }", input=price(unit, 5, "USD"))
    assert await history(scene) == [(9_000_000_000_00, "EGP", me), (5, "USD", me)]
    first, second = await scene.audit("unit.change_price")
    assert (first["before_data"]["price_minor"], first["after_data"]["price_minor"]) == (
        None,
        9_000_000_000_00,
    )
    assert (second["before_data"]["currency"], second["after_data"]["currency"]) == ("EGP", "USD")


async def test_the_same_price_again_is_no_change(scene: Scene, unit: str) -> None:
    await scene.call("changeUnitPrice", "unit { id }", input=price(unit, 5))
    async with scene.unchanged():
        await scene.call("changeUnitPrice", "unit { id }", input=price(unit, 5))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"priceMinor": "-1"}, ("INVALID", "input.priceMinor")),
        ({"id": NOWHERE}, ("NOT_FOUND", "input.id")),
    ],
)
async def test_what_is_no_price(
    scene: Scene, unit: str, given: dict[str, Any], told: tuple[str, str]
) -> None:
    assert await scene.refused("changeUnitPrice", input=price(unit, 5) | given) == [told]


@pytest.mark.parametrize("given", [{"currency": "XYZ"}, {"currency": None}, {"priceMinor": "1.5"}])
async def test_what_is_no_amount(scene: Scene, unit: str, given: dict[str, Any]) -> None:
    assert await scene.codes("changeUnitPrice", input=price(unit, 5) | given) == ["BAD_INPUT"]


async def test_another_tenants_unit_is_not_there(
    scene: Scene, anyone: Client, owner: AsyncConnection
) -> None:
    other = await Scene.make(anyone, owner)
    theirs = str((await other.insert(Unit))["id"])
    async with other.unchanged():
        assert await scene.refused("changeUnitPrice", input=price(theirs, 5)) == [("NOT_FOUND", "input.id")]


async def test_it_takes_the_right_to_give_prices(scene: Scene, unit: str) -> None:
    weak = await scene.joined_by("inventory.manage", "inventory.view")
    assert await weak.codes("changeUnitPrice", input=price(unit, 5)) == ["FORBIDDEN"]
    pricer = await scene.joined_by("inventory.price")
    answer = await pricer.ask("changeUnitPrice", "errors { code }", input=price(unit, 5))
    assert answer == {"data": {"changeUnitPrice": {"errors": []}}}
    assert await history(scene) == [(5, "EGP", pricer.client.user_id)]


async def test_a_first_price_is_a_price(scene: Scene) -> None:
    project = await scene.insert(Project)
    given = {
        "projectId": str(project["id"]),
        "unitTypeCode": "APT_1BR",
        "priceMinor": 7,
        "currency": "EGP",
    }
    await scene.call("createUnit", "unit { id }", input=given)
    await scene.call("createUnits", "results { unit { id } }", input=[given, given | {"priceMinor": 8}])
    me = scene.client.user_id
    assert sorted(await history(scene)) == [(7, "EGP", me), (7, "EGP", me), (8, "EGP", me)]
    for missing in ("priceMinor", "currency"):
        assert await scene.refused("createUnit", input=given | {missing: None}) == [
            ("INVALID", f"input.{missing}")
        ]
    weak = await scene.joined_by("inventory.manage", "inventory.view")
    plain = {name: given[name] for name in ("projectId", "unitTypeCode")}
    assert await weak.codes("createUnit", input=given) == ["FORBIDDEN"]
    assert await weak.codes("createUnits", input=[plain, given], mode="EACH") == ["FORBIDDEN"]
    await weak.call("createUnit", "unit { id }", input=plain)
    await weak.call("createUnit", "unit { id }", input=plain | {"priceMinor": None})


async def test_concurrent_changes_are_all_in_the_history(scene: Scene, unit: str) -> None:
    await asyncio.gather(
        *(scene.call("changeUnitPrice", "unit { id }", input=price(unit, minor)) for minor in range(1, 31))
    )
    prices = [minor for minor, _, _ in await history(scene)]
    assert sorted(prices) == list(range(1, 31))
    assert (await scene.row(Unit, unit))["price_minor"] == prices[-1]
    audited = [
        (entry["before_data"]["price_minor"], entry["after_data"]["price_minor"])
        for entry in await scene.audit("unit.change_price")
    ]
    assert sorted(audited, key=lambda pair: pair[0] or 0) == sorted(
        zip([None, *prices], prices, strict=False), key=lambda pair: pair[0] or 0
    )


async def test_prices_by_raw_sql_are_in_the_history(
    scene: Scene, unit: str, database: Database, owner: AsyncConnection
) -> None:
    change = text(
        "UPDATE units SET price_minor = :minor, currency = 'EGP' WHERE tenant_id = :tenant AND id = :id"
    )
    given = {"tenant": scene.tenant, "id": unit}
    async with database.write(Scope(tenant_id=scene.tenant, user_id=scene.client.user_id)) as connection:
        await connection.execute(change, given | {"minor": 1})
    async with database.write(Scope(tenant_id=scene.tenant)) as connection:
        await connection.execute(change, given | {"minor": 2})
    await owner.execute(change, given | {"minor": 3})
    await owner.execute(change, given | {"minor": 3})
    await owner.execute(text("UPDATE units SET price_minor = NULL WHERE id = :id"), {"id": unit})
    assert await history(scene) == [(1, "EGP", scene.client.user_id), (2, "EGP", None), (3, "EGP", None)]
