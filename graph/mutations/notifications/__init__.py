"""Changing templates, messages, the inbox, and who wants no messages."""

import strawberry

from graph.mutations.notifications.inbox import InboxMutation
from graph.mutations.notifications.outbox import OutboxMutation
from graph.mutations.notifications.suppression import SuppressionMutation
from graph.mutations.notifications.templates import TemplatesMutation


@strawberry.type
class NotificationsMutation(TemplatesMutation, OutboxMutation, InboxMutation, SuppressionMutation):
    """The mutations of the domain."""
