"""Who wants no messages."""

from __future__ import annotations

from typing import Annotated, Any

import sqlalchemy as sa
import strawberry

from db import models
from db.enums import Channel
from graph.context import Info
from graph.errors import UserErrorCode
from graph.permissions import Permission
from graph.scalars import SCALARS, EmailAddress, PhoneNumber
from graph.tables import TABLES, TableType
from graph.types.notifications import SuppressionEntry
from graph.writing.mutation import Payload, mutation, payload, written
from graph.writing.values import value_of
from graph.writing.work import Work, refusal

_ADDRESSES: dict[Channel, tuple[object, str]] = {
    Channel.EMAIL: (EmailAddress, "This is no e-mail address."),
    Channel.SMS: (PhoneNumber, "This is no phone number."),
    Channel.WHATSAPP: (PhoneNumber, "This is no phone number."),
}


@payload("What became of an entry of the suppression list.")
class SuppressionEntryPayload(Payload):
    """An address that wants no messages."""

    suppression_entry: SuppressionEntry | None = written(
        models.SuppressionEntry, "The entry, as it is, or as it was before it was taken off the list."
    )


@strawberry.input(description="Which address gets no more messages on which channel.")
class SuppressInput:
    """An address to suppress."""

    channel: Channel = strawberry.field(description="The channel; one with addresses, so not `INAPP`.")
    value: str = strawberry.field(description="An e-mail address, or a phone number.")
    reason: str | None = strawberry.field(
        default=None, description="Why, such as `bounce` or `unsubscribed`, in your words."
    )


@strawberry.input(description="Which address may get messages again on which channel.")
class UnsuppressInput:
    """A suppressed address."""

    channel: Channel = strawberry.field(description="The channel.")
    value: str = strawberry.field(description="An e-mail address, or a phone number.")


def _shown() -> TableType:
    return TABLES[models.SuppressionEntry.__table__]  # type: ignore[index]


def suppressed(tenant_id: Any, channel: str, address: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """Whether the tenant's list has an address on a channel."""
    c = _shown().table.c
    return sa.exists().where(
        c.tenant_id == tenant_id, c.channel == channel, c.normalized_value == sa.func.lower(address)
    )


async def is_suppressed(work: Work, channel: str, address: str) -> bool:
    """Whether an address wants no messages on a channel."""
    found = suppressed(work.viewer.tenant_id, channel, sa.literal(address))
    return bool((await work.execute(sa.select(found))).scalar_one())


def _normalised(channel: Channel, value: str) -> str:
    """The address in the form that the list has it, but for its case; Refused if it is none."""
    if channel not in _ADDRESSES:
        raise refusal(UserErrorCode.INVALID, "This channel has no addresses.", "channel")
    scalar, message = _ADDRESSES[channel]
    try:
        parsed: str = SCALARS[scalar].parse_value(value)  # type: ignore[misc]
    except ValueError:
        raise refusal(UserErrorCode.INVALID, message, "value") from None
    return parsed


async def _entries(work: Work, channel: Channel, value: str) -> list[Any]:
    """The entries for an address, the oldest first; whoever adds or removes such a one waits for us.

    Nothing in the table keeps it from having two.
    """
    address = sa.func.lower(sa.literal(value))
    name = sa.func.concat(f"suppression {work.viewer.tenant_id} {channel} ", address)
    await work.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(name, 0))))
    shown = _shown()
    c = shown.table.c
    statement = (
        sa.select(*shown.select(shown.table))
        .where(
            shown.scope(shown.table, work.viewer),
            c.channel == channel.value,
            c.normalized_value == address,
        )
        .order_by(c.created_at, c.id)
    )
    return [shown.row(tuple(row)) for row in await work.execute(statement)]


@strawberry.type
class SuppressionMutation:
    """The suppression list."""

    @mutation(
        "Let an address get no more messages on a channel. One that is on the list already stays as it is.",
        needs=Permission.SUPPRESSION_MANAGE,
    )
    async def suppress(
        self, info: Info, input: Annotated[SuppressInput, strawberry.argument(description="Which address.")]
    ) -> SuppressionEntryPayload | None:
        """Twice, also at once, is one entry."""
        work, shown = info.context.work, _shown()
        value = _normalised(input.channel, input.value)
        reason = value_of(shown.table.c.reason, input.reason, "reason")
        entries = await _entries(work, input.channel, value)
        if entries:
            return SuppressionEntryPayload.of(entries[0])
        statement = (
            sa.insert(shown.table)
            .values(
                tenant_id=work.viewer.tenant_id,
                channel=input.channel.value,
                normalized_value=sa.func.lower(sa.literal(value)),
                reason=reason,
            )
            .returning(*shown.select(shown.table))
        )
        entry = shown.row(tuple((await work.execute(statement)).one()))
        await work.audit("suppression_entry.suppress", shown, after=entry)
        return SuppressionEntryPayload.of(entry)

    @mutation("Let an address get messages again on a channel.", needs=Permission.SUPPRESSION_MANAGE)
    async def unsuppress(
        self, info: Info, input: Annotated[UnsuppressInput, strawberry.argument(description="Which address.")]
    ) -> SuppressionEntryPayload | None:
        """All entries for it, of which other services may have written several."""
        work, shown = info.context.work, _shown()
        entries = await _entries(work, input.channel, _normalised(input.channel, input.value))
        if not entries:
            raise refusal(UserErrorCode.NOT_FOUND, "This address is not on the list.", "value")
        c = shown.table.c
        await work.execute(
            sa.delete(shown.table).where(
                shown.scope(shown.table, work.viewer), c.id.in_([entry.id for entry in entries])
            )
        )
        for entry in entries:
            await work.audit("suppression_entry.unsuppress", shown, entry)
        return SuppressionEntryPayload.of(entries[0])
