"""Which rows of a type a person sees, beyond the permission to read it, and that all of it can be read."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from graphql import GraphQLObjectType, build_schema, get_named_type, is_leaf_type
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db import models
from db.gateway import platform_grants
from db.session import Database
from graph.auth import keys
from graph.auth.keys import KeyFile
from graph.auth.passwords import Passwords
from graph.auth.tokens import AccessTokens
from graph.context import Context, Services
from graph.events.hub import Hub
from graph.schema import schema
from graph.settings import Settings
from tests.factories import fill_tenant, insert, make_tenant, make_user
from tests.statements import statements

EVERYTHING = "*"


class Person:
    """A signed-in user who asks."""

    def __init__(self, services: Services, tenant: UUID, user: UUID, session: UUID) -> None:
        self.services, self.tenant, self.user = services, tenant, user
        self.token = services.tokens.issue(tenant, user, session)[0]

    async def ask(self, query: str, **variables: Any) -> tuple[Any, list[str]]:
        """The data, and the paths of the errors with their codes."""
        context = Context(self.services, self.token)
        try:
            result = await schema.execute(query, variable_values=variables, context_value=context)
        finally:
            await context.close()
        errors = [
            f"{'.'.join(map(str, e.path or []))} {(e.extensions or {}).get('code', e)}"
            for e in result.errors or []
        ]
        return result.data, errors

    async def read(self, query: str, **variables: Any) -> Any:
        """The data, where nothing is wrong."""
        data, errors = await self.ask(query, **variables)
        assert errors == []
        return data


Make = Callable[..., Awaitable[Person]]


@pytest.fixture(scope="module")
def services(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Services:
    path: Path = tmp_path_factory.mktemp("keys") / "keys.json"
    keys.generate(path)
    file, settings = KeyFile(path), Settings()
    hub = Hub("postgresql://unused", database)
    return Services(database, file, AccessTokens(file, settings), Passwords(1), settings, hub)


async def sign_in(
    owner: AsyncConnection, services: Services, tenant: UUID, permissions: tuple[str, ...]
) -> Person:
    user = await make_user(owner, tenant, *permissions)
    expires = datetime.now(UTC) + timedelta(hours=1)
    session = await insert(owner, models.Session, tenant_id=tenant, user_id=user, expires_at=expires)
    return Person(services, tenant, user, session["id"])


@pytest.fixture
def person(owner: AsyncConnection, services: Services) -> Make:
    async def make(tenant: UUID, *permissions: str) -> Person:
        return await sign_in(owner, services, tenant, permissions)

    return make


@pytest.fixture(scope="module")
async def reader_of_all(owner_engine: AsyncEngine, services: Services) -> Person:
    """Who may read everything, in a tenant with a row in every table; for tests that only read."""
    async with owner_engine.connect() as owner:
        tenant = await make_tenant(owner)
        await fill_tenant(owner, tenant)
        reader = await sign_in(owner, services, tenant, (EVERYTHING,))
        await owner.execute(platform_grants.insert().values(tenant_id=tenant, user_id=reader.user))
    return reader


@pytest.fixture
async def tenant(owner: AsyncConnection) -> UUID:
    return await make_tenant(owner)


async def test_an_inbox_is_its_owners_alone(owner: AsyncConnection, tenant: UUID, person: Make) -> None:
    me, colleague = await person(tenant, EVERYTHING), await person(tenant)
    mine, theirs = [
        await insert(owner, models.InboxNotification, tenant_id=tenant, user_id=who.user)
        for who in (me, colleague)
    ]
    query = """query ($ids: [ID!]!) {
        viewer { inbox { totalCount nodes { id user { id } } } }
        nodes(ids: $ids) { id }
    }"""
    data = await me.read(query, ids=[str(mine["id"]), str(theirs["id"])])
    inbox = {"totalCount": 1, "nodes": [{"id": str(mine["id"]), "user": {"id": str(me.user)}}]}
    assert data == {"viewer": {"inbox": inbox}, "nodes": [{"id": str(mine["id"])}, None]}


APPROVALS = """query ($id: ID!, $ids: [ID!]!) {
    approvals { totalCount nodes { id requester { id } steps { totalCount nodes { id approval { id } } } } }
    approval(id: $id) { id }
    nodes(ids: $ids) { id }
}"""


async def test_a_requester_sees_their_own_approvals_and_steps(
    owner: AsyncConnection, tenant: UUID, person: Make
) -> None:
    me, colleague = await person(tenant), await person(tenant)
    mine, theirs = [
        await insert(owner, models.Approval, tenant_id=tenant, requested_by=who.user)
        for who in (me, colleague)
    ]
    steps = [
        await insert(owner, models.ApprovalStep, tenant_id=tenant, approval_id=row["id"])
        for row in (mine, theirs)
    ]
    ids = [str(row["id"]) for row in (mine, theirs, *steps)]
    data, errors = await me.ask(APPROVALS, id=ids[1], ids=ids)
    assert errors == ["approval NOT_FOUND"]
    assert data["approval"] is None
    assert data["nodes"] == [{"id": ids[0]}, None, {"id": ids[2]}, None]
    step = {"id": ids[2], "approval": {"id": ids[0]}}
    only = {"id": ids[0], "requester": {"id": str(me.user)}, "steps": {"totalCount": 1, "nodes": [step]}}
    assert data["approvals"] == {"totalCount": 1, "nodes": [only]}


@pytest.mark.parametrize("permission", ["approvals.view", "approvals.decide"])
async def test_who_views_or_decides_approvals_sees_all_of_the_tenant(
    owner: AsyncConnection, tenant: UUID, person: Make, permission: str
) -> None:
    me, colleague = await person(tenant, permission), await person(tenant)
    approval = await insert(owner, models.Approval, tenant_id=tenant, requested_by=colleague.user)
    step = await insert(owner, models.ApprovalStep, tenant_id=tenant, approval_id=approval["id"])
    foreign = await insert(owner, models.ApprovalStep, tenant_id=await make_tenant(owner))
    ids = [str(approval["id"]), str(step["id"]), str(foreign["id"]), str(foreign["approval_id"])]
    data = await me.read(APPROVALS, id=ids[0], ids=ids)
    assert data["nodes"] == [{"id": ids[0]}, {"id": ids[1]}, None, None]
    assert data["approvals"]["totalCount"] == 1
    assert data["approvals"]["nodes"][0]["steps"]["totalCount"] == 1


RECIPIENTS = """{ campaignSends(orderBy: { field: QUEUED_AT }) { nodes {
    recipient { __typename ... on Contact { id } ... on Lead { id } ... on User { id email } }
} } }"""


async def make_sends(owner: AsyncConnection, tenant: UUID) -> list[UUID]:
    """A message to a contact, a lead, a user, somebody who is gone, and a contact of another tenant."""
    contact, lead, user = [
        await insert(owner, model, tenant_id=tenant) for model in (models.Contact, models.Lead, models.User)
    ]
    gone, foreign = await insert(owner, models.Contact, tenant_id=tenant), await insert(owner, models.Contact)
    await owner.execute(sa.delete(models.Contact).where(models.Contact.id == gone["id"]))
    kinds = zip(
        (contact, lead, user, gone, foreign), ("contact", "lead", "user", "contact", "contact"), strict=True
    )
    campaign = await insert(owner, models.Campaign, tenant_id=tenant)
    for minute, (row, kind) in enumerate(kinds):
        await insert(
            owner,
            models.CampaignSend,
            tenant_id=tenant,
            campaign_id=campaign["id"],
            recipient_id=row["id"],
            recipient_type=kind,
            queued_at=datetime(2026, 1, 1, 0, minute, tzinfo=UTC),
        )
    return [contact["id"], lead["id"], user["id"]]


async def test_a_recipient_is_a_row_of_the_type_named(
    owner: AsyncConnection, tenant: UUID, person: Make
) -> None:
    reader = await person(tenant, "marketing.view", "contacts.view", "leads.view")
    contact, lead, user = await make_sends(owner, tenant)
    with statements(reader.services.database) as sent:
        data = await reader.read(RECIPIENTS)
    found = [node["recipient"] for node in data["campaignSends"]["nodes"]]
    assert [row and (row["__typename"], row["id"]) for row in found] == [
        ("Contact", str(contact)),
        ("Lead", str(lead)),
        ("User", str(user)),
        None,
        None,
    ]
    assert len(sent) == 5, "the viewer, the list, and each of the three tables once"


async def test_a_recipient_takes_the_permission_of_its_type(
    owner: AsyncConnection, tenant: UUID, person: Make
) -> None:
    reader = await person(tenant, "marketing.view", "leads.view")
    await make_sends(owner, tenant)
    with statements(reader.services.database) as sent:
        data, errors = await reader.ask(RECIPIENTS)
    assert sorted(errors) == [f"campaignSends.nodes.{place}.recipient FORBIDDEN" for place in (0, 3, 4)]
    found = [node["recipient"] for node in data["campaignSends"]["nodes"]]
    assert [row and row["__typename"] for row in found] == [None, "Lead", "User", None, None]
    assert not any("contacts" in statement for statement in sent)


async def test_codes_are_the_tenants_and_everybodys(
    owner: AsyncConnection, tenant: UUID, person: Make
) -> None:
    own = await insert(owner, models.UnitTypeCode, tenant_id=tenant)
    foreign = await insert(owner, models.UnitTypeCode, tenant_id=await make_tenant(owner))
    member = await person(tenant)
    data = await member.read("{ unitTypeCodes(first: 100) { nodes { id code } } }")
    nodes = {node["id"]: node["code"] for node in data["unitTypeCodes"]["nodes"]}
    assert nodes.pop(str(own["id"])) == own["code"]
    assert str(foreign["id"]) not in nodes
    assert set(nodes.values()) == {"APT_1BR", "APT_2BR", "VILLA_4BR"}


async def test_parts_of_a_unit_come_by_their_place(
    owner: AsyncConnection, tenant: UUID, person: Make
) -> None:
    unit = await insert(owner, models.Unit, tenant_id=tenant)
    for place in (2, None, 0, 1):
        await insert(owner, models.UnitComponent, tenant_id=tenant, unit_id=unit["id"], sort_order=place)
    reader = await person(tenant, "inventory.view")
    data = await reader.read("{ units { nodes { components { nodes { sortOrder } } } } }")
    places = [node["sortOrder"] for node in data["units"]["nodes"][0]["components"]["nodes"]]
    assert places == [0, 1, 2, None]


async def test_billing_providers_calls_are_for_the_operator(
    owner: AsyncConnection, tenant: UUID, person: Make
) -> None:
    administrator, operator = await person(tenant, EVERYTHING), await person(tenant)
    await owner.execute(platform_grants.insert().values(tenant_id=tenant, user_id=operator.user))
    log = await insert(owner, models.BillingWebhookLog, raw=sa.JSON.NULL)
    query = """query ($id: ID!) {
        billingWebhookLogs(filter: { id: { eq: $id } }) { nodes { id raw } }
        node(id: $id) { id }
    }"""
    data, errors = await administrator.ask(query, id=str(log["id"]))
    assert (data, errors) == ({"billingWebhookLogs": None, "node": None}, ["billingWebhookLogs FORBIDDEN"])
    data = await operator.read(query, id=str(log["id"]))
    assert data["billingWebhookLogs"] == {"nodes": [{"id": str(log["id"]), "raw": None}]}


def everything() -> dict[str, str]:
    """For each list of Query, a document that selects all that its rows show, and one level of relations."""
    printed = build_schema(schema.as_str())
    assert printed.query_type is not None
    documents = {}
    for name, field in printed.query_type.fields.items():
        kind = get_named_type(field.type).name
        if kind.endswith("Connection"):
            rows = selection(printed.type_map[kind.removesuffix("Connection")])
            documents[name] = f"{{ {name} {{ totalCount nodes {{ {rows} }} }} }}"
    return documents


def selection(row: Any) -> str:
    assert isinstance(row, GraphQLObjectType)
    parts = []
    for name, field in row.fields.items():
        kind = get_named_type(field.type)
        inner = (
            " { totalCount nodes { __typename } }" if kind.name.endswith("Connection") else " { __typename }"
        )
        parts.append(name if is_leaf_type(kind) else name + inner)
    return " ".join(parts)


@pytest.mark.parametrize("field", everything())
async def test_everything_that_is_shown_can_be_read(reader_of_all: Person, field: str) -> None:
    data = await reader_of_all.read(everything()[field])
    assert data[field]["totalCount"] >= 1
    assert data[field]["nodes"]


async def test_a_tenant_leads_to_its_subscription_and_plan(reader_of_all: Person) -> None:
    data = await reader_of_all.read(
        "{viewer { tenant { id subscription { status planId plan { id features { nodes { planId } } } } } }}"
    )
    tenant = data["viewer"]["tenant"]
    assert tenant["id"] == str(reader_of_all.tenant)
    plan = tenant["subscription"]["planId"]
    assert tenant["subscription"] == {
        "status": "TRIAL",
        "planId": plan,
        "plan": {"id": plan, "features": {"nodes": [{"planId": plan}]}},
    }
