"""Nobody reads another tenant's rows, whatever they ask; the questions are generated from the schema.

Two tenants have a row in every table. Whatever the administrator of the one is asked to find of the
other's is also asked of their own, so that a question which finds nothing at all fails.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db import models
from graph.inputs import camel_case
from tests.client import Client
from tests.factories import Row, insert
from tests.graph.filled import GLOBAL, HIDDEN, Filled, fill, unlike
from tests.graph.sdl import (
    BY_ID,
    LISTS,
    RELATIONS,
    TABLES,
    Way,
    along,
    counted,
    filter_fields,
    route,
    selection,
    ways,
)

pytestmark = pytest.mark.usefixtures("unbounded")

OF_TENANTS = [way for way in LISTS if TABLES[way.target].name not in GLOBAL]
"""The lists whose rows are a tenant's."""

every_list = pytest.mark.parametrize("way", LISTS, ids=str)
every_list_of_a_tenant = pytest.mark.parametrize("way", OF_TENANTS, ids=str)


@dataclass(frozen=True)
class World:
    """Two tenants on one database; `us` ask, `them` must not be found."""

    us: Filled
    them: Filled


@pytest.fixture(scope="module")
async def world(anyone: Client, owner_engine: AsyncEngine) -> World:
    async with owner_engine.connect() as owner:
        return World(await fill(anyone, owner), await fill(anyone, owner))


async def ask(who: Filled, query: str, **variables: Any) -> tuple[dict[str, Any], str]:
    """The answer, and the response as it came."""
    response = await who.admin.post(query, variables)
    assert response.status_code == 200
    answer: dict[str, Any] = response.json()
    return answer, response.text


def around(way: Way) -> str:
    """A list of Query with all that its rows show and two levels of what is around them."""
    return f"{{ {way.field}(first: 100) {{ {counted(selection(way.target, 2))} }} }}"


VIEWER = f"{{ viewer {{ {selection('Viewer', 3)} }} }}"


Answers = dict[str, tuple[dict[str, Any], str]]


@pytest.fixture(scope="module")
async def answers(world: World) -> Answers:
    """What we get for all lists, and for the viewer; the documents are large, so each is asked once."""
    asked = {str(way): await ask(world.us, around(way)) for way in LISTS}
    return asked | {"Query.viewer": await ask(world.us, VIEWER)}


def row_of(way: Way, filled: Filled) -> Row:
    return filled.rows[TABLES[way.target].name]


@every_list
async def test_a_list_and_all_around_it_is_the_tenants_own(
    world: World, answers: Answers, owner: AsyncConnection, way: Way
) -> None:
    answer, text = answers[str(way)]
    assert "errors" not in answer
    assert world.them.seen_in(text) == set()
    assert str(row_of(way, world.us)["id"]) in text
    table = TABLES[way.target]
    if "tenant_id" in table.c:
        may_see = sa.or_(table.c.tenant_id == world.us.id, table.c.tenant_id.is_(None))
        stored = await owner.scalar(sa.select(sa.func.count()).select_from(table).where(may_see))
        assert answer["data"][way.field]["totalCount"] == stored
        _, theirs = await ask(world.them, f"{{ {way.field} {{ {counted(selection(way.target))} }} }}")
        assert world.them.seen_in(theirs), "the same search finds them where they ask"


async def test_the_viewer_and_all_around_them_is_the_tenants_own(world: World, answers: Answers) -> None:
    answer, text = answers["Query.viewer"]
    assert "errors" not in answer
    assert world.them.seen_in(text) == set()
    assert answer["data"]["viewer"]["tenant"]["id"] == str(world.us.id)
    assert answer["data"]["viewer"]["inbox"]["totalCount"] == 1


async def test_every_relation_of_every_type_led_to_a_row_of_the_tenant(answers: Answers) -> None:
    followed = {way for answer, _ in answers.values() for way in _followed("Query", answer["data"])}
    assert {str(way) for way in (*LISTS, *RELATIONS)} - followed == set()


def _followed(name: str, value: dict[str, Any]) -> Iterator[str]:
    for way in ways(name):
        found = value.get(way.field)
        for row in (found["nodes"] if way.many else [found]) if found else []:
            yield str(way)
            yield from _followed(way.target, row)


async def test_secrets_are_in_no_answer(world: World, answers: Answers) -> None:
    secrets = [
        row[column] for row in world.us.rows.values() for column in HIDDEN if isinstance(row.get(column), str)
    ]
    assert len(secrets) == 2
    assert [secret for secret in secrets for _, text in answers.values() if secret in text] == []


@pytest.mark.parametrize("way", [way for way in BY_ID if TABLES[way.target].name not in GLOBAL], ids=str)
async def test_another_tenants_id_is_answered_as_one_that_does_not_exist(world: World, way: Way) -> None:
    query = f"query ($id: ID!) {{ {way.select('id', 'id: $id')} }}"
    theirs, text = await ask(world.us, query, id=str(row_of(way, world.them)["id"]))
    absent, _ = await ask(world.us, query, id=str(uuid4()))
    assert theirs == absent
    assert theirs["errors"][0]["extensions"] == {"code": "NOT_FOUND"}
    assert world.them.seen_in(text) == set()
    own = str(row_of(way, world.us)["id"])
    assert (await ask(world.us, query, id=own))[0] == {"data": {way.field: {"id": own}}}
    for other in world.them.ids:
        assert (await ask(world.us, query, id=other))[0] == absent


async def test_no_row_of_another_tenant_is_a_node(world: World) -> None:
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"
    answer, _ = await ask(world.us, query, ids=world.them.ids + world.us.ids)
    found = answer["data"]["nodes"]
    assert found[: len(world.them.ids)] == [None] * len(world.them.ids)
    assert [row["id"] for row in found[len(world.them.ids) :]] == world.us.ids
    with_an_id = {name for name, table in TABLES.items() if "id" in table.c and table.name not in GLOBAL}
    assert {row["__typename"] for row in found if row} == with_an_id
    for other in world.them.ids:
        answer, _ = await ask(world.us, "query ($id: ID!) { node(id: $id) { id } }", id=other)
        assert answer == {"data": {"node": None}}


NOTHING, SOMETHING, EVERYTHING = "nothing", "something", "everything"


def conditions(way: Way, world: World) -> Iterator[tuple[str, str]]:
    """Filters over a list, and how much of what we may see each finds; `$them` are their ids."""
    for field, operand in filter_fields(way.target).items():
        if operand == "IDFilter":
            yield f"{field}: {{ in: $them }}", NOTHING
            yield f"{field}: {{ notIn: $them }}", EVERYTHING
            yield f'{field}: {{ ne: "{world.them.ids[0]}" }}', EVERYTHING
            yield f"not: {{ {field}: {{ in: $them }} }}", EVERYTHING
            yield f"or: [{{ {field}: {{ in: $them }} }}, {{ {field}: {{ isNull: false }} }}]", SOMETHING
        related = operand.removesuffix("Filter")
        for filled, found in ((world.them, NOTHING), (world.us, SOMETHING)):
            if related not in TABLES:
                yield from ((f"{field}: {it}", found) for it in compared(operand, field, row_of(way, filled)))
            else:
                row = filled.rows[TABLES[related].name]
                for inner, kind in filter_fields(related).items():
                    for it in list(compared(kind, inner, row))[:1]:
                        yield f"{field}: {{ {inner}: {it} }}", found


def compared(operand: str, field: str, row: Row) -> Iterator[str]:
    """The comparisons of a field that find the value in `row`, where no other row has that value."""
    value: Any = next((value for column, value in row.items() if camel_case(column) == field), None)
    if unlike(value) is None:
        return
    match operand:
        case "IDFilter":
            yield f'{{ eq: "{value}" }}'
            yield f'{{ in: ["{value}"] }}'
        case "StringFilter":
            yield f'{{ in: ["{value}"] }}'
            for operator in ("eq", "contains", "startsWith"):
                yield f'{{ {operator}: "{value}" }}'
        case "StringListFilter":
            yield f'{{ has: "{value[0]}" }}'
        case "JSONFilter":
            yield f"{{ contains: {{ number: {value['number']} }} }}"
        case _:
            raise AssertionError(f"{operand} of {field} is compared with nothing here")


@every_list_of_a_tenant
async def test_no_filter_finds_another_tenants_rows(world: World, way: Way) -> None:
    asked = list(conditions(way, world))
    found = f"{{ totalCount nodes {{ {selection(way.target)} }} }}"
    parts = [f"c{i}: {way.field}(filter: {{ {text} }}) {found}" for i, (text, _) in enumerate(asked)]
    query = f"query ($them: [ID!]!) {{ all: {way.field} {{ totalCount }} {' '.join(parts)} }}"
    answer, text = await ask(world.us, query, them=world.them.ids)
    assert "errors" not in answer
    assert world.them.seen_in(text) == set()
    data = {name: connection["totalCount"] for name, connection in answer["data"].items()}
    whole = data.pop("all")
    assert {NOTHING, SOMETHING, EVERYTHING} == {expected for _, expected in asked}
    for (condition, expected), count in zip(asked, data.values(), strict=True):
        assert {
            NOTHING: count == 0, SOMETHING: 0 < count <= whole, EVERYTHING: count == whole
        }[expected], (condition, expected, count, whole)  # fmt: skip


@every_list_of_a_tenant
async def test_a_cursor_of_another_tenant_is_refused(world: World, way: Way) -> None:
    query = f"{{ {way.field}(first: 1) {{ edges {{ cursor }} }} }}"
    for side in ("after", "before"):
        onward = f"query ($c: String!) {{ {way.field}({side}: $c) {{ totalCount }} }}"
        for filled, codes in ((world.them, ["BAD_CURSOR"]), (world.us, [])):
            answer, _ = await ask(filled, query)
            cursor = answer["data"][way.field]["edges"][0]["cursor"]
            assert await world.us.admin.codes(onward, c=cursor) == codes


@pytest.mark.parametrize("way", [way for way in RELATIONS if way.many and way.parent != "Plan"], ids=str)
async def test_a_cursor_under_another_tenants_row_is_refused(world: World, way: Way) -> None:
    path = route(way.parent)
    query = f"{{ {along(path, f'{way.field} {{ edges {{ cursor }} }}')} }}"
    onward = f"query ($c: String!) {{ {along(path, f'{way.field}(after: $c) {{ totalCount }}')} }}"
    for filled in (world.them, world.us):
        _, text = await ask(filled, query)
        cursor = text.split('"cursor":"')[1].split('"')[0]
        answer, _ = await ask(world.us, onward, c=cursor)
        codes = {error["extensions"]["code"] for error in answer.get("errors", [])}
        # Our own cursor is good under the one parent that gave it out, and refused by its siblings.
        assert codes <= {"BAD_CURSOR"}
        assert ("totalCount" in str(answer["data"])) == (filled is world.us)


async def test_what_names_a_row_without_a_key_finds_none_of_another_tenant(
    anyone: Client, owner: AsyncConnection
) -> None:
    us, them = await fill(anyone, owner), await fill(anyone, owner)
    user, contact = them.rows["users"]["id"], them.rows["contacts"]["id"]
    ours = [
        await insert(owner, models.AuditLog, tenant_id=us.id, user_id=user),
        await insert(
            owner,
            models.ApprovalStep,
            tenant_id=us.id,
            approval_id=us.rows["approvals"]["id"],
            actor_user_id=user,
        ),
        await insert(
            owner, models.CampaignSend, tenant_id=us.id, recipient_id=contact, recipient_type="contact"
        ),
    ]
    query = """query ($ids: [ID!]!, $user: ID!) {
        nodes(ids: $ids) {
            ... on AuditLog { user { email } }
            ... on ApprovalStep { actor { email } }
            ... on CampaignSend { recipient { ... on Contact { email } } }
        }
        theirs: auditLogs(filter: { user: { id: { eq: $user } } }) { totalCount }
        either: auditLogs(filter: { user: {} }) { nodes { user { id } } }
    }"""
    answer, text = await ask(us, query, ids=[str(row["id"]) for row in ours], user=str(user))
    assert answer["data"]["nodes"] == [{"user": None}, {"actor": None}, {"recipient": None}]
    assert answer["data"]["theirs"] == {"totalCount": 0}
    assert answer["data"]["either"] == {"nodes": [{"user": {"id": str(us.rows["users"]["id"])}}]}
    assert them.seen_in(text) == set()
