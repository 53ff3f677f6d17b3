"""docs/limits.md has the numbers of `graph/limits.py`."""

import re
from pathlib import Path

import pytest

from graph import limits
from tests.limits.documents import BOUNDS

TEXT = (Path(__file__).parents[2] / "docs/limits.md").read_text()
TABLE = dict(re.findall(r"^\| `(\w+)` \| (\d+) \|", TEXT, re.MULTILINE))


def test_the_table_has_each_bound() -> None:
    bounds = {name: bound for name, (bound, _) in BOUNDS.items()}
    bounds |= {"bytes": limits.MAX_BODY_BYTES, "answer": limits.MAX_ANSWER_BYTES}
    assert {name: int(number) for name, number in TABLE.items()} == bounds


@pytest.mark.parametrize(
    ("words", "number"),
    [
        (r"with a bulk mutation, from who is signed in, (\d+)", limits.MAX_BULK_BYTES),
        (r"cost = (\d+) \+", limits.OPERATION_COST),
        (r"\+ (\d+) for each root mutation", limits.MUTATION_COST),
        (r"`__schema` is ([\d,]+)", limits.SCHEMA_COST),
        (r"`__type` (\d+)", limits.TYPE_COST),
        (r"Remembered are the ([\d,]+) documents", limits.MAX_DOCUMENTS),
        (r"last, (\d+) MiB of them", limits.MAX_DOCUMENTS_BYTES // 2**20),
        (r"and (\d+) MiB of their SQL", limits.MAX_STATEMENTS_BYTES // 2**20),
        (r"a tenth of its tokens, or where that is more a (\d+)th of its characters", limits.CHARACTERS_READ),
        (r"`first` or `last`, (\d+) without", limits.DEFAULT_PAGE),
        (r"ids of `nodes` are at most (\d+)", limits.MAX_PAGE),
        (r"A subscription may read (\d+) rows for each event", limits.MAX_EVENT_NODES),
        (r"not more than ([\d,]+) rows", limits.MAX_NODES),
        (r"value of JSON in input has at most ([\d,]+)", limits.MAX_JSON_BYTES),
        (r"rows of a bulk mutation at most (\d+)", limits.MAX_BULK),
    ],
)
def test_the_text_has_the_numbers(words: str, number: int) -> None:
    (found,) = re.findall(words, TEXT)
    assert int(found.replace(",", "")) == number
