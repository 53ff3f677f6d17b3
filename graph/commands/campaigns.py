"""`m3 campaigns`: launching those that are due, in the names of those who scheduled them.

Any number of these may run at once: each works on campaigns that no other has locked.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Final, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from db.enums import ApprovalDomain, CampaignStatus, InboxCategory
from db.gateway import launches
from db.models import InboxNotification
from db.session import Database, DatabaseUnavailable, Scope
from graph.approvals.policies import policy
from graph.approvals.rows import OUTDATED, agreed_to
from graph.auth.viewer import NOBODYS_SESSION, Viewer, load_absent_viewer
from graph.commands.report import in_a_line
from graph.errors import BadInput, Forbidden, NotFound, Unavailable
from graph.inputs import read_input
from graph.mutations.marketing.campaigns import campaign_states, campaigns, rests_on
from graph.mutations.marketing.launch import Launch, finish, forget, launch, prepare
from graph.permissions import Permission
from graph.settings import Settings
from graph.snapshot import Change
from graph.tables import TABLES
from graph.writing.work import Refused, Work

_REFUSALS: Final = (Refused, Forbidden, NotFound, BadInput)
_GONE: Final = "Whoever scheduled it is not an active user any more."
_UNAPPROVED: Final = "Launching takes approval now, and nobody was asked: schedule it again to ask for it."


class _Due(NamedTuple):
    tenant_id: UUID
    campaign_id: UUID
    user_id: UUID


@dataclass
class Ran:
    """What came of a run."""

    launched: int = 0
    finished: int = 0
    refused: list[str] = field(default_factory=list)
    """A line for each campaign that could not be launched, and is a draft again."""
    failed: list[str] = field(default_factory=list)
    """A line for each campaign that something else happened to: it is tried again the next time."""


async def run_due(settings: Settings) -> Ran:
    """Launches the campaigns that are due, and closes those whose last message has left."""
    database = Database(settings.gateway_url, pool_size=1)
    ran = Ran()
    try:
        for due in await _due(database):
            named = f"{due.campaign_id} of tenant {due.tenant_id}"
            try:
                await _one(database, due, named, ran)
            except (Unavailable, DatabaseUnavailable):
                raise
            except Exception as error:  # the others are due all the same
                ran.failed.append(f"{named}: {in_a_line(error)}")
    finally:
        await database.close()
    return ran


async def _one(database: Database, due: _Due, named: str, ran: Ran) -> None:
    try:
        await _in_change(database, due, partial(_step, due=due, ran=ran))
    except _REFUSALS as refusal:
        reason = str(refusal)
        if await _in_change(database, due, partial(_give_up, due=due, reason=reason)):
            ran.refused.append(f"{named}: {reason}")


async def _due(database: Database) -> list[_Due]:
    names = ("tenant_id", "campaign_id", "user_id")
    found = sa.func.gateway.due_launches().table_valued(*(sa.column(name, sa.Uuid) for name in names))
    async with database.read(Scope()) as connection:
        rows = await connection.execute(sa.select(*(found.c[name] for name in names)))
        return [_Due(*row) for row in rows]


async def _in_change(database: Database, due: _Due, do: Callable[[Work], Awaitable[bool]]) -> bool:
    """Do it within the tenant, in a transaction that is committed if it was done."""
    change = Change(database, Scope(tenant_id=due.tenant_id, user_id=due.user_id))
    nobody = Viewer(due.tenant_id, due.user_id, NOBODYS_SESSION, frozenset())
    try:
        done = await do(Work(nobody, change, None, "m3"))
    except BaseException:
        await change.rollback()
        raise
    await (change.commit() if done else change.rollback())
    return done


async def _step(work: Work, due: _Due, ran: Ran) -> bool:
    """What is to be done next about a campaign, unless somebody else is at it, or has done it."""
    campaign, waiting = await _locked(work, due)
    if campaign is None:
        return False
    if campaign.status == CampaignStatus.SENDING:
        if (await finish(work, campaign_states, campaign)).status != CampaignStatus.SENT:
            return False
        ran.finished += 1
        return True
    if campaign.status != CampaignStatus.SCHEDULED or not await _is_due(work, waiting.due_at):
        return False
    viewer = await load_absent_viewer(work.transaction, due.tenant_id, due.user_id)
    if viewer is None:
        raise BadInput(_GONE)
    if not viewer.has(Permission.MARKETING_SEND):
        raise Forbidden(Permission.MARKETING_SEND)
    if not waiting.approved and await policy(work, ApprovalDomain.CAMPAIGN_LAUNCH) is not None:
        raise BadInput(_UNAPPROVED)
    work.viewer = viewer
    audience = read_input("CampaignAudienceInput", waiting.audience)
    given = Launch(waiting.template_code, waiting.locale, audience, waiting.variables)
    prepared = await prepare(work, campaign, given)
    if waiting.approved and rests_on(campaign, prepared) != await agreed_to(
        work, ApprovalDomain.CAMPAIGN_LAUNCH, campaign.id
    ):
        raise BadInput(OUTDATED)
    await launch(work, campaign_states, campaign, given, prepared)
    ran.launched += 1
    return True


async def _is_due(work: Work, due_at: datetime | None) -> bool:
    return due_at is not None and due_at <= await work.moment()


async def _locked(work: Work, due: _Due) -> tuple[Any, Any]:
    """The campaign, locked, and what is to be done about it; None where another is at it or it is done."""
    shown = campaigns.shown
    table = shown.table
    statement = sa.select(*shown.select(table)).where(
        shown.scope(table, work.viewer), table.c.id == due.campaign_id
    )
    row = (await work.execute(statement.with_for_update(skip_locked=True))).one_or_none()
    # A statement of its own: it begins, and so sees, after the lock was had.
    mine = [getattr(launches.c, name) == value for name, value in due._asdict().items()]
    waiting = (await work.execute(sa.select(launches).where(*mine))).one_or_none()
    return (None, None) if row is None or waiting is None else (shown.row(tuple(row)), waiting)


async def _give_up(work: Work, due: _Due, reason: str) -> bool:
    """Make the campaign a draft again, and say why to whoever scheduled it."""
    campaign, waiting = await _locked(work, due)
    if (
        campaign is None
        or campaign.status != CampaignStatus.SCHEDULED
        or not await _is_due(work, waiting.due_at)
    ):
        return False
    await forget(work, campaign.id)
    await campaign_states.take(work, campaign, "unschedule", scheduled_at=None)
    shown = TABLES[InboxNotification.__table__]  # type: ignore[index]
    statement = (
        sa.insert(shown.table)
        .values(
            tenant_id=due.tenant_id,
            user_id=due.user_id,
            category=InboxCategory.MARKETING.value,
            title=f"Not launched: {campaign.name}",
            body=reason,
            meta={"campaignId": str(campaign.id)},
        )
        .returning(*shown.select(shown.table))
    )
    notice = shown.row(tuple((await work.execute(statement)).one()))
    await work.audit("inbox_notification.create", shown, after=notice)
    return True
