"""The rules that every model follows."""

import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Index, Numeric, PrimaryKeyConstraint, Table, UniqueConstraint
from sqlalchemy.dialects.postgresql import CITEXT
from sqlalchemy.orm import InstrumentedAttribute

from db import models
from db.base import Base, target_of

TABLES = [Base.metadata.tables[name] for name in sorted(Base.metadata.tables)]
LOGS = {  # written once, so there is no time of change to keep
    "approval_history",
    "audit_logs",
    "group_members",
    "role_permissions",
    "suppression_list",
    "unit_price_history",
    "user_roles",
}
GLOBAL = {"billing_webhook_logs", "plan_features", "plans", "tenants"}


@pytest.mark.parametrize("table", TABLES, ids=str)
def test_a_row_has_its_times(table: Table) -> None:
    assert not table.c.created_at.nullable
    assert ("updated_at" in table.c) is (table.name not in LOGS)


@pytest.mark.parametrize("table", TABLES, ids=str)
def test_a_row_has_its_tenant(table: Table) -> None:
    assert ("tenant_id" in table.c) is (table.name not in GLOBAL)
    if table.name not in GLOBAL:
        assert table.c.tenant_id.nullable is table.name.endswith("_type_codes")
        assert target_of(table.c.tenant_id) is models.Tenant.__table__


@pytest.mark.parametrize("table", TABLES, ids=str)
def test_a_reference_stays_in_the_tenant_and_has_an_index(table: Table) -> None:
    starts = [[c.name for c in index.columns] for index in indexes(table)]
    for key in table.foreign_key_constraints:
        columns = [e.parent.name for e in key.elements]
        if "tenant_id" in key.referred_table.c:
            assert columns[0] == key.elements[0].column.name == "tenant_id"
        served = any(set(start[: len(columns)]) == set(columns) for start in starts)
        alone = [[c.name] for c in table.primary_key] == [columns[-1:]]
        assert served or alone, key.name


@pytest.mark.parametrize("table", [t for t in TABLES if "id" in t.c], ids=str)
def test_a_list_can_be_paged(table: Table) -> None:
    wanted = ["tenant_id"] * ("tenant_id" in table.c) + ["created_at DESC", "id DESC"]
    seeks = [[str(e).removeprefix(f"{table.name}.") for e in index.expressions] for index in table.indexes]
    assert wanted in seeks


def test_the_orders_are_documented() -> None:
    text = (Path(__file__).parents[2] / "docs" / "data-model.md").read_text()
    told = {
        table: columns.split("` `") for table, columns in re.findall(r"^\| `(\w+)` \| `(.+)` \|$", text, re.M)
    }
    every = (getattr(models, name) for name in models.__all__)
    assert told == {m.__tablename__: sorted(m.__ordered_by__) for m in every if m.__ordered_by__}


@pytest.mark.parametrize("table", TABLES, ids=str)
def test_no_order_is_offered_that_row_security_would_make_slow(table: Table) -> None:
    for index in table.indexes:
        if str(index.name).endswith("_order_ix"):
            assert not any(isinstance(c.type, (Numeric, CITEXT)) for c in index.columns), index.name


@pytest.mark.parametrize(
    ("column", "target"),
    [
        (models.Deal.company_id, models.Company),
        (models.Deal.pipeline_id, models.DealPipeline),
        (models.Deal.stage_id, models.DealStage),
        (models.Project.map_overlay_id, models.MapOverlay),
        (models.PlanFeature.plan_id, models.Plan),
        (models.AuditLog.user_id, None),
        (models.Deal.name, None),
    ],
)
def test_a_column_knows_the_table_it_refers_to(
    column: InstrumentedAttribute[Any], target: type[Base] | None
) -> None:
    found = target_of(column.property.columns[0])
    assert found is (None if target is None else target.__table__)


def indexes(table: Table) -> list[Index | PrimaryKeyConstraint | UniqueConstraint]:
    """What the table can be searched by."""
    unique = [c for c in table.constraints if isinstance(c, UniqueConstraint)]
    return [table.primary_key, *unique, *table.indexes]
