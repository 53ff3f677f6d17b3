"""Phone numbers: E.164 in answers, a `+` or a number of the deployment's country in input."""

from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Contact
from graph import settings
from graph.settings import SettingsError
from tests.client import Client, running, signed_in
from tests.factories import make_tenant
from tests.mutations.scene import Scene
from tests.server import Urls


async def stored(scene: Scene, given: str) -> str | None:
    """What becomes of a contact's number; None if it is refused."""
    answer = await scene.ask(
        "createContact", "contact { phoneE164 }", input={"fullName": "Mona", "phoneE164": given}
    )
    if "errors" in answer:
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_INPUT"]
        return None
    found: str = answer["data"]["createContact"]["contact"]["phoneE164"]
    return found


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("+201001234567", "+201001234567"),
        (" +20 100 123-4567 ", "+201001234567"),
        ("01001234567", "+201001234567"),
        ("0100 123 4567", "+201001234567"),
        ("(02) 2345 6789", "+20223456789"),
        ("00201001234567", "+201001234567"),
        ("+1 202-555-0123", "+12025550123"),
        ("202-555-0123", None),
        ("0100 123 456", None),
        ("12345", None),
        ("+20", None),
        ("", None),
    ],
)
async def test_in_egypt(anyone: Client, owner: AsyncConnection, given: str, expected: str | None) -> None:
    assert await stored(await Scene.make(anyone, owner), given) == expected


async def test_each_deployment_reads_by_its_own_country(
    anyone: Client, owner: AsyncConnection, urls: Urls, tmp_path: Path
) -> None:
    async with running(urls.gateway, tmp_path, default_region="US") as american:
        tenant = await make_tenant(owner)
        scene = Scene(owner, await signed_in(american, owner, tenant, "*"), tenant)
        assert await stored(scene, "(202) 456-1111") == "+12024561111"
        assert await stored(scene, "01001234567") is None
        egyptian = await Scene.make(anyone, owner)
        assert await stored(egyptian, "01001234567") == "+201001234567"
        assert await stored(scene, "202-456-1111") == "+12024561111"


async def test_what_others_stored_is_readable(anyone: Client, owner: AsyncConnection) -> None:
    scene = await Scene.make(anyone, owner)
    await scene.insert(Contact, phone_e164="call Mona")
    assert await scene.client.read("{ contacts { nodes { phoneE164 } } }") == {
        "contacts": {"nodes": [{"phoneE164": "call Mona"}]}
    }


@pytest.mark.parametrize("region", ["eg", "XX", "EGY", "001"])
def test_a_country_without_numbers_is_refused(monkeypatch: pytest.MonkeyPatch, region: str) -> None:
    monkeypatch.setenv("M3_DEFAULT_REGION", region)
    with pytest.raises(SettingsError, match=r"^M3_DEFAULT_REGION: [^\n]+$"):
        settings.load()
