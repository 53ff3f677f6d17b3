"""The tenant, its people with their roles, groups and sessions."""

import secrets
from typing import Final, NamedTuple
from uuid import UUID

from db.demo.names import phones
from db.demo.outline import Colleague, Outline
from db.demo.sheet import Sheet
from db.enums import UserStatus
from db.models import (
    Group,
    GroupMember,
    Role,
    RolePermission,
    Session,
    Tenant,
    User,
    UserProfile,
    UserRole,
)
from db.seed import ROLES
from graph.auth.passwords import Passwords

PASSWORD: Final = "demo-password"  # noqa: S105  # of the demo, and printed

# Name, parent, and what it may do beyond what the parent may
OWN_ROLES: Final = {
    "sales_lead": (
        "Sales Lead / قائد فريق المبيعات",
        "sales_exec",
        ("approvals.decide", "approvals.view", "deals.delete", "leads.assign", "leads.delete", "users.view"),
    ),
    "marketing": (
        "Marketing / التسويق",
        None,
        (
            "contacts.view",
            "leads.view",
            "marketing.manage",
            "marketing.send",
            "marketing.view",
            "templates.view",
        ),
    ),
    "finance": ("Finance / الحسابات", None, ("billing.manage", "billing.view", "reports.view")),
}
GROUPS: Final = {
    "sales": ("Cairo sales / مبيعات القاهرة", "Homes in Cairo and Giza", ("sales_exec", "sales_lead")),
    "office": ("Head office / المقر الرئيسي", None, ("admin", "inventory_mgr", "marketing", "finance")),
}
AGENTS: Final = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15",
    "M3Core/4.2 (Android 16)",
)


class Staff(NamedTuple):
    """The users of a tenant, and who does what."""

    ids: dict[str, UUID]
    """By login."""
    admin: UUID
    inventory: UUID
    marketing: UUID
    sellers: list[UUID]

    @property
    def everyone(self) -> list[UUID]:
        """All of them."""
        return list(self.ids.values())


def staff_of(sheet: Sheet, outline: Outline) -> Staff:
    """The users' ids, before or after they are written."""
    ids = {colleague.login: sheet.id_of(User, colleague.login) for colleague in outline.staff}

    def those(*roles: str) -> list[UUID]:
        return [ids[c.login] for c in outline.staff if c.role in roles and c.status == UserStatus.ACTIVE]

    return Staff(
        ids=ids,
        admin=those("admin")[0],
        inventory=those("inventory_mgr")[0],
        marketing=those("marketing", "admin")[-1],
        sellers=those("sales_exec", "sales_lead"),
    )


def build(sheet: Sheet, outline: Outline) -> None:
    """Write everything but the audit log."""
    founded = sheet.ago(540)
    sheet.link(
        Tenant,
        id=sheet.tenant_id,
        name=outline.name,
        slug=outline.slug,
        locale=outline.locale,
        timezone="Africa/Cairo",
        created_at=founded,
    )
    _roles(sheet)
    for key, (name, description, _) in GROUPS.items():
        sheet.add(Group, key, name=name, description=description, created_at=founded)
    _people(sheet, outline)


def _roles(sheet: Sheet) -> None:
    """The roles of every new tenant, and then this one's own."""
    founded = sheet.ago(540)
    seeded = {role.code: (role.name, None, role.permissions) for role in ROLES}
    for code, (name, parent, permissions) in (seeded | OWN_ROLES).items():
        parent_id = sheet.id_of(Role, parent) if parent else None
        role_id = sheet.add(Role, code, code=code, name=name, parent_role_id=parent_id, created_at=founded)
        for permission in permissions:
            sheet.link(RolePermission, role_id=role_id, permission=permission, created_at=founded)


def _people(sheet: Sheet, outline: Outline) -> None:
    passwords = Passwords(threads=1)
    number = phones(9)
    for n, colleague in enumerate(outline.staff):
        joined = sheet.ago(535 - n * 21)
        has_account = colleague in outline.accounts
        user_id = sheet.add(
            User,
            colleague.login,
            email=outline.email(colleague.login),
            # Without a password nobody signs in: only the accounts that are printed do
            password_hash=passwords.hash_now(PASSWORD) if has_account else None,
            status=colleague.status,
            last_login_at=sheet.ago(n * 1.3 + 0.2),
            created_at=joined,
        )
        sheet.link(
            UserProfile,
            user_id=user_id,
            full_name=colleague.full_name,
            phone_e164=next(number),
            phone_verified_at=sheet.ago(500 - n * 21) if n % 2 == 0 else None,
            locale=colleague.locale,
            timezone="Africa/Cairo",
            created_at=joined,
        )
        sheet.link(UserRole, user_id=user_id, role_id=sheet.id_of(Role, colleague.role), created_at=joined)
        for key, (_, _, members) in GROUPS.items():
            if colleague.role in members:
                sheet.link(GroupMember, user_id=user_id, group_id=sheet.id_of(Group, key), created_at=joined)
        _sessions(sheet, colleague, user_id, n)
    passwords.close()


def _sessions(sheet: Sheet, colleague: Colleague, user_id: UUID, n: int) -> None:
    """One that was ended, and one that goes on where the user may still sign in."""
    for place in range(2):
        began = sheet.ago(n * 1.3 + 0.2 + place * 12)
        over = place == 1 or colleague.status != UserStatus.ACTIVE
        sheet.add(
            Session,
            f"{colleague.login}/{place}",
            user_id=user_id,
            # The hash of no token: nobody can go on with these sessions
            refresh_token_hash=secrets.token_hex(32),
            ip=f"192.0.2.{20 + n}",
            user_agent=AGENTS[(n + place) % len(AGENTS)],
            revoked_at=sheet.ago(n * 0.9 + 0.1) if over else None,
            expires_at=sheet.ago(n * 1.3 + place * 12 - 30),
            last_used_at=sheet.ago(n * 1.3 + 0.15),
            created_at=began,
        )
