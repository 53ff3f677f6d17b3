"""`m3 --help` explains everything, and at once."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from graph.cli import app
from tests.cli.conftest import M3

CONTRACT = {
    ("dev",),
    ("serve",),
    ("db", "upgrade"),
    ("db", "downgrade"),
    ("db", "check"),
    ("db", "partitions"),
    ("tenant", "create"),
    ("tenant", "list"),
    ("user", "set-password"),
    ("user", "grant-platform"),
    ("explain",),
    ("export-schema",),
    ("keys", "generate"),
    ("keys", "rotate"),
    ("campaigns", "run-due"),
    ("approvals", "escalate"),
    ("documents", "add"),
    ("documents", "list"),
    ("documents", "mode"),
    ("documents", "remove"),
}


def commands(group: TyperGroup, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], TyperCommand]]:
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from commands(command, (*path, name))
        else:
            assert isinstance(command, TyperCommand)
            yield (*path, name), command


ROOT = get_command(app)
assert isinstance(ROOT, TyperGroup)
COMMANDS = dict(commands(ROOT))


def test_the_commands_are_those_of_the_contract() -> None:
    assert set(COMMANDS) == CONTRACT


@pytest.mark.parametrize("path", sorted(COMMANDS), ids=" ".join)
def test_a_command_and_all_it_takes_are_explained(path: tuple[str, ...]) -> None:
    command = COMMANDS[path]
    assert command.help
    for parameter in command.params:
        assert getattr(parameter, "help", None), f"{parameter.name} of {' '.join(path)} is not explained"


def test_help_loads_nothing_heavy() -> None:
    script = (
        "import sys, graph.cli;"
        "heavy = {'sqlalchemy', 'strawberry', 'alembic', 'uvicorn', 'pydantic', 'cryptography', 'argon2'};"
        "sys.exit(', '.join(sorted(heavy & set(sys.modules))) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


async def test_help_is_shown(m3: M3) -> None:
    done = await m3("--help")
    assert (done.code, done.err) == (0, "")
    for group in ("dev", "serve", "db", "tenant", "user", "export-schema", "keys"):
        assert f"\n  {group} " in done.out
