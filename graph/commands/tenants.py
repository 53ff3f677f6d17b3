"""`m3 tenant create`: what is checked before there is a tenant."""

from db.tenants import NewTenant, create_tenant
from graph.commands.report import CommandFailed
from graph.commands.users import hash_new
from graph.scalars import parse_email
from graph.settings import Settings


async def create(settings: Settings, *, slug: str, name: str, admin: str, password: str) -> NewTenant:
    """Makes the tenant; `CommandFailed` or `TenantError` say what cannot be."""
    if not name.strip():
        raise CommandFailed("a tenant has a name")
    try:
        email = parse_email(admin)
    except ValueError as error:
        raise CommandFailed(f"{admin}: {error}") from None
    return await create_tenant(
        settings.owner_url, name=name.strip(), slug=slug, admin_email=email, password_hash=hash_new(password)
    )
