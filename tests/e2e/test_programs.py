"""A test of the tests: what is missing is said, and fails where nothing may be missing."""

import pytest

from tests.e2e.programs import Node, lacking


async def test_node_runs_scripts_of_the_workspace(node: Node) -> None:
    script = "import { parse } from 'graphql'; console.log(JSON.stringify(parse('{ a }').definitions.length))"
    assert await node.json("--input-type=module", "--eval", script) == 1


async def test_a_script_that_fails_says_why(node: Node) -> None:
    with pytest.raises(AssertionError, match=r"ended with 3\n(.|\n)*no such luck"):
        await node.run("--eval", "console.error('no such luck'); process.exit(3)")


def test_what_is_missing_is_a_skip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("M3_REQUIRE_E2E", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no lute: `make test-deps`"):
        lacking("no lute")


def test_what_is_missing_fails_where_nothing_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("M3_REQUIRE_E2E", "1")
    with pytest.raises(pytest.fail.Exception, match="no lute: `make test-deps`"):
        lacking("no lute")
