"""The Maven CRM set as a tenant's sales: 85 firms, 35 agents under 6 managers, 8,800 opportunities.

Its dirt stays as it is: sectors and countries misspelt (`technolgy`, `Philipines`), opportunities without
a firm or dates. What the file and its own product list spell differently (`GTXPro`, `GTX Pro`) is kept in
the deal's name and put right in its tags. Revenue, employees, the year of foundation and `subsidiary_of`
have no column here and are left out.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from db.enums import DealStatus
from db.models import Company, Deal, DealPipeline, DealStage, Group, GroupMember, User, UserProfile
from tests.real_data.source import Line, id_of, insert_all, read

PIPELINE: Final = "Opportunities"
STAGES: Final = ("Prospecting", "Engaging", "Won", "Lost")
STATUS: Final = {"Won": DealStatus.WON, "Lost": DealStatus.LOST}
UNENGAGED_AT: Final = datetime(2018, 1, 1, tzinfo=UTC)
"""When an opportunity without a date of engagement counts as made: the day after the last in the file."""


@dataclass(frozen=True)
class Maven:
    """The files, as they are."""

    accounts: list[Line]
    products: list[Line]
    teams: list[Line]
    opportunities: list[Line]


def read_maven() -> Maven:
    """The files; the test is skipped where they are not there."""
    names = ("accounts", "products", "sales_teams", "sales_pipeline")
    return Maven(*(read("maven-crm", f"{name}.csv") for name in names))


def email(name: str) -> str:
    """The address that a person is given, who has none in the file."""
    return f"{name.lower().replace(' ', '.')}@maven.test"


def created_at(opportunity: Line) -> datetime:
    """When the deal was made: the day of engagement."""
    engaged = opportunity["engage_date"]
    return datetime.fromisoformat(engaged).replace(tzinfo=UTC) if engaged else UNENGAGED_AT


def closes_at(opportunity: Line) -> date | None:
    """The day it closed; none while it is open."""
    return date.fromisoformat(opportunity["close_date"]) if opportunity["close_date"] else None


def tags(product: str, products: Iterable[Line]) -> list[str]:
    """The product and its series, as the product list spells them."""
    [found] = [line for line in products if _letters(line["product"]) == _letters(product)]
    return [found["product"], found["series"]]


async def load_maven(connection: AsyncConnection, tenant_id: UUID, maven: Maven) -> None:
    """Fill the tenant."""
    offices: dict[str, dict[str, None]] = {}
    for line in maven.teams:
        office = offices.setdefault(line["regional_office"], {})
        office |= {line["manager"]: None, line["sales_agent"]: None}
    people = [name for office in offices.values() for name in office]
    own: dict[str, Any] = {"tenant_id": tenant_id}

    def user(name: str) -> UUID:
        return id_of(tenant_id, User, name)

    await insert_all(connection, User, [own | {"id": user(n), "email": email(n)} for n in people])
    profiles = [own | {"user_id": user(n), "full_name": n} for n in people]
    await insert_all(connection, UserProfile, profiles)
    groups = {office: id_of(tenant_id, Group, office) for office in offices}
    await insert_all(connection, Group, [own | {"id": groups[o], "name": o} for o in offices])
    members = [own | {"group_id": groups[o], "user_id": user(n)} for o in offices for n in offices[o]]
    await insert_all(connection, GroupMember, members)

    pipeline = {"pipeline_id": id_of(tenant_id, DealPipeline, PIPELINE)}
    await insert_all(connection, DealPipeline, [own | {"id": pipeline["pipeline_id"], "name": PIPELINE}])
    stages = [
        own | pipeline | {"id": id_of(tenant_id, DealStage, stage), "code": stage.lower(), "order_index": i}
        for i, stage in enumerate(STAGES)
    ]
    await insert_all(connection, DealStage, stages)
    await insert_all(connection, Company, [own | _company(tenant_id, line) for line in maven.accounts])
    labels = {line["product"]: tags(line["product"], maven.products) for line in maven.opportunities}
    deals = [own | pipeline | _deal(tenant_id, line, labels[line["product"]]) for line in maven.opportunities]
    await insert_all(connection, Deal, deals)


def _company(tenant_id: UUID, line: Line) -> dict[str, Any]:
    return {
        "id": id_of(tenant_id, Company, line["account"]),
        "name": line["account"],
        "industry_code": line["sector"],
        "country": line["office_location"],
    }


def _deal(tenant_id: UUID, line: Line, labels: list[str]) -> dict[str, Any]:
    account, value = line["account"], line["close_value"]
    return {
        "id": id_of(tenant_id, Deal, line["opportunity_id"]),
        "stage_id": id_of(tenant_id, DealStage, line["deal_stage"]),
        "company_id": id_of(tenant_id, Company, account) if account else None,
        "owner_user_id": id_of(tenant_id, User, line["sales_agent"]),
        "name": f"{line['product']} {line['opportunity_id']}",
        "tags": labels,
        "amount_minor": int(value) * 100 if value else None,
        "currency": "USD",
        "status": STATUS.get(line["deal_stage"], DealStatus.OPEN).value,
        "expected_close_at": closes_at(line),
        "created_at": created_at(line),
    }


def _letters(product: str) -> str:
    return product.replace(" ", "")
