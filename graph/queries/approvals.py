"""Root fields of approvals."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
import strawberry

from db import models
from db.enums import ApprovalDomain
from graph.approvals.policies import levels_of, policies
from graph.connection import Connection
from graph.permissions import Permission
from graph.roots import many, one
from graph.tables import GatedField
from graph.types.approvals import Approval, ApprovalLevel, ApprovalPolicy


def shown_policy(row: sa.Row[Any]) -> ApprovalPolicy:
    """A policy as it is shown."""
    levels = [
        ApprovalLevel(
            level=number,
            permission=level.permission and Permission(level.permission),  # type: ignore[arg-type]
            sla_minutes=level.sla_minutes,
        )
        for number, level in enumerate(levels_of(row.levels), 1)
    ]
    return ApprovalPolicy(
        domain=ApprovalDomain(row.domain),
        levels=levels,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


class PoliciesField(GatedField):
    """The tenant's policies, for who manages them."""

    is_async = True

    async def get_result(self, source: Any, info: Any, args: list[Any], kwargs: Any) -> list[ApprovalPolicy]:
        """All of them: there is at most one for each domain."""
        viewer = await info.context.authenticate()
        self.allow(viewer)
        return [shown_policy(row) for row in await policies(info.context.snapshot, viewer.tenant_id)]


def _policies() -> Any:
    made = PoliciesField(
        type_annotation=None,
        description="What takes approval in this tenant, by domain: at most one policy for each.",
    )
    made.gate(Permission.APPROVALS_MANAGE)
    return made


@strawberry.type
class ApprovalsQuery:
    """Requests that others must agree to."""

    approval: Approval | None = one(models.Approval, "A request for approval by its id.")
    approvals: Connection[Approval] | None = many(
        models.Approval, "The requests for approval that the viewer sees, newest first."
    )
    approval_policies: list[ApprovalPolicy] | None = _policies()
