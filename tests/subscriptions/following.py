"""Following a subscription, over either transport."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import httpx

from tests.client import Client
from tests.subscriptions.gateway import Gateway, connected

WEBSOCKET: Final = "websocket"
SSE: Final = "sse"
TRANSPORTS: Final = (WEBSOCKET, SSE)

Payload = dict[str, Any]
Next = Callable[[], Awaitable[Payload]]


@dataclass
class Frame:
    """An event of an event stream; comments have neither."""

    id: str | None = None
    event: str | None = None
    data: str | None = None

    @property
    def payload(self) -> Payload:
        """What an event `next` carries."""
        assert self.event == "next", self
        assert self.data is not None
        payload: Payload = json.loads(self.data)
        return payload


@dataclass
class Stream:
    """An open event stream."""

    response: httpx.Response
    lines: AsyncIterator[str]

    async def frame(self) -> Frame | None:
        """The next event, None at the end."""
        frame = Frame()
        async for line in self.lines:
            if line.startswith(":"):
                continue
            if not line:
                if frame != Frame():
                    return frame
                continue
            name, _, value = line.partition(":")
            assert getattr(frame, name, "") is None, line
            setattr(frame, name, value.removeprefix(" "))
        return None

    async def event(self) -> Frame:
        """The next event that has data."""
        while True:
            frame = await asyncio.wait_for(self.frame(), 20)
            assert frame is not None, "the stream has ended"
            if frame.data is not None:
                return frame


@asynccontextmanager
async def streaming(
    gateway: Gateway, token: str | None, query: str | None, *, method: str = "POST", **given: Any
) -> AsyncIterator[Stream]:
    """The stream of an operation; `given` are further parameters, and `headers`."""
    headers = {"accept": "text/event-stream", **given.pop("headers", {})}
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    parameters: dict[str, Any] = {"query": query, **given}
    if method == "GET":
        spelled = {k: v if isinstance(v, str) else json.dumps(v) for k, v in parameters.items()}
        sent: dict[str, Any] = {"params": spelled}
    else:
        sent = {"json": parameters}
    async with (
        httpx.AsyncClient(trust_env=False, timeout=30) as http,
        http.stream(method, gateway.url, headers=headers, **sent) as response,
    ):
        yield Stream(response, response.aiter_lines())


@asynccontextmanager
async def following(
    gateway: Gateway, client: Client, query: str, over: str, **variables: Any
) -> AsyncIterator[Next]:
    """What gives the next payload of a subscription, whichever way it comes."""
    if over == SSE:
        async with streaming(gateway, client.token, query, variables=variables) as stream:

            async def next_event() -> Payload:
                return (await stream.event()).payload

            yield next_event
        return
    async with connected(gateway) as peer:
        await peer.init(client.token)
        await peer.subscribe("feed", query, variables=variables)

        async def next_message() -> Payload:
            message = await peer.receive()
            assert (message["type"], message["id"]) == ("next", "feed"), message
            payload: Payload = message["payload"]
            return payload

        yield next_message


async def here(client: Client) -> str:
    """The cursor of now."""
    data = await client.read("{ viewer { eventCursor } }")
    cursor: str = data["viewer"]["eventCursor"]
    return cursor


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what comes by itself."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110  # nobody tells of it
            await asyncio.sleep(0.01)
