"""The options of `m3 documents`; `graph.commands.documents` does it."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="The trusted documents, which clients send by their ids.")

Tenant = Annotated[
    str | None, typer.Option(metavar="TENANT", help="A tenant's slug; without it, all tenants.")
]


@app.command()
def add(
    manifest: Annotated[Path, typer.Argument(help="Apollo's manifest, or a map of ids to documents.")],
    tenant: Tenant = None,
) -> None:
    """Add the documents of a manifest, all or none; gateways find them at once.

    An id that is an MD5, SHA-1 or SHA-256 in hex must be that of its document, and each document one that
    this release can run.
    """
    from graph.commands.documents import add
    from graph.settings import load

    new, known = asyncio.run(add(load(), manifest, tenant))
    typer.echo(f"{manifest}: added {new}, known already {known}")


@app.command("list")
def list_(tenant: Tenant = None) -> None:
    """List the documents by name: id, tenant (* for all), characters, operations."""
    from graph.commands.documents import listed
    from graph.settings import load

    for item in asyncio.run(listed(load(), tenant)):
        typer.echo(f"{item.id:<64}  {item.tenant or '*':<24} {item.characters:>7}  {item.name or ''}")


@app.command()
def remove(
    ids: Annotated[list[str], typer.Argument(metavar="ID…", help="The documents' ids.")],
    tenant: Tenant = None,
) -> None:
    """Remove documents of a tenant's, or without --tenant those that are for all; within half a minute."""
    from graph.commands.documents import remove
    from graph.settings import load

    typer.echo(f"removed: {asyncio.run(remove(load(), ids, tenant))}")


@app.command()
def mode(
    wanted: Annotated[
        str | None,
        typer.Argument(metavar="MODE", help="off, allow, require or default.", show_default=False),
    ] = None,
    tenant: Tenant = None,
) -> None:
    """Say what a tenant wants of its clients, or without MODE show what is wanted where.

    off: no document is found by its id; allow: others are run too; require: others are refused; default:
    what the deployment wants, M3_DOCUMENTS. Running gateways go by it within half a minute.
    """
    from graph.commands.documents import modes, set_mode
    from graph.commands.report import CommandFailed
    from graph.settings import load

    settings = load()
    if wanted is None:
        typer.echo(f"{'*':<24} {settings.documents}")
        for slug, held in asyncio.run(modes(settings)):
            if tenant in (None, slug):
                typer.echo(f"{slug:<24} {held}")
    elif tenant is None:
        raise CommandFailed("the deployment's mode is the setting M3_DOCUMENTS; --tenant names a tenant")
    else:
        asyncio.run(set_mode(settings, tenant, wanted))
        typer.echo(f"{tenant}: {wanted}")
