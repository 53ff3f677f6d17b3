"""What is kept of plans and their statements takes the memory that it is said to, and no more than it may."""

import gc
import tracemalloc
from uuid import UUID

import pytest

from db.compiled import Statement
from graph import limits
from graph.admission.documents import Document, Documents
from graph.auth.viewer import Viewer
from graph.engine.build import compile_build
from graph.engine.kept import Statements
from graph.engine.plan import Plan
from graph.engine.planner import Planner
from graph.permissions import Permission
from graph.schema import schema
from tests.limits.documents import BOUNDS

NOBODY = UUID(int=0)
ANYBODY = Viewer(NOBODY, NOBODY, NOBODY, frozenset(Permission))
PAGES = " ".join(
    f"a{n}: deals(first: {n}) {{ totalCount nodes {{ id name company {{ id name }} contact {{ id }} }} }}"
    for n in range(15)
)
LARGE = {
    "nodes": f"{{ {' '.join(f'a{n}: node(id: {n}) {{ id }}' for n in range(15))} }}",
    "pages": f"{{ {PAGES} }}",
    "depth": BOUNDS["depth"][1](limits.MAX_DEPTH),
    "values": BOUNDS["values"][1](limits.MAX_VALUES),
}


def planned(document: Document) -> Plan:
    """A plan of the document's operation, with all that is compiled for it but statements."""
    (operation,) = document.operations.values()
    plan = Planner(schema._schema, document, {}, ANYBODY).plan(operation)
    for each in plan.objects:
        each.build = compile_build(each, [])
    return plan


@pytest.mark.parametrize("name", LARGE)
def test_a_plan_takes_the_memory_that_it_is_said_to(name: str) -> None:
    document = Documents(schema._schema).get(LARGE[name])
    planned(document)  # what is imported or made once
    gc.collect()
    tracemalloc.start()
    try:
        plan = planned(document)
        gc.collect()
        assert plan.size / 2 <= tracemalloc.get_traced_memory()[0] <= 2 * plan.size
    finally:
        tracemalloc.stop()


def test_plans_count_with_their_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    documents = Documents(schema._schema)
    texts = [f"query Kept{number} {{ node(id: 1) {{ id }} }}" for number in range(3)]
    first, second, _ = (documents.get(text) for text in texts)
    bare, plan = first.size, planned(first)
    monkeypatch.setattr(limits, "MAX_DOCUMENTS_BYTES", 3 * bare + 2 * plan.size)
    for document in (first, second):
        document.plans["viewer"] = plan
        assert document.size == bare + plan.size
    documents.known(texts[0])
    second.plans["another"] = plan  # more than there is room for
    assert [documents.known(text) is not None for text in texts] == [True, False, True]
    second.plans["third"] = plan  # of one that is not kept any more
    assert documents.known(texts[0]) is not None


def test_plans_that_are_forgotten_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    documents = Documents(schema._schema)
    texts = [f"query Kept{number} {{ node(id: 1) {{ id }} }}" for number in range(2)]
    first, second = (documents.get(text) for text in texts)
    bare, plan = first.size, planned(first)
    monkeypatch.setattr(limits, "MAX_DOCUMENTS_BYTES", 2 * bare + plan.size)
    for _ in range(3):
        second.plans["viewer"] = plan
        second.plans.clear()
        assert second.size == bare
    first.plans["viewer"] = plan
    assert [documents.known(text) is not None for text in texts] == [True, True]


def test_statements_are_kept_while_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    statements, made = Statements(), list[int]()

    def kept(number: int) -> None:
        def make() -> Statement:
            made.append(number)
            return Statement("SELECT " + "x" * 5000, (), {})

        statements.get(1, number, make)

    kept(0)
    monkeypatch.setattr(limits, "MAX_STATEMENTS_BYTES", 3 * statements.size)
    for number in (1, 2, 0, 3, 0, 1):
        kept(number)
    assert made == [0, 1, 2, 3, 1], "the first was asked for since"
    assert statements.size <= limits.MAX_STATEMENTS_BYTES


def test_the_values_of_a_filter_count(monkeypatch: pytest.MonkeyPatch) -> None:
    statements = Statements()
    statements.get(1, "x" * 10_000, lambda: Statement("SELECT $1", ("name",), {"name": "x" * 10_000}))
    assert 40_000 < statements.size < 50_000
    monkeypatch.setattr(limits, "MAX_STATEMENTS_BYTES", 40_000)
    statements.get(2, None, lambda: Statement("SELECT 1", (), {}))
    assert statements.size < 2000
