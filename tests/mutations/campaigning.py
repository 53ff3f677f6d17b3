"""What tests of campaigns share: a tenant with templates, people to write to, and campaigns."""

from typing import Any

from db.models import Campaign, CampaignSend, Contact, MessageTemplate, OutboxMessage
from tests.mutations.scene import Scene

SELECT = "campaign { id status sentAt completedAt }"
TEXTS = {"subject": "Hello {{ name }}", "html_body": "<p>{{ name }}</p>", "text_body": "Dear {{ name }}"}
VARIABLES = {"name": "buyer"}
EVERYBODY: dict[str, Any] = {"contacts": {}}


async def templates(scene: Scene) -> Scene:
    """The scene with an approved template for each channel, of the channel's name."""
    for channel in ("email", "sms", "whatsapp", "inapp"):
        await scene.insert(MessageTemplate, code=channel, channel=channel, **TEXTS)
    return scene


async def contact(scene: Scene, name: str, **values: Any) -> str:
    """A contact at name@example.test."""
    found = await scene.insert(Contact, full_name=name, email=f"{name}@example.test", **values)
    return str(found["id"])


async def campaign(scene: Scene, channel: str = "email", **values: Any) -> str:
    """A campaign, a draft if nothing else is said."""
    return str((await scene.insert(Campaign, type=channel, **values))["id"])


def launch(id: str, channel: str = "email", **values: Any) -> dict[str, Any]:
    """The input that launches a campaign to all contacts."""
    given = {"id": id, "templateCode": channel, "audience": EVERYBODY, "variables": VARIABLES}
    return {**given, **values}


async def reached(scene: Scene, id: str) -> list[str]:
    """The addresses of a campaign's messages, of which each send has one."""
    sends = [row for row in await scene.rows(CampaignSend) if str(row["campaign_id"]) == id]
    messages = [row for row in await scene.rows(OutboxMessage) if (row["idempotency_key"] or "").find(id) > 0]
    keys = [f"campaign:{id}:{send['recipient_type']}:{send['recipient_id']}" for send in sends]
    assert sorted(keys) == sorted(message["idempotency_key"] for message in messages)
    assert {send["id"] for send in sends} == {message["id"] for message in messages}
    assert len(keys) == len(set(keys))
    return sorted(str(message["to_email"] or message["to_phone_e164"]) for message in messages)
