"""The closed lists of values, stored as text under a CHECK.

A list is closed where our own code gives each value a meaning; what providers and tenants name
(outcomes, sources, lead statuses, project statuses) stays open text.
"""

from enum import StrEnum


class UserStatus(StrEnum):
    """Whether a user may sign in."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    DEACTIVATED = "deactivated"


class DealStatus(StrEnum):
    """How a deal stands."""

    OPEN = "open"
    WON = "won"
    LOST = "lost"


class ActivityType(StrEnum):
    """What kind of work an activity is."""

    CALL = "call"
    EMAIL = "email"
    MEETING = "meeting"
    TASK = "task"


class ActivityStatus(StrEnum):
    """How an activity stands."""

    OPEN = "open"
    DONE = "done"
    CANCELLED = "cancelled"


class UnitStatus(StrEnum):
    """Whether a unit can be sold."""

    AVAILABLE = "available"
    RESERVED = "reserved"
    SOLD = "sold"
    WITHDRAWN = "withdrawn"


class MapShapeKind(StrEnum):
    """What a shape on a map outlines."""

    UNIT = "unit"
    COMPONENT = "component"


class Channel(StrEnum):
    """The way a message travels."""

    EMAIL = "email"
    SMS = "sms"
    WHATSAPP = "whatsapp"
    INAPP = "inapp"


class CampaignType(StrEnum):
    """The channel that a campaign uses."""

    EMAIL = "email"
    SMS = "sms"
    WHATSAPP = "whatsapp"
    INAPP = "inapp"


class CampaignStatus(StrEnum):
    """How far a campaign has come."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    SENDING = "sending"
    SENT = "sent"
    CANCELLED = "cancelled"


class DeliveryStatus(StrEnum):
    """How far a message to one recipient has come."""

    PENDING = "pending"
    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    OPENED = "opened"
    CLICKED = "clicked"
    FAILED = "failed"
    SUPPRESSED = "suppressed"
    CANCELLED = "cancelled"


class RecipientType(StrEnum):
    """The table that a campaign's recipient is a row of."""

    CONTACT = "contact"
    LEAD = "lead"
    USER = "user"


class TemplateStatus(StrEnum):
    """Whether a template may be sent."""

    DRAFT = "draft"
    APPROVED = "approved"
    RETIRED = "retired"


class InboxCategory(StrEnum):
    """What a notification is about."""

    APPROVALS = "approvals"
    TASKS = "tasks"
    SYSTEM = "system"
    MARKETING = "marketing"


class InvoiceStatus(StrEnum):
    """How an invoice stands."""

    DRAFT = "draft"
    OPEN = "open"
    PAID = "paid"
    VOID = "void"


class SubscriptionStatus(StrEnum):
    """How a tenant's subscription stands."""

    TRIAL = "trial"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    CANCELLED = "cancelled"


class ApprovalDomain(StrEnum):
    """What can be put under a policy, so that others must agree to it; other services may have their own."""

    DEAL_STAGE_MOVE = "deal.stage.move"
    UNIT_PRICE_CHANGE = "unit.price.change"
    CAMPAIGN_LAUNCH = "campaign.launch"


class ApprovalState(StrEnum):
    """How a request for approval stands."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    APPLIED = "applied"


class ApprovalAction(StrEnum):
    """What was done in one step of an approval."""

    SUBMITTED = "submitted"
    APPROVED = "approved"
    REJECTED = "rejected"
    ESCALATED = "escalated"
    CANCELLED = "cancelled"
    APPLIED = "applied"
