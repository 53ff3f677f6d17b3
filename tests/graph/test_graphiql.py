"""GraphiQL's page and files: what they may do in a browser, how long they are kept, what is not served."""

import gzip
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from graph.http import graphiql
from tests.client import Client, running
from tests.server import Urls

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
SCRIPT = b"console.log('a script')"


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    assets = tmp_path / "dist" / "assets"
    assets.mkdir(parents=True)
    (tmp_path / "dist" / "index.html").write_text("<!doctype html><title>M3Core GraphiQL</title>")
    (assets / "index-1a2b.js").write_bytes(SCRIPT)
    (assets / "index-1a2b.js.gz").write_bytes(gzip.compress(SCRIPT))
    (assets / "icons-3c4d.svg").write_bytes(b"<svg/>")
    return tmp_path / "dist"


def over(bundle: Path) -> httpx.AsyncClient:
    """A client of nothing but the files."""
    transport = httpx.ASGITransport(Starlette(routes=graphiql.assets(bundle)))
    return httpx.AsyncClient(transport=transport, base_url="http://gateway.test")


async def test_the_page_runs_its_own_scripts_alone(
    anyone: Client, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graphiql, "BUNDLE", bundle)
    async with anyone.http() as http:
        response = await http.get("/graphql", headers=BROWSER)
    assert response.status_code == 200
    assert "M3Core GraphiQL" in response.text
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["cache-control"] == "no-cache"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "no-referrer"
    policy = dict(part.split(" ", 1) for part in response.headers["content-security-policy"].split("; "))
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "worker-src": "'self'",
        "connect-src": "'self'",
        "style-src": "'self' 'unsafe-inline'",
        "font-src": "'self' data:",
        "img-src": "'self' data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }


async def test_an_installation_without_the_bundle_says_so(
    anyone: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graphiql, "BUNDLE", tmp_path)
    async with anyone.http() as http:
        response = await http.get("/graphql", headers=BROWSER)
    assert response.status_code == 404
    assert "This installation has no GraphiQL" in response.text
    assert graphiql.assets(tmp_path) == []


async def test_there_is_no_page_where_the_setting_says_so(urls: Urls, tmp_path: Path) -> None:
    async with running(urls.gateway, tmp_path, graphiql=False) as client, client.http() as http:
        response = await http.get("/graphql", headers=BROWSER)
        assert "html" not in response.headers["content-type"]
        paths = [getattr(route, "path", "") for route in client.app.routes]
    assert "/graphql/assets" not in paths


async def test_files_are_kept_for_good(bundle: Path) -> None:
    async with over(bundle) as http:
        response = await http.get("/graphql/assets/index-1a2b.js", headers={"Accept-Encoding": "identity"})
    assert response.content == SCRIPT
    assert response.headers["content-type"].startswith("text/javascript")
    assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert response.headers["vary"] == "Accept-Encoding"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "content-encoding" not in response.headers


async def test_files_come_packed_to_who_takes_them_so(bundle: Path) -> None:
    async with over(bundle) as http:
        packed = await http.get("/graphql/assets/index-1a2b.js", headers={"Accept-Encoding": "br, gzip"})
        plain = await http.get("/graphql/assets/icons-3c4d.svg", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["content-type"].startswith("text/javascript")
    assert packed.content == SCRIPT
    assert plain.content == b"<svg/>"
    assert "content-encoding" not in plain.headers


@pytest.mark.parametrize("path", ["none.js", "../index.html", "%2e%2e/index.html", ""])
async def test_nothing_else_is_served(bundle: Path, path: str) -> None:
    async with over(bundle) as http:
        assert (await http.get(f"/graphql/assets/{path}")).status_code == 404
