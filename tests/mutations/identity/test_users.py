"""Users: who may sign in, with what, who they are; and the tenant they are of."""

from typing import Any

import pytest

from db.models import AuditLog, User, UserProfile
from tests.client import Client
from tests.mutations.identity.people import Person, subscribe, tenant_row, tenant_with
from tests.mutations.scene import NOWHERE

STATUS = "user { id status }"


@pytest.mark.parametrize(("step", "status"), [("suspend", "suspended"), ("deactivate", "deactivated")])
async def test_who_is_shut_out_is_so_at_once(admin: Person, step: str, status: str) -> None:
    colleague = await admin.colleague()
    tokens = await colleague.sign_in()
    done = await admin.call(f"{step}User", STATUS, input={"id": str(colleague.id)})
    assert done["user"] == {"id": str(colleague.id), "status": status.upper()}
    assert not await colleague.alive()
    assert not await colleague.having(tokens["accessToken"]).alive()
    assert await colleague.sessions() == [False, False]
    assert (await colleague.refresh(tokens["refreshToken"]))["errors"] == ["INVALID"]
    (entry,) = await admin.audit(f"user.{step}")
    assert (entry["user_id"], entry["entity_id"]) == (admin.id, colleague.id)
    assert (entry["before_data"]["status"], entry["after_data"]["status"]) == ("active", status)
    assert "password_hash" not in entry["before_data"]

    await admin.call("reactivateUser", STATUS, input={"id": str(colleague.id)})
    assert not await colleague.alive(), "the old sessions stay ended"
    assert await colleague.sign_in()


@pytest.mark.parametrize(
    ("status", "step"),
    [
        ("suspended", "suspend"),
        ("deactivated", "suspend"),
        ("deactivated", "deactivate"),
        ("active", "reactivate"),
    ],
)
async def test_a_step_that_leads_nowhere_is_a_conflict(admin: Person, status: str, step: str) -> None:
    colleague = await admin.colleague(status=status)
    given = {"id": str(colleague.id)}
    assert await admin.refused(f"{step}User", input=given) == [("CONFLICT", None)]


@pytest.mark.parametrize("step", ["suspend", "deactivate"])
async def test_nobody_shuts_themselves_out(admin: Person, step: str) -> None:
    await admin.colleague("*")
    assert await admin.refused(f"{step}User", input={"id": str(admin.id)}) == [("INVALID", "input.id")]
    assert await admin.alive()


async def test_a_user_of_another_tenant_is_not_there(admin: Person, anyone: Client) -> None:
    stranger = await tenant_with(anyone, admin.owner)
    for id in (str(stranger.id), NOWHERE):
        for name in ("suspendUser", "reactivateUser", "deactivateUser"):
            assert await admin.refused(name, input={"id": id}) == [("NOT_FOUND", "input.id")]
        for name in ("updateUser", "updateUserProfile"):
            assert await admin.refused(name, id=id, input={}) == [("NOT_FOUND", None)]
    assert await stranger.alive()


async def test_without_users_manage_nobody_is_touched(admin: Person) -> None:
    viewer, colleague = await admin.colleague("users.view", "roles.manage"), await admin.colleague()
    for name in ("suspendUser", "reactivateUser", "deactivateUser"):
        assert await viewer.codes(name, input={"id": str(colleague.id)}) == ["FORBIDDEN"]
    for name in ("updateUser", "updateUserProfile"):
        assert await viewer.codes(name, id=str(colleague.id), input={}) == ["FORBIDDEN"]


async def test_who_comes_back_needs_a_place_in_the_plan(admin: Person) -> None:
    await subscribe(admin, users_max=2)
    gone, away = await admin.colleague(status="deactivated"), await admin.colleague(status="suspended")
    given = {"id": str(gone.id)}
    assert await admin.refused("reactivateUser", input=given) == [("LIMIT_REACHED", None)]
    await admin.call("reactivateUser", STATUS, input={"id": str(away.id)})
    await admin.call("deactivateUser", STATUS, input={"id": str(away.id)})
    assert (await admin.call("reactivateUser", STATUS, input=given))["user"]["status"] == "ACTIVE"


async def test_what_a_user_signs_in_with_can_change(admin: Person) -> None:
    colleague = await admin.colleague()
    done = await admin.call(
        "updateUser", "user { email }", id=str(colleague.id), input={"email": "New@example.com"}
    )
    assert done["user"] == {"email": "New@example.com"}
    colleague.email = "new@example.com"
    assert await colleague.sign_in()
    (entry,) = await admin.audit("user.update")
    assert entry["after_data"]["email"] == "New@example.com"
    taken = {"email": admin.email.lower()}
    assert await admin.refused("updateUser", id=str(colleague.id), input=taken) == [("TAKEN", "input.email")]
    for wrong in ({"email": None}, {}):
        expected = [("INVALID", "input.email")] if wrong else []
        assert await admin.refused("updateUser", id=str(colleague.id), input=wrong) == expected


async def test_a_user_who_has_changed_is_stale(admin: Person) -> None:
    colleague = await admin.colleague()
    given = {"email": "new@example.com"}
    old = "2020-01-01T00:00:00Z"
    refused = await admin.refused("updateUser", id=str(colleague.id), input=given, ifUpdatedAt=old)
    assert refused == [("STALE", None)]


PROFILE = "userProfile { fullName phoneE164 locale timezone phoneVerifiedAt }"
WHOLE = {"fullName": "Mona", "phoneE164": "+201001234567", "locale": "ar-EG", "timezone": "Africa/Cairo"}


async def test_everybody_says_who_they_are(admin: Person) -> None:
    somebody = await admin.colleague()
    done = await somebody.call("updateMyProfile", PROFILE, input=WHOLE)
    assert done["userProfile"] == WHOLE | {"phoneVerifiedAt": None}
    done = await somebody.call("updateMyProfile", PROFILE, input={"fullName": "Mona Adel", "locale": None})
    expected = WHOLE | {"fullName": "Mona Adel", "locale": None, "phoneVerifiedAt": None}
    assert done["userProfile"] == expected
    first, second = await admin.audit("user_profile.update")
    assert (first["user_id"], first["entity_id"]) == (somebody.id, somebody.id)
    assert first["before_data"]["full_name"] is None
    assert (second["before_data"]["full_name"], second["after_data"]["full_name"]) == ("Mona", "Mona Adel")


async def test_with_users_manage_anybodys_profile_can_change(admin: Person) -> None:
    colleague = await admin.colleague()
    done = await admin.call("updateUserProfile", PROFILE, id=str(colleague.id), input=WHOLE)
    assert done["userProfile"]["fullName"] == "Mona"
    (row,) = await admin.rows(UserProfile)
    assert row["user_id"] == colleague.id


async def test_another_number_is_not_proved(admin: Person) -> None:
    await admin.call("updateMyProfile", PROFILE, input=WHOLE)
    (row,) = await admin.rows(UserProfile)
    await admin.owner.execute(
        UserProfile.__table__.update()  # type: ignore[attr-defined]
        .where(UserProfile.user_id == admin.id)
        .values(phone_verified_at=row["created_at"])
    )
    same = await admin.call("updateMyProfile", PROFILE, input={"phoneE164": "+20 100 123 4567"})
    assert same["userProfile"]["phoneVerifiedAt"] is not None
    other = await admin.call("updateMyProfile", PROFILE, input={"phoneE164": "+201001234568"})
    assert other["userProfile"]["phoneVerifiedAt"] is None


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"locale": "english!"}, "input.locale"),
    ({"locale": ""}, "input.locale"),
    ({"timezone": "Cairo"}, "input.timezone"),
    ({"timezone": "../../etc/passwd"}, "input.timezone"),
    ({"timezone": "Africa/cairo"}, "input.timezone"),
]


@pytest.mark.parametrize(("given", "field"), [*WRONG, ({"fullName": "\0"}, "input.fullName")])
async def test_what_is_wrong_with_a_profile_is_said(admin: Person, given: dict[str, Any], field: str) -> None:
    assert await admin.refused("updateMyProfile", input=given) == [("INVALID", field)]


async def test_the_tenant_can_change(admin: Person) -> None:
    given = {"name": "Maven", "locale": "ar", "timezone": "Europe/Berlin"}
    done = await admin.call(
        "updateTenant", "tenant { name locale timezone slug }", id=str(admin.tenant), input=given
    )
    assert done["tenant"] == given | {"slug": admin.slug}
    (entry,) = await admin.audit("tenant.update")
    assert (entry["entity_id"], entry["after_data"]["name"]) == (admin.tenant, "Maven")


@pytest.mark.parametrize(("given", "field"), [*WRONG, ({"name": None}, "input.name")])
async def test_what_is_wrong_with_a_tenant_is_said(admin: Person, given: dict[str, Any], field: str) -> None:
    before = await tenant_row(admin)
    refused = await admin.refused("updateTenant", id=str(admin.tenant), input=given)
    assert refused == [("INVALID", field)]
    assert await tenant_row(admin) == before


async def test_the_tenant_takes_its_permission(admin: Person, anyone: Client) -> None:
    clerk = await admin.colleague("users.manage", "roles.manage")
    assert await clerk.codes("updateTenant", id=str(admin.tenant), input={"name": "x"}) == ["FORBIDDEN"]
    stranger = await tenant_with(anyone, admin.owner, "*")
    refused = await stranger.refused("updateTenant", id=str(admin.tenant), input={"name": "x"})
    assert refused == [("NOT_FOUND", None)]
    manager = await admin.colleague("tenant.manage")
    await manager.call("updateTenant", "tenant { id }", id=str(admin.tenant), input={"name": "x"})
    assert (await tenant_row(admin))["name"] == "x"
    assert len(await admin.rows(AuditLog)) == 1
    assert len(await admin.rows(User)) == 3


async def test_a_profile_that_is_made_is_written_down_whatever_is_in_it(admin: Person) -> None:
    for _ in range(2):
        await admin.call("updateMyProfile", PROFILE, input={})
    (entry,) = await admin.audit()
    assert (entry["action"], entry["entity_id"], entry["before_data"]) == (
        "user_profile.create",
        admin.id,
        None,
    )
    assert entry["after_data"]["user_id"] == str(admin.id)
