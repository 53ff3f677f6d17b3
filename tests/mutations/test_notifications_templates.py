"""Templates: drafts that are approved, used as they were approved, and retired."""

from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import MessageTemplate
from tests.client import Client
from tests.mutations.scene import NOWHERE, Scene, told

SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
EMAIL = {
    "code": "welcome",
    "channel": "EMAIL",
    "subject": "Hello {{ name }}",
    "htmlBody": "<p>{{ name }}</p>",
}
SELECT = "messageTemplate { id code locale versionStatus }"


@pytest.fixture
async def scene(anyone: Client, owner: AsyncConnection) -> Scene:
    return await Scene.make(anyone, owner)


async def made(scene: Scene, **values: Any) -> str:
    done = await scene.call("createMessageTemplate", SELECT, input={**EMAIL, **values})
    id: str = done["messageTemplate"]["id"]
    return id


async def stored(scene: Scene, **values: Any) -> str:
    """A template that somebody else wrote."""
    return str((await scene.insert(MessageTemplate, **values))["id"])


async def test_a_template_is_made_approved_and_retired(scene: Scene) -> None:
    done = await scene.call("createMessageTemplate", SELECT, input={**EMAIL, "variablesSchema": SCHEMA})
    id = done["messageTemplate"].pop("id")
    assert done["messageTemplate"] == {"code": "welcome", "locale": "en", "versionStatus": "DRAFT"}
    update = {"subject": "Good morning {{ name }}", "textBody": None, "locale": "ar-EG"}
    await scene.call("updateMessageTemplate", SELECT, id=id, input=update)
    for name, state in (("approveTemplate", "APPROVED"), ("retireTemplate", "RETIRED")):
        done = await scene.call(name, SELECT, input={"id": id})
        assert done["messageTemplate"]["versionStatus"] == state
    row = await scene.row(MessageTemplate, id)
    assert (row["subject"], row["locale"], row["version_status"]) == (update["subject"], "ar-EG", "retired")
    assert row["variables_schema"] == SCHEMA
    entries = await scene.audit()
    assert [(entry["action"], entry["after_data"]["version_status"]) for entry in entries] == [
        ("message_template.create", "draft"),
        ("message_template.update", "draft"),
        ("message_template.approve", "approved"),
        ("message_template.retire", "retired"),
    ]
    assert entries[2]["before_data"]["version_status"] == "draft"
    await scene.call("deleteMessageTemplate", SELECT, id=id)
    assert await scene.rows(MessageTemplate) == []


@pytest.mark.parametrize(
    ("state", "refused"),
    [
        ("draft", {"retire"}),
        ("approved", {"approve", "update", "delete"}),
        ("retired", {"approve", "retire", "update"}),
    ],
)
async def test_other_steps_are_conflicts(scene: Scene, state: str, refused: set[str]) -> None:
    for verb in ("approve", "retire", "update", "delete"):
        values = {"channel": "email", "subject": "A", "text_body": "B", "version_status": state}
        id = await stored(scene, code=verb, **values)
        given: dict[str, Any] = {"id": id} if verb in ("update", "delete") else {"input": {"id": id}}
        given |= {"input": {"subject": "C"}} if verb == "update" else {}
        name = f"{verb}MessageTemplate" if verb in ("update", "delete") else f"{verb}Template"
        if verb in refused:
            assert await scene.refused(name, **given) == [("CONFLICT", None)], verb
        else:
            await scene.call(name, SELECT, **given)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"locale": "english please"}, "locale"),
        ({"code": " "}, "code"),
        ({"subject": "Hello\nBcc: all@example.test"}, "subject"),
        ({"htmlBody": "Hello {{ first name }}"}, "htmlBody"),
        ({"textBody": "{{ locale }}"}, "textBody"),
        ({"textBody": "a\0b"}, "textBody"),
        ({"variablesSchema": {"$ref": "https://example.test"}}, "variablesSchema"),
        ({"variablesSchema": {"properties": {"name": {"pattern": "a"}}}}, "variablesSchema.properties.name"),
        ({"variablesSchema": SCHEMA, "textBody": "{{ nmae }}"}, "textBody"),
    ],
)
async def test_what_cannot_be_a_template_is_refused(scene: Scene, wrong: dict[str, Any], field: str) -> None:
    expected = [("INVALID", f"input.{field}")]
    assert await scene.refused("createMessageTemplate", input={**EMAIL, **wrong}) == expected
    id = await made(scene)
    assert await scene.refused("updateMessageTemplate", id=id, input=wrong) == expected


async def test_a_schema_is_held_to_the_texts_that_stay(scene: Scene) -> None:
    id = await made(scene)
    other = {"type": "object", "properties": {"other": {}}}
    assert await scene.refused("updateMessageTemplate", id=id, input={"variablesSchema": other}) == [
        ("INVALID", "input.subject"),
        ("INVALID", "input.htmlBody"),
    ]


async def test_a_code_and_language_are_one_templates(scene: Scene) -> None:
    await made(scene)
    assert await scene.refused("createMessageTemplate", input=EMAIL) == [("TAKEN", "input.locale")]
    await made(scene, locale="ar")


@pytest.mark.parametrize(
    ("channel", "texts", "message"),
    [
        ("email", {"text_body": "A"}, "An e-mail takes a subject."),
        ("email", {"subject": "A"}, "An e-mail takes a text, as HTML or plain."),
        ("sms", {"html_body": "A"}, "A message of this channel takes a plain text."),
        ("whatsapp", {"subject": "A"}, "A message of this channel takes a plain text."),
        ("inapp", {"text_body": "A"}, "A notice takes a subject, which is its title."),
    ],
)
async def test_what_lacks_a_text_is_not_approved(
    scene: Scene, channel: str, texts: dict[str, str], message: str
) -> None:
    id = await stored(scene, channel=channel, version_status="draft", **texts)
    async with scene.unchanged():
        answer = await scene.ask("approveTemplate", "errors { code field message }", input={"id": id})
    assert answer["data"]["approveTemplate"]["errors"] == [
        {"code": "INVALID", "field": ["input", "id"], "message": message}
    ]


async def preview(scene: Scene, id: str, variables: Any) -> dict[str, Any]:
    select = "messageTemplate { id } subject htmlBody textBody errors { code field message }"
    async with scene.unchanged():
        answer = await scene.ask("previewTemplate", select, input={"id": id, "variables": variables})
    payload: dict[str, Any] = answer["data"]["previewTemplate"]
    return payload


async def test_a_preview_shows_the_message_and_writes_nothing(scene: Scene) -> None:
    id = await made(scene, textBody="Dear {{ name }}", variablesSchema=SCHEMA)
    assert await preview(scene, id, {"name": "<Mona>"}) == {
        "messageTemplate": {"id": id},
        "subject": "Hello <Mona>",
        "htmlBody": "<p>&lt;Mona&gt;</p>",
        "textBody": "Dear <Mona>",
        "errors": [],
    }
    bare = await stored(scene, channel="sms", text_body="No variables", version_status="retired")
    shown = await preview(scene, bare, None)
    assert (shown["subject"], shown["htmlBody"], shown["textBody"]) == (None, None, "No variables")


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        (None, [("INVALID", "input.variables.name")]),
        ({}, [("INVALID", "input.variables.name")]),
        ([], [("INVALID", "input.variables")]),
        ({"name": 5}, [("INVALID", "input.variables.name")]),
        ({"name": "Mona", "age": 5}, [("INVALID", "input.variables.age")]),
    ],
)
async def test_variables_that_do_not_fit_are_named(scene: Scene, variables: Any, expected: Any) -> None:
    shown = await preview(scene, await made(scene, variablesSchema=SCHEMA), variables)
    assert told(shown["errors"]) == expected
    assert (shown["subject"], shown["htmlBody"], shown["messageTemplate"]) == (None, None, None)


async def test_a_schema_that_another_service_wrote_is_not_trusted(scene: Scene) -> None:
    schema = {"type": "object", "properties": {"name": {"pattern": "^(a+)+$"}}}
    id = await stored(scene, channel="sms", text_body="{{ name }}", variables_schema=schema)
    shown = await preview(scene, id, {"name": "a" * 50 + "!"})
    assert told(shown["errors"]) == [("CONFLICT", None)]


async def test_templates_of_others_are_not_there(
    scene: Scene, anyone: Client, owner: AsyncConnection
) -> None:
    id = await made(scene)
    other = await Scene.make(anyone, owner)
    for someone, which in ((other, id), (scene, NOWHERE)):
        for name in ("approveTemplate", "retireTemplate", "previewTemplate"):
            assert await someone.refused(name, input={"id": which}) == [("NOT_FOUND", "input.id")]
        assert await someone.refused("deleteMessageTemplate", id=which) == [("NOT_FOUND", None)]


async def test_each_takes_its_permission(scene: Scene) -> None:
    id = await made(scene)
    viewer, manager = await scene.joined_by("templates.view"), await scene.joined_by("templates.manage")
    for name in ("approveTemplate", "retireTemplate"):
        assert await viewer.codes(name, input={"id": id}) == ["FORBIDDEN"]
    assert await manager.codes("previewTemplate", input={"id": id}) == ["FORBIDDEN"]
    await viewer.call("previewTemplate", "subject", input={"id": id, "variables": {"name": "Mona"}})
    await manager.call("approveTemplate", "__typename", input={"id": id})
