"""The closed lists of values, stored as text under a CHECK.

A list is closed where our own code gives each value a meaning; what providers and tenants name
(outcomes, sources, lead statuses, project statuses) stays open text.
"""

from enum import StrEnum
from typing import Self


class Described(StrEnum):
    """A closed list; each value is stored as it is, and has words for those who read the schema."""

    _value_: str
    description: str

    def __new__(cls, value: str, description: str = "") -> Self:
        """The member that is stored as `value`."""
        member = str.__new__(cls, value)
        member._value_, member.description = value, description
        return member


class UserStatus(Described):
    """Whether a user may sign in."""

    ACTIVE = "active", "May sign in, once a password is set."
    SUSPENDED = "suspended", "May not sign in for now; may be reactivated."
    DEACTIVATED = "deactivated", "Has left; may not sign in."


class DealStatus(Described):
    """How a deal stands."""

    OPEN = "open", "Still to be decided."
    WON = "won", "The buyer has agreed."
    LOST = "lost", "It came to nothing."


class ActivityType(Described):
    """What kind of work an activity is."""

    CALL = "call", "A phone call."
    EMAIL = "email", "An e-mail."
    MEETING = "meeting", "A meeting."
    TASK = "task", "Anything else that is to be done."


class ActivityStatus(Described):
    """How an activity stands."""

    OPEN = "open", "Still to be done."
    DONE = "done", "Done; `completedAt` says when."
    CANCELLED = "cancelled", "Not going to be done."


class UnitStatus(Described):
    """Whether a unit can be sold."""

    AVAILABLE = "available", "For sale."
    RESERVED = "reserved", "Held for somebody; may be released."
    SOLD = "sold", "Sold."
    WITHDRAWN = "withdrawn", "Taken off the market."


class MapShapeKind(Described):
    """What a shape on a map outlines."""

    UNIT = "unit", "A whole unit."
    COMPONENT = "component", "A component of a unit, such as a garden."


class Channel(Described):
    """The way a message travels."""

    EMAIL = "email", "E-mail."
    SMS = "sms", "Text message."
    WHATSAPP = "whatsapp", "WhatsApp message."
    INAPP = "inapp", "Notice in the inbox of a user."


class CampaignType(Described):
    """The channel that a campaign uses."""

    EMAIL = "email", "By e-mail."
    SMS = "sms", "By text message."
    WHATSAPP = "whatsapp", "By WhatsApp."
    INAPP = "inapp", "By notices in the inboxes of users."


class CampaignStatus(Described):
    """How far a campaign has come."""

    DRAFT = "draft", "Being prepared."
    SCHEDULED = "scheduled", "Launched by itself at `scheduledAt`."
    SENDING = "sending", "Launched; its messages are on their way."
    SENT = "sent", "All of its messages have been sent."
    CANCELLED = "cancelled", "Called off; what had not been sent is not going to be."


class DeliveryStatus(Described):
    """How far a message to one recipient has come."""

    PENDING = "pending", "Not taken by a sender yet."
    QUEUED = "queued", "Waiting to be sent."
    SENT = "sent", "Handed to the provider."
    DELIVERED = "delivered", "Arrived at the recipient."
    OPENED = "opened", "Opened by the recipient."
    CLICKED = "clicked", "A link in it was followed."
    FAILED = "failed", "Could not be sent or delivered."
    SUPPRESSED = "suppressed", "Not sent: the address wants no messages."
    CANCELLED = "cancelled", "Not sent: it was called off before."


class RecipientType(Described):
    """The table that a campaign's recipient is a row of."""

    CONTACT = "contact", "A contact."
    LEAD = "lead", "A lead."
    USER = "user", "A user of the tenant."


class TemplateStatus(Described):
    """Whether a template may be sent."""

    DRAFT = "draft", "Being written; may not be sent."
    APPROVED = "approved", "May be sent."
    RETIRED = "retired", "Replaced or given up; may not be sent any more."


class InboxCategory(Described):
    """What a notification is about."""

    APPROVALS = "approvals", "Requests for approval that concern the user."
    TASKS = "tasks", "Work that is the user's to do."
    SYSTEM = "system", "The account and the service itself."
    MARKETING = "marketing", "Campaigns."


class InvoiceStatus(Described):
    """How an invoice stands."""

    DRAFT = "draft", "Not issued yet."
    OPEN = "open", "Issued and to be paid."
    PAID = "paid", "Paid."
    VOID = "void", "Withdrawn; nothing is owed."


class SubscriptionStatus(Described):
    """How a tenant's subscription stands."""

    TRIAL = "trial", "On trial, before the first payment."
    ACTIVE = "active", "Running."
    PAST_DUE = "past_due", "Running, with a payment overdue."
    CANCELLED = "cancelled", "Ended."


class ApprovalDomain(Described):
    """What can be put under a policy, so that others must agree to it; other services may have their own."""

    DEAL_STAGE_MOVE = "deal.stage.move", "Moving a deal to another stage: `moveDeal`."
    UNIT_PRICE_CHANGE = "unit.price.change", "Changing the price of a unit: `changeUnitPrice`."
    CAMPAIGN_LAUNCH = "campaign.launch", "Sending a campaign: `launchCampaign`."


class ApprovalState(Described):
    """How a request for approval stands."""

    PENDING = "pending", "Waiting for somebody to decide."
    APPROVED = "approved", "Agreed to by all levels, but not done: `applyApproval` tries again."
    REJECTED = "rejected", "Turned down."
    CANCELLED = "cancelled", "Withdrawn before it was decided."
    APPLIED = "applied", "Agreed to by all levels, and done."


class ApprovalAction(Described):
    """What was done in one step of an approval."""

    SUBMITTED = "submitted", "It was asked for."
    APPROVED = "approved", "Somebody agreed, for one level."
    REJECTED = "rejected", "Somebody turned it down."
    ESCALATED = "escalated", "It was not decided in time; those who may decide were told."
    CANCELLED = "cancelled", "It was withdrawn."
    APPLIED = "applied", "What was asked for was done, or tried."
