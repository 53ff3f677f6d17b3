"""GraphQL over HTTP beyond its audits: media types, methods, GET, and what other sites' pages can do."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import httpx
import orjson
import pytest

from graph.limits import MAX_BODY_BYTES
from tests.client import Client, running
from tests.server import Urls

JSON = "application/json"
NEGOTIATED = "application/graphql-response+json"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
TYPENAME = {"query": "{ __typename }"}
MUTATION = 'mutation { signIn(input: { tenantSlug: "a", email: "b", password: "c" }) { expiresAt } }'


async def send(client: Client, method: str, target: str = "/graphql", **given: Any) -> httpx.Response:
    async with client.http() as http:
        return await http.request(method, target, **given)


async def get(client: Client, query: str = "{ __typename }", /, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await send(client, "GET", f"/graphql?query={quote(query)}", headers=named)


def refusal(response: httpx.Response) -> str:
    """The code of an answer that is one error and no data, in JSON."""
    assert response.headers["content-type"].partition(";")[0] in (JSON, NEGOTIATED)
    answer = response.json()
    assert list(answer) == ["errors"], answer
    (error,) = answer["errors"]
    code: str = error["extensions"]["code"]
    return code


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (None, JSON),
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (JSON, JSON),
        (f"{JSON}; charset=utf-8", JSON),
        (NEGOTIATED, NEGOTIATED),
        (NEGOTIATED.upper(), NEGOTIATED),
        (f"{NEGOTIATED}, {JSON}", NEGOTIATED),
        (f"{JSON}, {NEGOTIATED}", NEGOTIATED),
        (f"{NEGOTIATED};q=0.5, {JSON}", JSON),
        (f"{NEGOTIATED}; charset=utf-8; q=0.9, {JSON};q=0.8", NEGOTIATED),
        (f"{NEGOTIATED}, {JSON};q=0.9, */*;q=0.1", NEGOTIATED),
        (f"*/*, {NEGOTIATED};q=0", JSON),
        (f"{JSON};q=0, */*", NEGOTIATED),
        ("text/plain, */*;q=0.01", JSON),
        (BROWSER, JSON),
        ("text/html", None),
        ("text/csv", None),
        (f"{JSON};q=0", None),
        (f"{JSON};q=0, {NEGOTIATED};q=0.0", None),
        (f"{JSON};q=much", None),
        (f"{JSON};q=nan", None),
        (f"{JSON};q=-1", None),
        ("application/xml, text/*", None),
    ],
)
async def test_the_answer_is_of_the_kind_that_is_accepted(
    anyone: Client, accept: str | None, kind: str | None
) -> None:
    async with anyone.http() as http:
        request = http.build_request("POST", "/graphql", json=TYPENAME)
        del request.headers["accept"]
        if accept is not None:
            request.headers["accept"] = accept
        response = await http.send(request)
    assert "Accept" in response.headers["vary"]
    if kind is None:
        assert (response.status_code, refusal(response)) == (406, "BAD_INPUT")
    else:
        assert response.json()["data"] == {"__typename": "Query"}
        assert response.headers["content-type"] == f"{kind}; charset=utf-8"


async def test_what_is_accepted_may_be_said_in_several_lines(anyone: Client) -> None:
    lines = [("accept", f"{JSON};q=0.5"), ("accept", NEGOTIATED)]
    response = await send(anyone, "POST", json=TYPENAME, headers=lines)
    assert response.headers["content-type"] == f"{NEGOTIATED}; charset=utf-8"


async def test_a_slash_too_many_is_sent_on(anyone: Client) -> None:
    response = await send(anyone, "POST", "/graphql/", json=TYPENAME)
    assert (response.status_code, response.headers["location"]) == (307, "http://gateway.test/graphql")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "QUERY", "PROPFIND"])
async def test_another_method_is_refused(anyone: Client, method: str) -> None:
    response = await send(anyone, method, json=TYPENAME)
    assert (response.status_code, refusal(response)) == (405, "BAD_INPUT")
    assert response.headers["allow"] == "GET, HEAD, POST"


@pytest.mark.parametrize(
    ("parameters", "data"),
    [
        ("query={__typename}", {"__typename": "Query"}),
        ("query=%7B__typename%7D&operationName=", {"__typename": "Query"}),
        ("query=query+A{a:__typename}query+B{b:__typename}&operationName=B", {"b": "Query"}),
        (
            'query=query($n:String!){__type(name:$n){name}}&variables={"n":"Deal"}',
            {"__type": {"name": "Deal"}},
        ),
        ('query={__typename}&extensions={"a":1}&variables=null', {"__typename": "Query"}),
        ("query={__typename}&utm_source=x", {"__typename": "Query"}),
    ],
)
async def test_a_query_may_come_by_get(anyone: Client, parameters: str, data: dict[str, Any]) -> None:
    response = await send(anyone, "GET", f"/graphql?{parameters}")
    assert (response.status_code, response.json()["data"]) == (200, data)
    assert response.headers["cache-control"] == "no-store"


async def test_head_is_get_without_its_body(anyone: Client) -> None:
    response = await send(anyone, "HEAD", "/graphql?query={__typename}", headers={"accept": NEGOTIATED})
    assert (response.status_code, response.headers["content-type"]) == (200, f"{NEGOTIATED}; charset=utf-8")


@pytest.mark.parametrize(
    "parameters",
    [
        "",
        "query",
        "query=",
        "query=%20",
        "variables={}",
        "query={__typename}&query={__typename}",
        "query={__typename}&variables=[]",
        "query={__typename}&variables=7",
        "query={__typename}&variables={",
        "query={__typename}&variables=",
        "query={__typename}&extensions=true",
        "query={__typename}&variables=" + "[" * 5000,
        "query=%ff",
        "query=%ED%A0%80",
        "&".join(f"p{number}=1" for number in range(30)) + "&query={__typename}",
    ],
    ids=lambda text: text[:40],
)
async def test_a_url_that_is_no_request_is_refused(anyone: Client, parameters: str) -> None:
    for accept in (JSON, NEGOTIATED):
        response = await send(anyone, "GET", f"/graphql?{parameters}", headers={"accept": accept})
        assert (response.status_code, refusal(response)) == (400, "BAD_INPUT")


@pytest.mark.parametrize("accept", [JSON, NEGOTIATED])
async def test_nothing_is_changed_by_get(anyone: Client, accept: str) -> None:
    response = await get(anyone, MUTATION, accept=accept)
    assert (response.status_code, refusal(response)) == (405, "BAD_INPUT")
    assert response.headers["allow"] == "POST"
    both = quote(f"query A {{ __typename }} {MUTATION.replace('mutation', 'mutation B')}")
    for name, status in (("A", 200), ("B", 405)):
        response = await send(anyone, "GET", f"/graphql?query={both}&operationName={name}")
        assert response.status_code == status


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_a_page_of_another_site_sends_a_preflighted_header_with_get(anyone: Client, site: str) -> None:
    response = await get(anyone, sec_fetch_site=site)
    assert (response.status_code, refusal(response)) == (403, "BAD_INPUT")
    for header in ("authorization", "graphql-require-preflight", "apollo-require-preflight"):
        assert (await get(anyone, sec_fetch_site=site, **{header: "1"})).status_code == 200
    for own in ("same-origin", "none"):
        assert (await get(anyone, sec_fetch_site=own)).status_code == 200


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", None]
)
async def test_a_form_of_another_site_is_not_read(anyone: Client, kind: str | None) -> None:
    headers = {"content-type": kind} if kind else {}
    response = await send(anyone, "POST", content=orjson.dumps(TYPENAME), headers=headers)
    assert (response.status_code, refusal(response)) == (415, "BAD_INPUT")


async def test_a_body_is_read_no_further_than_its_bound(anyone: Client) -> None:
    sent = 0

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(1000):
            sent += 4096
            yield b" " * 4096

    response = await send(anyone, "POST", content=pieces(), headers={"content-type": JSON})
    assert (response.status_code, refusal(response)) == (413, "BAD_INPUT")
    assert sent == MAX_BODY_BYTES + 4096
    announced = {"content-type": JSON, "content-length": str(MAX_BODY_BYTES + 1)}
    sent = 0
    response = await send(anyone, "POST", content=pieces(), headers=announced)
    assert (response.status_code, sent) == (413, 0)


async def test_of_a_key_twice_the_last_counts_and_nothing_breaks(anyone: Client) -> None:
    content = b'{"query": "{ a }", "query": "{ __typename }", "variables": 7, "variables": {}}'
    response = await send(anyone, "POST", content=content, headers={"content-type": JSON})
    assert response.json()["data"] == {"__typename": "Query"}


async def test_answers_are_for_nobody_else(anyone: Client) -> None:
    response = await anyone.post("{ __typename }")
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in response.headers


async def test_get_may_be_switched_off(urls: Urls, tmp_path: Any) -> None:
    async with running(urls.gateway, tmp_path, get_queries=False) as client:
        response = await get(client)
        assert (response.status_code, refusal(response)) == (405, "BAD_INPUT")
        assert response.headers["allow"] == "POST"
        assert (await client.read("{ __typename }")) == {"__typename": "Query"}


async def test_pages_of_other_origins_call_only_where_they_are_named(urls: Urls, tmp_path: Any) -> None:
    asked = {
        "origin": "https://app.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": (
            "authorization, content-type, explain-cost, idempotency-key, if-none-match, last-event-id"
        ),
    }
    async with running(
        urls.gateway, tmp_path, cors_origins="https://app.example, https://b.example"
    ) as client:
        allowed = await send(client, "OPTIONS", headers=asked)
        assert allowed.status_code == 200
        assert allowed.headers["access-control-allow-origin"] == "https://app.example"
        assert "access-control-allow-credentials" not in allowed.headers
        assert (
            await send(client, "OPTIONS", headers=asked | {"origin": "https://c.example"})
        ).status_code == 400
        answer = await send(client, "POST", json=TYPENAME, headers={"origin": "https://b.example"})
        assert answer.headers["access-control-allow-origin"] == "https://b.example"
        exposed = answer.headers["access-control-expose-headers"].lower().split(", ")
        assert set(exposed) == {"etag", "retry-after", "x-request-id"}
        assert {"Accept", "Origin"} <= set(answer.headers["vary"].split(", "))
        other = await send(client, "POST", json=TYPENAME, headers={"origin": "https://c.example"})
        assert "access-control-allow-origin" not in other.headers
        assert (await send(client, "OPTIONS")).status_code == 405
