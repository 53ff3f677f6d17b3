"""No answer is larger than the engine has weighed it, or a large one would go out that nobody measured."""

import json
from random import Random
from typing import Final

import pytest

from graph.encoding import encode
from graph.engine.run import Run
from graph.schema import schema
from tests.engine.conftest import Pair
from tests.engine.test_comparison import remember
from tests.engine.writer import Writer

OPERATIONS: Final = 400
NEAR: Final = 100
"""Times that an answer is smaller than it was weighed at most, in the middle: or it would say nothing."""


async def test_answers_are_no_larger_than_weighed(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    chance, weighed, ratios = Random("weight"), list[int](), list[float]()  # noqa: S311
    weight = Run.weight

    def noted(self: Run, times: int) -> int:
        weighed.append(weight(self, times))
        return weighed[-1]

    monkeypatch.setattr(Run, "weight", noted)
    for number in range(OPERATIONS):
        person = pair.people[0]
        operation = Writer(schema._schema, chance, person.known).operation()
        body = {"query": operation.text, "variables": operation.variables, "operationName": operation.name}
        weighed.clear()
        answer = json.loads(await pair.ask(pair.planned, person, body))
        remember(person, operation, answer.get("data"))
        if weighed:
            size = len(encode(answer["data"]))
            assert size <= weighed[0], f"operation {number}\n{json.dumps(body, ensure_ascii=False)}"
            ratios.append(weighed[0] / size)
    assert sorted(ratios)[len(ratios) // 2] < NEAR
