"""Every mutation with its permission, without it, without a sign-in, and on what is another tenant's.

Generated from the SDL: what `@requires` prints is what is enforced, and `RIGHTS` is what the contract says.
"""

from collections.abc import AsyncIterator
from typing import Any, Final
from uuid import uuid4

import pytest
from graphql import get_named_type
from sqlalchemy.ext.asyncio import AsyncEngine

from db.base import Base
from graph.permissions import Permission
from tests.client import Client
from tests.mutations.given import MUTATIONS, arguments, subject, value
from tests.mutations.places import Place, about, places, with_value
from tests.mutations.told import answered, complaints
from tests.mutations.undone import Undone, undone
from tests.mutations.world import World
from tests.statements import statements

__all__ = ["undone"]


def _entity(resource: str, entity: str) -> dict[str, str]:
    return {f"{resource}.{verb}": f"{verb}{entity}" for verb in ("create", "update", "delete")}


def _managed(*entities: str) -> str:
    return " ".join(f"{verb}{entity}" for entity in entities for verb in ("create", "update", "delete"))


_RIGHTS: Final = (
    {
        "approvals.decide": "approve reject",
        "approvals.manage": "setApprovalPolicy deleteApprovalPolicy",
        "approvals.request": "requestApproval",
        "billing.manage": "changePlan cancelSubscription",
        "groups.manage": _managed("Group") + " addGroupMember removeGroupMember",
        "integrations.manage": "markWebhookProcessed",
        "inventory.manage": _managed("Developer", "Project", "Unit", "UnitComponent", "UnitTypeCode")
        + " "
        + _managed("ComponentTypeCode", "MapOverlay", "MapShape")
        + " createUnits reviseMapShape reserveUnit releaseUnit sellUnit withdrawUnit",
        "inventory.price": "changeUnitPrice",
        "marketing.manage": _managed("Campaign"),
        "marketing.send": "scheduleCampaign launchCampaign cancelCampaign",
        "notifications.send": "notifyUsers",
        "outbox.send": "enqueueMessage",
        "pipelines.manage": _managed("DealPipeline", "DealStage") + " reorderStages",
        "roles.manage": _managed("Role") + " assignRole unassignRole grantPermission revokePermission",
        "suppression.manage": "suppress unsuppress",
        "telemarketing.manage": _managed("TelemarketingCall") + " scheduleCall startCall endCall",
        "templates.manage": _managed("MessageTemplate") + " approveTemplate retireTemplate",
        "templates.view": "previewTemplate",
        "tenant.manage": "updateTenant",
        "users.manage": "inviteUser updateUser updateUserProfile suspendUser reactivateUser deactivateUser",
    },
    _entity("activities", "Activity"),
    {"activities.update": "completeActivity cancelActivity"},
    _entity("companies", "Company"),
    {"companies.create": "createCompanies"},
    _entity("contacts", "Contact"),
    {"contacts.create": "createContacts"},
    _entity("deals", "Deal"),
    {"deals.create": "createDeals", "deals.update": "assignDeal"},
    {"deals.move": "moveDeal winDeal loseDeal reopenDeal"},
    _entity("leads", "Lead"),
    {"leads.create": "createLeads", "leads.assign": "assignLead", "leads.convert": "convertLead"},
)
RIGHTS: Final = {
    name: permission for part in _RIGHTS for permission, names in part.items() for name in names.split()
}
"""What the contract says that each mutation takes."""

UNGATED: Final = {
    "applyApproval",
    "cancelApproval",
    "changePassword",
    "markAllNotificationsRead",
    "markNotificationRead",
    "revokeSession",
    "signOut",
    "signOutEverywhere",
    "updateMyProfile",
}
"""What everybody may do with what is their own."""
ACCESS: Final = {"acceptInvite", "refreshSession", "requestPasswordReset", "resetPassword", "signIn"}
"""What is done without being signed in."""

ALSO: Final = {
    "convertLead": ["deals.create"],
    "createLead": ["leads.assign"],
    "createLeads": ["leads.assign"],
    "createUnit": ["inventory.price"],
    "createUnits": ["inventory.price"],
    "inviteUser": ["roles.manage"],
    "launchCampaign": ["contacts.view"],
    "requestApproval": ["deals.move"],
    "scheduleCampaign": ["contacts.view"],
}
"""What the rest of an operation takes, asked for all that it can do."""

UNSEEN: Final = {"previewTemplate"}
"""What changes nothing, and so is not written down."""


def printed(name: str) -> str | None:
    """The permission in the SDL."""
    node = MUTATIONS[name].ast_node
    assert node is not None
    found = [item.arguments[0].value for item in node.directives or () if item.name.value == "requires"]
    return Permission[found[0].value].value if found else None


def test_the_permissions_are_those_of_the_contract() -> None:
    assert {name: needs for name in MUTATIONS if (needs := printed(name))} == RIGHTS
    assert {name for name in MUTATIONS if printed(name) is None} == UNGATED | ACCESS


class People:
    """Worlds to ask in, and people made when they are needed."""

    def __init__(self, world: World, elsewhere: World) -> None:
        self.world, self.elsewhere = world, elsewhere
        self._known: dict[frozenset[str], World] = {}

    async def who(self, *permissions: str) -> World:
        """Somebody who holds just `permissions`."""
        key = frozenset(permissions)
        if key not in self._known:
            self._known[key] = await self.world.person(*sorted(key))
        return self._known[key]


@pytest.fixture(scope="module")
async def people(anyone: Client, owner_engine: AsyncEngine) -> AsyncIterator[People]:
    async with owner_engine.connect() as owner:
        yield People(await World.make(anyone, owner), await World.make(anyone, owner))


@pytest.mark.parametrize("name", RIGHTS)
async def test_without_the_permission_nothing_is_read_or_written(people: People, name: str) -> None:
    given = await arguments(people.world, name)
    others = {permission.value for permission in Permission} - {RIGHTS[name]}
    person = await people.who(*others)
    async with people.world.still():
        with statements(person.client.services.database) as sent:
            answer = await answered(person, name, given)
    assert answer["data"] == {name: None}
    (error,) = answer["errors"]
    assert error["extensions"] == {"code": "FORBIDDEN", "permission": RIGHTS[name]}
    assert len(sent) == 1, "the viewer alone is read"
    assert sent[0].startswith("WITH RECURSIVE held")


@pytest.mark.parametrize("name", [*RIGHTS, *sorted(UNGATED)])
async def test_signed_out_nothing_is_asked_of_the_database(people: People, name: str) -> None:
    nobody = World(people.world.owner, Client(people.world.client.app), people.world.tenant)
    given = await arguments(people.world, name)
    with statements(nobody.client.services.database) as sent:
        answer = await answered(nobody, name, given)
    assert answer["data"] == {name: None}
    (error,) = answer["errors"]
    assert error["extensions"] == {"code": "UNAUTHENTICATED"}
    assert sent == []


@pytest.mark.parametrize("name", RIGHTS)
async def test_with_only_the_permission_it_is_done_and_written_down(
    people: People, undone: Undone, name: str
) -> None:
    given = await arguments(people.world, name)
    person = await people.who(RIGHTS[name], *ALSO.get(name, ()))
    async with people.world.still():
        answer = await answered(person, name, given)
    assert "errors" not in answer, answer["errors"]
    assert answer["data"][name]["errors"] == []
    assert (not undone.entries) == (name in UNSEEN)
    for entry in undone.entries:
        assert entry["user_id"] == person.client.user_id
        assert str(entry["ip_address"]) == "127.0.0.1"
        assert entry["user_agent"].startswith("python-httpx/")
        assert entry["action"].startswith(f"{entry['entity_type']}.")
        assert {*(entry["before_data"] or ()), *(entry["after_data"] or ())}.isdisjoint(HIDDEN)


HIDDEN: Final = {
    column.name
    for table in Base.metadata.sorted_tables
    for column in table.c
    if column.info.get("hidden") and column.name != "tenant_id"  # which is the key of the subscription
}


@pytest.mark.parametrize("name", ALSO)
async def test_the_parts_of_an_operation_take_their_own(people: People, name: str) -> None:
    given = await arguments(people.world, name)
    for missing in ALSO[name]:
        others = {permission.value for permission in Permission} - {missing}
        person = await people.who(*others)
        async with people.world.still():
            answer = await answered(person, name, given)
        (error,) = answer["errors"]
        assert error["extensions"] == {"code": "FORBIDDEN", "permission": missing}


GLOBAL: Final = {"planId"}
"""Ids of what no tenant owns."""
EARLIER: Final = {"updateMapShape.unitComponentId": "INVALID"}
"""What is refused, whatever it names, since the row takes none."""


def is_an_id(place: Place) -> bool:
    return get_named_type(place.kind).name == "ID" and place.name not in GLOBAL


OF_ROWS: Final = {
    name: found for name in MUTATIONS if (found := [place for place in places(name) if is_an_id(place)])
}


@pytest.mark.parametrize("name", OF_ROWS)
async def test_what_is_another_tenants_is_as_if_it_were_not(people: People, name: str) -> None:
    world, elsewhere = people.world, people.elsewhere
    given = await arguments(world, name)
    theirs = {place: await of_theirs(elsewhere, name, place) for place in OF_ROWS[name]}
    async with world.still(elsewhere):
        for place, their in theirs.items():
            nothing: Any = [str(uuid4())] if isinstance(their, list) else str(uuid4())
            asked = [with_value(world, name, given, place, named) for named in (their, nothing)]
            answers = [await answered(world, name, each) for each in asked]
            assert answers[0] == answers[1], "word for word"
            assert "errors" not in answers[0], answers[0]["errors"]
            ((code, field),) = complaints(answers[0], name)
            assert code == EARLIER.get(f"{name}.{place.name}", "NOT_FOUND"), place
            assert field[: len(place.path)] == (() if place.path == ("id",) else place.path)


async def of_theirs(elsewhere: World, name: str, place: Place) -> Any:
    """An id that the mutation could do something with there."""
    if place.name == "id":
        return await subject(elsewhere, about(name, place))
    return value(elsewhere, place.name, place.kind)
