"""Users as the values of columns: whose work something becomes."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from strawberry import UNSET

from db.enums import UserStatus
from db.models import User
from graph.errors import UserErrorCode
from graph.writing.values import Draft
from graph.writing.work import Work, id_of, refusal

_ABSENT = "There is nothing with this id."
_INACTIVE = "This user is not active."


async def is_active(work: Work, user_id: UUID) -> bool | None:
    """Whether a user of the tenant may sign in; None if there is no such user."""
    if user_id == work.viewer.user_id:
        return True

    async def look_up() -> bool | None:
        statement = sa.select(User.status).where(User.tenant_id == work.viewer.tenant_id, User.id == user_id)
        status = (await work.execute(statement)).scalar_one_or_none()
        return None if status is None else status == UserStatus.ACTIVE

    return await work.once(("active", user_id), look_up)


async def check_active(work: Work, draft: Draft, column: str) -> None:
    """A rule: the user whom a client newly names in `column` is an active one of the tenant."""
    user_id = draft.values.get(column)
    if user_id is None or user_id == getattr(draft.before, column, None):
        return
    match await is_active(work, user_id):
        case None:
            draft.invalid(column, _ABSENT, UserErrorCode.NOT_FOUND)
        case False:
            draft.invalid(column, _INACTIVE)


async def assignee(work: Work, given: Any, field: str) -> UUID | None:
    """The active user whom `field` of a named operation's input gives something to, or None for nobody.

    Refused if the client left the field out: forgetting it should take nothing from anybody.
    """
    if given is UNSET:
        raise refusal(UserErrorCode.INVALID, "Name a user, or null for nobody.", field)
    if given is None:
        return None
    user_id = id_of(given, field)
    match await is_active(work, user_id):
        case None:
            raise refusal(UserErrorCode.NOT_FOUND, _ABSENT, field)
        case False:
            raise refusal(UserErrorCode.INVALID, _INACTIVE, field)
    return user_id
