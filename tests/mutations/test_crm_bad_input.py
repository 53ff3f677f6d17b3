"""Every field of every input of the domain, with what nobody should send: the answer names the field.

Generated from the SDL: a field that is added is tested when it is there.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from graphql import (
    GraphQLInputField,
    GraphQLInputObjectType,
    get_named_type,
    get_nullable_type,
    is_enum_type,
    is_list_type,
    is_non_null_type,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from db import models
from tests.client import Client
from tests.mutations.scene import NOWHERE, SCHEMA, Scene

ENTITIES = ("Company", "Contact", "Lead", "DealPipeline", "DealStage", "Deal", "Activity")
BULK = {
    "Company": "createCompanies",
    "Contact": "createContacts",
    "Lead": "createLeads",
    "Deal": "createDeals",
}
TARGETS = {
    "companyId": models.Company,
    "contactId": models.Contact,
    "dealId": models.Deal,
    "pipelineId": models.DealPipeline,
    "stageId": models.DealStage,
    "ownerUserId": models.User,
    "assignedTo": models.User,
}
WRONG_KINDS: dict[str, list[Any]] = {
    "String": [7, True, {"a": 1}],
    "ID": ["7", "x\0y", NOWHERE + "0", {"a": 1}],
    "Int": ["7", 2**31, 1.5, True],
    "BigInt": ["7.5", 2**63, str(2**63), True, "x"],
    "Date": ["2026-02-30", "tomorrow", 7],
    "DateTime": ["2026-02-03", "2026-02-03T10:00:00", 7],
    "EmailAddress": ["mona", "mona@", "a b@example.org", "m\0@example.org", 7],
    "PhoneNumber": ["12", "hello", "+0", "0100 123 4567 ext. 5", "\0", 7],
    "CurrencyCode": ["egp", "XXQ", "", 7],
    "URL": ["nile", "javascript:alert(1)", "ftp://nile.test/", "https://", "\0", 7],
    "JSON": [{"a": ["x\0"]}, {"a\0": 1}],
}


def inputs() -> Iterator[tuple[str, str, GraphQLInputField]]:
    for entity in ENTITIES:
        for verb in ("Create", "Update"):
            named = SCHEMA.type_map[f"{verb}{entity}Input"]
            assert isinstance(named, GraphQLInputObjectType)
            for name, field in named.fields.items():
                yield f"{verb.lower()}{entity}", name, field


def required(entity: str) -> list[str]:
    named = SCHEMA.type_map[f"Create{entity}Input"]
    assert isinstance(named, GraphQLInputObjectType)
    return [name for name, field in named.fields.items() if is_non_null_type(field.type)]


def bad_values(name: str, field: GraphQLInputField) -> Iterator[Any]:
    """What the field cannot take."""
    kind = get_nullable_type(field.type)
    named = get_named_type(field.type).name
    if is_list_type(kind):
        yield from ([7], ["x\0"], [" "], ["x" * 101], [None], [str(n) for n in range(101)], {"a": 1})
    elif is_enum_type(kind):
        yield from ("nothing of that", 7)
    else:
        yield from WRONG_KINDS[named]
        if name == "description":  # text with paragraphs, which may be empty
            yield from ("x\0y", "x" * 100_001)
        elif named == "String":
            yield from ("x\0y", " ", "", "x" * 501)
    if is_non_null_type(field.type):
        yield None


CASES = list(inputs())


@pytest.fixture
async def scene(anyone: Client, owner: AsyncConnection) -> Scene:
    return await Scene.make(anyone, owner)


async def given_for(scene: Scene, entity: str, name: str, value: Any) -> dict[str, Any]:
    """A good input but for `name`."""
    pipeline = await scene.insert(models.DealPipeline)
    await scene.insert(models.DealStage, pipeline_id=pipeline["id"])
    good = {
        "name": "Nile",
        "fullName": "Mona",
        "code": "new",
        "pipelineId": str(pipeline["id"]),
        "typeCode": "TASK",
        "currency": "EGP",
    }
    taken = {key: good[key] for key in required(entity)}
    if name == "amountMinor":
        taken["currency"] = "EGP"
    return {**taken, name: value}


async def asked(scene: Scene, mutation: str, given: dict[str, Any]) -> list[tuple[str, str]]:
    """For each complaint its code, and the field that it names; nothing was written."""
    arguments: dict[str, Any] = {"input": given}
    if mutation.startswith("update"):
        row = await scene.insert(getattr(models, mutation.removeprefix("update")))
        arguments["id"] = str(row["id"])
    async with scene.unchanged():
        answer = await scene.ask(mutation, "errors { code field message }", **arguments)
    found = [
        (
            error["extensions"]["code"],
            ".".join(re.findall(r"^Variable '\$input' \D+ at \.(\w+)", error["message"])),
        )
        for error in answer.get("errors", [])
    ]
    payload = (answer.get("data") or {}).get(mutation) or {"errors": []}
    return found + [(error["code"], error["field"][1]) for error in payload["errors"]]


@pytest.mark.parametrize(("mutation", "name", "field"), CASES, ids=[f"{m}.{n}" for m, n, _ in CASES])
async def test_a_bad_value_is_refused_by_the_name_of_its_field(
    scene: Scene, mutation: str, name: str, field: GraphQLInputField
) -> None:
    entity = mutation[6:]
    for value in bad_values(name, field):
        given = (
            await given_for(scene, entity, name, value) if mutation.startswith("create") else {name: value}
        )
        complaints = await asked(scene, mutation, given)
        assert complaints, value
        for code, where in complaints:
            assert code in ("BAD_INPUT", "INVALID"), (value, complaints)
            assert where == name, (value, complaints)


@pytest.mark.parametrize(("mutation", "name", "field"), CASES, ids=[f"{m}.{n}" for m, n, _ in CASES])
async def test_null_clears_what_may_be_empty(
    scene: Scene, mutation: str, name: str, field: GraphQLInputField
) -> None:
    entity = mutation[6:]
    model = getattr(models, entity)
    column = next(c for c in model.__table__.c if c.name.replace("_", "").lower() == name.lower())
    given = await given_for(scene, entity, name, None) if mutation.startswith("create") else {name: None}
    if not column.nullable:
        if not is_non_null_type(field.type):
            assert await asked(scene, mutation, given) == [("INVALID", name)]
        return
    select = f"{entity[0].lower()}{entity[1:]} {{ {name} }}"
    row = await scene.insert(model)
    arguments = {"id": str(row["id"])} if mutation.startswith("update") else {}
    done = await scene.call(mutation, select, input=given, **arguments)
    assert next(iter(done.values())) == {name: None}


@pytest.mark.parametrize("entity", ENTITIES)
async def test_what_is_required_is_missed_by_name(scene: Scene, entity: str) -> None:
    for name in required(entity):
        given = await given_for(scene, entity, name, None)
        del given[name]
        assert await asked(scene, f"create{entity}", given) == [("BAD_INPUT", "")]
        answer = await scene.ask(f"create{entity}", "errors { code }", input=given)
        assert f"'{name}'" in answer["errors"][0]["message"]


REFERENCES = [case for case in CASES if case[1] in TARGETS]


@pytest.mark.parametrize(
    ("mutation", "name", "field"), REFERENCES, ids=[f"{m}.{n}" for m, n, _ in REFERENCES]
)
async def test_another_tenants_row_is_as_if_it_were_not(
    scene: Scene, mutation: str, name: str, field: GraphQLInputField
) -> None:
    elsewhere = await Scene.make(scene.client, scene.owner)
    theirs = str((await elsewhere.insert(TARGETS[name]))["id"])
    answers = []
    for id in (theirs, NOWHERE):
        given = (
            await given_for(scene, mutation[6:], name, id) if mutation.startswith("create") else {name: id}
        )
        assert await asked(scene, mutation, given) == [("NOT_FOUND", name)]
        row = await scene.insert(getattr(models, mutation[6:]))
        arguments = {"id": str(row["id"])} if mutation.startswith("update") else {}
        answers.append(await scene.ask(mutation, "errors { code field message }", input=given, **arguments))
    assert answers[0] == answers[1]


@pytest.mark.parametrize("entity", BULK)
async def test_a_bad_row_among_many_is_named(scene: Scene, entity: str) -> None:
    good = await given_for(scene, entity, "tags", ["x"])
    if entity == "Company":
        del good["tags"]
    bad = {**good, "tags": [" "]} if entity != "Company" else {"name": " "}
    field = "tags" if entity != "Company" else "name"
    select = "errors { code } results { errors { code field } }"
    async with scene.unchanged():
        answer = await scene.ask(BULK[entity], select, input=[good, bad, good])
    assert [result["errors"] for result in answer["data"][BULK[entity]]["results"]] == [
        [],
        [{"code": "INVALID", "field": ["input", "1", field]}],
        [],
    ]


async def test_no_answer_tells_of_the_database(scene: Scene) -> None:
    await scene.insert(models.Contact, email="mona@example.org")
    given = {"fullName": "Mona", "email": "mona@example.org"}
    for input in (given, {**given, "email": None, "companyId": NOWHERE}):
        answer = str(await scene.ask("createContact", "errors { code field message }", input=input))
        assert not any(word in answer.lower() for word in ("_uq", "_fkey", "contacts", "insert", "tenant"))
