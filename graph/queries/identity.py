"""Root fields of identity: the viewer, and who else is in the tenant."""

from __future__ import annotations

import strawberry

from db import models
from graph.connection import Connection
from graph.context import Info
from graph.roots import many, one
from graph.types.identity import AuditLog, Group, Role, User, ViewerType


@strawberry.type
class IdentityQuery:
    """The viewer, users, roles, groups, the audit log."""

    user: User | None = one(models.User, "A user by id.")
    users: Connection[User] | None = many(models.User, "The tenant's users, newest first.")
    role: Role | None = one(models.Role, "A role by its id.")
    roles: Connection[Role] | None = many(models.Role, "The tenant's roles, newest first.")
    group: Group | None = one(models.Group, "A group by its id.")
    groups: Connection[Group] | None = many(models.Group, "The tenant's groups, newest first.")
    audit_log: AuditLog | None = one(models.AuditLog, "An entry of the audit log by its id.")
    audit_logs: Connection[AuditLog] | None = many(models.AuditLog, "The tenant's audit log, newest first.")

    @strawberry.field(description="Who is signed in.")
    async def viewer(self, info: Info) -> ViewerType | None:
        """Unauthenticated without a good token."""
        return ViewerType.of(await info.context.authenticate())
