"""Running the `m3` command as a program of its own."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

PATIENCE = 120
"""Seconds after which a program that should have said something is taken to hang."""


@dataclass(frozen=True)
class Outcome:
    """How a program ended."""

    code: int
    out: str
    err: str


def environment(**settings: Any) -> dict[str, str]:
    """The environment without M3_* variables but for `settings`, given without the prefix."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("M3_")}
    return clean | {f"M3_{name.upper()}": str(value) for name, value in settings.items()}


@asynccontextmanager
async def started(*arguments: str, **settings: Any) -> AsyncIterator[asyncio.subprocess.Process]:
    """The command while it runs; killed if it is still there at the end."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "graph.cli",
        *arguments,
        env=environment(**settings),
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def line_with(stream: asyncio.StreamReader | None, words: str) -> str:
    """The next line that has `words`; fails when the program ends without it."""
    assert stream is not None
    seen: list[str] = []
    async with asyncio.timeout(PATIENCE):
        while line := (await stream.readline()).decode():
            if words in line:
                return line
            seen.append(line)
    raise AssertionError(f"no line with {words!r} in:\n{''.join(seen)}")
