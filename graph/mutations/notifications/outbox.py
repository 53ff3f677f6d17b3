"""Putting messages into the outbox, from where senders take them."""

from __future__ import annotations

from typing import Annotated, Any

import sqlalchemy as sa
import strawberry
from sqlalchemy.dialects.postgresql import insert

from db import models
from db.enums import Channel
from graph import templates as texts
from graph.context import Info
from graph.errors import UserErrorCode
from graph.mutations.notifications.suppression import is_suppressed
from graph.mutations.notifications.templates import approved, check_variables
from graph.permissions import Permission
from graph.scalars import JSON, EmailAddress, PhoneNumber
from graph.tables import TABLES
from graph.types.notifications import OutboxMessage
from graph.writing.mutation import Payload, mutation, payload, written
from graph.writing.plan_limits import room_for_messages
from graph.writing.values import value_of
from graph.writing.work import Work, refusal

OF_CAMPAIGNS = "campaign:"
"""How the idempotency keys of campaigns' messages begin."""
_TO = {Channel.EMAIL: "to_email", Channel.SMS: "to_phone_e164", Channel.WHATSAPP: "to_phone_e164"}
_FIELDS = {"to_email": "toEmail", "to_phone_e164": "toPhoneE164"}


@payload("What became of a message.")
class OutboxMessagePayload(Payload):
    """A message."""

    outbox_message: OutboxMessage | None = written(
        models.OutboxMessage, "The message, as it now is in the outbox."
    )


@strawberry.input(description="What is sent to whom.")
class EnqueueMessageInput:
    """A message made of a template."""

    template_code: str = strawberry.field(
        description="The code of an approved template. Its channel is the message's."
    )
    locale: str | None = strawberry.field(
        default=None,
        description="The language of the template, `en` if left out; a template for any language will do.",
    )
    to_email: EmailAddress | None = strawberry.field(
        default=None, description="Where an e-mail goes; for no other channel."
    )
    to_phone_e164: PhoneNumber | None = strawberry.field(
        name="toPhoneE164",
        default=None,
        description="Where a message to a phone goes; for no other channel.",
    )
    payload: JSON | None = strawberry.field(
        default=None, description="The template's variables: an object, the value of each by its name."
    )
    idempotency_key: str | None = strawberry.field(
        default=None,
        description=(
            "Your own key for this message. A second message under it is not queued: you get the first. "
            "Cannot begin with `campaign:`."
        ),
    )


def payload_of(template: Any, variables: dict[str, Any]) -> dict[str, Any]:
    """What the outbox holds for the sender: the variables, and the language of the template."""
    return variables if template.locale is None else {**variables, texts.RESERVED: template.locale}


async def _under_key(work: Work, key: str, asked: dict[str, Any]) -> Any:
    """The message under an idempotency key, if there is one; Refused if it is another than was asked for."""
    shown = TABLES[models.OutboxMessage.__table__]  # type: ignore[index]
    statement = sa.select(*shown.select(shown.table)).where(
        shown.scope(shown.table, work.viewer), shown.table.c.idempotency_key == key
    )
    found = (await work.execute(statement)).one_or_none()
    if found is None:
        return None
    message = shown.row(tuple(found))
    if any(getattr(message, column) != value for column, value in asked.items()):
        told = "Another message, to somebody else or of another template, has this key."
        raise refusal(UserErrorCode.TAKEN, told, "idempotencyKey", row=message)
    return message


@strawberry.type
class OutboxMutation:
    """Messages."""

    @mutation(
        "Put a message into the outbox. It is `SUPPRESSED` if its address wants no messages on the channel. "
        "A notice in an inbox goes by `notifyUsers` instead.",
        needs=Permission.OUTBOX_SEND,
    )
    async def enqueue_message(
        self,
        info: Info,
        input: Annotated[EnqueueMessageInput, strawberry.argument(description="What to whom.")],
    ) -> OutboxMessagePayload | None:
        """A twin under the same key waits at its unique index, and then finds this one's message."""
        work = info.context.work
        shown = TABLES[models.OutboxMessage.__table__]  # type: ignore[index]
        c = shown.table.c
        code = value_of(c.template_code, input.template_code, "templateCode")
        asked = {"to_email": input.to_email, "to_phone_e164": input.to_phone_e164, "template_code": code}
        key = value_of(c.idempotency_key, input.idempotency_key, "idempotencyKey")
        if key is not None:
            if key.startswith(OF_CAMPAIGNS):
                raise refusal(UserErrorCode.INVALID, "Such keys are the campaigns' own.", "idempotencyKey")
            if message := await _under_key(work, key, asked):
                return OutboxMessagePayload.of(message)
        template = await approved(work, code, input.locale)
        await _check_address(work, template.channel, asked)
        variables = check_variables(template, input.payload, "payload")
        statement = (
            insert(shown.table)
            .values(
                tenant_id=work.viewer.tenant_id,
                channel=template.channel,
                payload=payload_of(template, variables),
                idempotency_key=key,
                **asked,
            )
            .on_conflict_do_nothing(
                index_elements=["tenant_id", "idempotency_key"], index_where=c.idempotency_key.is_not(None)
            )
            .returning(*shown.select(shown.table))
        )
        made = (await work.execute(statement)).one_or_none()
        if made is None:
            return OutboxMessagePayload.of(await _under_key(work, key, asked))
        message = shown.row(tuple(made))
        await room_for_messages(work, 1)
        await work.audit("outbox_message.enqueue", shown, after=message)
        return OutboxMessagePayload.of(message)


async def _check_address(work: Work, channel: str, asked: dict[str, Any]) -> None:
    """Refused unless the message has the one address that its channel takes, and that takes messages."""
    wanted = _TO.get(Channel(channel))
    if wanted is None:
        message = "This template is for notices in an inbox, which go by `notifyUsers`."
        raise refusal(UserErrorCode.INVALID, message, "templateCode")
    for column, field in _FIELDS.items():
        if (asked[column] is None) == (column == wanted):
            message = f"A message by {channel} takes this." if column == wanted else f"Not by {channel}."
            raise refusal(UserErrorCode.INVALID, message, field)
    if await is_suppressed(work, channel, asked[wanted]):
        message = "This address wants no messages on this channel."
        raise refusal(UserErrorCode.SUPPRESSED, message, _FIELDS[wanted])
