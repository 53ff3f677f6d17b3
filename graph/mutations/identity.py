"""Tenants, users, their sessions and their rights: what can be done about them."""

import strawberry

from graph.mutations.identity_groups import GroupMutation
from graph.mutations.identity_passwords import PasswordMutation
from graph.mutations.identity_roles import RoleMutation
from graph.mutations.identity_sessions import SessionMutation
from graph.mutations.identity_users import UserMutation


@strawberry.type
class IdentityMutation(SessionMutation, PasswordMutation, UserMutation, RoleMutation, GroupMutation):
    """The parts in one type."""
