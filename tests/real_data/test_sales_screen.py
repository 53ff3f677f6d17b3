"""What a sales screen asks, on 8,800 real opportunities; what is expected comes from the files."""

from collections import Counter, defaultdict
from datetime import UTC, datetime
from typing import Any

import pytest

from db.models import Company, Deal, DealPipeline
from tests.client import Client
from tests.real_data.conftest import READER, MavenTenant
from tests.real_data.load_maven import PIPELINE, created_at, email
from tests.real_data.source import Line, id_of
from tests.real_data.walk import walk
from tests.statements import statements

NEWEST = """
query Newest($pipeline: ID!, $before: DateTime!) {
  dealPipeline(id: $pipeline) {
    name
    deals(first: 100, filter: { createdAt: { lt: $before } }) {
      nodes {
        id name createdAt
        stage { code } company { name country } owner { email profile { fullName } }
      }
    }
  }
}
"""
FOREVER = "2100-01-01T00:00:00Z"


def newest(maven: MavenTenant, opportunities: list[Line]) -> list[Line]:
    """The opportunities as their deals are listed, newest first."""
    return sorted(
        opportunities,
        key=lambda line: (created_at(line), id_of(maven.id, Deal, line["opportunity_id"])),
        reverse=True,
    )


def shown(maven: MavenTenant, line: Line) -> dict[str, Any]:
    """The deal as the query `NEWEST` shows it."""
    countries = {account["account"]: account["office_location"] for account in maven.files.accounts}
    account, agent = line["account"], line["sales_agent"]
    return {
        "id": str(id_of(maven.id, Deal, line["opportunity_id"])),
        "name": f"{line['product']} {line['opportunity_id']}",
        "createdAt": created_at(line).isoformat().replace("+00:00", "Z"),
        "stage": {"code": line["deal_stage"].lower()},
        "company": {"name": account, "country": countries[account]} if account else None,
        "owner": {"email": email(agent), "profile": {"fullName": agent}},
    }


@pytest.mark.parametrize("before", [FOREVER, "2017-12-01T00:00:00Z"])
async def test_the_newest_deals_of_a_pipeline_with_company_and_owner(
    maven: MavenTenant, anyone: Client, before: str
) -> None:
    pipeline = str(id_of(maven.id, DealPipeline, PIPELINE))
    with statements(anyone.services.database) as sent:
        found = (await maven.client.read(NEWEST, pipeline=pipeline, before=before))["dealPipeline"]

    until = datetime.fromisoformat(before)
    older = [line for line in maven.files.opportunities if created_at(line) < until]
    expected = [shown(maven, line) for line in newest(maven, older)[:100]]
    assert found == {"name": PIPELINE, "deals": {"nodes": expected}}
    # The viewer, the pipeline, its deals; their stages, companies and owners; the owners' profiles
    assert len(sent) == 7


async def test_a_company_with_its_open_deals(maven: MavenTenant) -> None:
    found = await maven.client.read(
        """{ companies(filter: { name: { eq: "Kan-code" } }) { totalCount nodes {
          id name industryCode country city
          deals(first: 100, filter: { status: { eq: OPEN } }) {
            totalCount
            nodes { id name status amountMinor currency expectedCloseAt stage { code } }
          }
        } } }"""
    )

    own = [line for line in maven.files.opportunities if line["account"] == "Kan-code"]
    still_open = [line for line in newest(maven, own) if line["deal_stage"] in ("Prospecting", "Engaging")]
    assert 0 < len(still_open) < len(own)
    deals = [
        {
            "id": str(id_of(maven.id, Deal, line["opportunity_id"])),
            "name": f"{line['product']} {line['opportunity_id']}",
            "status": "OPEN",
            "amountMinor": None,
            "currency": "USD",
            "expectedCloseAt": None,
            "stage": {"code": line["deal_stage"].lower()},
        }
        for line in still_open
    ]
    company = {
        "id": str(id_of(maven.id, Company, "Kan-code")),
        "name": "Kan-code",
        "industryCode": "software",
        "country": "United States",
        "city": None,
        "deals": {"totalCount": len(still_open), "nodes": deals},
    }
    assert found["companies"] == {"totalCount": 1, "nodes": [company]}


async def test_how_many_deals_every_company_has_open(maven: MavenTenant, anyone: Client) -> None:
    with statements(anyone.services.database) as sent:
        found = await maven.client.read(
            """{ companies(first: 100) {
              nodes { name deals(first: 0, filter: { status: { eq: OPEN } }) { totalCount } }
            } }"""
        )

    lines = maven.files.opportunities
    counts = Counter(line["account"] for line in lines if line["deal_stage"] not in ("Won", "Lost"))
    expected = {line["account"]: counts[line["account"]] for line in maven.files.accounts}
    assert {node["name"]: node["deals"]["totalCount"] for node in found["companies"]["nodes"]} == expected
    # The viewer, the companies, the counts of their deals; of the deals, none of which is wanted, nothing
    assert len(sent) == 3


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("2017-01-01", "2017-03-31"),
        ("2017-04-01", "2017-06-30"),
        ("2017-07-01", "2017-09-30"),
        ("2017-10-01", "2017-12-31"),
    ],
)
async def test_every_agents_won_deals_of_a_quarter(maven: MavenTenant, first: str, last: str) -> None:
    found = await maven.client.read(
        """query Quarter($first: Date!, $last: Date!) {
          users(first: 90) { nodes {
            email
            deals(
              first: 100
              filter: { status: { eq: WON }, expectedCloseAt: { gte: $first, lte: $last } }
            ) { totalCount nodes { id amountMinor } pageInfo { hasNextPage } }
          } }
        }""",
        first=first,
        last=last,
    )

    won: dict[str, list[Line]] = defaultdict(list)
    for line in maven.files.opportunities:
        if line["deal_stage"] == "Won" and first <= line["close_date"] <= last:
            won[email(line["sales_agent"])].append(line)
    nodes = found["users"]["nodes"]
    people = {line[role] for line in maven.files.teams for role in ("sales_agent", "manager")}
    assert {node["email"] for node in nodes} == {email(name) for name in people} | {READER}
    for node in nodes:
        mine = newest(maven, won[node["email"]])
        page = [
            {
                "id": str(id_of(maven.id, Deal, line["opportunity_id"])),
                "amountMinor": f"{line['close_value']}00",
            }
            for line in mine[:100]
        ]
        assert node["deals"] == {
            "totalCount": len(mine),
            "nodes": page,
            "pageInfo": {"hasNextPage": len(mine) > 100},
        }


async def test_an_agents_won_deals_of_a_quarter_by_name(maven: MavenTenant) -> None:
    filter_ = """filter: {
      owner: { email: { eq: "Darcel.Schlecht@maven.test" } }
      status: { eq: WON }
      expectedCloseAt: { gte: "2017-04-01", lte: "2017-06-30" }
    }"""

    found = await walk(maven.client, "deals", filter_)

    mine = [
        line
        for line in maven.files.opportunities
        if (line["sales_agent"], line["deal_stage"]) == ("Darcel Schlecht", "Won")
        and "2017-04-01" <= line["close_date"] <= "2017-06-30"
    ]
    assert found == [str(id_of(maven.id, Deal, line["opportunity_id"])) for line in newest(maven, mine)]
    assert len(found) == 96


async def test_regional_offices_are_groups_of_managers_and_agents(maven: MavenTenant) -> None:
    found = await maven.client.read(
        "{ groups { nodes { name members(first: 100) { nodes { user { profile { fullName } } } } } } }"
    )

    offices: dict[str, set[str]] = defaultdict(set)
    for line in maven.files.teams:
        offices[line["regional_office"]] |= {line["sales_agent"], line["manager"]}
    assert {
        group["name"]: {member["user"]["profile"]["fullName"] for member in group["members"]["nodes"]}
        for group in found["groups"]["nodes"]
    } == offices
    assert {name: len(people) for name, people in offices.items()} == {"Central": 13, "East": 14, "West": 14}


@pytest.mark.parametrize(
    ("filter_", "expected"),
    [
        ("{}", 8800),
        ('{ name: { contains: "gtxpro" } }', 1480),  # as the opportunities spell it
        ('{ name: { startsWith: "GTXPro " } }', 1480),
        ('{ name: { contains: "GTX Pro" } }', 0),
        ('{ tags: { has: "GTX Pro" } }', 1480),  # as the product list does
        ('{ tags: { has: "GTXPro" } }', 0),
        ('{ tags: { hasAll: ["GTX", "GTX Plus Pro"] } }', 968),
        ('{ tags: { hasAny: ["GTK", "MG Special"] } }', 40 + 1651),
        ("{ companyId: { isNull: true } }", 1425),
        ('{ companyId: { isNull: true }, stage: { code: { eq: "engaging" } } }', 1088),
        ("{ amountMinor: { isNull: true } }", 2089),
        ('{ amountMinor: { eq: "0" } }', 2473),  # the lost ones
        ("{ expectedCloseAt: { isNull: true } }", 2089),
        ('{ not: { expectedCloseAt: { lt: "2018-01-01" } } }', 2089),
        ('{ company: { industryCode: { eq: "technology" } } }', 0),
        ('{ stage: { code: { in: ["won", "lost"] } } }', 4238 + 2473),
    ],
)
async def test_the_dirt_is_found_as_it_is(maven: MavenTenant, filter_: str, expected: int) -> None:
    found = await maven.client.read(f"{{ deals(first: 1, filter: {filter_}) {{ totalCount }} }}")
    assert found == {"deals": {"totalCount": expected}}


async def test_companies_keep_their_misspelt_sectors_and_countries(maven: MavenTenant) -> None:
    found = await maven.client.read("{ companies(first: 100) { nodes { name industryCode country } } }")
    assert {(c["name"], c["industryCode"], c["country"]) for c in found["companies"]["nodes"]} == {
        (line["account"], line["sector"], line["office_location"]) for line in maven.files.accounts
    }
    codes = Counter(c["industryCode"] for c in found["companies"]["nodes"])
    assert (len(codes), codes["technolgy"]) == (10, 12)


async def test_the_worth_of_all_won_deals_is_that_of_the_file(maven: MavenTenant) -> None:
    worth: Counter[str] = Counter()
    after = None
    while True:
        page = await maven.client.read(
            """query Won($after: String) { deals(first: 100, after: $after, filter: { status: { eq: WON } }) {
              nodes { amountMinor currency } pageInfo { hasNextPage endCursor }
            } }""",
            after=after,
        )
        for node in page["deals"]["nodes"]:
            worth[node["currency"]] += int(node["amountMinor"])
        if not page["deals"]["pageInfo"]["hasNextPage"]:
            break
        after = page["deals"]["pageInfo"]["endCursor"]
    assert worth == {"USD": sum(int(line["close_value"] or 0) for line in maven.files.opportunities) * 100}


def test_opportunities_without_a_date_come_after_all_others(maven: MavenTenant) -> None:
    dates = [line[name] for line in maven.files.opportunities for name in ("engage_date", "close_date")]
    last = datetime.fromisoformat(max(dates)).replace(tzinfo=UTC)
    undated = {created_at(line) for line in maven.files.opportunities if not line["engage_date"]}
    assert [(at - last).days for at in undated] == [1]
