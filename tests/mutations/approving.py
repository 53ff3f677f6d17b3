"""What tests of approvals share: a tenant with a requester and people who decide, and what they see."""

from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Approval, ApprovalStep, Deal, DealStage, InboxNotification
from tests.client import Client
from tests.mutations.scene import Scene

TWO: Final = [{"permission": "LEADS_ASSIGN", "slaMinutes": 60}, {"permission": "REPORTS_VIEW"}]
"""Two levels: the first takes LEADS_ASSIGN within the hour, the second REPORTS_VIEW at any time."""
ONE: Final[list[dict[str, Any]]] = [{}]
"""One level, for anybody who decides approvals."""
SELECT: Final = "approval { id state level }"


@dataclass
class Team:
    """A tenant: who asks, who decides at which level, who manages approvals."""

    asks: Scene
    first: Scene
    second: Scene
    either: Scene
    manages: Scene

    @classmethod
    async def make(cls, anyone: Client, owner: AsyncConnection, *extra: str) -> "Team":
        """A new tenant; whoever asks may move deals and holds `extra`."""
        manages = await Scene.make(anyone, owner, "approvals.manage", "approvals.view")
        return cls(
            await manages.joined_by("deals.move", "deals.view", "approvals.request", *extra),
            await manages.joined_by("approvals.decide", "leads.assign"),
            await manages.joined_by("approvals.decide", "reports.view"),
            await manages.joined_by("approvals.decide", "leads.assign", "reports.view"),
            manages,
        )

    async def govern(self, domain: str = "DEAL_STAGE_MOVE", levels: Any = None) -> None:
        """Set the policy of a domain, of two levels unless others are given."""
        given = {"domain": domain, "levels": TWO if levels is None else levels}
        await self.manages.call("setApprovalPolicy", "approvalPolicy { domain }", input=given)

    async def deal(self) -> tuple[str, str]:
        """The ids of a deal and of a stage that it could go to."""
        deal = await self.asks.insert(Deal)
        stage = await self.asks.insert(DealStage, pipeline_id=deal["pipeline_id"])
        return str(deal["id"]), str(stage["id"])

    async def asked(self) -> tuple[str, str, str]:
        """The ids of an approval of a move, of its deal and of the stage that it is to go to."""
        deal, stage = await self.deal()
        done = await self.asks.call("moveDeal", SELECT, input={"id": deal, "stageId": stage})
        return done["approval"]["id"], deal, stage

    async def stage(self, deal: str) -> str:
        """The stage on which a deal stands."""
        return str((await self.asks.row(Deal, deal))["stage_id"])

    async def state(self, approval: str) -> tuple[str, int]:
        """State and level of an approval."""
        row = await self.asks.row(Approval, approval)
        return row["state"], row["level"]

    async def steps(self, approval: str) -> list[tuple[str, Any, str | None]]:
        """The history of an approval, oldest first: what, by whom, with which note."""
        rows = await self.asks.rows(ApprovalStep)
        return [
            (row["action"], row["actor_user_id"], row["note"])
            for row in rows
            if str(row["approval_id"]) == approval
        ]

    async def notices(self, who: Scene) -> list[str]:
        """The titles in somebody's inbox, oldest first, without what they are about."""
        rows = await who.rows(InboxNotification, user_id=who.client.user_id)
        assert {row["category"] for row in rows} <= {"approvals"}
        return [row["title"].partition(":")[0] for row in rows]

    async def change(self, model: Any, id: Any, **values: Any) -> None:
        """Let another service write to a row."""
        table = model.__table__
        where = (table.c.tenant_id == self.asks.tenant, table.c.id == id)
        await self.asks.owner.execute(sa.update(table).where(*where).values(**values))

    async def without(self, permission: str) -> None:
        """Take a permission from all who hold it by name."""
        statement = sa.text("DELETE FROM role_permissions WHERE tenant_id = :t AND permission = :p")
        await self.asks.owner.execute(statement, {"t": self.asks.tenant, "p": permission})
