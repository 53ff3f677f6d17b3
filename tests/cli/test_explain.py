"""`m3 explain` shows what the engine sends: the same statements, in the same order."""

import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.cli.conftest import M3
from tests.client import running, signed_in
from tests.factories import fill_tenant, make_tenant
from tests.server import Urls
from tests.statements import statements

QUERY = """query Sales($first: Int, $status: DealStatus) {
    viewer { user { email } }
    deals(first: $first, filter: { status: { eq: $status } }) {
        totalCount
        edges { cursor node {
            name company { name } work: activities(last: 2) { nodes { owner { email } } }
        } }
    }
}"""
VARIABLES = '{"status": "OPEN", "first": 7}'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "query.graphql"
    path.write_text(QUERY)
    return path


async def test_the_plan_is_told_level_by_level(m3: M3, file: Path) -> None:
    done = await m3("explain", str(file), "--variables", VARIABLES)
    assert (done.code, done.err) == (0, "")
    told = [line for line in done.out.splitlines() if not line.startswith("    ")]
    assert told == [
        "The viewer, unless still as read before",
        "",
        "Level 1",
        "  User by id, for viewer.user",
        "  Deal(first: $first, filter: { status: { eq: $status } }), for deals",
        "",
        "Level 2",
        "  Company by id, for deals.edges.node.company",
        "  Activity(last: 2), a page for each deal_id, for deals.edges.node.work",
        "",
        "Level 3",
        "  User by id, for deals.edges.node.work.nodes.owner",
    ]
    assert re.search(r"-- \$1 tenant, \$2 \w+ = 'open', \$3 limit = 7$", done.out, re.MULTILINE)


async def test_the_plan_of_a_feeds_events(m3: M3, tmp_path: Path) -> None:
    path = tmp_path / "feed.graphql"
    for shown, levels in (
        ("cursor", ["  InboxNotification by id, for the row of each event, or it is not told"]),
        (
            "notification { user { email } }",
            ["  InboxNotification by id, for notification", "  User by id, for notification.user"],
        ),
    ):
        path.write_text(f"subscription {{ notificationAdded {{ {shown} }} }}")
        done = await m3("explain", str(path))
        assert (done.code, done.err) == (0, "")
        assert [line for line in done.out.splitlines() if re.match("  [A-Z]", line)] == levels


async def test_the_sql_is_what_is_sent(
    m3: M3, file: Path, urls: Urls, owner: AsyncConnection, tmp_path: Path
) -> None:
    done = await m3("explain", str(file), "--variables", VARIABLES)
    told = re.sub(r"\s+", " ", done.out)
    tenant = await make_tenant(owner)
    await fill_tenant(owner, tenant)
    async with running(urls.gateway, tmp_path) as anyone:
        reader = await signed_in(anyone, owner, tenant, "*")
        with statements(reader.services.database) as sent:
            answer: Any = await reader.read(QUERY, status="OPEN", first=7)
    assert answer["deals"]["edges"][0]["node"]["work"]["nodes"][0]["owner"]["email"]
    assert len(sent) == 7
    place = 0
    for statement in sent:
        place = told.index(re.sub(r"\s+", " ", statement), place) + 1


async def test_the_plan_in_the_documentation_is_the_plan(m3: M3) -> None:
    page = (Path(__file__).parents[2] / "docs/engine.md").read_text()
    (query,) = re.findall(r"```graphql\n(.*?)```", page, re.DOTALL)
    (plan,) = re.findall(r"```\n(Level 1.*?)```", page, re.DOTALL)
    done = await m3("explain", "-", "--variables", '{"first": 20}', stdin=query)
    assert done.out.endswith(plan)


async def test_a_cursor_shows_where_the_page_begins(m3: M3) -> None:
    query = '{ deals(after: "any", orderBy: { field: NAME }) { nodes { id } } }'
    done = await m3("explain", "-", stdin=query)
    assert "(deals_1.name, deals_1.id) > ($2::VARCHAR, $3::UUID)" in done.out.replace(
        "$2::TEXT", "$2::VARCHAR"
    )
    assert "after_name" in done.out


@pytest.mark.parametrize(
    ("query", "why"),
    [
        (
            "{ campaignSends { nodes { recipient { __typename } } } }",
            "CampaignSend.recipient has a resolver of its own",
        ),
        ("{ __schema { queryType { name } } }", "introspection is not planned"),
        ("mutation { deleteDeal(id: 1) { errors { code } } }", "only queries are planned"),
        ("query ($id: ID!) { deal(id: $id) { id } }", "the variables do not fit"),
    ],
)
async def test_what_is_not_planned_is_said(m3: M3, query: str, why: str) -> None:
    done = await m3("explain", "-", stdin=query)
    assert (done.code, done.out) == (0, f"graphql-core runs this: {why}.\n")


@pytest.mark.parametrize(
    ("query", "arguments", "words"),
    [
        ("{ deals { nothing } }", (), "m3: Cannot query field 'nothing' on type 'DealConnection'."),
        ("{ deals ", (), "m3: Syntax Error"),
        ("query A { __typename } query B { __typename }", (), "m3: the document has no such operation, or"),
        ("query A { __typename }", ("--operation", "B"), "m3: the document has no such operation, or"),
        ("{ __typename }", ("--variables", "[]"), "m3: --variables is a JSON object"),
        ("{ __typename }", ("--variables", "{"), "m3: --variables is a JSON object"),
        ("{ deals(filter: { name: { eq: null } }) { totalCount } }", (), "m3: `eq` cannot be null"),
    ],
)
async def test_what_cannot_be_planned_is_an_error(
    m3: M3, query: str, arguments: tuple[str, ...], words: str
) -> None:
    done = await m3("explain", "-", *arguments, stdin=query)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(words)
    assert done.err.count("\n") == 1
