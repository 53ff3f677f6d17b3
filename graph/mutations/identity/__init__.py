"""Tenants, users, their sessions and their rights: what can be done about them."""

import strawberry

from graph.mutations.identity.groups import GroupMutation
from graph.mutations.identity.passwords import PasswordMutation
from graph.mutations.identity.roles import RoleMutation
from graph.mutations.identity.sessions import SessionMutation
from graph.mutations.identity.users import UserMutation


@strawberry.type
class IdentityMutation(SessionMutation, PasswordMutation, UserMutation, RoleMutation, GroupMutation):
    """The parts in one type."""
