"""Rows that are there already: the engine shows those of payloads and of events as graphql-core does."""

import json
from datetime import UTC, datetime
from itertools import takewhile
from random import Random
from typing import Any, Final, NamedTuple
from uuid import UUID

import pytest
from graphql import GraphQLObjectType, get_named_type, is_required_argument, is_required_input_field

from graph.context import Context
from graph.events import Event
from graph.execution import admit
from graph.http.body import GraphQLRequest
from graph.schema import schema
from graph.subscriptions.feed import FeedField, OpenFeed
from graph.subscriptions.telling import Teller
from graph.writing.executor import GatewayExecutor
from graph.writing.mutation import MutationField, WrittenField
from tests.client import Client
from tests.engine.conftest import Pair, Person
from tests.engine.test_comparison import comparable
from tests.engine.values import Known
from tests.engine.writer import Writer

ASKED: Final = 20
"""Selections of each type."""
AT: Final = datetime(2026, 11, 2, 9, 30, 0, 120, UTC)
BATCH: Final = 5
"""Events that are told together."""
GIVEN: Final = {
    "Channel!": "EMAIL",
    "EmailAddress!": '"a@b.test"',
    "ID!": '"00000000-0000-4000-8000-000000000000"',
    "Permission!": "DEALS_VIEW",
    "String!": '"x"',
}
"""Arguments that have the form they should have; nothing is done with them."""
OWNERS: Final = {"UserProfile": "User", "TenantSubscription": "Tenant"}
"""Types whose rows are found by the id of another."""


class Written(NamedTuple):
    """A mutation whose payload has a row."""

    mutation: str
    field: str
    shown: WrittenField
    performs: type[MutationField]


def of(kind: str) -> GraphQLObjectType:
    """A type of the schema."""
    found = schema._schema.get_type(kind)
    assert isinstance(found, GraphQLObjectType)
    return found


def mutations() -> dict[str, Written]:
    """For each type that payloads show a mutation that answers with one."""
    found: dict[str, Written] = {}
    for name, item in of("Mutation").fields.items():
        mutation = item.extensions["strawberry-definition"]
        if isinstance(mutation, MutationField):
            for key, inner in of(get_named_type(item.type).name).fields.items():
                shown, kind = inner.extensions["strawberry-definition"], get_named_type(inner.type).name
                if not isinstance(shown, WrittenField) or "(" in arguments(name)[1:-1]:
                    continue
                if shown.target.key == ("id",) or kind in OWNERS:
                    found.setdefault(kind, Written(name, key, shown, type(mutation)))
    return found


def arguments(mutation: str) -> str:
    """Arguments that fit."""
    given = []
    for name, argument in of("Mutation").fields[mutation].args.items():
        if is_required_argument(argument):
            kind: Any = get_named_type(argument.type)
            fields = getattr(kind, "fields", None)
            if fields is None:
                given.append(f"{name}: {GIVEN.get(str(argument.type), '(')}")
            else:
                needed = {
                    key: str(inner.type) for key, inner in fields.items() if is_required_input_field(inner)
                }
                inside = ", ".join(f"{key}: {GIVEN.get(kind, '(')}" for key, kind in needed.items())
                given.append(f"{name}: {{ {inside} }}")
    return f"({', '.join(given)})" if given else ""


WRITTEN: Final = mutations()


def test_there_is_a_mutation_for_most_types() -> None:
    assert {"Deal", "Lead", "Unit", "UserProfile", "Campaign", "OutboxMessage"} <= WRITTEN.keys()


@pytest.mark.parametrize("kind", WRITTEN)
async def test_a_payload_is_the_same(pair: Pair, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    written = WRITTEN[kind]
    chance = Random(f"payload {kind}")  # noqa: S311
    rows: list[str] = []
    shown: list[bool] = []

    async def perform(self: MutationField, source: Any, info: Any, args: Any, kwargs: Any) -> Any:
        target = written.shown.target
        row = await info.context.loaders.one(target, target.key[0]).load(UUID(rows[0]))
        return self.payload.of(**{"row": None, written.shown.attribute: row})

    show = GatewayExecutor._show

    async def counted(self: GatewayExecutor, *given: Any) -> Any:
        found = await show(self, *given)
        shown.extend(one is not None for one in found)
        return found

    monkeypatch.setattr(written.performs, "perform", perform)
    monkeypatch.setattr(GatewayExecutor, "_show", counted)
    # More where none of them was one that the engine shows: rows are chosen by ids, which differ each time
    for number in takewhile(lambda number: number < ASKED or not any(shown), range(5 * ASKED)):
        (person,) = chance.choices(pair.people, weights=(9, 8, 3))
        rows[:] = [chance.choice(ids(person.known, kind))]
        head, writer = selection(kind, chance, person.known)
        asked = f"{written.mutation}{arguments(written.mutation)}"
        text = document("mutation", f"{asked} {{ errors {{ code }} {written.field} {{ {head} }} }}", writer)
        body = {"query": text, "variables": writer.variables}
        ours = await pair.ask(pair.planned, person, body)
        theirs = await pair.ask(pair.stock, person, body)
        assert comparable(ours) == comparable(theirs), f"{number}, {person.name}\n{json.dumps(body)}"
    assert any(shown), "none was the engine's"


@pytest.mark.parametrize("feed", of("Subscription").fields)
async def test_an_event_is_told_the_same(pair: Pair, feed: str) -> None:
    field = of("Subscription").fields[feed].extensions["strawberry-definition"]
    assert isinstance(field, FeedField)
    told = of(get_named_type(of("Subscription").fields[feed].type).name)
    row = field.row
    kind = get_named_type(told.fields[row].type).name
    chance = Random(f"feed {feed}")  # noqa: S311
    seen = 0
    for number in range(3 * ASKED):
        (person,) = chance.choices(pair.people, weights=(9, 8, 3))
        head, writer = selection(kind, chance, person.known)
        if number % 4:
            shows = f"cursor {row} {{ {head} }} at again: at action"
        else:
            shows, writer = "action __typename", Writer(schema._schema, chance, person.known)
        text = document("subscription", f"event: {feed} {{ {shows} }}", writer)
        rows = chance.choices(ids(person.known, kind), k=BATCH)
        ours = await tell(pair.planned, person, field, rows, text, writer.variables)
        theirs = await tell(pair.stock, person, field, rows, text, writer.variables)
        assert ours == theirs, f"{number}, {person.name}\n{text}\n{json.dumps(writer.variables)}"
        seen += sum(one is not None and '"errors"' not in one[0] for one in ours)
    assert seen


def selection(kind: str, chance: Random, known: Known) -> tuple[str, Writer]:
    """What to show of a row of this type, and the writer of it."""
    writer = Writer(schema._schema, chance, known)
    writer.plain, writer.fuel = writer.often(0.35), chance.randint(1, 6)
    return writer.selection(of(kind), None, None), writer


def document(operation: str, root: str, writer: Writer) -> str:
    """An operation with this root field, with the variables and fragments of what is below it."""
    declared = f" O({', '.join(writer.declared)})" if writer.declared else ""
    return f"{operation}{declared} {{ {root} }} {' '.join(writer.fragments)}"


def ids(known: Known, kind: str) -> list[str]:
    """Rows of a type, and one that is not there."""
    return [*known.ids.get(OWNERS.get(kind, kind), ()), GIVEN["ID!"].strip('"')]


async def tell(
    client: Client, person: Person, field: FeedField, rows: list[str], text: str, variables: Any
) -> list[Any]:
    """What somebody is told of events about these rows."""
    context = Context(client.services, person.token)
    viewer = await context.identify()
    asked = GraphQLRequest(text, None, variables, None)
    teller = Teller(await admit(asked, context))
    action = next(iter(field.known))
    feed = OpenFeed(field, b"k" * 64, None, None)  # type: ignore[arg-type]
    events = [
        feed.tell(Event(seq, AT, viewer.tenant_id, field.topic, action, UUID(row), None))
        for seq, row in enumerate(rows, 1)
    ]
    assert None not in events
    context.start_clock()
    told = await teller.tell(field, events, context)  # type: ignore[arg-type]
    return [None if one is None else comparable(one.decode()) for one in told]
