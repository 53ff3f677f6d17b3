"""Operations that fit the schema, with every kind of value in them."""

from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
from graphql import GraphQLObjectType, GraphQLSchema, build_schema
from hypothesis import given
from hypothesis import strategies as st
from hypothesis_graphql import mutations, nodes, queries

from tests.fuzz.gateway import Gateway

FILE: Final = Path(__file__).parents[2] / "schema.graphql"
NOT_ASKED: Final = {
    # They end the session, or hash a password for each example
    *("signIn", "signOut", "signOutEverywhere", "revokeSession", "changePassword", "resetPassword"),
    *("acceptInvite", "requestPasswordReset", "refreshSession"),
}
TEXT: Final = st.text(max_size=30) | st.sampled_from(["\0", "%", "\\", "'", '"', "{{", "\u202e", "x" * 2000])
NUMBER: Final = st.integers(-(2**70), 2**70)
DIGITS: Final = (NUMBER.map(str) | TEXT).map(nodes.String)
TIMES: Final = st.datetimes().map(lambda at: f"{at.isoformat()}Z")
SCALARS: Final[dict[str, Any]] = {
    "BigInt": DIGITS | NUMBER.map(nodes.Int),
    "CurrencyCode": (st.sampled_from(["EGP", "USD", "XXX", "usd"]) | TEXT).map(nodes.String),
    "Cursor": TEXT.map(nodes.String),
    "Date": (st.dates().map(str) | TEXT).map(nodes.String),
    "DateTime": (TIMES | TEXT).map(nodes.String),
    "Decimal": (st.decimals().map(str) | TEXT).map(nodes.String),
    "EmailAddress": (st.emails() | TEXT).map(nodes.String),
    "IPAddress": (st.ip_addresses().map(str) | TEXT).map(nodes.String),
    "JSON": TEXT.map(nodes.String) | NUMBER.map(nodes.Int) | st.booleans().map(nodes.Boolean),
    "PhoneNumber": (st.from_regex(r"\+20[0-9]{8,10}", fullmatch=True) | TEXT).map(nodes.String),
    "URL": (st.just("https://example.test/") | TEXT).map(nodes.String),
}


@cache
def schema() -> GraphQLSchema:
    """The schema as clients have it."""
    return build_schema(FILE.read_text())


def documents(generate: Any, kind: str) -> st.SearchStrategy[str]:
    """Documents of one root field of `kind`, each."""

    def strategy() -> st.SearchStrategy[str]:
        found = schema().type_map[kind]
        assert isinstance(found, GraphQLObjectType)
        return st.sampled_from([name for name in found.fields if name not in NOT_ASKED]).flatmap(
            lambda name: generate(schema(), fields=[name], custom_scalars=SCALARS)
        )

    return st.deferred(strategy)


@pytest.mark.parametrize("signed_in", [True, False], ids=["signed in", "a stranger"])
@given(query=documents(queries, "Query"))
async def test_every_query_has_an_answer(gateway: Gateway, signed_in: bool, query: str) -> None:
    await gateway.ask(query, signed_in=signed_in)


@given(query=documents(mutations, "Mutation"))
async def test_every_mutation_has_an_answer(gateway: Gateway, query: str) -> None:
    await gateway.ask(query)
