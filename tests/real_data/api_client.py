"""A client that knows the SDL and an address, and writes down for itself what it has done.

    api = ApiClient(sdl, transport)
    await api.sign_in("nile", "mona@nile.test", "her password")
    company = await api.do("createCompany", name="Acme")
    deals = await api.do_all("createDeals", [{"name": "Villa 12", …}, …])

Every mutation carries an idempotency key. A request whose answer got lost is sent again with the same key,
and one in `DOUBLED` is sent twice at once, as an impatient person would.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self
from uuid import uuid4

import httpx
from graphql import (
    GraphQLInputObjectType,
    GraphQLObjectType,
    build_schema,
    get_named_type,
    parse,
    validate,
)

CONNECTIONS: Final = 4
BULK: Final = 500
DOUBLED: Final = 5
TRIES: Final = 20
_ERRORS: Final = "errors { code field message }"


class LosesAnswers(httpx.AsyncBaseTransport):
    """A network on which every so-manieth answer does not arrive, though the request did."""

    def __init__(self, inner: httpx.AsyncBaseTransport, every: int) -> None:
        self._inner, self._every = inner, every
        self._answered = self._open = 0
        self.lost = 0
        self.most_open = 0
        """The most requests that were on their way at once."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._open += 1
        self.most_open = max(self.most_open, self._open)
        try:
            response = await self._inner.handle_async_request(request)
        finally:
            self._open -= 1
        self._answered += 1
        if self._answered % self._every == 0:
            self.lost += 1
            raise httpx.ReadError("the connection broke before the answer came", request=request)
        return response


@dataclass(frozen=True)
class Entry:
    """A line of the client's ledger: one row that it was told was made or changed."""

    mutation: str
    id: str
    given: dict[str, Any]
    """Every field of the input type: what was given, None for what was left out."""


@dataclass
class ApiClient:
    """Somebody at the other end of the wire."""

    sdl: str
    transport: httpx.AsyncBaseTransport
    ledger: list[Entry] = field(default_factory=list)
    doubled: int = 0
    """How many requests were sent twice at once."""

    def __post_init__(self) -> None:
        self._schema = build_schema(self.sdl)
        self._http = httpx.AsyncClient(transport=self.transport, base_url="http://gateway.test")
        self._connections = asyncio.Semaphore(CONNECTIONS)
        self._documents: dict[str, str] = {}
        self._asked = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def sign_in(self, tenant: str, email: str, password: str) -> None:
        """Act as this user from here on."""
        given = {"tenantSlug": tenant, "email": email, "password": password}
        document = self._document("signIn", "accessToken expiresAt")
        payload = (await self._post(document, {"input": given}, {}))["data"]["signIn"]
        assert payload["errors"] == [], payload["errors"]
        self._http.headers["Authorization"] = f"Bearer {payload['accessToken']}"

    async def do(self, mutation: str, key: str = "id", /, **given: Any) -> str:
        """Do it, and get the `key` of the row that it was done to."""
        made = self._row_field(self._payload(mutation))
        payload = await self._mutate(mutation, f"{made} {{ {key} }}", given)
        found: str = payload[made][key]
        self._write_down(mutation, found, given)
        return found

    async def do_all(self, mutation: str, rows: Sequence[dict[str, Any]]) -> list[str]:
        """Make the rows, as many as may come at once in one request, and get their ids in their order."""
        batches = [rows[start : start + BULK] for start in range(0, len(rows), BULK)]
        made = await asyncio.gather(*(self._bulk(mutation, batch) for batch in batches))
        return [id for ids in made for id in ids]

    async def _bulk(self, mutation: str, rows: Sequence[dict[str, Any]]) -> list[str]:
        one = get_named_type(self._payload(mutation).fields["results"].type)
        assert isinstance(one, GraphQLObjectType)
        made = self._row_field(one)
        payload = await self._mutate(mutation, f"results {{ {_ERRORS} {made} {{ id }} }}", rows)
        assert [result["errors"] for result in payload["results"]] == [[]] * len(rows)
        ids: list[str] = [result[made]["id"] for result in payload["results"]]
        for id, row in zip(ids, rows, strict=True):
            self._write_down(mutation, id, row)
        return ids

    async def _mutate(self, mutation: str, select: str, given: Any) -> Any:
        """The payload, which has no errors."""
        self._asked += 1
        asked = (self._document(mutation, select), {"input": given}, {"Idempotency-Key": str(uuid4())})
        if self._asked % DOUBLED == 0:
            self.doubled += 1
            answer, other = await asyncio.gather(self._post(*asked), self._post(*asked))
            assert answer == other
        else:
            answer = await self._post(*asked)
        assert "errors" not in answer, answer["errors"]
        payload = answer["data"][mutation]
        assert payload["errors"] == [], payload["errors"]
        return payload

    async def _post(self, document: str, variables: dict[str, Any], headers: dict[str, str]) -> Any:
        """The answer; while none comes, the request is sent again as it was."""
        body = {"query": document, "variables": variables}
        for _ in range(TRIES):
            try:
                async with self._connections:
                    response = await self._http.post("/graphql", json=body, headers=headers)
            except httpx.TransportError:
                continue
            assert response.status_code == 200, response.text
            return response.json()
        raise AssertionError(f"no answer in {TRIES} tries")

    def _document(self, mutation: str, select: str) -> str:
        """The operation, which is valid by the SDL."""
        if mutation not in self._documents:
            kind = self._mutations[mutation].args["input"].type
            text = f"mutation Do($input: {kind}) {{ {mutation}(input: $input) {{ {_ERRORS} {select} }} }}"
            assert validate(self._schema, parse(text)) == []
            self._documents[mutation] = text
        return self._documents[mutation]

    def _write_down(self, mutation: str, id: str, given: dict[str, Any]) -> None:
        kind = get_named_type(self._mutations[mutation].args["input"].type)
        assert isinstance(kind, GraphQLInputObjectType)
        assert given.keys() <= kind.fields.keys()
        self.ledger.append(Entry(mutation, id, {name: given.get(name) for name in kind.fields}))

    @property
    def _mutations(self) -> dict[str, Any]:
        assert self._schema.mutation_type is not None
        fields: dict[str, Any] = self._schema.mutation_type.fields
        return fields

    def _payload(self, mutation: str) -> GraphQLObjectType:
        kind = get_named_type(self._mutations[mutation].type)
        assert isinstance(kind, GraphQLObjectType)
        return kind

    @staticmethod
    def _row_field(payload: GraphQLObjectType) -> str:
        """The field of a payload that is the row: `deal` of DealPayload."""
        name = payload.name.removesuffix("Payload")
        name = name[0].lower() + name[1:]
        assert name in payload.fields
        return name
