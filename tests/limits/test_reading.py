"""What it takes to read a document: it is charged for before, and what is kept of it is bounded."""

import gc
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from graph import limits
from graph.admission.documents import Documents
from graph.execution import DOCUMENTS
from graph.schema import schema
from tests.client import Client
from tests.limits.documents import BOUNDS
from tests.server import Urls
from tests.subscriptions.gateway import Gateway, connected, served

ADDRESS = 25
TOKENS = 100


def unread(name: str, tokens: int = TOKENS) -> str:
    """A document that no other test has sent."""
    return f"query {name} {{ viewer {{{' __typename' * (tokens - 7)} }} }}"


@pytest.fixture
async def narrow(urls: Urls, tmp_path: Path) -> AsyncIterator[Gateway]:
    """A gateway where little may be asked for."""
    async with served(urls.gateway, tmp_path, cost_per_address=ADDRESS) as gateway:
        yield gateway


async def remaining(client: Client, query: str, **headers: str) -> tuple[int, int]:
    """What a query has cost by its document, and what is left then."""
    async with client.http(costed=True) as http:
        answer = await http.post("/graphql", json={"query": query}, headers=headers)
    cost = answer.json()["extensions"]["cost"]
    return cost["requested"], cost["remaining"]


async def test_a_document_costs_by_its_tokens_when_it_is_read(narrow: Gateway) -> None:
    query = unread("readOnce")
    left = ADDRESS - TOKENS // limits.TOKENS_READ
    assert await remaining(narrow.anyone, query) == (1, left)
    assert await remaining(narrow.anyone, query) == (1, left - 1)


async def test_a_long_text_costs_by_its_characters(narrow: Gateway) -> None:
    query = f"query readLong {{ __typename }} #{'a' * 20 * limits.CHARACTERS_READ}"
    assert await remaining(narrow.anyone, query) == (1, ADDRESS - 20)
    assert await remaining(narrow.anyone, query) == (1, ADDRESS - 20 - 1)


async def test_reading_is_a_part_of_what_an_operation_costs(narrow: Gateway) -> None:
    query = f'query readTypes {{ __type(name: "Deal") {{ {"name " * 80}}} }}'
    explained = await remaining(narrow.anyone, query, **{"Explain-Cost": "true"})
    assert explained == (limits.TYPE_COST + 1, ADDRESS - 9)
    assert await remaining(narrow.anyone, "{ __typename }") == (1, ADDRESS - 9 - 1)


@pytest.mark.parametrize("over", ["POST", "SSE", "WebSocket"])
async def test_with_an_empty_bucket_nothing_is_parsed(narrow: Gateway, over: str) -> None:
    queries = [unread(f"over{over}{number}") for number in range(3)]
    if over == "WebSocket":
        async with connected(narrow) as peer:
            await peer.init()
            for number, query in enumerate(queries):
                await peer.subscribe(str(number), query)
                await peer.send("complete", id=str(number))
            while (message := await peer.receive())["type"] != "error":
                pass
            assert message["id"] == "2"
            errors = message["payload"]
    else:
        accept = "text/event-stream" if over == "SSE" else "application/json"
        async with httpx.AsyncClient(trust_env=False) as http:
            for query in queries:
                headers = {"Accept": accept}
                response = await http.post(narrow.url, json={"query": query}, headers=headers)
        assert response.status_code == 429
        errors = response.json()["errors"]
        assert response.headers["Retry-After"] == str(errors[0]["extensions"]["retryAfter"])
    assert [error["extensions"]["code"] for error in errors] == ["RATE_LIMITED"]
    assert 1 <= errors[0]["extensions"]["retryAfter"] <= limits.COST_WINDOW
    assert [DOCUMENTS.known(query) is not None for query in queries] == [True, True, False]


def test_documents_are_kept_for_as_long_as_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    documents = Documents(schema._schema)
    queries = [unread(f"kept{number}") for number in range(5)]
    size = documents.get(queries[0]).size
    monkeypatch.setattr(limits, "MAX_DOCUMENTS_BYTES", 3 * size)
    for query in queries[1:4]:
        documents.known(queries[0])
        documents.get(query)
    kept = [documents.known(query) is not None for query in queries]
    assert kept == [True, False, True, True, False], "the first was asked for since"
    monkeypatch.setattr(limits, "MAX_DOCUMENTS", 2)
    documents.get(queries[4])
    assert [documents.known(query) is not None for query in queries] == [False, False, False, True, True]


def taken(text: str) -> tuple[int, int]:
    """The bytes that a document takes, and those that it is said to."""
    documents = Documents(schema._schema)
    Documents(schema._schema).get(text)  # what is imported or made once
    gc.collect()
    tracemalloc.start()
    try:
        size = documents.get(text).size
        gc.collect()
        return tracemalloc.get_traced_memory()[0], size
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", ["characters", "fields", "values", "comparisons"])
def test_a_document_takes_the_memory_that_it_is_said_to(name: str) -> None:
    bound, document = BOUNDS[name]
    memory, size = taken(document(bound))
    assert memory <= 2 * size


NOISE = 50_000
"""Bytes that graphql-core and Python keep for themselves; the tree of a large document has ten times more."""

FAILING = {
    "syntax": unread("syntax", 1900) + " {",
    "validation": BOUNDS["fields"][1](490).replace("nodes", "nothing nodes", 1),
    "circle": "{ ...A } fragment A on Query { ...A " + "__typename " * 400 + "}",
    "bounds": BOUNDS["aliases"][1](400),
    "names": f"{{ {' '.join(f'{letter * 300} {letter * 300}' for letter in 'abcdefghijklm')} }}",
}


@pytest.mark.parametrize("name", FAILING)
def test_of_a_document_with_errors_its_tree_is_not_kept(name: str) -> None:
    document = Documents(schema._schema).get(FAILING[name])
    assert document.errors
    assert document.node is None
    memory, size = taken(FAILING[name])
    assert memory <= size + NOISE
    assert size <= 100_000


def test_an_operation_with_errors_is_known_by_its_name() -> None:
    text = "mutation A { nothing } query B { nothing }"
    document = Documents(schema._schema).get(text)
    for name, kind in (("A", "mutation"), ("B", "query")):
        operation = document.operation(name)
        assert operation is not None
        assert operation.name is not None
        assert (operation.name.value, operation.operation.value) == (name, kind)
    assert document.errors[0].locations is not None
    assert document.errors[0].locations[0].formatted == {"line": 1, "column": 14}
