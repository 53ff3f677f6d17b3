"""Each bound: at it a document is run, one beyond it is refused before anything is read."""

import pytest
from graphql import get_introspection_query, parse

from graph import limits
from graph.admission import bounds
from graph.errors import TooComplex
from tests.client import Client
from tests.limits.documents import BOUNDS, HOSTILE, chained
from tests.statements import statements


@pytest.mark.parametrize("name", BOUNDS)
async def test_a_document_at_the_bound_is_run_and_one_beyond_it_is_not(reader: Client, name: str) -> None:
    bound, document = BOUNDS[name]
    at = await reader.ask(document(bound))
    if name == "nesting":
        assert [error["extensions"]["code"] for error in at["errors"]] == ["BAD_INPUT"], "by another rule"
    else:
        assert "errors" not in at
    with statements(reader.services.database) as sent:
        beyond = await reader.ask(document(bound + 1))
    (error,) = beyond["errors"]
    said = error["extensions"]
    assert (said["code"], said["exceeded"], said["limit"]) == ("TOO_COMPLEX", name, bound)
    assert bound < said["asked"] <= bound + 100
    assert "data" not in beyond
    assert sent == []


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_document_is_refused(reader: Client, name: str) -> None:
    document, exceeded = HOSTILE[name]
    (error,) = (await reader.ask(document))["errors"]
    assert (error["extensions"]["code"], error["extensions"]["exceeded"]) == ("TOO_COMPLEX", exceeded)


def test_every_bound_that_clients_are_told_of_has_a_test() -> None:
    told = {name for _, name, _ in bounds._BOUNDS.values()}
    others = {"characters", "tokens", "values", "nesting", "introspectionRepeats", "comparisons", "nodes"}
    assert told | others == set(BOUNDS)


@pytest.mark.parametrize("levels", [10, 20, 40])
def test_fragments_are_looked_at_once_however_often_they_are_spread(levels: int) -> None:
    measured = bounds.Measured(parse(chained(2, levels)))
    assert measured.size.fields == min(2**levels, 1_000_000)
    # Each of the 3 + 2 × levels selections for its spreads, and for its size; the operation's own again
    assert measured.visited <= 3 * (3 + 2 * levels)


@pytest.mark.parametrize("count", [100, 200, 400])
def test_a_document_takes_time_in_its_length(count: int) -> None:
    measured = bounds.Measured(parse(f"{{ viewer {{ {'id ' * count} }} }}"))
    assert measured.visited <= 2 * (count + 1)
    measured.flatten()
    measured.comparisons()
    assert measured.visited <= 3 * (count + 1)


def test_what_no_operation_spreads_counts_too() -> None:
    text = "{ __typename } " + chained(2, 20).replace("{ ...F0 }", "")
    with pytest.raises(TooComplex) as refused:
        bounds.check(parse(text))
    assert refused.value.exceeded == "fields"


async def test_fragments_in_a_circle_are_an_error_of_validation(reader: Client) -> None:
    query = "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A viewer { permissions } }"
    (error,) = (await reader.ask(query))["errors"]
    assert error["extensions"] == {"code": "GRAPHQL_VALIDATION_FAILED"}


@pytest.mark.parametrize("everything", [False, True])
async def test_the_standard_introspection_is_answered(reader: Client, everything: bool) -> None:
    query = get_introspection_query(
        specified_by_url=everything,
        directive_is_repeatable=everything,
        schema_description=everything,
        input_value_deprecation=everything,
    )
    size, repeats = bounds.Measured(parse(query)).size, bounds.check(parse(query))
    assert repeats == 1
    assert (size.depth, size.introspection_depth, size.introspection_lists) == (1, 15, 1)
    assert (await reader.read(query))["__schema"]["queryType"]["name"] == "Query"


@pytest.mark.parametrize(
    "text",
    [
        '{ user(id: "{{{{[[[[((((@@@@::::...#") { id } }',
        '{ user(id: """ "{{{[[((" @ : \\""" ... """) { id } }',
        "{ # {{{{ @ :\n user(id: 1) { id } }",
        "query($v: [[[Int!]!]!] = [[[1]]]) { user(id: 1) { id } ... on Query { __typename } }",
    ],
)
def test_text_and_comments_are_no_brackets(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, few in (("NESTING", 5), ("FIELDS", 3), ("ALIASES", 0), ("DIRECTIVES", 0)):
        monkeypatch.setattr(limits, f"MAX_{name}", few)
    bounds.check_text(text)


def test_the_names_of_arguments_are_no_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_VALUES", 4)
    text = '{ deals(first: 1, filter: { a: "x", b: [E, $v] }, c: %s) { id(d: {}) @e } }'
    assert bounds.check_text(text % "{}") > 0
    for value in ("1", '"x"', "E", "$v", '"""x"""'):
        with pytest.raises(TooComplex, match="5 where 4 are allowed"):
            bounds.check_text(text % value)


async def test_a_page_has_at_most_a_hundred_rows(reader: Client) -> None:
    assert await reader.codes("{ companies(first: 100) { nodes { id } } }") == []
    assert await reader.codes("{ companies(first: 101) { nodes { id } } }") == ["BAD_INPUT"]


async def test_what_a_client_does_instead_of_a_page_of_pages(reader: Client) -> None:
    """Too much at once is asked for in parts: the companies, then the deals of some of them at a time."""
    query = "query($n: Int) { companies(first: $n) { nodes { id deals(first: 100) { nodes { id } } } } }"
    assert await reader.codes(query, n=100) == ["TOO_COMPLEX"]
    assert await reader.codes(query, n=99) == []
