"""Subscriptions among the metrics: each batch of events that is told is an operation."""

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Approval
from graph.observability.metrics import Metrics
from tests.client import Client
from tests.factories import insert
from tests.subscriptions.conftest import admin, gateway
from tests.subscriptions.following import TRANSPORTS, following, here
from tests.subscriptions.gateway import Gateway

__all__ = ["admin", "gateway"]

FEED = """
subscription FollowApprovals($after: Cursor) {
  approvalStateChanged(after: $after) { action approval { id requester { id } } }
}
"""


def told(metrics: Metrics, name: str) -> float:
    of = {"operation": "FollowApprovals", "kind": "subscription"}
    return metrics.registry.get_sample_value(name, of) or 0


@pytest.mark.parametrize("over", TRANSPORTS)
async def test_what_is_told_is_counted_with_its_statements(
    gateway: Gateway, admin: Client, owner: AsyncConnection, over: str
) -> None:
    metrics = gateway.anyone.services.metrics
    names = ("m3_operation_duration_seconds_count", "m3_operation_statements_total")
    before = [told(metrics, name) for name in names]
    async with following(gateway, admin, FEED, over, after=await here(admin)) as following_event:
        for _ in range(2):
            await insert(owner, Approval, tenant_id=admin.tenant_id, requested_by=admin.user_id)
            await following_event()
        assert (metrics.registry.get_sample_value("m3_subscriptions") or 0) >= 1
        assert (metrics.registry.get_sample_value("m3_sockets") or 0) >= 1
    counted = [told(metrics, name) - old for name, old in zip(names, before, strict=True)]
    # Each time the viewer, the approval and who requests it
    assert counted == [2, 6]
