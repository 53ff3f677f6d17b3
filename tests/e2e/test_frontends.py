"""The configurations shipped for frontends: typed code of real screens, checked strictly and run."""

import json
import shutil
from pathlib import Path
from typing import Final

from graphql import build_schema
from graphql.type import is_scalar_type, is_specified_scalar_type
from pydantic import SecretStr

from db import demo
from graph.commands import documents
from graph.schema import export
from graph.settings import Settings
from tests.e2e.programs import FOLDER, Node
from tests.server import Urls

SHIPPED: Final = Path(__file__).parents[2] / "docs" / "frontends"
PROJECTS: Final = Path(__file__).parent / "frontends"
CODEGEN: Final = "node_modules/@graphql-codegen/cli/esm/bin.js"
RELAY: Final = "node_modules/relay-compiler/cli.js"
RUN: Final = ("--import", "./bundler.mjs")
TSC: Final = "node_modules/typescript/bin/tsc"


def project(name: str, configuration: str, folder: Path) -> Path:
    """A frontend of its own in `folder`: its sources, our configuration and schema, and the packages."""
    shutil.copytree(PROJECTS / name, folder, dirs_exist_ok=True)
    shutil.copyfile(PROJECTS / "tsconfig.json", folder / "tsconfig.json")
    shutil.copyfile(SHIPPED / configuration, folder / configuration)
    (folder / "schema.graphql").write_text(export())
    (folder / "package.json").write_text('{ "type": "module" }')
    (folder / "node_modules").symlink_to(FOLDER / "node_modules")
    return folder


def owner_of(urls: Urls) -> Settings:
    """The settings of `m3 documents` for a database."""
    return Settings(owner_database_url=SecretStr(urls.owner))


async def test_code_generated_by_graphql_codegen_runs(
    node: Node, gateway: str, demo_database: Urls, tmp_path: Path
) -> None:
    app = project("codegen", "codegen.ts", tmp_path)
    await node.run(CODEGEN, cwd=app)
    await node.run(TSC, cwd=app)
    await documents.add(owner_of(demo_database), app / "src" / "gql" / "persisted-documents.json", None)
    seen = await node.json(*RUN, "src/run.ts", gateway, demo.PASSWORD, cwd=app)
    deals = seen["deals"]
    assert deals["listed"] == deals["distinct"] == deals["total"] > 50
    assert seen["moved"] is True
    assert seen["refusals"] == []
    assert seen["inbox"] > 0
    assert seen["shapes"] > 0
    assert seen["price"] == "string"
    assert seen["approvals"]
    # The same inbox, by the id of its document alone
    assert seen["trusted"] == seen["inbox"]


async def test_code_generated_by_relay_is_typed(node: Node, tmp_path: Path) -> None:
    app = project("relay", "relay.config.json", tmp_path)
    await node.run(RELAY, cwd=app)
    await node.run(TSC, cwd=app)
    listed = (app / "src" / "__generated__" / "DealListPaginationQuery.graphql.ts").read_text()
    assert "DealFilter" in listed

    shipped = json.loads((app / "relay.config.json").read_text())
    persisting = {**shipped, "persistConfig": {"file": "documents.json", "algorithm": "SHA256"}}
    (app / "persisting.json").write_text(json.dumps(persisting))
    (app / "documents.json").write_text("{}")
    await node.run(RELAY, "persisting.json", cwd=app)
    assert "InboxQuery" in {entry.name for entry in documents.read_manifest(app / "documents.json")}


async def test_a_subscription_is_followed_by_generated_code(node: Node, gateway: str, tmp_path: Path) -> None:
    app = project("codegen", "codegen.ts", tmp_path)
    await node.run(CODEGEN, cwd=app)
    assert await node.json(*RUN, "src/live.ts", gateway, demo.PASSWORD, cwd=app) == [
        "One notice",
        "Another notice",
    ]


def test_both_configurations_map_every_scalar() -> None:
    built = build_schema(export())
    custom = {
        name
        for name, kind in built.type_map.items()
        if is_scalar_type(kind) and not is_specified_scalar_type(kind)
    }
    relay = json.loads((SHIPPED / "relay.config.json").read_text())["customScalarTypes"]
    assert set(relay) == custom
    block = (SHIPPED / "codegen.ts").read_text().split("const scalars = {")[1].split("};")[0]
    assert {line.split(":")[0].strip() for line in block.strip().splitlines()} == custom
