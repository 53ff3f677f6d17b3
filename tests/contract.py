"""The table of types: what each of the 43 tables is called in the schema, where it begins, who may read it.

Written out, not derived: clients rely on these names.
"""

from dataclasses import dataclass
from typing import Final

DOMAINS: Final = {
    "approvals",
    "billing",
    "crm",
    "identity",
    "integrations",
    "inventory",
    "marketing",
    "notifications",
}


@dataclass(frozen=True)
class Row:
    """One table: its type, its fields of Query, and the permission that reading it takes."""

    type: str
    root_fields: tuple[str, ...]
    to_read: str | None


def _row(type_: str, root_fields: str, to_read: str | None) -> Row:
    return Row(type_, tuple(root_fields.split()), to_read)


TABLE_OF_TYPES: Final = {
    "tenants": _row("Tenant", "", None),
    "users": _row("User", "user users", None),
    "user_profiles": _row("UserProfile", "", None),
    "roles": _row("Role", "role roles", "ROLES_VIEW"),
    "role_permissions": _row("RolePermission", "", "ROLES_VIEW"),
    "groups": _row("Group", "group groups", "GROUPS_VIEW"),
    "group_members": _row("GroupMember", "", "GROUPS_VIEW"),
    "user_roles": _row("UserRole", "", "ROLES_VIEW"),
    "sessions": _row("Session", "", None),
    "audit_logs": _row("AuditLog", "auditLog auditLogs", "AUDIT_VIEW"),
    "companies": _row("Company", "company companies", "COMPANIES_VIEW"),
    "contacts": _row("Contact", "contact contacts", "CONTACTS_VIEW"),
    "leads": _row("Lead", "lead leads", "LEADS_VIEW"),
    "deal_pipelines": _row("DealPipeline", "dealPipeline dealPipelines", "DEALS_VIEW"),
    "deal_stages": _row("DealStage", "dealStage dealStages", "DEALS_VIEW"),
    "deals": _row("Deal", "deal deals", "DEALS_VIEW"),
    "activities": _row("Activity", "activity activities", "ACTIVITIES_VIEW"),
    "developers": _row("Developer", "developer developers", "INVENTORY_VIEW"),
    "projects": _row("Project", "project projects", "INVENTORY_VIEW"),
    "unit_type_codes": _row("UnitTypeCode", "unitTypeCode unitTypeCodes", None),
    "component_type_codes": _row("ComponentTypeCode", "componentTypeCode componentTypeCodes", None),
    "units": _row("Unit", "unit units", "INVENTORY_VIEW"),
    "unit_components": _row("UnitComponent", "unitComponent unitComponents", "INVENTORY_VIEW"),
    "unit_price_history": _row("UnitPriceChange", "unitPriceChanges", "INVENTORY_VIEW"),
    "map_overlays": _row("MapOverlay", "mapOverlay mapOverlays", "INVENTORY_VIEW"),
    "map_shapes": _row("MapShape", "mapShape mapShapes", "INVENTORY_VIEW"),
    "campaigns": _row("Campaign", "campaign campaigns", "MARKETING_VIEW"),
    "campaign_sends": _row("CampaignSend", "campaignSend campaignSends", "MARKETING_VIEW"),
    "telemarketing_calls": _row(
        "TelemarketingCall", "telemarketingCall telemarketingCalls", "TELEMARKETING_VIEW"
    ),
    "message_templates": _row("MessageTemplate", "messageTemplate messageTemplates", "TEMPLATES_VIEW"),
    "messages_outbox": _row("OutboxMessage", "outboxMessage outboxMessages", "OUTBOX_VIEW"),
    "notifications_inbox": _row("InboxNotification", "", None),
    "suppression_list": _row("SuppressionEntry", "suppressionEntry suppressionEntries", "SUPPRESSION_VIEW"),
    "plans": _row("Plan", "plan plans", None),
    "plan_features": _row("PlanFeature", "", None),
    "tenant_subscription": _row("TenantSubscription", "", None),
    "usage_counters": _row("UsageCounter", "usageCounter usageCounters", "BILLING_VIEW"),
    "invoices": _row("Invoice", "invoice invoices", "BILLING_VIEW"),
    "invoice_lines": _row("InvoiceLine", "", "BILLING_VIEW"),
    "approvals": _row("Approval", "approval approvals", None),
    "approval_history": _row("ApprovalStep", "", None),
    "integration_webhook_logs": _row(
        "IntegrationWebhookLog", "integrationWebhookLog integrationWebhookLogs", "INTEGRATIONS_VIEW"
    ),
    "billing_webhook_logs": _row("BillingWebhookLog", "billingWebhookLogs", "PLATFORM_VIEW"),
}
