"""Our engine and graphql-core give the same answers: generated operations, asked of both.

`make fuzz OPERATIONS=20000 SEED=7` runs more of them, or others.
"""

import json
from random import Random
from typing import Any

import pytest
from structlog.testing import capture_logs

from graph.schema import schema
from tests.engine.conftest import Pair, Person
from tests.engine.writer import Operation, Writer

CHUNK = 125
"""Operations of one test."""
SHARE = 0.6
"""How many of the answers without errors are our engine's at least: otherwise there is little to compare."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seed" in metafunc.fixturenames:
        count, seed = (metafunc.config.getoption(name) for name in ("--operations", "--seed"))
        metafunc.parametrize("seed", range(seed, seed + -(-count // CHUNK)))


async def test_both_engines_give_the_same_answers(pair: Pair, seed: int) -> None:
    chance = Random(seed)  # noqa: S311
    clean = own = 0
    for number in range(CHUNK):
        (person,) = chance.choices(pair.people, weights=(9, 8, 3))
        operation = Writer(schema._schema, chance, person.known).operation()
        body = {"query": operation.text, "variables": operation.variables, "operationName": operation.name}
        pair.answered.clear()
        with capture_logs() as logged:
            ours = await pair.ask(pair.planned, person, body)
            theirs = await pair.ask(pair.stock, person, body)
        said = f"seed {seed}, operation {number}, {person.name}\n{json.dumps(body, ensure_ascii=False)}"
        assert [line for line in logged if line["log_level"] == "error"] == [], said
        assert comparable(ours) == comparable(theirs), said
        answer = json.loads(theirs)
        if "errors" not in answer:
            assert ours == theirs, said
            clean += 1
            own += pair.answered == [True]
        remember(person, operation, answer.get("data"))
    assert own / clean > SHARE


def comparable(text: str) -> tuple[Any, list[str]]:
    """An answer's data with its keys in their order, and its errors in any order."""
    answer = json.loads(text)
    errors = sorted(json.dumps(error, sort_keys=True) for error in answer.pop("errors", []))
    return json.dumps(answer), errors


def remember(person: Person, operation: Operation, data: Any) -> None:
    """Keep the cursors of an answer for operations to come."""
    for path, place in operation.lists:
        found = data
        for key in path:
            found = found.get(key) if isinstance(found, dict) else None
        if isinstance(found, dict):
            known = person.known.cursors[place]
            known += cursors(found)
            del known[:-20]


def cursors(connection: dict[str, Any]) -> list[str]:
    """The cursors of a connection's own edges and info."""
    below = [connection, *connection.values()]
    rows = [row for item in below for row in (item if isinstance(item, list) else [item])]
    return [
        value
        for row in rows
        if isinstance(row, dict)
        for key, value in row.items()
        if value is not None and key.rstrip("0123456789") in ("cur", "cursor", "startCursor", "endCursor")
    ]
