"""`m3 dev`: the whole of it on one machine: server, keys, migrations, demo, gateway."""

import asyncio
import contextlib
import fcntl
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Final

import typer
from pydantic import SecretStr
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError

from db import demo, migrate
from db.demo.outline import DEMO, OTHER
from graph.auth import keys
from graph.auth.base64url import encode
from graph.commands import serve
from graph.commands.report import CommandFailed, in_a_line
from graph.observability import logging
from graph.settings import Settings

_ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_ROLE: Final = text("SELECT true, pg_has_role(oid, :granted, 'MEMBER') FROM pg_roles WHERE rolname = :name")


def dev(settings: Settings) -> None:
    """Serves the demo until SIGINT or SIGTERM; then everything it started is stopped."""
    logging.configure(settings)
    with (
        _interruptible(),
        _alone(settings.data_dir),
        serve.listen(settings) as port,
        _owner(settings) as owner_url,
    ):
        server = serve.build(asyncio.run(_prepare(settings, owner_url)))
        typer.echo(_welcome(settings.host, port.getsockname()[1]))
        serve.run(server, port)
        typer.echo("Stopping.")


@contextlib.contextmanager
def _owner(settings: Settings) -> Iterator[str]:
    """The owner's login, of the server named in the settings or of a private one that ends with us."""
    if settings.owner_database_url is not None:
        yield settings.owner_url
        return
    from db import embedded

    server = None
    try:
        with _deferring():
            typer.echo(f"Starting PostgreSQL in {settings.data_dir} …")
            server = embedded.start(settings.data_dir)
        yield server.owner_url
    finally:
        if server is not None:
            with _undisturbed():
                server.stop()


async def _prepare(settings: Settings, owner_url: str) -> Settings:
    """Keys, migrations, the demo and a login for the gateway, as far as each is missing."""
    if not settings.keys_file.exists():
        keys.generate(settings.keys_file)
    await migrate.upgrade(owner_url, gateway_role=settings.gateway_role, service_role=settings.service_role)
    typer.echo("Loading the demo, if it is not there …")
    await demo.load_demo(owner_url)
    ready = settings
    if settings.owner_database_url is None or settings.database_url is None:
        gateway_url = SecretStr(await _login(settings, owner_url))
        ready = settings.model_copy(update={"database_url": gateway_url})
    await serve.check(ready)
    return ready


async def _login(settings: Settings, owner_url: str) -> str:
    """A login with the gateway's rights alone; its password derives from the keys, so none is stored."""
    name = f"{settings.gateway_role}_dev"
    password = encode(keys.load(settings.keys_file).derive("development login"))
    try:
        async with migrate.connect(owner_url) as connection:
            found = await connection.execute(_ROLE, {"name": name, "granted": settings.gateway_role})
            known, member = found.one_or_none() or (False, False)
            verb = "ALTER" if known else "CREATE"
            await connection.execute(text(f"{verb} ROLE {name} LOGIN PASSWORD '{password}'"))
            if not member:
                await connection.execute(text(f"GRANT {settings.gateway_role} TO {name}"))
            await connection.commit()
    except DBAPIError as error:
        raise CommandFailed(
            f"cannot make the login {name} ({in_a_line(error)}); name one in M3_DATABASE_URL"
        ) from None
    url = make_url(owner_url).set(username=name, password=password)
    return url.render_as_string(hide_password=False)


def _welcome(host: str, port: int) -> str:
    accounts = [
        f"  tenant {outline.slug:<6} {outline.email(account.login):<20} {account.role}"
        for outline in (DEMO, OTHER)
        for account in outline.accounts
    ]
    return "\n".join(
        (
            "",
            f"GraphiQL, and the endpoint: http://{host}:{port}/graphql",
            f"Accounts, password {demo.PASSWORD}:",
            *accounts,
            "Ctrl-C stops all of it; the data stays.",
            "",
        )
    )


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One `m3 dev` a folder: a second one would be left without its server when the first one ends."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "dev.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandFailed(f"m3 dev is running in {folder} already") from None
        yield


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Makes every signal that asks us to end do as Ctrl-C does, so that what was started is stopped."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    with _handling(interrupt), contextlib.suppress(KeyboardInterrupt):
        yield


@contextlib.contextmanager
def _deferring() -> Iterator[None]:
    """Lets the block come to its end before a signal ends us: half-way nobody would know what to stop."""
    pending: list[int] = []
    with _handling(lambda number, _frame: pending.append(number)):
        try:
            yield
        finally:
            if pending:
                raise KeyboardInterrupt


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Lets the end run to its end: a second Ctrl-C would leave the server running."""
    with _handling(signal.SIG_IGN):
        yield


@contextlib.contextmanager
def _handling(handler: Callable[[int, FrameType | None], object] | signal.Handlers) -> Iterator[None]:
    before = [(number, signal.signal(number, handler)) for number in _ENDING]
    try:
        yield
    finally:
        for number, old in before:
            signal.signal(number, old)
