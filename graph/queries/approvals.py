"""Root fields of approvals."""

from __future__ import annotations

import strawberry

from db import models
from graph.connection import Connection
from graph.roots import many, one
from graph.types.approvals import Approval


@strawberry.type
class ApprovalsQuery:
    """Requests that others must agree to."""

    approval: Approval | None = one(models.Approval, "A request for approval by its id.")
    approvals: Connection[Approval] | None = many(
        models.Approval, "The requests for approval that the viewer sees, newest first."
    )
