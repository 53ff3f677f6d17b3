"""What a user may do: the vocabulary, and the directive that prints and enforces it."""

from enum import Enum

import strawberry
from strawberry.schema_directive import Location


@strawberry.enum(description="What a role may allow: `resource.action`, written `RESOURCE_ACTION`.")
class Permission(Enum):
    """The whole vocabulary, in alphabetical order.

    The value is what `role_permissions.permission` stores, `resource.action`; the name is the
    value in capitals with the dot as an underscore.
    """

    ACTIVITIES_CREATE = "activities.create"
    ACTIVITIES_DELETE = "activities.delete"
    ACTIVITIES_UPDATE = "activities.update"
    ACTIVITIES_VIEW = "activities.view"
    APPROVALS_DECIDE = "approvals.decide"
    APPROVALS_MANAGE = "approvals.manage"
    APPROVALS_REQUEST = "approvals.request"
    APPROVALS_VIEW = "approvals.view"
    AUDIT_VIEW = "audit.view"
    BILLING_MANAGE = "billing.manage"
    BILLING_VIEW = "billing.view"
    COMPANIES_CREATE = "companies.create"
    COMPANIES_DELETE = "companies.delete"
    COMPANIES_UPDATE = "companies.update"
    COMPANIES_VIEW = "companies.view"
    CONTACTS_CREATE = "contacts.create"
    CONTACTS_DELETE = "contacts.delete"
    CONTACTS_UPDATE = "contacts.update"
    CONTACTS_VIEW = "contacts.view"
    DEALS_CREATE = "deals.create"
    DEALS_DELETE = "deals.delete"
    DEALS_MOVE = "deals.move"
    DEALS_UPDATE = "deals.update"
    DEALS_VIEW = "deals.view"
    GROUPS_MANAGE = "groups.manage"
    GROUPS_VIEW = "groups.view"
    INTEGRATIONS_MANAGE = "integrations.manage"
    INTEGRATIONS_VIEW = "integrations.view"
    INVENTORY_MANAGE = "inventory.manage"
    INVENTORY_PRICE = "inventory.price"
    INVENTORY_VIEW = "inventory.view"
    LEADS_ASSIGN = "leads.assign"
    LEADS_CONVERT = "leads.convert"
    LEADS_CREATE = "leads.create"
    LEADS_DELETE = "leads.delete"
    LEADS_UPDATE = "leads.update"
    LEADS_VIEW = "leads.view"
    MARKETING_MANAGE = "marketing.manage"
    MARKETING_SEND = "marketing.send"
    MARKETING_VIEW = "marketing.view"
    NOTIFICATIONS_SEND = "notifications.send"
    OUTBOX_SEND = "outbox.send"
    OUTBOX_VIEW = "outbox.view"
    PIPELINES_MANAGE = "pipelines.manage"
    PLATFORM_VIEW = "platform.view"
    REPORTS_VIEW = "reports.view"
    ROLES_MANAGE = "roles.manage"
    ROLES_VIEW = "roles.view"
    SUPPRESSION_MANAGE = "suppression.manage"
    SUPPRESSION_VIEW = "suppression.view"
    TELEMARKETING_MANAGE = "telemarketing.manage"
    TELEMARKETING_VIEW = "telemarketing.view"
    TEMPLATES_MANAGE = "templates.manage"
    TEMPLATES_VIEW = "templates.view"
    TENANT_MANAGE = "tenant.manage"
    USERS_MANAGE = "users.manage"
    USERS_VIEW = "users.view"


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION, Location.OBJECT],
    name="requires",
    description=(
        "The permission that reading this takes. On a type it holds for every field that returns it, "
        "lists, relations and `node` included; on a field it adds to that."
    ),
)
class Requires:
    """`@requires(permission:)` as printed; what enforces it reads the same declaration."""

    permission: Permission


def requires(permission: Permission) -> object:
    """The directive for `permission`, as `directives=[…]` takes it."""
    return Requires(permission=permission)
