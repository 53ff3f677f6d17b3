"""Requests that are hardly any, and bytes that are none at all."""

import asyncio
import json
from typing import Any, Final
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.gateway import STATUSES, Gateway, well

QUERIES: Final = [
    "{ __typename }",
    "{ viewer { permissions } }",
    "query A { __typename } query B($first: Int) { deals(first: $first) { totalCount } }",
    "query($filter: DealFilter) { deals(filter: $filter) { totalCount nodes { id } } }",
    "query($id: ID!) { node(id: $id) { id } }",
    "query($after: String) { companies(after: $after) { nodes { id } } }",
]
LETTERS: Final = '{}()[]:!$@.,|&= \n"#\\ abcdeilnoqrstuy__typename0123456789\0\u202e\ud800'
JSON: Final[st.SearchStrategy[Any]] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=10), inner, max_size=5),
    max_leaves=20,
)
NAMED: Final = st.dictionaries(
    st.sampled_from(["filter", "id", "first", "after"]),
    JSON | st.dictionaries(st.sampled_from(["name", "and", "or", "not", "company", "in", "eq"]), JSON),
)
REQUEST: Final = st.fixed_dictionaries(
    {},
    optional={
        "query": st.sampled_from(QUERIES) | st.text(alphabet=LETTERS, max_size=60) | JSON,
        "operationName": st.sampled_from(["A", "B", "", None]) | JSON,
        "variables": NAMED | JSON,
        "extensions": st.dictionaries(
            st.sampled_from(["idempotencyKey", "persistedQuery", "explainCost", "tracing"]), JSON
        )
        | JSON,
        "documentId": st.text(max_size=80) | JSON,
    },
)
HEADER: Final = st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), max_size=80)
HEADERS: Final = st.fixed_dictionaries(
    {},
    optional={
        "accept": st.sampled_from(
            ["*/*", "application/json", "application/graphql-response+json", "text/html"]
        )
        | HEADER,
        "content-type": st.just("application/json") | HEADER,
        "content-encoding": HEADER,
        "authorization": HEADER,
        "idempotency-key": HEADER,
        "if-none-match": HEADER,
        "x-forwarded-for": HEADER,
        "x-request-id": HEADER,
        "sec-fetch-site": HEADER,
        "traceparent": HEADER,
        "origin": HEADER,
    },
)
WIRE: Final = st.lists(
    st.binary(max_size=40)
    | st.sampled_from(
        [
            b"POST /graphql HTTP/1.1\r\n",
            b"GET /graphql?query={__typename} HTTP/1.1\r\n",
            b"Host: gateway.test\r\n",
            b"Content-Type: application/json\r\n",
            b"Content-Length: 26\r\n",
            b"Content-Length: 99999999999999999999\r\n",
            b"Transfer-Encoding: chunked\r\n",
            b"Connection: upgrade\r\nUpgrade: websocket\r\n",
            b"Connection: close\r\n",
            b"Expect: 100-continue\r\n",
            b"\r\n",
            b'{"query":"{ __typename }"}',
            b"1a\r\n",
            b"0\r\n\r\n",
        ]
    ),
    max_size=12,
)


def text(value: Any) -> bytes:
    """JSON as a careless client writes it: lone surrogates, NaN and all."""
    return json.dumps(value).encode(errors="surrogatepass")


@given(request=REQUEST | JSON, signed_in=st.booleans())
async def test_any_json_is_answered(gateway: Gateway, request: Any, signed_in: bool) -> None:
    headers = {"content-type": "application/json"}
    if signed_in:
        headers["authorization"] = f"Bearer {gateway.token}"
    well(await gateway.http.post("/graphql", content=text(request), headers=headers))


@given(content=st.binary(max_size=200), headers=HEADERS)
async def test_any_body_is_answered(gateway: Gateway, content: bytes, headers: dict[str, str]) -> None:
    well(await gateway.http.post("/graphql", content=content, headers=headers))


@given(
    parameters=st.lists(
        st.tuples(
            st.sampled_from(["query", "variables", "operationName", "extensions", "documentId", "x"]),
            st.sampled_from(QUERIES)
            | st.text(max_size=40).map(lambda t: t.encode("utf-8", "replace").decode()),
        ),
        max_size=5,
    ),
    headers=HEADERS,
)
async def test_any_url_is_answered(
    gateway: Gateway, parameters: list[tuple[str, str]], headers: dict[str, str]
) -> None:
    target = "&".join(f"{name}={quote(value)}" for name, value in parameters)
    response = await gateway.http.get(f"/graphql?{target}", headers=headers)
    if "text/html" in response.headers["content-type"]:
        assert response.status_code == 200
    else:
        well(response)


@given(pieces=WIRE)
async def test_any_bytes_are_answered_or_hung_up_on(gateway: Gateway, pieces: list[bytes]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    try:
        for piece in pieces:
            writer.write(piece)
        writer.write_eof()
        async with asyncio.timeout(60):
            said = await reader.read()
    except ConnectionError:
        said = b""
    finally:
        writer.transport.abort()
    if said:
        protocol, status, _ = said.split(maxsplit=2)
        assert protocol == b"HTTP/1.1"
        assert int(status) in STATUSES | {100, 101, 307, 426}, said
