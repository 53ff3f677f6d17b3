"""Feeds as other people's clients follow them: npm `graphql-ws`, and a browser's EventSource."""

import asyncio
import json
import signal
import socket
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import InboxNotification, Session
from graph.auth import keys
from graph.auth.keys import KeyFile
from graph.auth.tokens import AccessTokens
from graph.settings import Settings
from tests.cli.program import line_with, started
from tests.e2e.programs import Node
from tests.factories import insert, make_tenant, make_user
from tests.server import Urls

PATIENCE = 60
CONNECTING = 0
"""The state of an EventSource that is about to connect again."""


@dataclass
class Person:
    """A user, what signs their tokens, and where the gateway that they use listens."""

    owner: AsyncConnection
    keys_file: Path
    port: int
    tenant_id: UUID
    user_id: UUID

    async def sign_in(self) -> str:
        """A token of a new session."""
        session = await insert(
            self.owner,
            Session,
            tenant_id=self.tenant_id,
            user_id=self.user_id,
            refresh_token_hash=uuid4().hex,
            expires_at=datetime.now(UTC) + timedelta(days=1),
        )
        tokens = AccessTokens(KeyFile(self.keys_file), Settings(keys_file=self.keys_file))
        return tokens.issue(self.tenant_id, self.user_id, session["id"])[0]

    async def notify(self, *titles: str) -> None:
        """Notices in their inbox."""
        for title in titles:
            row = {"tenant_id": self.tenant_id, "user_id": self.user_id, "title": title}
            await insert(self.owner, InboxNotification, **row)

    async def sign_out_first(self) -> None:
        """End their oldest session."""
        mine = sa.select(Session.id).where(Session.user_id == self.user_id).order_by(Session.created_at)
        ended = sa.update(Session).where(Session.id == mine.limit(1).scalar_subquery())
        await self.owner.execute(ended.values(revoked_at=sa.func.now()))

    async def viewer(self, token: str, field: str) -> str:
        """A field of `viewer`."""
        async with httpx.AsyncClient(trust_env=False, headers={"Authorization": f"Bearer {token}"}) as http:
            response = await http.post(
                f"http://127.0.0.1:{self.port}/graphql", json={"query": f"{{ viewer {{ {field} }} }}"}
            )
        value: str = response.json()["data"]["viewer"][field]
        return value


@pytest.fixture
async def person(owner: AsyncConnection, tmp_path: Path) -> Person:
    keys.generate(tmp_path / "keys.json")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    tenant_id = await make_tenant(owner)
    return Person(owner, tmp_path / "keys.json", port, tenant_id, await make_user(owner, tenant_id))


@asynccontextmanager
async def serving(urls: Urls, person: Person) -> AsyncIterator[Process]:
    """`m3 serve` where the person expects it."""
    given = {"database_url": urls.gateway, "keys_file": person.keys_file, "port": person.port}
    async with started("serve", **given) as process:
        await line_with(process.stderr, '"serving"')
        yield process


class Told:
    """What a program prints, line by line."""

    def __init__(self, process: Process) -> None:
        self._process = process

    async def hear(self, line: str) -> None:
        """Tell it a line."""
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")
        await self._process.stdin.drain()

    async def line(self) -> list[Any]:
        """The next line."""
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), PATIENCE)
        assert line, "the program has ended"
        said: list[Any] = json.loads(line)
        return said

    async def titles(self, count: int) -> tuple[list[str], list[list[Any]]]:
        """So many titles, and what was said between them."""
        titles: list[str] = []
        others: list[list[Any]] = []
        while len(titles) < count:
            said = await self.line()
            if said[0] == "next":
                titles.append(said[1])
            else:
                others.append(said)
        return titles, others


@asynccontextmanager
async def following(node: Node, person: Person, *arguments: str) -> AsyncIterator[Told]:
    """The program `live.mjs`, signed in."""
    url = f"ws://127.0.0.1:{person.port}/graphql"
    async with node.started("live.mjs", url, *arguments) as process:
        yield Told(process)


async def test_graphql_ws_comes_back_by_itself_and_misses_nothing(
    node: Node, person: Person, urls: Urls
) -> None:
    token = await person.sign_in()
    async with AsyncExitStack() as stack:
        async with serving(urls, person) as gateway:
            after = await person.viewer(token, "eventCursor")
            told = await stack.enter_async_context(following(node, person, after))
            await told.hear(token)
            await person.notify("1", "2")
            assert await told.titles(2) == (["1", "2"], [["connected", None]])
            gateway.terminate()
            assert await told.line() == ["closed", 1012]
            await person.notify("3")
        async with serving(urls, person) as gateway:
            await person.notify("4")
            assert (await told.titles(2))[0] == ["3", "4"]
            gateway.send_signal(signal.SIGKILL)
            assert await told.line() == ["closed", 1006]
            await person.notify("5")
        async with serving(urls, person):
            assert (await told.titles(1))[0] == ["5"]
            await told.hear(await person.sign_in())
            await person.sign_out_first()
            assert await told.line() == ["closed", 4403]
            await person.notify("6")
            assert await told.titles(1) == (["6"], [["connected", None]])


async def test_an_event_source_comes_back_by_itself_and_misses_nothing(
    node: Node, chromium: Path, person: Person, urls: Urls
) -> None:
    token = await person.sign_in()
    address = f"http://127.0.0.1:{person.port}"
    async with AsyncExitStack() as stack:
        async with serving(urls, person) as gateway:
            after = await person.viewer(token, "eventCursor")
            browser = node.started("eventsource.mjs", chromium, address, token, after)
            told = Told(await stack.enter_async_context(browser))
            await person.notify("1", "2")
            assert await told.titles(2) == (["1", "2"], [["open", None]])
            gateway.terminate()
            assert await told.line() == ["error", CONNECTING]
            await person.notify("3")
        async with serving(urls, person):
            await person.notify("4")
            titles, others = await told.titles(2)
            assert titles == ["3", "4"]
            assert others[-1] == ["open", None]
            await person.sign_out_first()
            assert await told.line() == ["error", CONNECTING]
            assert await told.line() == ["open", None]
            assert await told.line() == ["errors", "UNAUTHENTICATED"]
            assert await told.line() == ["complete", None]
