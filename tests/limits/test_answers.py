"""How large an answer may be: what is read once may stand in it many times."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from db import models
from graph import limits
from graph.errors import TooComplex
from graph.size import check_size
from tests.client import Client, signed_in
from tests.factories import insert

LONG = "x" * limits.MAX_LONG_TEXT
ALIASES = limits.MAX_ALIASES - 2
OFTEN = " ".join(f"a{n}: description" for n in range(ALIASES))
NAME = "n" * (limits.MAX_DOCUMENT - 500)
AT_MOST = limits.MAX_ANSWER_BYTES // (ALIASES * limits.MAX_LONG_TEXT)


async def activities(owner: AsyncConnection, tenant_id: UUID | None, count: int, **values: Any) -> UUID:
    """So many activities with a contact, whose lead has 200 kB of attributes; the contact's id."""
    contact = await insert(owner, models.Contact, tenant_id=tenant_id)
    of = {"tenant_id": tenant_id, "contact_id": contact["id"]}
    await insert(owner, models.Lead, attributes={"long": [LONG, LONG]}, **of)
    for _ in range(count):
        await insert(owner, models.Activity, **of, **values)
    return UUID(str(contact["id"]))


async def refused(reader: Client, query: str, **variables: Any) -> None:
    """The answer to `query` is one error about its size, and nothing else."""
    answer = await reader.ask(query, **variables)
    assert answer.keys() == {"errors"}
    (error,) = answer["errors"]
    assert "path" not in error
    said = error["extensions"]
    assert (said["code"], said["exceeded"], said["limit"]) == (
        "TOO_COMPLEX",
        "answer",
        limits.MAX_ANSWER_BYTES,
    )
    assert said["asked"] > limits.MAX_ANSWER_BYTES


async def test_a_text_counts_under_each_of_its_names(reader: Client, owner: AsyncConnection) -> None:
    await activities(owner, reader.tenant_id, AT_MOST, description=LONG)
    query = f"{{ activities(first: 20) {{ nodes {{ {OFTEN} }} }} }}"
    data = await reader.read(query)
    assert len(data["activities"]["nodes"]) == AT_MOST
    await activities(owner, reader.tenant_id, 1, description=LONG)
    await refused(reader, query)


async def test_characters_count_as_they_are_written(reader: Client, owner: AsyncConnection) -> None:
    await activities(owner, reader.tenant_id, 1, description="\x01" * limits.MAX_LONG_TEXT)
    await refused(reader, f"{{ activities(first: 20) {{ nodes {{ {OFTEN} }} }} }}")


JSON = " ".join(f"a{n}: attributes" for n in range(5))
WITHIN: dict[str, str] = {
    "a row under each that names it": "contact { leads(first: 1) { nodes { attributes } } }",
    "json under each of its names": f"contact {{ leads(first: 3) {{ nodes {{ {JSON} }} }} }}",
    "the name of a column": f"{NAME}: id",
    "the name of a row": f"{NAME}: contact {{ id }}",
    "the name of a list": f"contact {{ {NAME}: leads(first: 1) {{ totalCount }} }}",
    "the name of a cursor": f"contact {{ leads(first: 1) {{ edges {{ {NAME}: cursor }} }} }}",
}


@pytest.mark.parametrize("what", WITHIN)
async def test_what_stands_in_many_places_counts_in_each(
    reader: Client, owner: AsyncConnection, what: str
) -> None:
    await activities(owner, reader.tenant_id, 100)
    rows = (
        "activities(first: $first) {{ nodes {{ contact {{ activities(first: 10) {{ nodes {{ {} }} }} }} }} }}"
    )
    query = f"query ($first: Int!) {{{{ {rows} }}}}"
    await reader.read(query.format(WITHIN[what]), first=1)
    await refused(reader, query.format(WITHIN[what]), first=100)


async def test_errors_count_with_their_paths(anyone: Client, owner: AsyncConnection) -> None:
    tenant = await insert(owner, models.Tenant)
    reader = await signed_in(anyone, owner, tenant["id"], "activities.view")
    await activities(owner, reader.tenant_id, 100)
    rows = " ".join(f"a{n}: activities(first: 100) {{ nodes {{ ...Named }} }}" for n in range(4))
    await refused(reader, f"{{ {rows} }} fragment Named on Activity {{ {NAME}: contact {{ id }} }}")


CHANGE = f"""mutation ($id: ID!, $more: Boolean!) {{
  few: updateActivity(id: $id, input: {{subject: "few"}}) {{ activity {{ id }} }}
  much: updateActivity(id: $id, input: {{subject: "much"}}) {{ activity {{ id
    contact {{ activities(first: 10) @include(if: $more) {{ nodes {{ {OFTEN} }} }} }} }} }}
}}"""


async def test_a_mutation_with_too_much_to_tell_is_undone(reader: Client, owner: AsyncConnection) -> None:
    contact = await activities(owner, reader.tenant_id, AT_MOST + 1, description=LONG)
    activity = await insert(owner, models.Activity, tenant_id=reader.tenant_id, contact_id=contact)
    answer = await reader.ask(CHANGE, id=str(activity["id"]), more=True)
    assert answer["data"]["much"] is None
    assert answer["data"]["few"] is not None
    (error,) = answer["errors"]
    assert (error["path"], error["extensions"]["exceeded"]) == (["much"], "answer")
    subject = select(models.Activity.subject).where(models.Activity.id == activity["id"])
    assert await owner.scalar(subject) == "few"
    await reader.read(CHANGE, id=str(activity["id"]), more=False)
    assert await owner.scalar(subject) == "much"


BODIES: dict[str, Any] = {
    "nothing": {"data": None},
    "rows": {"data": {"a": [{"b": 1, "c": ["x", "y"]}, None, {"é": "\x01\"'é"}], "d": {}, "e": []}},
    "a row twice": {"data": [{"a": 1}] * 2},
    "what is written otherwise": {"at": datetime(2026, 1, 2, tzinfo=UTC), "id": str(uuid4())},
    "stored json": {"data": [{"a": orjson.Fragment('{"b": [1, 2]}')}]},
}


@pytest.mark.parametrize("what", BODIES)
async def test_the_size_is_that_of_the_json(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    body = BODIES[what]
    size = len(orjson.dumps(body, option=orjson.OPT_UTC_Z))
    assert await check_size(body) == size
    monkeypatch.setattr(limits, "MAX_ANSWER_BYTES", size + 9)
    assert await check_size(body, 9) == size + 9
    with pytest.raises(TooComplex):
        await check_size(body, 10)
