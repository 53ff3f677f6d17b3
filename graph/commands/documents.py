"""`m3 documents`: the trusted documents of the deployment or of one tenant, as the owner.

Manifests are Apollo's (`generate-persisted-query-manifest`) and maps of ids to texts, as the Relay compiler
and the client preset of graphql-codegen write them.
"""

import hashlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple
from uuid import UUID

import orjson
from sqlalchemy import delete, func, or_, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from db import migrate
from db.gateway import document_modes, documents
from db.models import Tenant
from graph.admission.trusted import canonical
from graph.commands.report import CommandFailed
from graph.execution import DOCUMENTS
from graph.limits import MAX_DOCUMENT_ID
from graph.settings import Settings

APOLLO: Final = "apollo-persisted-query-manifest"
MODES: Final = ("off", "allow", "require")

_HEX: Final = re.compile(r"[0-9a-fA-F]+")
# How long an id is that is a hash in hex; the Relay compiler takes MD5 unless it is told otherwise
_HASHES: Final = {32: "md5", 40: "sha1", 64: "sha256"}


class Entry(NamedTuple):
    """A document of a manifest."""

    id: str
    name: str | None
    body: str


class Listed(NamedTuple):
    """A document as `m3 documents list` shows it; one without a tenant is for all."""

    id: str
    name: str | None
    tenant: str | None
    characters: int


def read_manifest(path: Path) -> list[Entry]:
    """The documents of a manifest, each looked at; `CommandFailed` names the first that cannot be served."""
    try:
        data = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise CommandFailed(f"{path}: {error}") from None
    if isinstance(data, dict) and data.get("format") == APOLLO and isinstance(data.get("operations"), list):
        if data.get("version") != 1:
            raise CommandFailed(f"{path}: version 1 of Apollo's manifest is what can be read")
        given = [(item.get("id"), item.get("body")) for item in data["operations"] if isinstance(item, dict)]
    elif isinstance(data, dict):
        given = list(data.items())
    else:
        given = []
    if not given:
        raise CommandFailed(f"{path}: neither Apollo's manifest nor a map of ids to documents")
    entries = [_entry(*item) for item in given]
    if len({entry.id for entry in entries}) < len(entries):
        raise CommandFailed(f"{path}: two documents have one id")
    return entries


def _entry(given: Any, body: Any) -> Entry:
    if not isinstance(given, str) or not 0 < len(given) <= MAX_DOCUMENT_ID or not given.isprintable():
        raise CommandFailed(f"an id has 1 to {MAX_DOCUMENT_ID} printable characters")
    if not isinstance(body, str):
        raise CommandFailed(f"{given}: its document is no text")
    found = canonical(given)
    hashed = _HASHES.get(len(found)) if _HEX.fullmatch(found) else None
    if hashed is not None:
        found = found.lower()
        if hashlib.new(hashed, body.encode(), usedforsecurity=False).hexdigest() != found:
            raise CommandFailed(f"{given}: not the {hashed} of its document")
    document = DOCUMENTS.get(body)
    if document.errors:
        raise CommandFailed(f"{given}: {document.errors[0].message}")
    names = [name for name in document.operations if name is not None]
    return Entry(found, ", ".join(names) or None, body)


async def add(settings: Settings, path: Path, tenant: str | None) -> tuple[int, int]:
    """Adds the documents of a manifest, all or none; how many are new, and how many there were already."""
    entries = read_manifest(path)
    async with _maintenance(settings, tenant) as (connection, tenant_id):
        new = 0
        for entry in entries:
            row = {"tenant_id": tenant_id, **entry._asdict()}
            added = await connection.execute(insert(documents).values(row).on_conflict_do_nothing())
            new += added.rowcount
            if not added.rowcount:
                mine = (documents.c.tenant_id.is_not_distinct_from(tenant_id), documents.c.id == entry.id)
                if await connection.scalar(select(documents.c.body).where(*mine)) != entry.body:
                    raise CommandFailed(f"{entry.id}: the id of another document")
        return new, len(entries) - new


async def listed(settings: Settings, tenant: str | None) -> list[Listed]:
    """All documents, or those that are found for a tenant, by name."""
    async with _maintenance(settings, tenant) as (connection, tenant_id):
        columns = documents.c
        statement = (
            select(columns.id, columns.name, Tenant.slug, func.length(columns.body))
            .outerjoin(Tenant, Tenant.id == columns.tenant_id)
            .order_by(columns.name, columns.id)
        )
        if tenant_id is not None:
            statement = statement.where(or_(columns.tenant_id.is_(None), columns.tenant_id == tenant_id))
        return [Listed(*row) for row in await connection.execute(statement)]


async def remove(settings: Settings, ids: list[str], tenant: str | None) -> int:
    """Removes documents of the deployment's, or of a tenant's, by their ids; how many there were."""
    async with _maintenance(settings, tenant) as (connection, tenant_id):
        gone = delete(documents).where(
            documents.c.tenant_id.is_not_distinct_from(tenant_id),
            documents.c.id.in_([canonical(item) for item in ids]),
        )
        return (await connection.execute(gone)).rowcount


async def modes(settings: Settings) -> list[tuple[str, str]]:
    """The tenants that have a mode of their own, with it."""
    async with _maintenance(settings, None) as (connection, _):
        statement = (
            select(Tenant.slug, document_modes.c.mode)
            .join(Tenant, Tenant.id == document_modes.c.tenant_id)
            .order_by(Tenant.slug)
        )
        return [tuple(row) for row in await connection.execute(statement)]


async def set_mode(settings: Settings, tenant: str, mode: str) -> None:
    """Gives a tenant a mode, or with `default` that of the deployment."""
    if mode not in (*MODES, "default"):
        raise CommandFailed(f"a mode is one of {', '.join(MODES)} and default")
    async with _maintenance(settings, tenant) as (connection, tenant_id):
        if mode == "default":
            await connection.execute(delete(document_modes).where(document_modes.c.tenant_id == tenant_id))
        else:
            row = insert(document_modes).values(tenant_id=tenant_id, mode=mode)
            await connection.execute(
                row.on_conflict_do_update(index_elements=["tenant_id"], set_={"mode": mode})
            )


@asynccontextmanager
async def _maintenance(
    settings: Settings, tenant: str | None
) -> AsyncIterator[tuple[AsyncConnection, UUID | None]]:
    """A transaction of the owner's over all tenants, and the id of the one named."""
    async with migrate.connect(settings.owner_url) as connection, connection.begin():
        await connection.execute(text("SET LOCAL app.maintenance = 'on'"))
        tenant_id = None
        if tenant is not None:
            tenant_id = await connection.scalar(select(Tenant.id).where(Tenant.slug == tenant))
            if tenant_id is None:
                raise CommandFailed(f"there is no tenant {tenant}")
        yield connection, tenant_id
