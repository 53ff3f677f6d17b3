"""The roles that every new tenant starts with (section 10 of the master document).

The document's five permissions stand where they fit the role, with what its work needs beside them;
docs/permissions.md lists them for people.
"""

from dataclasses import dataclass
from typing import Final

EVERYTHING: Final = "*"
"""Every permission of a tenant, those of later releases too; never `platform.*`."""


@dataclass(frozen=True, slots=True)
class RoleSeed:
    """A role as a new tenant gets it."""

    code: str
    name: str
    permissions: tuple[str, ...]


ADMIN: Final = RoleSeed("admin", "Administrator", (EVERYTHING,))
SALES_EXEC: Final = RoleSeed(
    "sales_exec",
    "Sales Executive",
    (
        "activities.create",
        "activities.delete",
        "activities.update",
        "activities.view",
        "approvals.request",
        "companies.create",
        "companies.update",
        "companies.view",
        "contacts.create",
        "contacts.update",
        "contacts.view",
        "deals.create",
        "deals.move",
        "deals.update",
        "deals.view",
        "inventory.view",
        "leads.convert",
        "leads.create",
        "leads.update",
        "leads.view",
        "reports.view",
        "telemarketing.manage",
        "telemarketing.view",
    ),
)
INVENTORY_MGR: Final = RoleSeed(
    "inventory_mgr",
    "Inventory Manager",
    (
        "approvals.request",
        "deals.view",
        "inventory.manage",
        "inventory.price",
        "inventory.view",
        "reports.view",
    ),
)
ROLES: Final = (ADMIN, SALES_EXEC, INVENTORY_MGR)
