"""Launching a campaign: what it was asked to be, its messages, and how it ends.

Plan: check everything that a person could mend (`prepare`, also when a campaign is scheduled), find those who
are to get it and write a send and a message for each in one statement, then count them for the plan. The
campaign's row is locked all the while, so of two who launch it at once the second finds it launched.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, insert

from db.enums import Channel, DeliveryStatus, InboxCategory
from db.gateway import launches
from db.models import CampaignSend, InboxNotification, OutboxMessage
from graph.errors import UserErrorCode
from graph.limits import LAUNCH_SECONDS, MAX_RECIPIENTS
from graph.mutations.marketing.audience import as_json, recipients
from graph.mutations.notifications.outbox import OF_CAMPAIGNS, payload_of
from graph.mutations.notifications.templates import approved, check_variables, render
from graph.writing.plan_limits import room_for_messages
from graph.writing.states import States
from graph.writing.work import Work, refusal

WAITING = (DeliveryStatus.PENDING.value, DeliveryStatus.QUEUED.value)
"""The states of a send whose message has not left."""


@dataclass(frozen=True)
class Launch:
    """What is sent to whom."""

    template_code: str
    locale: str | None
    audience: Mapping[str, Any]
    variables: Any


@dataclass(frozen=True)
class Prepared:
    """A launch that nothing speaks against."""

    template: Any
    variables: dict[str, Any]
    people: sa.Select[Any]


async def prepare(work: Work, campaign: Any, given: Launch) -> Prepared:
    """The launch of a campaign, checked; Refused or Forbidden where it cannot be."""
    people = await recipients(work, campaign.type, given.audience)
    template = await approved(work, given.template_code, given.locale)
    if template.channel != campaign.type:
        message = f"This template is for {template.channel}, and the campaign goes by {campaign.type}."
        raise refusal(UserErrorCode.INVALID, message, "templateCode")
    return Prepared(template, check_variables(template, given.variables, "variables"), people)


async def launch(work: Work, states: States, campaign: Any, given: Launch, ready: Prepared) -> Any:
    """The campaign, locked and in a state to be launched, after its messages are in the outbox.

    A notice has reached its inbox by then; so a campaign of notices is sent at once.
    """
    await take_time(work)
    sent = int((await work.execute(_messages(work, campaign, ready))).scalar_one())
    if sent > MAX_RECIPIENTS:
        message = f"A campaign has at most {MAX_RECIPIENTS} recipients, and these are more."
        raise refusal(UserErrorCode.INVALID, message, "audience")
    if not sent:
        raise refusal(UserErrorCode.INVALID, "Nobody in this audience can get it.", "audience")
    await room_for_messages(work, sent)
    await remember(work, campaign.id, given, None)
    campaign = await states.take(work, campaign, "launch", sent_at=await work.moment())
    return await finish(work, states, campaign)


async def take_time(work: Work) -> None:
    """Let the statements of this transaction take as long as the messages of a campaign may need."""
    await work.execute(sa.select(sa.func.set_config("statement_timeout", f"{LAUNCH_SECONDS}s", True)))


async def finish(work: Work, states: States, campaign: Any) -> Any:
    """The campaign that is being sent; sent, if its last message has left."""
    c = CampaignSend.__table__.c
    waiting = sa.exists().where(
        c.tenant_id == work.viewer.tenant_id, c.campaign_id == campaign.id, c.status.in_(WAITING)
    )
    if (await work.execute(sa.select(waiting))).scalar_one():
        return campaign
    await forget(work, campaign.id)
    return await states.take(work, campaign, "finish", completed_at=await work.moment())


async def remember(
    work: Work, campaign_id: UUID, given: Launch, due_at: Any, *, approved: bool = False
) -> None:
    """Remember what is to be done about a campaign, at `due_at` or, without one, until it is sent."""
    values = {
        "user_id": work.viewer.user_id,
        "due_at": due_at,
        "template_code": given.template_code,
        "locale": given.locale,
        "audience": as_json(given.audience),
        "variables": {} if given.variables is None else given.variables,
        "approved": approved,
    }
    key = {"tenant_id": work.viewer.tenant_id, "campaign_id": campaign_id}
    await work.execute(
        insert(launches).values(**key, **values).on_conflict_do_update(index_elements=list(key), set_=values)
    )


async def forget(work: Work, campaign_id: UUID) -> None:
    """Nothing is to be done about a campaign any more."""
    c = launches.c
    await work.execute(
        sa.delete(launches).where(c.tenant_id == work.viewer.tenant_id, c.campaign_id == campaign_id)
    )


def _messages(work: Work, campaign: Any, ready: Prepared) -> sa.Select[Any]:
    """The statement that writes sends and messages, and says how many: one too many if there are more."""
    inapp = campaign.type == Channel.INAPP
    # A send and its message have the same id, by which they find each other.
    some = ready.people.limit(MAX_RECIPIENTS + 1).subquery()
    people = sa.select(some, sa.func.gen_random_uuid().label("message_id")).cte("people")
    now = sa.func.now()
    same: dict[str, Any] = {
        "tenant_id": sa.literal(work.viewer.tenant_id, sa.Uuid),
        "id": people.c.message_id,
        "channel": sa.literal(campaign.type, sa.Text),
    }
    at_once = {"sent_at": now, "delivered_at": now} if inapp else {}
    delivered = DeliveryStatus.DELIVERED.value
    send = {
        **same,
        **at_once,
        "campaign_id": sa.literal(campaign.id, sa.Uuid),
        "recipient_id": people.c.id,
        "recipient_type": people.c.kind,
        "status": sa.literal(delivered if inapp else DeliveryStatus.QUEUED.value, sa.Text),
        "queued_at": now,
    }
    message = {
        **same,
        **at_once,
        "status": sa.literal(delivered if inapp else DeliveryStatus.PENDING.value, sa.Text),
        "template_code": sa.literal(ready.template.code, sa.Text),
        "payload": sa.literal(payload_of(ready.template, ready.variables), JSONB),
        "idempotency_key": sa.func.concat(f"{OF_CAMPAIGNS}{campaign.id}:", people.c.kind, ":", people.c.id),
        "queued_at": now,
    }
    if not inapp:
        message["to_email" if campaign.type == Channel.EMAIL else "to_phone_e164"] = people.c.address
    written = [_insert(CampaignSend, send).cte("sends"), _insert(OutboxMessage, message).cte("messages")]
    if inapp:
        texts = render(ready.template, ready.variables)
        notice = {
            "tenant_id": same["tenant_id"],
            "user_id": people.c.id,
            "category": sa.literal(InboxCategory.MARKETING.value, sa.Text),
            "title": sa.literal(texts["subject"], sa.Text),
            "body": sa.literal(texts["text_body"], sa.Text),
            "meta": sa.literal({"campaignId": str(campaign.id)}, JSONB),
        }
        written.append(_insert(InboxNotification, notice).cte("notices"))
    return sa.select(sa.func.count()).select_from(people).add_cte(*written)


def _insert(model: Any, values: Mapping[str, Any]) -> Any:
    """An insert of what is selected; a message that is there already, under its key, is not made again."""
    table = model.__table__
    statement = insert(table).from_select(list(values), sa.select(*values.values()))
    return statement.on_conflict_do_nothing().returning(table.c.id)
