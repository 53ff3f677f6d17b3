"""GraphiQL: one page and its files, built into `graph/graphiql/dist` and served from there alone."""

from pathlib import Path
from typing import Final

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

BUNDLE: Final = Path(__file__).parent.parent / "graphiql" / "dist"

HEADERS: Final = {
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "worker-src 'self'",
            "connect-src 'self'",
            # Monaco and React write styles into elements
            "style-src 'self' 'unsafe-inline'",
            "font-src 'self' data:",
            "img-src 'self' data:",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_MISSING: Final = (
    "This installation has no GraphiQL: it was made without its build. Operations are answered by POST.\n"
    "`make install` in the sources builds it, and so does installing the wheel.\n"
)


def page() -> Response:
    """The page, or words about why there is none."""
    path = BUNDLE / "index.html"
    if not path.exists():
        return PlainTextResponse(_MISSING, 404)
    # Its scripts' names change with every build: a kept page would ask for those of the last one.
    return FileResponse(path, headers={**HEADERS, "Cache-Control": "no-cache", "Vary": "Accept"})


def assets(bundle: Path = BUNDLE) -> list[Mount]:
    """The route of the page's files, if there are any."""
    folder = bundle / "assets"
    return [Mount("/graphql/assets", _Assets(directory=folder))] if folder.exists() else []


class _Assets(StaticFiles):
    """Files whose names hold a hash of what is in them, packed for whoever takes them so."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        headers = {
            **HEADERS,
            "Cache-Control": "public, max-age=31536000, immutable",
            "Vary": "Accept-Encoding",
        }
        response = await self._packed(path, scope)
        if response is None:
            response = await super().get_response(path, scope)
        else:
            headers["Content-Encoding"] = "gzip"
        response.headers.update(headers)
        return response

    async def _packed(self, path: str, scope: Scope) -> Response | None:
        if "gzip" not in Headers(scope=scope).get("accept-encoding", ""):
            return None
        try:
            return await super().get_response(f"{path}.gz", scope)
        except HTTPException as error:
            if error.status_code == 404:
                return None
            raise
