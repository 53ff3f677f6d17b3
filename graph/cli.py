"""The `m3` command: what there is, with its options; `graph.commands` does it.

Nothing heavy is imported before a command runs, so that `m3 --help` answers at once.
"""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from graph.commands import documents_cli

if TYPE_CHECKING:
    from graph.settings import Settings

app = typer.Typer(
    name="m3",
    help="The GraphQL gateway of M3Core. Settings come from M3_* variables; docs/settings.md lists them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
database = typer.Typer(no_args_is_help=True, help="The database: migrations, their check, partitions.")
tenants = typer.Typer(no_args_is_help=True, help="The tenants.")
users = typer.Typer(no_args_is_help=True, help="The users of a tenant.")
keys = typer.Typer(no_args_is_help=True, help="The keys file: what signs tokens and cursors.")
campaigns = typer.Typer(no_args_is_help=True, help="The campaigns that were scheduled.")
approvals = typer.Typer(no_args_is_help=True, help="The approvals that wait to be decided.")
for name, group in (
    ("db", database),
    ("tenant", tenants),
    ("user", users),
    ("keys", keys),
    ("campaigns", campaigns),
    ("approvals", approvals),
    ("documents", documents_cli.app),
):
    app.add_typer(group, name=name)

Slug = Annotated[str, typer.Argument(metavar="TENANT", help="The tenant's slug.")]
Email = Annotated[str, typer.Argument(metavar="EMAIL", help="The user's e-mail address.")]
Host = Annotated[str | None, typer.Option(help="Address to listen on, before M3_HOST.", show_default=False)]
Port = Annotated[int | None, typer.Option(help="Port to listen on, before M3_PORT.", show_default=False)]


def main() -> None:
    """Runs a command; what goes wrong is told in one line, with exit code 1."""
    try:
        app()
    except Exception as error:
        _fail(error)


@app.command()
def dev(host: Host = None, port: Port = None) -> None:
    """Serve the demo until Ctrl-C.

    Starts a private PostgreSQL in M3_DATA_DIR, or uses the server of M3_OWNER_DATABASE_URL; makes keys,
    migrates and loads the demo as far as each is missing.
    """
    from graph.commands.dev import dev

    dev(_settings(host=host, port=port))


@app.command()
def serve(
    host: Host = None,
    port: Port = None,
    workers: Annotated[
        int, typer.Option(min=1, max=128, help="Processes that serve, each with a pool of its own.")
    ] = 1,
    listener: Annotated[
        int | None, typer.Option(hidden=True, help="The socket that a worker is handed.")
    ] = None,
) -> None:
    """Serve the gateway on the database of M3_DATABASE_URL.

    Refuses a database behind the migrations, and a login that row security would not hold.
    """
    from graph.commands.serve import serve

    serve(_settings(host=host, port=port), workers=workers, handle=listener)


@app.command("export-schema")
def export_schema(
    file: Annotated[Path, typer.Argument(help="The file to write; - is standard output.")] = Path(
        "schema.graphql"
    ),
) -> None:
    """Write the schema in SDL, sorted and described."""
    from graph.schema import export

    if str(file) == "-":
        typer.echo(export(), nl=False)
    else:
        file.write_text(export(), encoding="utf-8")


@app.command()
def explain(
    file: Annotated[
        typer.FileText, typer.Argument(help="The document, one operation in it; - is standard input.")
    ],
    variables: Annotated[str, typer.Option(metavar="JSON", help="The values of its variables.")] = "{}",
    operation: Annotated[
        str | None, typer.Option(help="The operation, where there are several.", show_default=False)
    ] = None,
) -> None:
    """Show how the engine plans a query or a subscription: each statement with its SQL, level by level.

    The plan is that of somebody with every permission. No database is needed.
    """
    from graph.commands.explain import explain

    typer.echo(explain(file.read(), variables, operation))


@database.command()
def upgrade(
    revision: Annotated[str, typer.Argument(help="The migration to go up to.")] = "head",
) -> None:
    """Bring the database of M3_OWNER_DATABASE_URL up to a migration; the roles are made if absent."""
    from db import migrate

    settings = _settings()
    asyncio.run(migrate.upgrade(settings.owner_url, revision, **_roles(settings)))


@database.command()
def downgrade(
    revision: Annotated[str, typer.Argument(help="The migration to go down to; `base` removes all tables.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Take the database of M3_OWNER_DATABASE_URL down to a migration. Rows of removed tables are lost."""
    from db import migrate

    settings = _settings()
    url = settings.owner_url
    if not yes:
        typer.confirm(f"Tables and rows newer than {revision} will be removed. Go on?", abort=True)
    asyncio.run(migrate.downgrade(url, revision, **_roles(settings)))


@database.command()
def check() -> None:
    """Compare the database of M3_OWNER_DATABASE_URL with models and migrations; differences are exit code 1.

    Makes a database for the comparison and drops it, so the owner needs CREATEDB.
    """
    from db.check import check

    settings = _settings()
    found = asyncio.run(check(settings.owner_url, **_roles(settings)))
    for difference in found:
        typer.echo(difference)
    if found:
        raise typer.Exit(1)
    typer.echo("The database is as it should be.")


@database.command()
def partitions(
    ahead: Annotated[int, typer.Option(min=0, max=120, help="Months after this one to make.")] = 3,
) -> None:
    """Make the coming months' partitions, move strays, detach those past their retention; for every day.

    Retention: M3_AUDIT_RETENTION_MONTHS, M3_WEBHOOK_RETENTION_MONTHS.
    """
    from db.partitions import maintain

    settings = _settings()
    done = maintain(
        settings.owner_url,
        audit_months=settings.audit_retention_months,
        webhook_months=settings.webhook_retention_months,
        ahead=ahead,
    )
    for report in asyncio.run(done):
        made, gone = (", ".join(names) or "none" for names in (report.created, report.detached))
        typer.echo(
            f"{report.table}: made {made}; moved {report.moved} rows; detached {gone}; "
            f"{report.left} rows in the default partition"
        )


@tenants.command()
def create(
    slug: Annotated[str, typer.Argument(help="Its short name: a-z, 0-9 and -. People sign in with it.")],
    name: Annotated[str, typer.Option(help="What the company is called.")],
    admin: Annotated[str, typer.Option(metavar="EMAIL", help="The first user, who gets the role admin.")],
) -> None:
    """Make a tenant with its roles and a first user who can administer it.

    The user's password is asked for, or read from standard input where that is no terminal.
    """
    from graph.commands.tenants import create

    made = asyncio.run(create(_settings(), slug=slug, name=name, admin=admin, password=_password()))
    typer.echo(f"{made.id} {slug}: its administrator may sign in")


@tenants.command("list")
def list_() -> None:
    """List the tenants by slug: id, slug, users, made when, name."""
    from db.tenants import list_tenants

    for tenant in asyncio.run(list_tenants(_settings().owner_url)):
        typer.echo(
            f"{tenant.id}  {tenant.slug:<24} {tenant.users:>6}  {tenant.created_at:%Y-%m-%d}  {tenant.name}"
        )


@users.command("set-password")
def set_password(tenant: Slug, email: Email) -> None:
    """Give a user a password and end their sessions.

    The password is asked for, or read from standard input where that is no terminal.
    """
    from graph.commands.users import set_password

    ended = asyncio.run(set_password(_settings(), tenant, email, _password()))
    typer.echo(f"{email} has a new password; sessions ended: {ended}")


@users.command("grant-platform")
def grant_platform(
    tenant: Slug,
    email: Email,
    revoke: Annotated[bool, typer.Option("--revoke", help="Take them away instead.")] = False,
) -> None:
    """Give a user the permissions platform.*, which no role gives: they reach beyond the tenant."""
    from graph.commands.users import grant_platform

    changed = asyncio.run(grant_platform(_settings(), tenant, email, revoke=revoke))
    state = "no longer holds" if revoke else "holds"
    typer.echo(f"{email} {state} platform.*" + ("" if changed else ", as before"))


@campaigns.callback()
def _campaigns() -> None:
    """Keeps the name of its only command: typer would take `m3 campaigns` for it."""


@campaigns.command("run-due")
def run_due() -> None:
    """Launch the campaigns whose time has come, on the database of M3_DATABASE_URL; to be run every minute.

    Each is launched in the name and with the rights of whoever scheduled it; one that cannot be is a draft
    again, and that user is told why. Those whose last message has left become `sent`. Any number of these
    may run at once.
    """
    from graph.commands.campaigns import run_due
    from graph.commands.report import CommandFailed

    ran = asyncio.run(run_due(_settings()))
    for line in ran.refused:
        typer.echo(f"not launched: {line}", err=True)
    typer.echo(f"launched: {ran.launched}, sent: {ran.finished}, not launched: {len(ran.refused)}")
    if ran.failed:
        raise CommandFailed(f"to be tried again: {'; '.join(ran.failed)}")


@approvals.callback()
def _approvals() -> None:
    """Keeps the name of its only command, as above."""


@approvals.command()
def escalate() -> None:
    """Tell of approvals that should have been decided by now, on the database of M3_DATABASE_URL.

    To be run every few minutes. Each that is overdue gets a step in its history, and those who manage
    approvals a notice, once for each time that it was due; it waits at its level as before. Any number of
    these may run at once.
    """
    from graph.commands.approvals import escalate
    from graph.commands.report import CommandFailed

    ran = asyncio.run(escalate(_settings()))
    typer.echo(f"escalated: {ran.told}")
    if ran.failed:
        raise CommandFailed(f"to be tried again: {'; '.join(ran.failed)}")


@keys.command()
def generate() -> None:
    """Make the keys file M3_KEYS_FILE; an existing one is never overwritten."""
    from graph.auth.keys import generate

    path = _settings().keys_file
    typer.echo(f"{path}: the signing key is {generate(path).active.id}")


@keys.command()
def rotate(
    drop_old: Annotated[
        bool, typer.Option("--drop-old", help="Drop the old keys at once: every access token ends.")
    ] = False,
) -> None:
    """Put a new signing key into M3_KEYS_FILE; running gateways take it up within a second.

    Old keys stay until the tokens that they signed have expired. The master key never changes.
    """
    from graph.auth.keys import rotate

    settings = _settings()
    # A minute for processes that still sign with the old key, and for clocks that differ.
    keep = timedelta(0) if drop_old else timedelta(seconds=settings.access_token_ttl + 60)
    ring = rotate(settings.keys_file, keep)
    typer.echo(f"{settings.keys_file}: the signing key is {ring.active.id}; kept: {len(ring.signing) - 1}")


def _settings(**given: Any) -> "Settings":
    from graph.settings import load

    return load(**{name: value for name, value in given.items() if value is not None})


def _roles(settings: "Settings") -> dict[str, str]:
    return {"gateway_role": settings.gateway_role, "service_role": settings.service_role}


def _password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().removesuffix("\n")
    password: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return password


def _fail(error: Exception) -> NoReturn:
    from graph.commands.report import in_a_line
    from graph.settings import SettingsError

    if not isinstance(error, SettingsError) and _settings().debug:
        raise error
    typer.echo(f"m3: {in_a_line(error)}", err=True)
    sys.exit(1)


if __name__ == "__main__":
    main()
