"""Clients of the last release: what would break their documents is declared, or not done."""

from pathlib import Path
from typing import Final

import pytest
from graphql import GraphQLSchema, build_schema, find_breaking_changes

from graph.schema import export

RELEASED: Final = Path(__file__).parent / "released" / "schema.graphql"
DECLARED: Final = Path(__file__).parent / "released" / "changes.txt"


def breaks(old: GraphQLSchema, new: GraphQLSchema) -> set[str]:
    """What a document that is valid under `old` may trip over under `new`."""
    return {change.description for change in find_breaking_changes(old, new)}


def declared(text: str) -> set[str]:
    """The changes that a file declares, without their reasons."""
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return {line for line in lines if line}


def test_what_breaks_clients_is_declared() -> None:
    found = breaks(build_schema(RELEASED.read_text()), build_schema(export()))
    known = declared(DECLARED.read_text())
    assert found - known == set(), (
        "This breaks clients of the last release. Keep what was there, marked @deprecated, beside what is "
        f"new; or add these lines to {DECLARED.name}, each with its reason behind a #."
    )
    assert known - found == set(), f"This breaks nothing any more: take it out of {DECLARED.name}."


OLD: Final = """
type Query { deal(id: ID!): Deal, deals(first: Int): [Deal!]! }
type Deal { id: ID!, name: String!, status: Status! }
enum Status { OPEN WON }
"""


@pytest.mark.parametrize(
    ("then", "now", "said"),
    [
        ("name: String!, ", "", "Field Deal.name was removed."),
        ("name: String!", "name: String", "Field Deal.name changed type from String! to String."),
        ("OPEN WON", "OPEN", "Enum value Status.WON was removed."),
        ("first: Int", "first: Int!", "Argument Query.deals(first:) has changed type from Int to Int!."),
        ("id: ID!)", "id: ID!, by: ID!)", "A required argument Query.deal(by:) was added."),
    ],
)
def test_a_break_is_found_and_can_be_declared(then: str, now: str, said: str) -> None:
    assert then in OLD
    found = breaks(build_schema(OLD), build_schema(OLD.replace(then, now, 1)))
    assert found == {said}
    assert declared(f"# of old\n{said}  # nobody asked for it\n") == found


def test_what_is_added_breaks_nothing() -> None:
    new = OLD.replace("OPEN WON", "OPEN WON LOST").replace("name: String!", "name(short: Boolean): String!")
    assert breaks(build_schema(OLD), build_schema(new)) == set()
