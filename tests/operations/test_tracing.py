"""Spans: one an operation and one a statement, in the trace of whoever called, without what was typed."""

import gzip
import sys
import threading
from collections.abc import AsyncIterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from db.observed import observer
from db.session import Scope
from graph.observability import tracing
from graph.observability.operation import Operation
from graph.observability.tracing import Tracing, summary
from graph.settings import SettingsError
from tests.client import Client, running, signed_in
from tests.factories import make_tenant
from tests.server import Urls

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.fixture
def spans() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture(params=["planned", "stock"])
async def traced(
    request: pytest.FixtureRequest,
    urls: Urls,
    tmp_path: Path,
    spans: InMemorySpanExporter,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Client]:
    """The application where an SDK is set up."""
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    monkeypatch.setattr(tracing, "configured", lambda _: Tracing(provider))
    async with running(urls.gateway, tmp_path, engine=request.param) as client:
        yield client
    provider.shutdown()


def operation_and_statements(spans: InMemorySpanExporter) -> tuple[ReadableSpan, list[ReadableSpan]]:
    *statements, operation = spans.get_finished_spans()
    assert operation.kind is SpanKind.SERVER
    # Now and then the process looks for its own sake which documents are trusted
    return operation, [span for span in statements if not span.name.endswith(".all_document_modes")]


async def test_an_operation_and_its_statements_go_on_with_the_callers_trace(
    traced: Client, owner: AsyncConnection, spans: InMemorySpanExporter
) -> None:
    tenant = await make_tenant(owner)
    member = await signed_in(traced, owner, tenant, "deals.view")
    response = await member.post(
        "query Board { deals { nodes { id } } }", traceparent=f"00-{TRACE}-{PARENT}-01"
    )
    assert response.json()["data"] == {"deals": {"nodes": []}}
    operation, statements = operation_and_statements(spans)
    assert operation.name == "query"
    assert operation.parent is not None
    assert f"{operation.context.trace_id:032x}" == TRACE
    assert f"{operation.parent.span_id:016x}" == PARENT
    attributes = dict(operation.attributes or {})
    assert attributes.pop("m3.request.id")
    assert attributes == {
        "graphql.operation.type": "query",
        "graphql.operation.name": "Board",
        "m3.tenant.id": str(tenant),
    }
    assert operation.status.status_code is StatusCode.UNSET
    assert [span.name for span in statements] == ["WITH user_roles", "SELECT deals"]
    for span in statements:
        assert span.kind is SpanKind.CLIENT
        assert span.parent is not None
        assert span.parent.span_id == operation.context.span_id
    found = dict(statements[1].attributes or {})
    text = str(found.pop("db.query.text"))
    assert text.startswith("SELECT ")
    assert "$1" in text
    assert found == {
        "db.system.name": "postgresql",
        "db.operation.name": "SELECT",
        "db.collection.name": "deals",
        "db.query.summary": "SELECT deals",
    }


async def test_nothing_that_was_typed_is_in_a_span(
    traced: Client, owner: AsyncConnection, spans: InMemorySpanExporter
) -> None:
    member = await signed_in(traced, owner, await make_tenant(owner), "*")
    given = 'fullName: "Literal Personal", email: "a@personal.test"'
    add = f"mutation {{ createContact(input: {{ {given} }}) {{ errors {{ code }} }} }}"
    find = '{ contacts(filter: { fullName: { startsWith: "Literal Personal" } }) { nodes { id fullName } } }'
    assert (await member.read(add))["createContact"]["errors"] == []
    assert len((await member.read(find))["contacts"]["nodes"]) == 1
    await member.ask('{ contact(id: "Wrong Personal") { id } }')
    written = "\n".join(span.to_json() for span in spans.get_finished_spans())
    assert "INSERT contacts" in written
    for secret in ("personal", "fullName", str(member.token), str(member.user_id)):
        assert secret.lower() not in written.lower(), secret


async def test_a_fault_of_ours_is_an_error_and_a_mistake_of_the_client_is_none(
    traced: Client, owner: AsyncConnection, spans: InMemorySpanExporter
) -> None:
    member = await signed_in(traced, owner, await make_tenant(owner), "deals.view")
    await member.ask("{ contacts { nodes { id } } }")
    operation, _ = operation_and_statements(spans)
    assert (operation.attributes or {})["m3.error.codes"] == ("FORBIDDEN",)
    assert operation.status.status_code is StatusCode.UNSET


async def test_a_statement_that_fails_has_its_state_and_not_its_words(
    traced: Client, spans: InMemorySpanExporter
) -> None:
    assert traced.services.tracing is not None
    operation = Operation(kind="query", span=traced.services.tracing.begin({}))
    token = observer.set(operation)
    with pytest.raises(DBAPIError):
        async with traced.services.database.read(Scope()) as connection:
            await connection.execute(text("SELECT CAST('personal' AS integer) FROM plans WHERE 1 / 0 = 1"))
    observer.reset(token)
    (span,) = spans.get_finished_spans()
    found = dict(span.attributes or {})
    assert found["db.response.status_code"] == found["error.type"] == "22P02"
    assert span.status.status_code is StatusCode.ERROR
    assert span.status.description is None
    assert span.events == ()


async def test_spans_are_sent_to_a_collector(urls: Urls, tmp_path: Path) -> None:
    received: list[tuple[str, bytes]] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append(
                (self.path, gzip.decompress(body) if "Content-Encoding" in self.headers else body)
            )
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        endpoint = f"http://127.0.0.1:{server.server_port}"
        async with running(urls.gateway, tmp_path, otlp_endpoint=endpoint) as client:
            await client.ask("query Collected { __typename }")
        server.shutdown()
    ((path, body),) = received
    assert path == "/v1/traces"
    assert b"Collected" in body
    assert b"m3core-gateway" in body


def test_without_the_sdk_an_endpoint_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(SettingsError, match=r"^M3_OTLP_ENDPOINT takes the extra: pip install "):
        tracing.configured("http://127.0.0.1:4318")


async def test_without_an_sdk_there_are_no_spans(anyone: Client) -> None:
    assert isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)
    assert tracing.configured() is None
    assert anyone.services.tracing is None


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("SELECT a FROM deals WHERE id = $1", ("SELECT", "deals")),
        ("INSERT INTO audit_logs (id) VALUES ($1)", ("INSERT", "audit_logs")),
        ("UPDATE users SET status = $1", ("UPDATE", "users")),
        ("delete from gateway.launches", ("DELETE", "gateway.launches")),
        ("SELECT 1", ("SELECT", "")),
    ],
)
def test_a_statement_is_named_by_its_verb_and_table(sql: str, found: tuple[str, str]) -> None:
    assert summary(sql) == found
