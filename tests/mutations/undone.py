"""Mutations that do all they do and then are undone, so that many can be asked in one world."""

from dataclasses import dataclass, field
from typing import Any

import pytest
import sqlalchemy as sa

from db.models import AuditLog
from graph.context import Context


@dataclass
class Undone:
    """What mutations wrote into the audit log before they were undone."""

    entries: list[dict[str, Any]] = field(default_factory=list)


@pytest.fixture
def undone(monkeypatch: pytest.MonkeyPatch) -> Undone:
    """Undo every mutation of the test when its payload has been read, errors or not."""
    seen = Undone()
    finish = Context.finish
    log: Any = AuditLog.__table__

    async def finished(context: Context, *given: Any) -> None:
        if context.work.done:
            mine = (log.c.tenant_id == context.viewer.tenant_id, log.c.created_at >= sa.func.now())
            rows = await context.work.execute(sa.select(log).where(*mine))
            seen.entries += [dict(row) for row in rows.mappings()]
        context.work.keep = False
        await finish(context, *given)

    monkeypatch.setattr(Context, "finish", finished)
    return seen
