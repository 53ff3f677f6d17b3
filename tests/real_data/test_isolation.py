"""Two tenants with real data, side by side: neither finds anything of the other."""

from db.models import Company, Deal, DealPipeline, Project, Unit, User
from tests.real_data.conftest import READER, EgyptTenant, MavenTenant
from tests.real_data.load_egypt import place
from tests.real_data.load_maven import PIPELINE
from tests.real_data.source import id_of

COUNTS = """{
  companies(first: 1) { totalCount nodes { id } }
  deals(first: 1) { totalCount nodes { id } }
  dealPipelines(first: 1) { totalCount nodes { id } }
  dealStages(first: 1) { totalCount nodes { id } }
  groups(first: 1) { totalCount nodes { id } }
  developers(first: 1) { totalCount nodes { id } }
  projects(first: 1) { totalCount nodes { id } }
  units(first: 1) { totalCount nodes { id } }
  unitComponents(first: 1) { totalCount nodes { id } }
  unitPriceChanges(first: 1) { totalCount nodes { id } }
}"""
NODES = "query Nodes($ids: [ID!]!) { nodes(ids: $ids) { id __typename } }"


async def test_lists_hold_nothing_of_the_other(maven: MavenTenant, egypt: EgyptTenant) -> None:
    sales = await maven.client.read(COUNTS)
    inventory = await egypt.client.read(COUNTS)
    assert {name for name, found in sales.items() if found["nodes"]} == {
        "companies",
        "deals",
        "dealPipelines",
        "dealStages",
        "groups",
    }
    for name in sales:
        assert {found[name]["totalCount"] for found in (sales, inventory)} > {0}, name
        assert bool(sales[name]["nodes"]) is not bool(inventory[name]["nodes"]), name


async def test_users_are_those_of_the_tenant(maven: MavenTenant, egypt: EgyptTenant) -> None:
    emails = "{ users(first: 100) { totalCount nodes { email } } }"
    assert await egypt.client.read(emails) == {"users": {"totalCount": 1, "nodes": [{"email": READER}]}}
    assert (await maven.client.read(emails))["users"]["totalCount"] == 35 + 6 + 1


async def test_ids_of_the_other_lead_nowhere(maven: MavenTenant, egypt: EgyptTenant) -> None:
    names = [line["opportunity_id"] for line in maven.files.opportunities[:99]]
    deals = [str(id_of(maven.id, Deal, name)) for name in names]
    unit = str(id_of(egypt.id, Unit, 0))

    assert await maven.client.read(NODES, ids=[*deals, unit]) == {
        "nodes": [*({"id": deal, "__typename": "Deal"} for deal in deals), None]
    }
    assert await egypt.client.read(NODES, ids=[*deals, unit]) == {
        "nodes": [*(None for _ in deals), {"id": unit, "__typename": "Unit"}]
    }


async def test_a_row_of_the_other_is_not_found_in_the_same_words_as_none(
    maven: MavenTenant, egypt: EgyptTenant
) -> None:
    one = "query One($id: ID!) { deal(id: $id) { id } }"
    theirs = id_of(maven.id, Deal, maven.files.opportunities[0]["opportunity_id"])
    nobodys = id_of(egypt.id, Deal, "nobody's")

    answers = [await egypt.client.ask(one, id=str(deal)) for deal in (theirs, nobodys)]

    assert answers[0] == answers[1]
    assert answers[0]["data"] == {"deal": None}
    assert [error["extensions"]["code"] for error in answers[0]["errors"]] == ["NOT_FOUND"]
    assert (await maven.client.read(one, id=str(theirs)))["deal"] == {"id": str(theirs)}


async def test_filters_by_ids_of_the_other_match_nothing(maven: MavenTenant, egypt: EgyptTenant) -> None:
    account = maven.files.accounts[0]["account"]
    agent = maven.files.opportunities[0]["sales_agent"]
    deals = "query Deals($filter: DealFilter) { deals(filter: $filter) { totalCount } }"
    for filter_ in (
        {"pipelineId": {"eq": str(id_of(maven.id, DealPipeline, PIPELINE))}},
        {"companyId": {"eq": str(id_of(maven.id, Company, account))}},
        {"company": {"name": {"eq": account}}},
        {"ownerUserId": {"in": [str(id_of(maven.id, User, agent))]}},
    ):
        assert (await maven.client.read(deals, filter=filter_))["deals"]["totalCount"] > 0
        assert await egypt.client.read(deals, filter=filter_) == {"deals": {"totalCount": 0}}

    units = "query Units($filter: UnitFilter) { units(filter: $filter) { totalCount } }"
    for unit_filter in (
        {"projectId": {"eq": str(id_of(egypt.id, Project, *place(egypt.listings[0])))}},
        {"project": {"location": {"contains": {"governorate": "Cairo"}}}},
    ):
        assert (await egypt.client.read(units, filter=unit_filter))["units"]["totalCount"] > 0
        assert await maven.client.read(units, filter=unit_filter) == {"units": {"totalCount": 0}}


async def test_a_cursor_of_the_other_is_refused(maven: MavenTenant, egypt: EgyptTenant) -> None:
    page = """query Page($after: String) {
      units(first: 1, after: $after) { nodes { id } pageInfo { endCursor } }
    }"""
    cursor = (await egypt.client.read(page))["units"]["pageInfo"]["endCursor"]
    assert len((await egypt.client.read(page, after=cursor))["units"]["nodes"]) == 1

    answer = await maven.client.ask(page, after=cursor)

    assert answer["data"] == {"units": None}
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_CURSOR"]
