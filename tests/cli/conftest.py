"""Running the `m3` command within the test's own process, which spares it a start."""

import asyncio
import io
import os
import sys
from typing import Any, Protocol

import pytest

from graph.cli import main
from graph.settings import PREFIX
from tests.cli.program import Outcome


class M3(Protocol):
    """The command, with what it is given on standard input and its settings without their prefix."""

    async def __call__(self, *arguments: str, stdin: str = "", **settings: Any) -> Outcome: ...


@pytest.fixture
def m3(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> M3:
    """Runs the command to its end, in a thread: it brings an event loop of its own."""

    async def run(*arguments: str, stdin: str = "", **settings: Any) -> Outcome:
        for name in [name for name in os.environ if name.startswith(PREFIX)]:
            monkeypatch.delenv(name)
        for name, value in settings.items():
            monkeypatch.setenv(f"{PREFIX}{name.upper()}", str(value))
        monkeypatch.setattr(sys, "argv", ["m3", *arguments])
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        capsys.readouterr()
        code = await asyncio.to_thread(_code)
        said = capsys.readouterr()
        return Outcome(code, said.out, said.err)

    return run


def _code() -> int:
    try:
        main()
    except SystemExit as end:
        return int(end.code or 0)
    raise AssertionError("main() always ends the process")
