"""What a permission opens, and that without it nothing is read; the cases are the `@requires` of the SDL.

Two kinds of people ask in one tenant that has a row in every table: who holds every permission but the
one in question, and who holds that one alone.
"""

import re
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from db.gateway import platform_grants
from graph.auth.viewer import PLATFORM
from graph.inputs import camel_case
from graph.permissions import Permission
from tests.client import Client, signed_in
from tests.graph.filled import Filled, fill
from tests.graph.sdl import (
    LISTS,
    RELATIONS,
    TABLES,
    Way,
    along,
    field_needs,
    fields,
    filter_fields,
    needed,
    needs,
    order_fields,
    route,
    ways,
)
from tests.statements import of_viewer, statements

pytestmark = pytest.mark.usefixtures("unbounded")

GATED = {name: gate for name in TABLES if (gate := needs(name)) is not None}
"""The types with `@requires`."""

every_gated_type = pytest.mark.parametrize("name", GATED)
People = Callable[..., Awaitable[Client]]


@pytest.fixture(scope="module")
async def filled(anyone: Client, owner_engine: AsyncEngine) -> Filled:
    async with owner_engine.connect() as owner:
        return await fill(anyone, owner)


@pytest.fixture(scope="module")
async def holding(anyone: Client, owner_engine: AsyncEngine, filled: Filled) -> People:
    """People of the tenant by exactly what they hold; `platform.*` by the operator's grant."""
    known: dict[frozenset[Permission], Client] = {}

    async def person(*permissions: Permission) -> Client:
        held = frozenset(permissions)
        if held not in known:
            async with owner_engine.connect() as owner:
                given = sorted(permission.value for permission in held - PLATFORM)
                known[held] = await signed_in(anyone, owner, filled.id, *given)
                if held & PLATFORM:
                    grant = {"tenant_id": filled.id, "user_id": known[held].user_id}
                    await owner.execute(platform_grants.insert().values(grant))
        return known[held]

    return person


def all_but(permission: Permission) -> set[Permission]:
    return set(Permission) - {permission}


async def watched(client: Client, query: str, **variables: Any) -> tuple[dict[str, Any], list[str]]:
    """The answer, and the statements that it took beside the viewer's."""
    with statements(client.services.database) as sent:
        answer = await client.ask(query, **variables)
    assert of_viewer(sent[0])
    return answer, sent[1:]


def refusals(answer: dict[str, Any], permission: Permission) -> list[list[Any]]:
    """The paths of the errors, all of which must say that `permission` is missing."""
    for error in answer["errors"]:
        assert error["extensions"] == {"code": "FORBIDDEN", "permission": permission.value}
        assert error["message"] == f"This takes the permission {permission.value}."
    return sorted(error["path"] for error in answer["errors"])


def mentions(statement: str, name: str) -> bool:
    return re.search(rf"\b{TABLES[name].name}\b", statement) is not None


@every_gated_type
async def test_a_root_field_is_refused_and_nothing_is_read(
    filled: Filled, holding: People, name: str
) -> None:
    client = await holding(*all_but(GATED[name]))
    row = filled.rows[TABLES[name].name].get("id")
    entrances = [way for way in ways("Query") if way.target == name]
    parts = [way.select("__typename", f'id: "{row}"' if way.by_id else "") for way in entrances]
    answer, sent = await watched(client, f"{{ viewer {{ permissions }} {' '.join(parts)} }}")
    held = answer["data"].pop("viewer")["permissions"]
    assert set(held) == {permission.name for permission in all_but(GATED[name])}
    assert answer["data"] == {way.field: None for way in entrances}
    if entrances:
        assert refusals(answer, GATED[name]) == sorted([way.field] for way in entrances)
    assert sent == []


@every_gated_type
async def test_a_row_is_no_node_and_its_table_is_not_read(filled: Filled, holding: People, name: str) -> None:
    if "id" not in TABLES[name].c:
        assert "id" not in fields(name)
        return
    row, user = (str(filled.rows[table]["id"]) for table in (TABLES[name].name, "users"))
    query = f'{{ node(id: "{row}") {{ id }} nodes(ids: ["{row}", "{user}"]) {{ id }} }}'
    answer, sent = await watched(await holding(*all_but(GATED[name])), query)
    assert answer == {"data": {"node": None, "nodes": [None, {"id": user}]}}
    assert len(sent) == 2
    assert not any(mentions(statement, name) for statement in sent)
    answer, sent = await watched(await holding(GATED[name]), query)
    assert answer == {"data": {"node": {"id": row}, "nodes": [{"id": row}, {"id": user}]}}
    assert all(mentions(statement, name) for statement in sent)


@pytest.mark.parametrize("way", [way for way in RELATIONS if way.target in GATED], ids=str)
async def test_a_relation_takes_the_permission_of_its_target(holding: People, way: Way) -> None:
    gate = GATED[way.target]
    path = route(way.parent)
    query = f"{{ {along(path, '__typename ' + way.select('__typename'))} viewer {{ permissions }} }}"
    if gate not in needed(path):
        answer, sent = await watched(await holding(*all_but(gate)), query)
        assert answer["data"]["viewer"]["permissions"]
        refused = refusals(answer, gate)
        assert refused
        for *parent, field in refused:
            assert at(answer["data"], parent) == {"__typename": way.parent, field: None}
            assert field == way.field
        assert not any(mentions(statement, way.target) for statement in sent)
    answer, sent = await watched(await holding(gate, *needed([*path, way])), query)
    assert "errors" not in answer
    assert f"'{way.target}'" in str(answer["data"])
    assert any(mentions(statement, way.target) for statement in sent)


def at(value: Any, path: list[Any]) -> Any:
    for step in path:
        value = value[step]
    return value


@every_gated_type
async def test_the_permission_alone_opens_the_root_fields(filled: Filled, holding: People, name: str) -> None:
    client = await holding(GATED[name])
    row = str(filled.rows[TABLES[name].name].get("id"))
    entrances = [way for way in ways("Query") if way.target == name]
    given = {True: f'id: "{row}"', False: f'filter: {{ id: {{ eq: "{row}" }} }}'}
    parts = [way.select("id", given[way.by_id]) for way in entrances]
    data = await client.read(f"{{ viewer {{ permissions }} {' '.join(parts)} }}")
    assert data["viewer"]["permissions"] == [GATED[name].name]
    for way in entrances:
        assert data[way.field] == ({"nodes": [{"id": row}]} if way.many else {"id": row})


def arguments() -> Iterator[Any]:
    """Filters and orders that look at what takes a permission: the list, its arguments, the permission."""
    for way in LISTS:
        for field, operand in filter_fields(way.target).items():
            related = operand.removesuffix("Filter")
            gates = {f"{field}: {{}}": field_needs(fields(way.target)[field])}
            if related in TABLES:
                gates[f"{field}: {{}}"] = needs(related)
                for inner in filter_fields(related):
                    gates[f"{field}: {{ {inner}: {{}} }}"] = field_needs(fields(related)[inner])
            for condition, gate in gates.items():
                if gate not in (None, needs(way.target)):
                    yield pytest.param(way, f"filter: {{ {condition} }}", gate, id=f"{way.field} {condition}")
                    nested = f"filter: {{ not: {{ or: [{{}}, {{ and: [{{ {condition} }}] }}] }} }}"
                    yield pytest.param(way, nested, gate, id=f"{way.field} not {condition}")
        for column in order_fields(way.target):
            gate = field_needs(fields(way.target)[camel_case(column.lower())])
            if gate not in (None, needs(way.target)):
                yield pytest.param(
                    way, f"orderBy: {{ field: {column} }}", gate, id=f"{way.field} by {column}"
                )


@pytest.mark.parametrize(("way", "given", "gate"), list(arguments()))
async def test_no_filter_and_no_order_looks_at_what_is_forbidden(
    holding: People, way: Way, given: str, gate: Permission
) -> None:
    query = f"{{ {way.field}({given}) {{ totalCount }} viewer {{ permissions }} }}"
    answer, sent = await watched(await holding(*all_but(gate)), query)
    assert refusals(answer, gate) == [[way.field]]
    assert answer["data"][way.field] is None
    assert answer["data"]["viewer"]["permissions"]
    assert sent == []
    allowed = await holding(*Permission)
    assert "errors" not in await allowed.ask(query)


async def test_a_relations_filter_is_held_to_the_same(holding: People) -> None:
    query = "{ users { nodes { deals(filter: { company: {} }) { totalCount } } } }"
    client = await holding(Permission.DEALS_VIEW)
    answer, sent = await watched(client, query)
    people = len(answer["data"]["users"]["nodes"])
    assert refusals(answer, Permission.COMPANIES_VIEW) == [
        ["users", "nodes", place, "deals"] for place in range(people)
    ]
    assert len(sent) == 1
