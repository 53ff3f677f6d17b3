"""What a generator would hardly hit upon: both engines give the same answer to it."""

import asyncio
import json
from typing import Any

import pytest

from tests.engine.conftest import Pair
from tests.engine.test_comparison import comparable

DEFAULTED = (
    "query ($flag: Boolean = true, $n: Int = 2) { deals(first: $n) { nodes { id @skip(if: $flag) name } } }"
)
TWO = "query A { deals(first: 1) { totalCount } } query B { companies(first: 1) { totalCount } }"
CASES: dict[str, dict[str, Any]] = {
    "null for a switch with a default": {"query": DEFAULTED, "variables": {"flag": None}},
    "null for a size with a default": {"query": DEFAULTED, "variables": {"n": None}},
    "null for an id with a default": {
        "query": 'query ($id: ID = "x") { deal(id: $id) { id } }',
        "variables": {"id": None},
    },
    "a variable that is missing": {"query": "query ($id: ID!) { deal(id: $id) { id } }"},
    "a variable that does not fit": {
        "query": "query ($n: Int) { deals(first: $n) { totalCount } }",
        "variables": {"n": "1"},
    },
    "one of two operations": {"query": TWO, "operationName": "B"},
    "none of two operations": {"query": TWO},
    "an operation that is not there": {"query": TWO, "operationName": "C"},
    "the name of nothing": {"query": "{ deals(first: 1) { totalCount } }", "operationName": ""},
    "a name for what has none": {"query": "{ deals(first: 1) { totalCount } }", "operationName": "A"},
    "a mutation beside a query": {
        "query": 'query A { deals { totalCount } } mutation B { deleteDeal(id: "x") { errors { code } } }',
        "operationName": "A",
    },
    "only the type": {"query": "{ __typename }"},
    "nothing of a list": {"query": "{ deals(first: 3) { __typename } plans { __typename } }"},
    "only whether there is more": {"query": "{ plans(first: 1) { pageInfo { hasNextPage } } }"},
    "an edge without its node": {"query": "{ deals(first: 2) { edges { __typename } } }"},
    "an error where no null may stand": {
        "query": "{ viewer { permissions sessions(first: 101) { totalCount } } }"
    },
    "the same with a list beside it": {
        "query": "{ viewer { inbox(first: -1) { totalCount } } deals(first: 1) { totalCount } }"
    },
    "an error under every parent": {
        "query": "{ deals(first: 3) { nodes { name activities(first: 101) { totalCount } } } }"
    },
    "an error under no parent": {
        "query": "{ deals(first: 0) { nodes { name activities(first: 101) { totalCount } } } }"
    },
    "a cursor under several parents": {
        "query": '{ companies(first: 3) { nodes { deals(after: "e30") { totalCount } } } }'
    },
    "colleagues' own": {
        "query": "{ users { nodes { email status lastLoginAt profile { fullName locale } } } }"
    },
    "one's own": {
        "query": "{ viewer { user { email status sessions { totalCount } profile { fullName locale } } } }"
    },
    "a forbidden column to filter by": {
        "query": "{ users(filter: { status: { eq: ACTIVE } }) { totalCount } }"
    },
    "a forbidden relation to filter by": {
        "query": "{ deals(first: 2) { nodes { activities(filter: { company: {} }) { totalCount } } } }"
    },
    "a path through lists": {
        "query": """{ x: deals(first: 2) { e: edges { n: node { c: contact { d: deals { r: nodes {
            name company { id } } } } } } } }"""
    },
    "keys that Python knows": {
        "query": """{ class: deals(first: 1) { None: nodes { self: id __init__: name __class__: __typename
            row: status build: tags children: company { names: id } } } }"""
    },
    "a fragment that spreads itself": {"query": "{ deals { ...F } } fragment F on DealConnection { ...F }"},
    "a field that is not there": {"query": "{ deals { nodes { passwordHash } } }"},
    "what is no document": {"query": "{ deals "},
    "the whole schema": {"query": "{ __schema { queryType { name fields { name } } } }"},
}


@pytest.mark.parametrize("name", CASES)
async def test_both_engines_give_the_same_answer(pair: Pair, name: str) -> None:
    for person in pair.people:
        ours = await pair.ask(pair.planned, person, CASES[name])
        theirs = await pair.ask(pair.stock, person, CASES[name])
        assert comparable(ours) == comparable(theirs), person.name


async def test_one_plan_serves_requests_side_by_side(pair: Pair) -> None:
    query = """query ($order: DealOrder, $filter: DealFilter, $first: Int) {
        deals(orderBy: $order, filter: $filter, first: $first) {
            edges { cursor node { name activities(first: 2) { edges { cursor } nodes { subject } } } }
        }
    }"""
    bodies = [
        {
            "query": query,
            "variables": {
                "order": {"field": field, "direction": direction},
                "filter": {"status": {"eq": status}},
                "first": first,
            },
        }
        for field in ("NAME", "AMOUNT_MINOR", "EXPECTED_CLOSE_AT", "CREATED_AT")
        for direction in ("ASC", "DESC")
        for status, first in (("OPEN", 3), ("WON", 30))
    ]
    (admin, *_) = pair.people
    pair.answered.clear()
    ours = await asyncio.gather(*(pair.ask(pair.planned, admin, body) for body in bodies * 2))
    assert pair.answered == [True] * len(ours)
    assert len(set(ours)) == len(bodies)
    assert ours == [await pair.ask(pair.stock, admin, body) for body in bodies] * 2


async def test_without_a_token_every_field_is_refused(pair: Pair) -> None:
    for client in (pair.planned, pair.stock):
        answer = await client.ask("{ __typename viewer { permissions } again: deals { totalCount } }")
        assert answer["data"] == {"__typename": "Query", "viewer": None, "again": None}
        assert [(error["path"], error["extensions"]) for error in answer["errors"]] == [
            ([key], {"code": "UNAUTHENTICATED"}) for key in ("viewer", "again")
        ]


async def test_the_engine_leaves_what_it_does_not_plan(pair: Pair) -> None:
    (admin, *_) = pair.people
    for query, own in (
        ("{ deals(first: 1) { nodes { name } } }", True),
        ("{ deals(first: 101) { nodes { name } } }", True),
        ("{ viewer { user { email } } }", True),
        ("{ campaignSends(first: 1) { nodes { recipient { __typename } } } }", False),
        ('{ node(id: "x") { id } }', True),
        ('{ __type(name: "Deal") { name } }', False),
        ("{ nothing }", None),
    ):
        pair.answered.clear()
        await pair.ask(pair.planned, admin, {"query": query})
        assert pair.answered == ([] if own is None else [own]), query


def test_what_differs_is_noticed() -> None:
    here: dict[str, Any] = {"data": {"a": 1, "b": None}, "errors": [{"message": "1"}, {"message": "2"}]}
    same = {"errors": [{"message": "2"}, {"message": "1"}], "data": {"a": 1, "b": None}}
    assert comparable(json.dumps(here)) == comparable(json.dumps(same))
    for other in (
        {**here, "data": {"b": None, "a": 1}},
        {**here, "errors": here["errors"][:1]},
        {**here, "data": {"a": 1, "b": 0}},
        {**here, "data": None},
    ):
        assert comparable(json.dumps(here)) != comparable(json.dumps(other))
