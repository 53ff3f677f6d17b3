"""graphql-transport-ws, rule by rule."""

from tests.client import Client
from tests.subscriptions.gateway import Peer

TYPENAME = "{ __typename }"


async def test_a_query_is_answered_and_completed(peer: Peer, admin: Client) -> None:
    await peer.init(admin.token)
    assert await peer.answer("1", "{ viewer { user { id } } }") == {
        "data": {"viewer": {"user": {"id": str(admin.user_id)}}}
    }
