"""Every request has an id, in the answer and in the log, and what goes wrong inside stays inside."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection
from structlog.testing import capture_logs

from graph.http import endpoint
from graph.http.client import request_id
from graph.http.head import Head
from graph.settings import load
from tests.client import Client, running, signed_in
from tests.factories import make_tenant
from tests.server import Urls

SECRET = "hunter2 at 10.0.0.7"
GIVEN = "3f2a9c-edge.1"


async def failing(*_: object) -> Any:
    raise RuntimeError(SECRET)


async def test_each_answer_names_its_request(anyone: Client) -> None:
    async with anyone.http() as http:
        answers = [
            await http.post("/graphql", json={"query": "{ __typename }"}),
            await http.post("/graphql", json={"query": "{"}),
            await http.post("/graphql", content=b"x"),
            await http.get("/graphql", headers={"accept": "text/plain"}),
            await http.get("/graphql?query={__typename}"),
        ]
    names = [response.headers["x-request-id"] for response in answers]
    assert len(set(names)) == len(answers)


@pytest.mark.parametrize("proxies", ["", "127.0.0.1"], ids=["a stranger", "a trusted proxy"])
async def test_a_trusted_proxy_names_requests(urls: Urls, tmp_path: Path, proxies: str) -> None:
    async with running(urls.gateway, tmp_path, trusted_proxies=proxies) as client:
        answer = await client.post("{ __typename }", None, **{"X-Request-ID": GIVEN})
        assert (answer.headers["x-request-id"] == GIVEN) is bool(proxies)
        for bad in ("short", "x" * 65, "new\tline-and-more", "<script>alert(1)</script>"):
            answer = await client.post("{ __typename }", None, **{"X-Request-ID": bad})
            assert answer.headers["x-request-id"] != bad


async def test_a_fault_outside_of_any_field_is_internal_and_in_the_log(
    anyone: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint, "answer", failing)
    with capture_logs() as logged:
        response = await anyone.post("{ __typename }")
    name = response.headers["x-request-id"]
    assert response.status_code == 500
    (error,) = response.json()["errors"]
    assert error["extensions"] == {"code": "INTERNAL", "requestId": name}
    assert SECRET not in response.text
    (line,) = [line for line in logged if line["event"] == "request.failed"]
    assert line["request_id"] == name


async def test_a_fault_in_a_field_is_internal_and_in_the_log(
    anyone: Client, owner: AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await signed_in(anyone, owner, await make_tenant(owner), "*")
    monkeypatch.setattr("graph.context.load_viewer", failing)
    with capture_logs() as logged:
        response = await client.post('mutation { deleteDeal(id: "x") { errors { code } } }')
    name = response.headers["x-request-id"]
    (error,) = response.json()["errors"]
    assert error["extensions"] == {"code": "INTERNAL", "requestId": name}
    assert SECRET not in response.text
    (line,) = [line for line in logged if line["event"] == "field.failed"]
    assert line["request_id"] == name


def test_who_has_no_address_is_no_proxy() -> None:
    request = Head({"type": "http", "headers": [(b"x-request-id", GIVEN.encode())], "client": None})
    assert request_id(request, load(trusted_proxies="127.0.0.1")) != GIVEN
