"""What a user may do: the vocabulary, and the directive that prints and enforces it."""

from enum import Enum
from typing import Self

import strawberry
from strawberry.schema_directive import Location

from graph.described import described


@described("What a role may allow: `resource.action`, written `RESOURCE_ACTION`.")
class Permission(Enum):
    """The whole vocabulary, in alphabetical order.

    The value is what `role_permissions.permission` stores, `resource.action`; the name is the
    value in capitals with the dot as an underscore.
    """

    _value_: str
    description: str

    def __new__(cls, value: str, description: str = "") -> Self:
        """The member that is stored as `value`."""
        member = object.__new__(cls)
        member._value_, member.description = value, description
        return member

    ACTIVITIES_CREATE = "activities.create", "Create activities."
    ACTIVITIES_DELETE = "activities.delete", "Delete activities."
    ACTIVITIES_UPDATE = "activities.update", "Change activities."
    ACTIVITIES_VIEW = "activities.view", "Read activities."
    APPROVALS_DECIDE = "approvals.decide", "Agree to requests or turn them down, as their policy says."
    APPROVALS_MANAGE = "approvals.manage", "Set the policies for approvals."
    APPROVALS_REQUEST = "approvals.request", "Ask for the approval of what a policy protects."
    APPROVALS_VIEW = "approvals.view", "Read all requests for approval, and not just those that concern them."
    AUDIT_VIEW = "audit.view", "Read what was changed, by whom."
    BILLING_MANAGE = "billing.manage", "Change or cancel the subscription."
    BILLING_VIEW = "billing.view", "Read invoices and usage."
    COMPANIES_CREATE = "companies.create", "Create companies."
    COMPANIES_DELETE = "companies.delete", "Delete companies."
    COMPANIES_UPDATE = "companies.update", "Change companies."
    COMPANIES_VIEW = "companies.view", "Read companies."
    CONTACTS_CREATE = "contacts.create", "Create contacts."
    CONTACTS_DELETE = "contacts.delete", "Delete contacts."
    CONTACTS_UPDATE = "contacts.update", "Change contacts."
    CONTACTS_VIEW = "contacts.view", "Read contacts."
    DEALS_CREATE = "deals.create", "Create deals."
    DEALS_DELETE = "deals.delete", "Delete deals."
    DEALS_MOVE = "deals.move", "Move deals from stage to stage, win, lose and reopen them."
    DEALS_UPDATE = "deals.update", "Change deals."
    DEALS_VIEW = "deals.view", "Read deals."
    GROUPS_MANAGE = "groups.manage", "Create, change and delete groups, and say who is in them."
    GROUPS_VIEW = "groups.view", "Read groups and their members."
    INTEGRATIONS_MANAGE = "integrations.manage", "Mark the calls of integrations as processed."
    INTEGRATIONS_VIEW = "integrations.view", "Read the calls of integrations."
    INVENTORY_MANAGE = (
        "inventory.manage",
        "Create, change and delete projects, units and maps; reserve and sell.",
    )
    INVENTORY_PRICE = "inventory.price", "Change the prices of units."
    INVENTORY_VIEW = "inventory.view", "Read developers, projects, units, prices and maps."
    LEADS_ASSIGN = "leads.assign", "Give leads to others."
    LEADS_CONVERT = "leads.convert", "Make contacts, companies and deals of leads."
    LEADS_CREATE = "leads.create", "Create leads."
    LEADS_DELETE = "leads.delete", "Delete leads."
    LEADS_UPDATE = "leads.update", "Change leads."
    LEADS_VIEW = "leads.view", "Read leads."
    MARKETING_MANAGE = "marketing.manage", "Create, change and delete campaigns."
    MARKETING_SEND = "marketing.send", "Launch campaigns."
    MARKETING_VIEW = "marketing.view", "Read campaigns and what was sent."
    NOTIFICATIONS_SEND = "notifications.send", "Put notices into the inboxes of others."
    OUTBOX_SEND = "outbox.send", "Send single messages."
    OUTBOX_VIEW = "outbox.view", "Read the messages that were sent."
    PIPELINES_MANAGE = "pipelines.manage", "Create, change and delete pipelines and their stages."
    PLATFORM_VIEW = "platform.view", "Read what concerns no single tenant; no role can give it."
    REPORTS_VIEW = "reports.view", "Read reports; no field takes it yet."
    ROLES_MANAGE = "roles.manage", "Create, change and delete roles, say what they allow and who has them."
    ROLES_VIEW = "roles.view", "Read roles, what they allow and who has them."
    SUPPRESSION_MANAGE = "suppression.manage", "Say which addresses get no messages."
    SUPPRESSION_VIEW = "suppression.view", "Read which addresses get no messages."
    TELEMARKETING_MANAGE = "telemarketing.manage", "Schedule, make, change and delete calls."
    TELEMARKETING_VIEW = "telemarketing.view", "Read calls."
    TEMPLATES_MANAGE = "templates.manage", "Create, change, approve, retire and delete templates."
    TEMPLATES_VIEW = "templates.view", "Read templates."
    TENANT_MANAGE = "tenant.manage", "Change the tenant itself."
    USERS_MANAGE = (
        "users.manage",
        "Invite users, change, suspend and deactivate them; read and end their sessions.",
    )
    USERS_VIEW = "users.view", "Read users and their profiles; colleagues see the name without it."


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
