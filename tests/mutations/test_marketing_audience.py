"""Audiences: who is in them, who is left out, and who may say so."""

from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import CampaignSend, Contact, Lead, SuppressionEntry, UserProfile
from graph.limits import MAX_NOTIFIED
from tests.client import Client
from tests.factories import make_user
from tests.mutations.campaigning import SELECT, campaign, contact, launch, reached, templates
from tests.mutations.scene import NOWHERE, Scene


@pytest.fixture
async def scene(anyone: Client, owner: AsyncConnection) -> Scene:
    return await templates(await Scene.make(anyone, owner))


async def sent_to(scene: Scene, channel: str, audience: dict[str, Any]) -> list[str]:
    """The addresses that a campaign to an audience reaches."""
    id = await campaign(scene, channel)
    await scene.call("launchCampaign", SELECT, input=launch(id, channel, audience=audience))
    return await reached(scene, id)


async def test_contacts_by_a_filter_with_an_address_that_is_not_suppressed(
    scene: Scene, anyone: Client, owner: AsyncConnection
) -> None:
    for name, city in (("adel", "Cairo"), ("mona", "Cairo"), ("samir", "Giza"), ("Zeina", "Cairo")):
        await contact(scene, name, role_title_code=city)
    await scene.insert(Contact, full_name="no address", role_title_code="Cairo")
    other = await Scene.make(anyone, owner)
    await contact(other, "stranger", role_title_code="Cairo")
    for someone, channel, value in (
        (scene, "email", "zeina@example.test"),
        (scene, "sms", "mona@example.test"),
        (other, "email", "adel@example.test"),
    ):
        await someone.insert(SuppressionEntry, channel=channel, normalized_value=value)
    audience = {"contacts": {"roleTitleCode": {"eq": "Cairo"}}}
    assert await sent_to(scene, "email", audience) == ["adel@example.test", "mona@example.test"]


@pytest.mark.parametrize("channel", ["sms", "whatsapp"])
async def test_messages_to_phones_once_a_number(scene: Scene, channel: str) -> None:
    for name, number in (
        ("adel", "+201001"),
        ("mona", "+201002"),
        ("his wife", "+201001"),
        ("no phone", None),
    ):
        await scene.insert(Contact, full_name=name, phone_e164=number)
    await scene.insert(SuppressionEntry, channel=channel, normalized_value="+201002")
    assert await sent_to(scene, channel, {"contacts": {}}) == ["+201001"]


async def test_leads_at_the_address_of_their_contact(scene: Scene) -> None:
    for name, score in (("adel", 10), ("mona", 90), ("mona2", 95)):
        person = await contact(scene, name)
        await scene.insert(Lead, contact_id=person, score=score)
        await scene.insert(Lead, contact_id=person, score=score)
    await scene.insert(Lead, score=99)
    audience = {"leads": {"score": {"gte": 90}}}
    assert await sent_to(scene, "email", audience) == ["mona2@example.test", "mona@example.test"]
    assert {row["recipient_type"] for row in await scene.rows(CampaignSend)} == {"lead"}
    leads = {row["id"] for row in await scene.rows(Lead)}
    assert {row["recipient_id"] for row in await scene.rows(CampaignSend)} <= leads


async def test_users_at_their_own_addresses(scene: Scene) -> None:
    active = await make_user(scene.owner, scene.tenant, email="Adel@example.test")
    bare = await make_user(scene.owner, scene.tenant, email="mona@example.test")
    gone = await make_user(scene.owner, scene.tenant, email="samir@example.test", status="suspended")
    await scene.insert(UserProfile, user_id=active, phone_e164="+201001")
    audience = {"users": [str(id) for id in (active, bare, gone, active)]}
    assert await sent_to(scene, "email", audience) == ["Adel@example.test", "mona@example.test"]
    assert await sent_to(scene, "sms", audience) == ["+201001"]
    assert await sent_to(scene, "inapp", audience) == ["None"] * 2


@pytest.mark.parametrize(
    ("channel", "audience", "expected"),
    [
        ("email", {}, ("INVALID", "audience")),
        ("email", {"contacts": None}, ("INVALID", "audience")),
        ("email", {"contacts": {}, "leads": {}}, ("INVALID", "audience")),
        ("email", {"users": []}, ("INVALID", "audience.users")),
        ("email", {"users": [NOWHERE] * (MAX_NOTIFIED + 1)}, ("INVALID", "audience.users")),
        ("email", {"users": [NOWHERE]}, ("NOT_FOUND", "audience.users.0")),
        ("email", {"users": ["x"]}, ("INVALID", "audience.users.0")),
        ("inapp", {"contacts": {}}, ("INVALID", "audience.contacts")),
        ("inapp", {"leads": {}}, ("INVALID", "audience.leads")),
    ],
)
async def test_what_is_no_audience_is_refused(
    scene: Scene, channel: str, audience: dict[str, Any], expected: tuple[str, str]
) -> None:
    await contact(scene, "mona")
    given = launch(await campaign(scene, channel), channel, audience=audience)
    code, field = expected
    assert await scene.refused("launchCampaign", input=given) == [(code, f"input.{field}")]
    later = {**given, "scheduledAt": "2030-01-01T00:00:00Z"}
    assert await scene.refused("scheduleCampaign", input=later) == [(code, f"input.{field}")]


async def test_a_user_of_another_tenant_is_not_there(
    scene: Scene, anyone: Client, owner: AsyncConnection
) -> None:
    stranger = str((await Scene.make(anyone, owner)).client.user_id)
    me = str(scene.client.user_id)
    given = launch(await campaign(scene), audience={"users": [me, stranger]})
    assert await scene.refused("launchCampaign", input=given) == [("NOT_FOUND", "input.audience.users.1")]


async def test_a_filter_that_cannot_be_used_is_bad_input(scene: Scene) -> None:
    given = launch(await campaign(scene), audience={"contacts": {"email": {"in": ["x"] * 101}}})
    assert await scene.codes("launchCampaign", input=given) == ["BAD_INPUT"]


@pytest.mark.parametrize(
    ("held", "audience", "allowed"),
    [
        ("contacts.view", {"contacts": {}}, True),
        ("leads.view", {"contacts": {}}, False),
        ("leads.view", {"leads": {}}, True),
        ("contacts.view", {"leads": {}}, False),
        ("leads.view", {"leads": {"contact": {"fullName": {"eq": "mona"}}}}, False),
        ("contacts.view", {"contacts": {"company": {"name": {"eq": "A"}}}}, False),
        ("users.view", {"users": "me"}, True),
        ("contacts.view", {"users": "me"}, False),
    ],
)
async def test_an_audience_takes_the_right_to_read_it(
    scene: Scene, held: str, audience: dict[str, Any], allowed: bool
) -> None:
    await scene.insert(Lead, contact_id=await contact(scene, "mona"))
    sender = await scene.joined_by("marketing.send", held)
    if audience == {"users": "me"}:
        audience = {"users": [str(sender.client.user_id)]}
    given = launch(await campaign(scene), audience=audience)
    later = {**given, "scheduledAt": "2030-01-01T00:00:00Z"}
    if allowed:
        await sender.call("scheduleCampaign", "__typename", input=later)
        await sender.call("launchCampaign", "__typename", input=given)
    else:
        assert await sender.codes("scheduleCampaign", input=later) == ["FORBIDDEN"]
        assert await sender.codes("launchCampaign", input=given) == ["FORBIDDEN"]
