"""Changing developers, projects, units, the codes of their types, and where they are on a map."""

import strawberry

from graph.mutations.inventory.codes import CodesMutation
from graph.mutations.inventory.maps import MapsMutation
from graph.mutations.inventory.projects import ProjectsMutation
from graph.mutations.inventory.units import UnitsMutation


@strawberry.type
class InventoryMutation(ProjectsMutation, CodesMutation, UnitsMutation, MapsMutation):
    """The mutations of the domain."""
