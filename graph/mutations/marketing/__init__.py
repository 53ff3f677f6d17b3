"""Changing campaigns and telemarketing calls."""

import strawberry

from graph.mutations.marketing.calls import CallsMutation
from graph.mutations.marketing.campaigns import CampaignsMutation


@strawberry.type
class MarketingMutation(CampaignsMutation, CallsMutation):
    """The mutations of the domain."""
