"""The feed of approvals: who sees what, at the moment it is told."""

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Approval, UserRole
from tests.client import Client, signed_in
from tests.factories import insert, make_tenant
from tests.subscriptions.following import TRANSPORTS, WEBSOCKET, Payload, following, here
from tests.subscriptions.gateway import Gateway

FEED = """
    subscription ($after: Cursor, $id: ID) {
        approvalStateChanged(after: $after, approvalId: $id) {
            cursor
            action
            approval { id state level requester { id } steps { totalCount } }
        }
    }
"""


@pytest.fixture
async def requester(admin: Client, gateway: Gateway, owner: AsyncConnection) -> Client:
    assert admin.tenant_id is not None
    return await signed_in(gateway.anyone, owner, admin.tenant_id, "deals.view")


async def request(owner: AsyncConnection, by: Client) -> str:
    values = {"tenant_id": by.tenant_id, "requested_by": by.user_id, "required_levels": 2, "level": 1}
    return str((await insert(owner, Approval, **values))["id"])


async def change(owner: AsyncConnection, id: str, **values: object) -> None:
    await owner.execute(sa.update(Approval).where(Approval.id == id).values(values))


def told(payload: Payload) -> Payload:
    assert list(payload) == ["data"], payload
    event: Payload = payload["data"]["approvalStateChanged"]
    return event


@pytest.mark.parametrize("over", TRANSPORTS)
async def test_each_state_is_told_in_order(
    gateway: Gateway, admin: Client, requester: Client, owner: AsyncConnection, over: str
) -> None:
    after = await here(admin)
    async with (
        following(gateway, admin, FEED, over, after=after) as to_decider,
        following(gateway, requester, FEED, over, after=after) as to_requester,
    ):
        id = await request(owner, requester)
        seen = [told(await to_decider()), told(await to_requester())]
        for values in ({"level": 2}, {"state": "approved"}, {"state": "applied"}):
            await change(owner, id, **values)
            seen += [told(await to_decider()), told(await to_requester())]
    assert seen[::2] == seen[1::2]
    assert [(e["action"], e["approval"]["state"], e["approval"]["level"]) for e in seen[::2]] == [
        ("REQUESTED", "PENDING", 1),
        ("ADVANCED", "PENDING", 2),
        ("APPROVED", "APPROVED", 2),
        ("APPLIED", "APPLIED", 2),
    ]
    assert {event["approval"]["id"] for event in seen} == {id}
    assert {event["approval"]["requester"]["id"] for event in seen} == {str(requester.user_id)}


async def test_what_is_told_late_says_what_happened_and_how_it_is_now(
    gateway: Gateway, admin: Client, requester: Client, owner: AsyncConnection
) -> None:
    after = await here(admin)
    id = await request(owner, requester)
    await change(owner, id, state="rejected")
    async with following(gateway, admin, FEED, WEBSOCKET, after=after) as next_event:
        events = [told(await next_event()) for _ in range(2)]
    assert [(event["action"], event["approval"]["state"]) for event in events] == [
        ("REQUESTED", "REJECTED"),
        ("REJECTED", "REJECTED"),
    ]


@pytest.mark.parametrize("over", TRANSPORTS)
async def test_what_one_may_not_see_is_passed_over(
    gateway: Gateway, admin: Client, requester: Client, owner: AsyncConnection, over: str
) -> None:
    stranger = await signed_in(gateway.anyone, owner, await make_tenant(owner), "*")
    after = await here(requester)
    async with following(gateway, requester, FEED, over, after=after) as next_event:
        await request(owner, stranger)
        await request(owner, admin)
        own = await request(owner, requester)
        assert told(await next_event())["approval"]["id"] == own


@pytest.mark.parametrize("over", TRANSPORTS)
async def test_rights_are_those_of_the_moment_of_telling(
    gateway: Gateway, admin: Client, requester: Client, owner: AsyncConnection, over: str
) -> None:
    assert admin.tenant_id is not None
    reader = await signed_in(gateway.anyone, owner, admin.tenant_id, "approvals.view")
    after = await here(reader)
    async with following(gateway, reader, FEED, over, after=after) as next_event:
        seen = await request(owner, requester)
        assert told(await next_event())["approval"]["id"] == seen
        roles = sa.delete(UserRole).where(UserRole.user_id == reader.user_id).returning(UserRole.role_id)
        role_id = (await owner.execute(roles)).scalar_one()
        await request(owner, requester)
        own = await request(owner, reader)
        assert told(await next_event())["approval"]["id"] == own
        await insert(owner, UserRole, tenant_id=admin.tenant_id, user_id=reader.user_id, role_id=role_id)
        again = await request(owner, requester)
        assert told(await next_event())["approval"]["id"] == again


@pytest.mark.parametrize("over", TRANSPORTS)
async def test_the_feed_of_one_request(
    gateway: Gateway, admin: Client, requester: Client, owner: AsyncConnection, over: str
) -> None:
    after = await here(admin)
    one, other = [await request(owner, requester) for _ in range(2)]
    async with following(gateway, admin, FEED, over, after=after, id=one.upper()) as next_event:
        assert told(await next_event())["action"] == "REQUESTED"
        await change(owner, other, state="cancelled")
        await change(owner, one, state="approved")
        event = told(await next_event())
    assert (event["action"], event["approval"]["id"]) == ("APPROVED", one)


async def test_a_field_that_one_may_not_read_is_null_and_the_event_is_told(
    gateway: Gateway, admin: Client, requester: Client, owner: AsyncConnection
) -> None:
    query = """
        subscription ($after: Cursor) {
            approvalStateChanged(after: $after) {
                approval { requester { email roles { totalCount } } }
            }
        }
    """
    after = await here(requester)
    async with following(gateway, requester, query, WEBSOCKET, after=after) as next_event:
        await request(owner, requester)
        payload = await next_event()
    assert payload["data"]["approvalStateChanged"]["approval"]["requester"]["roles"] is None
    assert [(e["extensions"]["code"], e["path"][-1]) for e in payload["errors"]] == [("FORBIDDEN", "roles")]
