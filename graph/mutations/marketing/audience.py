"""Whom a campaign goes to: contacts or leads by a filter, or some users; the statement that finds them."""

from __future__ import annotations

import datetime as dt
import decimal
from collections.abc import Mapping
from enum import Enum
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on
from strawberry import ID

from db import models
from db.enums import CampaignType, RecipientType, UserStatus
from graph.errors import Forbidden, UserErrorCode
from graph.filters import condition
from graph.inputs import make_input
from graph.limits import MAX_NOTIFIED
from graph.mutations.notifications.suppression import suppressed
from graph.permissions import Permission
from graph.tables import TABLES, TableType
from graph.writing.work import Work, id_of, refusal

AudienceInput: Any = make_input(
    "CampaignAudienceInput",
    "Whom a campaign goes to: one of the three. Of those it names, they get the message who have an address "
    "on the campaign's channel, and one that is not suppressed; no address gets it twice.",
    {
        "contacts": ("contacts", "ContactFilter | None", "Contacts, `{}` for all; takes CONTACTS_VIEW."),
        "leads": (
            "leads",
            "LeadFilter | None",
            "Leads, at the address of their contact, `{}` for all; takes LEADS_VIEW.",
        ),
        "users": (
            "users",
            list[ID] | None,
            f"Users of the tenant by their ids, at most {MAX_NOTIFIED}, of whom the active ones get it; "
            "takes USERS_VIEW.",
        ),
    },
)

_KINDS: Final[Mapping[str, tuple[RecipientType, type, Permission]]] = {
    "contacts": (RecipientType.CONTACT, models.Contact, Permission.CONTACTS_VIEW),
    "leads": (RecipientType.LEAD, models.Lead, Permission.LEADS_VIEW),
    "users": (RecipientType.USER, models.User, Permission.USERS_VIEW),
}
_FIELD: Final = "audience"


async def recipients(work: Work, channel: str, given: Mapping[str, Any]) -> sa.Select[Any]:
    """A statement for `id`, `kind` and `address` of those in the audience who are to get a message.

    Forbidden without the right to read them; Refused where the audience is none, or has not this channel.
    """
    named = {name: value for name, value in given.items() if value is not None}
    if len(named) != 1:
        raise refusal(UserErrorCode.INVALID, "Name contacts, leads or users: one of the three.", _FIELD)
    ((name, wanted),) = named.items()
    kind, model, permission = _KINDS[name]
    if not work.viewer.has(permission):
        raise Forbidden(permission)
    if channel == CampaignType.INAPP and kind != RecipientType.USER:
        raise refusal(UserErrorCode.INVALID, "Only users have an inbox.", _FIELD, name)
    shown = TABLES[model.__table__]  # type: ignore[attr-defined]
    source = shown.table.alias(name)
    which = [shown.scope(source, work.viewer)]
    if kind == RecipientType.USER:
        which.append(await _users(work, source, wanted))
    else:
        shown.allow(work.viewer)
        which.append(condition(shown, source, wanted, work.viewer))
    found, address = _addressed(work, channel, kind, source)
    if channel != CampaignType.INAPP:
        which.append(~suppressed(work.viewer.tenant_id, channel, address))
    folded = sa.func.lower(address)
    return (
        sa.select(source.c.id, sa.literal(kind.value, sa.Text).label("kind"), address.label("address"))
        .select_from(found)
        .where(*which, address.is_not(None))
        .ext(distinct_on(folded))
        .order_by(folded, source.c.created_at, source.c.id)
    )


def _addressed(
    work: Work, channel: str, kind: RecipientType, source: sa.FromClause
) -> tuple[sa.FromClause, sa.ColumnElement[str]]:
    """The rows joined with what holds their address on a channel, and that address."""
    tenant_id = work.viewer.tenant_id
    holder, found = source, source
    if kind == RecipientType.LEAD:
        holder = _table(models.Contact).alias("person")
        found = source.join(
            holder, sa.and_(holder.c.tenant_id == tenant_id, holder.c.id == source.c.contact_id)
        )
    if channel == CampaignType.INAPP:
        return found, sa.cast(source.c.id, sa.Text)
    if channel == CampaignType.EMAIL:
        return found, sa.cast(holder.c.email, sa.Text)
    if kind == RecipientType.USER:
        holder = _table(models.UserProfile).alias("profile")
        found = source.join(holder, sa.and_(holder.c.tenant_id == tenant_id, holder.c.user_id == source.c.id))
    return found, holder.c.phone_e164


def _table(model: Any) -> sa.Table:
    shown: TableType = TABLES[model.__table__]
    return shown.table


async def _users(work: Work, source: sa.FromClause, given: list[str]) -> sa.ColumnElement[bool]:
    """The active ones of the users named; Refused, with its place, where there is none of an id."""
    if not 1 <= len(given) <= MAX_NOTIFIED:
        raise refusal(UserErrorCode.INVALID, f"Name 1 to {MAX_NOTIFIED} users.", _FIELD, "users")
    ids = [id_of(id, _FIELD, "users", str(place)) for place, id in enumerate(given)]
    c = _table(models.User).c
    statement = sa.select(c.id).where(c.tenant_id == work.viewer.tenant_id, c.id == sa.any_(_array(ids)))
    known = set((await work.execute(statement)).scalars())
    for place, id in enumerate(ids):
        if id not in known:
            message = "There is nothing with this id."
            raise refusal(UserErrorCode.NOT_FOUND, message, _FIELD, "users", str(place))
    return sa.and_(source.c.id == sa.any_(_array(ids)), source.c.status == UserStatus.ACTIVE)


def _array(ids: list[UUID]) -> sa.BindParameter[Any]:
    return sa.bindparam(None, ids, type_=sa.ARRAY(sa.Uuid), unique=True)


def as_json(value: Any) -> Any:
    """An audience as a client would send it in JSON, to be read as one again later."""
    if isinstance(value, Mapping):
        return {name: as_json(item) for name, item in value.items()}
    if isinstance(value, list):
        return [as_json(item) for item in value]
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return str(value)
    return value
