"""The outbox: a message once under its key, never to who wants none, never past the plan."""

import asyncio
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import (
    MessageTemplate,
    OutboxMessage,
    Plan,
    PlanFeature,
    SuppressionEntry,
    TenantSubscription,
    UsageCounter,
)
from tests.client import Client
from tests.factories import insert
from tests.mutations.scene import Scene, told

SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}}}
MESSAGE = {"templateCode": "welcome", "toEmail": "Mona@example.test", "payload": {"name": "Mona"}}
TEXTED = {"templateCode": "visit", "toPhoneE164": "0100 123 4567"}
SELECT = "outboxMessage { id channel toEmail toPhoneE164 templateCode payload status idempotencyKey }"


@pytest.fixture
async def scene(anyone: Client, owner: AsyncConnection) -> Scene:
    scene = await Scene.make(anyone, owner)
    email = {"channel": "email", "subject": "Hello {{ name }}", "text_body": "Dear {{ name }}"}
    await scene.insert(MessageTemplate, code="welcome", variables_schema=SCHEMA, **email)
    await scene.insert(MessageTemplate, code="visit", channel="sms", locale=None, text_body="See you")
    return scene


async def limited(scene: Scene, messages: int) -> None:
    plan = await insert(scene.owner, Plan)
    feature = {"plan_id": plan["id"], "feature_code": "messages.monthly"}
    await insert(scene.owner, PlanFeature, **feature, limit_value=messages)
    await scene.insert(TenantSubscription, plan_id=plan["id"])


async def used(scene: Scene) -> list[int]:
    return [int(row["value"]) for row in await scene.rows(UsageCounter)]


async def test_a_message_waits_for_its_sender(scene: Scene) -> None:
    done = await scene.call("enqueueMessage", SELECT, input={**MESSAGE, "idempotencyKey": "mona-1"})
    message = done["outboxMessage"]
    id = message.pop("id")
    assert message == {
        "channel": "EMAIL",
        "toEmail": "Mona@example.test",
        "toPhoneE164": None,
        "templateCode": "welcome",
        "payload": {"name": "Mona", "locale": "en"},
        "status": "PENDING",
        "idempotencyKey": "mona-1",
    }
    (entry,) = await scene.audit()
    assert (entry["action"], str(entry["entity_id"])) == ("outbox_message.enqueue", id)
    assert entry["after_data"]["to_email"] == "Mona@example.test"
    assert await used(scene) == [1]


async def test_a_text_message_of_a_template_for_any_language(scene: Scene) -> None:
    for locale in (None, "ar"):
        done = await scene.call("enqueueMessage", SELECT, input={**TEXTED, "locale": locale})
        message = done["outboxMessage"]
        assert (message["channel"], message["toPhoneE164"]) == ("SMS", "+201001234567")
        assert message["payload"] == {}
    # Without a key each is a message of its own.
    assert len(await scene.rows(OutboxMessage)) == 2


async def test_the_language_asked_for_comes_before_the_one_for_all(scene: Scene) -> None:
    for locale, state in (("ar", "approved"), ("fr", "retired")):
        texts = {"code": "visit", "channel": "sms", "text_body": "A", "version_status": state}
        await scene.insert(MessageTemplate, **texts, locale=locale)
    for locale, expected in (("ar", {"locale": "ar"}), ("fr", {}), ("en", {})):
        done = await scene.call("enqueueMessage", SELECT, input={**TEXTED, "locale": locale})
        assert done["outboxMessage"]["payload"] == expected


async def test_one_key_is_one_message_however_many_ask_at_once(scene: Scene) -> None:
    given = {**MESSAGE, "idempotencyKey": "mona-1"}
    done = await asyncio.gather(*(scene.call("enqueueMessage", SELECT, input=given) for _ in range(50)))
    rows = await scene.rows(OutboxMessage)
    assert len(rows) == len(await scene.audit()) == 1
    assert {message["outboxMessage"]["id"] for message in done} == {str(rows[0]["id"])}
    assert await used(scene) == [1]


async def test_what_happened_since_does_not_matter_to_a_key(scene: Scene) -> None:
    given = {**MESSAGE, "idempotencyKey": "mona-1"}
    first = await scene.call("enqueueMessage", SELECT, input=given)
    await scene.insert(SuppressionEntry, channel="email", normalized_value="mona@example.test")
    again = await scene.call("enqueueMessage", SELECT, input={**given, "payload": {"name": "Mona Adel"}})
    assert again == first


@pytest.mark.parametrize("other", [{"toEmail": "adel@example.test"}, TEXTED])
async def test_another_message_under_a_key_is_refused(scene: Scene, other: dict[str, Any]) -> None:
    await scene.call("enqueueMessage", SELECT, input={**MESSAGE, "idempotencyKey": "mona-1"})
    base = MESSAGE if "toEmail" in other else {}
    given = {**base, **other, "idempotencyKey": "mona-1"}
    assert await scene.refused("enqueueMessage", input=given) == [("TAKEN", "input.idempotencyKey")]


async def test_keys_are_the_tenants_own(scene: Scene, anyone: Client, owner: AsyncConnection) -> None:
    other = await Scene.make(anyone, owner)
    await other.insert(OutboxMessage, channel="email", idempotency_key="mona-1")
    await scene.call("enqueueMessage", SELECT, input={**MESSAGE, "idempotencyKey": "mona-1"})
    assert len(await scene.rows(OutboxMessage)) == len(await other.rows(OutboxMessage)) == 1


@pytest.mark.parametrize(
    ("entry", "given", "field"),
    [
        (("email", "mona@example.test"), MESSAGE, "toEmail"),
        (("sms", "+201001234567"), TEXTED, "toPhoneE164"),
    ],
)
async def test_who_wants_no_messages_gets_none(
    scene: Scene, entry: tuple[str, str], given: Any, field: str
) -> None:
    await scene.insert(SuppressionEntry, channel="whatsapp", normalized_value=entry[1])
    await scene.call("enqueueMessage", SELECT, input=given)
    await scene.insert(SuppressionEntry, channel=entry[0], normalized_value=entry[1])
    assert await scene.refused("enqueueMessage", input=given) == [("SUPPRESSED", f"input.{field}")]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"templateCode": "absent"}, ("NOT_FOUND", "templateCode")),
        ({"locale": "fr"}, ("NOT_FOUND", "templateCode")),
        ({"templateCode": "a\0"}, ("INVALID", "templateCode")),
        ({"locale": "a\0"}, ("INVALID", "locale")),
        ({"templateCode": "draft"}, ("CONFLICT", "templateCode")),
        ({"templateCode": "retired"}, ("CONFLICT", "templateCode")),
        ({"templateCode": "notice"}, ("INVALID", "templateCode")),
        ({"toEmail": None}, ("INVALID", "toEmail")),
        ({"toPhoneE164": "+201001234567"}, ("INVALID", "toPhoneE164")),
        ({"payload": None}, ("INVALID", "payload.name")),
        ({"payload": {"name": 1}}, ("INVALID", "payload.name")),
        ({"payload": {"name": "A", "nmae": "B"}}, ("INVALID", "payload.nmae")),
        ({"idempotencyKey": "campaign:1"}, ("INVALID", "idempotencyKey")),
        ({"idempotencyKey": " "}, ("INVALID", "idempotencyKey")),
        ({"idempotencyKey": "a\0"}, ("INVALID", "idempotencyKey")),
    ],
)
async def test_what_cannot_be_sent_is_refused(scene: Scene, change: Any, expected: tuple[str, str]) -> None:
    for code, channel, state in (
        ("draft", "email", "draft"),
        ("retired", "email", "retired"),
        ("notice", "inapp", "approved"),
    ):
        await scene.insert(MessageTemplate, code=code, channel=channel, version_status=state)
    code, field = expected
    assert await scene.refused("enqueueMessage", input={**MESSAGE, **change}) == [(code, f"input.{field}")]


async def test_the_plan_bounds_the_messages_of_a_month(scene: Scene) -> None:
    await limited(scene, 5)
    select = "errors { code field message }"
    work = (
        scene.ask("enqueueMessage", select, input={**TEXTED, "idempotencyKey": str(n)}) for n in range(12)
    )
    answers = await asyncio.gather(*work)
    refused = [told(answer["data"]["enqueueMessage"]["errors"]) for answer in answers]
    assert sorted(refused) == [[]] * 5 + [[("LIMIT_REACHED", None)]] * 7
    assert len(await scene.rows(OutboxMessage)) == len(await scene.audit()) == 5
    assert await used(scene) == [5]


async def test_it_takes_the_permission(scene: Scene) -> None:
    viewer, sender = await scene.joined_by("outbox.view"), await scene.joined_by("outbox.send")
    assert await viewer.codes("enqueueMessage", input=MESSAGE) == ["FORBIDDEN"]
    await sender.call("enqueueMessage", "__typename", input=MESSAGE)
