"""Who holds a permission: the viewer's rights asked the other way round."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from db.enums import UserStatus
from db.models import Role, RolePermission, User, UserRole
from db.seed import EVERYTHING


def holders(tenant_id: UUID, permission: str) -> sa.Select[Any]:
    """A statement for the ids of the tenant's active users who hold `permission` (`deals.view`).

    Not for `platform.*`: no role gives that, `*` neither.
    """
    giving = (
        sa.select(RolePermission.role_id)
        .where(RolePermission.tenant_id == tenant_id, RolePermission.permission.in_((EVERYTHING, permission)))
        .cte(f"giving {permission}", recursive=True)
    )
    # UNION, not UNION ALL: a ring of parents ends where it meets a role that is already there.
    giving = giving.union(
        sa.select(Role.id)
        .join(giving, Role.parent_role_id == giving.c.role_id)
        .where(Role.tenant_id == tenant_id)
    )
    holding = sa.select(UserRole.user_id).where(
        UserRole.tenant_id == tenant_id, UserRole.role_id.in_(sa.select(giving.c.role_id))
    )
    return sa.select(User.id).where(
        User.tenant_id == tenant_id, User.status == UserStatus.ACTIVE, User.id.in_(holding)
    )
