"""Both data sets loaded by a client that has the SDL and nothing else, over a network that loses answers.

Afterwards the database, the audit log and the client's ledger say the same of every row.

A deal is made open, whatever the file says. Winning or losing all 6,711 that are closed would be as many
requests, so it is done for the 195 of one agent. Of the listings, those of two governorates are loaded;
`M3_REAL_DATA=all` takes all 19,360. Maids' rooms, which come one by one, are left out.
"""

import os
import re
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import httpx
import orjson
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from db.base import Base
from db.models import (
    AuditLog,
    Company,
    Deal,
    DealPipeline,
    DealStage,
    Developer,
    Group,
    GroupMember,
    OutboxMessage,
    Project,
    Unit,
    UnitPriceChange,
    UnitTypeCode,
    User,
    UserProfile,
)
from db.tenants import create_tenant
from tests.client import Client
from tests.real_data.api_client import CONNECTIONS, ApiClient, Entry, LosesAnswers
from tests.real_data.api_loads import offer, sell
from tests.real_data.conftest import PASSWORD
from tests.real_data.load_egypt import developers, place, price_minor, read_listings
from tests.real_data.load_maven import read_maven
from tests.server import Urls

SDL: Final = Path(__file__).parents[2] / "schema.graphql"
AMOUNT_VARIABLE: Final = "M3_REAL_DATA"
GOVERNORATES: Final = frozenset({"Red Sea", "Suez"})
ADMIN: Final = "admin@real.test"
LOST_EVERY: Final = 7
MADE: Final[dict[str, tuple[str, type[Base]]]] = {
    "createCompanies": ("company.create", Company),
    "createDealPipeline": ("deal_pipeline.create", DealPipeline),
    "createDealStage": ("deal_stage.create", DealStage),
    "createDeals": ("deal.create", Deal),
    "createDeveloper": ("developer.create", Developer),
    "createGroup": ("group.create", Group),
    "createProject": ("project.create", Project),
    "createUnitTypeCode": ("unit_type_code.create", UnitTypeCode),
    "createUnits": ("unit.create", Unit),
    "inviteUser": ("user.invite", User),
}
CHANGED: Final = {"winDeal": "deal.win", "loseDeal": "deal.lose"}
JOINED: Final = "group.add_member"
Rows = list[dict[str, Any]]


@dataclass
class Loader:
    """The client, its tenant, and the owner of the database, who looks at what it has done."""

    api: ApiClient
    network: LosesAnswers
    owner: AsyncConnection
    tenant: Any
    admin: str

    async def rows(self, model: type[Base]) -> Rows:
        """The tenant's rows of a table, as JSON takes them."""
        table = model.__table__
        found = await self.owner.execute(sa.select(table).where(table.c.tenant_id == self.tenant))
        rows: Rows = orjson.loads(orjson.dumps([dict(row._mapping) for row in found], default=str))
        return rows

    def entries(self, *mutations: str) -> list[Entry]:
        """What the ledger says of these mutations."""
        return [entry for entry in self.api.ledger if entry.mutation in mutations]


@asynccontextmanager
async def loader(urls: Urls, anyone: Client, owner: AsyncConnection) -> AsyncIterator[Loader]:
    """A client signed in as the administrator of a new tenant."""
    slug = f"real-{uuid4()}"
    hashed = await anyone.services.passwords.hash(PASSWORD)
    new = await create_tenant(urls.owner, name=slug, slug=slug, admin_email=ADMIN, password_hash=hashed)
    network = LosesAnswers(httpx.ASGITransport(anyone.app), LOST_EVERY)
    async with ApiClient(SDL.read_text(encoding="utf-8"), network) as api:
        await api.sign_in(slug, ADMIN, PASSWORD)
        yield Loader(api, network, owner, new.id, str(new.admin_id))


def as_stored(entry: Entry, table: Any) -> dict[str, Any]:
    """The columns that the ledger's entry is about, with the values that they should have."""
    columns = {re.sub("[A-Z]", lambda big: f"_{big[0].lower()}", name): name for name in entry.given}
    found = {name: entry.given[field] for name, field in columns.items() if name in table.c}
    for name in found.keys() & {"amount_minor", "price_minor"}:
        found[name] = found[name] and int(found[name])
    if "size_sqm" in found:
        found["size_sqm"] = str(Decimal(found["size_sqm"]).quantize(Decimal("0.01")))
    return found


async def check(loader: Loader) -> None:
    """The ledger, the tables and the audit log agree on every row, and there are no others."""
    written = sorted(await loader.rows(AuditLog), key=lambda row: row["created_at"])
    assert {row["user_id"] for row in written} == {loader.admin}
    trail: dict[str, Rows] = defaultdict(list)
    for row in written:
        if row["action"] != JOINED:
            trail[row["entity_id"]].append(row)
    [signed_in] = [row for row in written if row["entity_type"] == "session"]
    del trail[signed_in["entity_id"]]

    told: dict[str, list[str]] = defaultdict(list)
    stored: dict[str, dict[str, Any]] = {}
    for mutation, (action, model) in MADE.items():
        rows = {row["id"]: row for row in await loader.rows(model) if row["id"] != loader.admin}
        entries = {entry.id: as_stored(entry, model.__table__) for entry in loader.entries(mutation)}
        assert len(entries) == len(loader.entries(mutation))
        assert {id: {name: rows[id][name] for name in given} for id, given in entries.items()} == entries
        assert rows.keys() == entries.keys()
        stored |= rows
        for id in entries:
            told[id].append(action)
    for entry in loader.entries(*CHANGED):
        told[entry.id].append(CHANGED[entry.mutation])

    assert {id: [step["action"] for step in steps] for id, steps in trail.items()} == told
    for id, steps in trail.items():
        # What each step found is what the one before it left, and the last one left what is there
        assert [step["before_data"] for step in steps] == [None, *(step["after_data"] for step in steps[:-1])]
        left = steps[-1]["after_data"]
        assert left == {name: stored[id][name] for name in left}


def check_network(loader: Loader) -> None:
    """The network did its worst, and the client sent twice what it meant to."""
    assert loader.network.most_open == CONNECTIONS
    assert loader.network.lost > 10
    assert loader.api.doubled > 10


async def test_sales(urls: Urls, anyone: Client, owner: AsyncConnection) -> None:
    maven = read_maven()
    async with loader(urls, anyone, owner) as at:
        await sell(at.api, maven)
        check_network(at)
        await check(at)

        users = {entry.id: entry.given for entry in at.entries("inviteUser")}
        profiles = {row["user_id"]: row["full_name"] for row in await at.rows(UserProfile)}
        assert profiles == {id: given["fullName"] for id, given in users.items()}
        letters = [(row["to_email"], row["template_code"]) for row in await at.rows(OutboxMessage)]
        assert sorted(letters) == sorted((given["email"], "user_invitation") for given in users.values())

        joined = sorted((e.given["groupId"], e.given["userId"]) for e in at.entries("addGroupMember"))
        assert sorted((row["group_id"], row["user_id"]) for row in await at.rows(GroupMember)) == joined
        audit = [row["after_data"] for row in await at.rows(AuditLog) if row["action"] == JOINED]
        assert sorted((row["group_id"], row["user_id"]) for row in audit) == joined

        made = Counter(entry.mutation for entry in at.api.ledger)
        assert made == {
            "inviteUser": 41,
            "createGroup": 3,
            "addGroupMember": 41,
            "createDealPipeline": 1,
            "createDealStage": 4,
            "createCompanies": 85,
            "createDeals": 8800,
            "winDeal": 129,
            "loseDeal": 66,
        }
        deals = await at.rows(Deal)
        for mutation, status in (("winDeal", "won"), ("loseDeal", "lost")):
            closed = {entry.id for entry in at.entries(mutation)}
            assert {row["id"] for row in deals if row["status"] == status} == closed
        assert Counter(row["status"] for row in deals) == {"open": 8605, "won": 129, "lost": 66}
        assert Counter(row["company_id"] is None for row in deals) == {False: 7375, True: 1425}
        worth = sum(int(line["close_value"] or 0) for line in maven.opportunities) * 100
        assert sum(row["amount_minor"] or 0 for row in deals) == worth


async def test_inventory(urls: Urls, anyone: Client, owner: AsyncConnection) -> None:
    listings = read_listings()
    if os.environ.get(AMOUNT_VARIABLE) != "all":
        listings = [line for line in listings if line["governorate"] in GOVERNORATES]
        assert len(listings) == 2169
    async with loader(urls, anyone, owner) as at:
        await offer(at.api, listings)
        check_network(at)
        await check(at)

        made = Counter(entry.mutation for entry in at.api.ledger)
        assert made == {
            "createDeveloper": len(set(developers(listings).values())),
            "createUnitTypeCode": len({line["type"] for line in listings}),
            "createProject": len({place(line) for line in listings}),
            "createUnits": len(listings),
        }
        units = await at.rows(Unit)
        assert {row["status"] for row in units} == {"available"}
        given = sorted((row["id"], row["price_minor"], "EGP", at.admin) for row in units)
        prices = await at.rows(UnitPriceChange)
        names = ("unit_id", "price_minor", "currency", "changed_by_user_id")
        assert sorted(tuple(row[name] for name in names) for row in prices) == given
        assert sum(row["price_minor"] for row in units) == sum(map(price_minor, listings))
