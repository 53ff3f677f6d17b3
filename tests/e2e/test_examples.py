"""Each of GraphiQL's examples is of this schema, and runs as it stands in the demo."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from graphql import OperationDefinitionNode, OperationType, build_schema, parse, validate

from db import demo
from graph.schema import export

FOLDER = Path(__file__).parents[2] / "graph" / "graphiql" / "examples"
EXAMPLES = {
    f"{path.parent.name}/{path.stem}": path.read_text() for path in sorted(FOLDER.glob("*/*.graphql"))
}
VARIABLES = {f"{path.parent.name}/{path.stem}": path.read_text() for path in FOLDER.glob("*/*.json")}
SIGN_IN = "mutation ($input: SignInInput!) { signIn(input: $input) { accessToken } }"


def follows(text: str) -> bool:
    """Whether the one operation of an example is a subscription."""
    (definition,) = parse(text).definitions
    assert isinstance(definition, OperationDefinitionNode)
    return definition.operation is OperationType.SUBSCRIPTION


ANSWERED = [name for name, text in EXAMPLES.items() if not follows(text)]
FOLLOWED = [name for name, text in EXAMPLES.items() if follows(text)]


@pytest.fixture(scope="module")
async def token(gateway: str) -> str:
    """Of the demo's administrator."""
    asked = {"tenantSlug": "demo", "email": "admin@demo.test", "password": demo.PASSWORD}
    answer = await ask(gateway, {"query": SIGN_IN, "variables": {"input": asked}})
    return str(answer["data"]["signIn"]["accessToken"])


async def ask(gateway: str, request: dict[str, Any], **headers: str) -> dict[str, Any]:
    async with httpx.AsyncClient(base_url=gateway, trust_env=False, timeout=60) as http:
        answer: dict[str, Any] = (await http.post("/graphql", json=request, headers=headers)).json()
    return answer


@pytest.mark.parametrize("name", ANSWERED)
async def test_a_query_or_mutation_runs(name: str, gateway: str, token: str) -> None:
    variables = json.loads(VARIABLES.get(name, "{}"))
    request = {"query": EXAMPLES[name], "variables": variables}
    answer = await ask(gateway, request, Authorization=f"Bearer {token}")
    assert "errors" not in answer
    for field in answer["data"].values():
        assert field.get("errors", []) == []
        assert field.get("nodes") != []


@pytest.mark.parametrize("name", FOLLOWED)
def test_a_subscription_is_of_the_schema(name: str) -> None:
    assert validate(build_schema(export()), parse(EXAMPLES[name])) == []


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_first_line_says_what_it_is_about(name: str) -> None:
    assert EXAMPLES[name].startswith("# ")


def test_every_domain_of_the_page_has_examples() -> None:
    domains = {name.split("/")[0] for name in EXAMPLES}
    assert domains == {"billing", "crm", "identity", "inventory", "live", "marketing"}
    assert set(VARIABLES) <= set(EXAMPLES)
