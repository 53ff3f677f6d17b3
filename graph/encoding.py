"""Answers in JSON."""

from typing import Any

import orjson


def encode(answer: Any) -> bytes:
    """An answer as it is sent; the engine leaves times in it as the driver has them, in UTC."""
    return orjson.dumps(answer, option=orjson.OPT_UTC_Z)
