"""Root fields of marketing."""

from __future__ import annotations

import strawberry

from db import models
from graph.connection import Connection
from graph.roots import many, one
from graph.types.marketing import Campaign, CampaignSend, TelemarketingCall


@strawberry.type
class MarketingQuery:
    """Campaigns, what they sent, telemarketing calls."""

    campaign: Campaign | None = one(models.Campaign, "A campaign by its id.")
    campaigns: Connection[Campaign] | None = many(models.Campaign, "The tenant's campaigns, newest first.")
    campaign_send: CampaignSend | None = one(models.CampaignSend, "A campaign's message by its id.")
    campaign_sends: Connection[CampaignSend] | None = many(
        models.CampaignSend, "The messages of all campaigns, newest first."
    )
    telemarketing_call: TelemarketingCall | None = one(
        models.TelemarketingCall, "A telemarketing call by its id."
    )
    telemarketing_calls: Connection[TelemarketingCall] | None = many(
        models.TelemarketingCall, "The tenant's telemarketing calls, newest first."
    )
