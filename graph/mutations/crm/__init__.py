"""Changing companies, contacts, leads, pipelines, deals and activities."""

import strawberry

from graph.mutations.crm.activities import ActivitiesMutation
from graph.mutations.crm.deals import DealsMutation
from graph.mutations.crm.leads import LeadsMutation
from graph.mutations.crm.parties import PartiesMutation
from graph.mutations.crm.pipelines import PipelinesMutation


@strawberry.type
class CrmMutation(PartiesMutation, LeadsMutation, PipelinesMutation, DealsMutation, ActivitiesMutation):
    """The mutations of the domain."""
