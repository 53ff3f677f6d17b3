"""The audits of GraphQL over HTTP that npm's `graphql-http` has: all of them, also those that say SHOULD."""

from tests.e2e.programs import Node

AUDITS = 61


async def test_every_audit_passes(node: Node, gateway: str) -> None:
    results = await node.json("audits.mjs", ENDPOINT=f"{gateway}/graphql")
    assert len(results) == AUDITS
    assert [result for result in results if result["status"] != "ok"] == []
