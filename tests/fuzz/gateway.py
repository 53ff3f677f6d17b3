"""What a gateway that is fed with anything may answer."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
import psutil

from db import demo

KNOWN: Final = {
    "BAD_CURSOR",
    "BAD_INPUT",
    "CURSOR_EXPIRED",
    "FORBIDDEN",
    "GRAPHQL_PARSE_FAILED",
    "GRAPHQL_VALIDATION_FAILED",
    "IDEMPOTENCY_CONFLICT",
    "NOT_FOUND",
    "PERSISTED_DOCUMENT_NOT_FOUND",
    "RATE_LIMITED",
    "TOO_COMPLEX",
    "UNAUTHENTICATED",
}
"""The codes that are the client's doing."""

STATUSES: Final = {200, 400, 403, 404, 405, 406, 413, 414, 415, 429, 431}
INSIDE: Final = (
    "Traceback",
    "sqlalchemy",
    "asyncpg",
    "psycopg",
    "SELECT ",
    "INSERT INTO",
    "violates",
    'File "',
)
MAX_GROWTH: Final = 200 * 1024 * 1024
"""Bytes that the process may grow by while documents, plans and statements are remembered."""

SIGN_IN: Final = "mutation($i: SignInInput!) { signIn(input: $i) { accessToken } }"


@dataclass
class Gateway:
    """A running gateway, an administrator of its demo tenant, and what its log has of faults."""

    port: int
    process: psutil.Process
    http: httpx.AsyncClient = field(init=False)
    token: str = field(init=False)
    memory: int = field(init=False)
    faults: list[str] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def read_log(self, log: asyncio.StreamReader) -> None:
        """Keep the lines of faults, until the process ends."""
        while line := (await log.readline()).decode():
            if '"level":"error"' in line or '"level":"critical"' in line:
                self.faults.append(line)

    async def sign_in(self) -> None:
        """Get the token, and take the process's measure."""
        given = {"tenantSlug": "demo", "email": "admin@demo.test", "password": demo.PASSWORD}
        answer = await self.http.post("/graphql", json={"query": SIGN_IN, "variables": {"i": given}})
        self.token = answer.json()["data"]["signIn"]["accessToken"]
        self.memory = self.process.memory_info().rss

    async def ask(self, query: str, variables: Any = None, *, signed_in: bool = True) -> None:
        """Send an operation, whose answer must be one."""
        headers = {"Authorization": f"Bearer {self.token}"} if signed_in else {}
        response = await self.http.post(
            "/graphql", json={"query": query, "variables": variables}, headers=headers
        )
        well(response)

    async def is_well(self) -> None:
        """The process answers, and is of a size."""
        assert (await self.http.get("/healthz")).text == "ok\n"
        assert self.process.memory_info().rss - self.memory < MAX_GROWTH


def well(response: httpx.Response) -> None:
    """An answer of GraphQL's, with nothing in it that is not the client's business."""
    assert response.status_code in STATUSES, (response.status_code, response.text)
    answer = response.json()
    assert set(answer) <= {"data", "errors", "extensions"}, answer
    codes = {error["extensions"]["code"] for error in answer.get("errors", ())}
    assert codes <= KNOWN, answer["errors"]
    if "errors" in answer:
        assert not any(word in str(answer["errors"]) for word in INSIDE), answer["errors"]
