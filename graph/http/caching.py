"""Answers that a client, or a cache on the way, may keep: those of trusted documents asked for by GET.

Such a URL names the document for good, so that the same URL is the same question. What the answer to it is
depends on who asks and may change at any time: whoever kept it asks again whether it is still the same.
"""

import hashlib
from typing import Any, Final

import orjson

from graph.encoding import encode
from graph.execution import Answer
from graph.http.body import GraphQLRequest
from graph.http.head import Head

PUBLIC_SECONDS: Final = 60
"""How long an answer to nobody in particular may be given out without asking again."""


def cached(head: Head, asked: GraphQLRequest, given: Answer) -> Answer:
    """`given` with what caches need to know, or 304 if the client has it already."""
    if not asked.by_get or asked.document_id is None or asked.explain or given.status != 200:
        return given
    body: dict[str, Any] = orjson.loads(given.body) if isinstance(given.body, bytes) else given.body
    if "errors" in body:
        return given
    # Weak: `extensions` tell what the client has left to spend, which is another thing each time.
    tag = f'W/"{hashlib.sha256(encode(body["data"])).hexdigest()[:32]}"'
    signed_in = "authorization" in head.headers
    headers = {
        "Cache-Control": "private, no-cache" if signed_in else f"public, max-age={PUBLIC_SECONDS}",
        "ETag": tag,
        "Vary": "Accept, Authorization",
        **(given.headers or {}),
    }
    known = [name.strip() for name in head.headers.get("if-none-match", "").split(",")]
    if tag in known or "*" in known:
        return Answer(304, b"", headers)
    return given._replace(headers=headers)
