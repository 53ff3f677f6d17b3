"""A fault of our own: the client gets a request id, the log gets the rest."""

from typing import Any
from unittest.mock import AsyncMock
from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection
from structlog.testing import capture_logs

from graph.engine.run import Run
from graph.loaders import Loaders
from tests.client import Client, signed_in
from tests.factories import make_tenant


@pytest.fixture
async def admin(stock: Client, owner: AsyncConnection) -> Client:
    """Somebody whose operations run in graphql-core, through the loaders that these tests break."""
    return await signed_in(stock, owner, await make_tenant(owner), "*")


async def test_what_goes_wrong_inside_is_told_to_the_log_alone(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = f"secret-{uuid4()}"

    async def fail(*_: Any) -> Any:
        raise RuntimeError(secret)

    monkeypatch.setattr(Loaders, "_load_one", fail)
    with capture_logs() as logged:
        response = await admin.post("{ viewer { permissions user { id } } plans { totalCount } }")
    assert secret not in response.text
    answer = response.json()
    assert answer["data"]["plans"]["totalCount"] >= 0
    (error,) = answer["errors"]
    request_id = error["extensions"].pop("requestId")
    assert error["extensions"] == {"code": "INTERNAL"}
    assert error["message"] == "Something went wrong here. The request id finds it in the log."
    assert error["path"] == ["viewer", "user"]
    (line,) = [line for line in logged if line["event"] == "field.failed"]
    assert (line["request_id"], line["log_level"]) == (request_id, "error")
    assert secret in str(line["exc_info"])


async def test_one_fault_is_one_line_however_many_fields_it_fails(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault = ValueError("shared")
    monkeypatch.setattr(Loaders, "page", AsyncMock(side_effect=fault))
    query = "{ a: deals { totalCount } b: deals { totalCount } }"
    with capture_logs() as logged:
        answers = [await admin.ask(query) for _ in range(2)]
    errors = [[error["extensions"] for error in answer["errors"]] for answer in answers]
    assert [[error["code"] for error in each] for each in errors] == [["INTERNAL"] * 2] * 2
    faults = [line for line in logged if line["event"] == "field.failed"]
    assert [line["exc_info"] for line in faults] == [fault] * 2
    ids = [line["request_id"] for line in faults]
    assert [[error["requestId"] for error in each] for each in errors] == [[each] * 2 for each in ids]
    assert ids[0] != ids[1]


async def test_where_the_engine_fails_graphql_core_answers(
    planned: Client, owner: AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = await signed_in(planned, owner, await make_tenant(owner), "*")
    fault = RuntimeError("a plan gone wrong")
    monkeypatch.setattr(Run, "read", AsyncMock(side_effect=fault))
    with capture_logs() as logged:
        assert await reader.read("{ deals { totalCount } }") == {"deals": {"totalCount": 0}}
    (line,) = logged
    assert (line["event"], line["log_level"], line["exc_info"]) == ("engine.failed", "error", True)
