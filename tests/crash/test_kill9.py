"""`kill -9` of the server under a load of mutations: what was answered is there, and nothing twice."""

import json
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from db.gateway import idempotency_records
from db.models import Company, Contact, Unit
from tests.client import running
from tests.crash.load import Job, Ledger, serving, work_off
from tests.mutations.scene import Scene
from tests.server import Urls, seeing_all

EACH = 60
"""Jobs of each kind."""
KILLED_AFTER = (50, 120)
"""Answers after which the server is killed."""

CREATE = """
mutation($input: CreateContactInput!) {
  done: createContact(input: $input) { row: contact { id name: fullName } errors { code } }
}
"""
CREATE_ALL = """
mutation($input: [CreateContactInput!]!) {
  done: createContacts(input: $input) { results { row: contact { id name: fullName } } errors { code } }
}
"""
RENAME = """
mutation($id: ID!, $input: UpdateCompanyInput!) {
  done: updateCompany(id: $id, input: $input) { row: company { id name } errors { code } }
}
"""
RESERVE = """
mutation($input: ReserveUnitInput!) {
  done: reserveUnit(input: $input) { row: unit { id name: status } errors { code } }
}
"""


@pytest.fixture
async def owner(scratch_database: Urls) -> AsyncIterator[AsyncConnection]:
    engine = seeing_all(scratch_database.owner)
    async with engine.connect() as connection:
        yield connection
    await engine.dispose()


@pytest.fixture
async def scene(scratch_database: Urls, owner: AsyncConnection, tmp_path: Path) -> AsyncIterator[Scene]:
    """A tenant whose user's token the served process takes, since it has the same keys."""
    async with running(scratch_database.gateway, tmp_path) as anyone:
        yield await Scene.make(anyone, owner)


async def jobs_for(scene: Scene) -> list[Job]:
    """Creates, creates of three at once, updates and steps of a state, in turn."""
    jobs = []
    for number in range(EACH):
        company, unit = await scene.insert(Company), await scene.insert(Unit)
        three = [{"fullName": f"one of three {number} {place}"} for place in range(3)]
        jobs += [
            Job(f"create {number}", CREATE, {"input": {"fullName": f"one {number}"}}),
            Job(f"create all {number}", CREATE_ALL, {"input": three}),
            Job(f"rename {number}", RENAME, {"id": str(company["id"]), "input": {"name": f"new {number}"}}),
            Job(f"reserve {number}", RESERVE, {"input": {"id": str(unit["id"])}}),
        ]
    return jobs


async def test_what_was_answered_is_there_and_nothing_twice(
    scene: Scene, scratch_database: Urls, tmp_path: Path
) -> None:
    jobs, ledger = await jobs_for(scene), Ledger()
    token = scene.client.token
    assert token is not None
    for answers in KILLED_AFTER:
        async with serving(scratch_database.gateway, tmp_path / "keys.json") as (process, base_url):

            def kill_after(process: Any = process, answers: int = answers) -> None:
                if len(ledger.answers) == answers:
                    process.kill()

            left = [job for job in jobs if job.key not in ledger.answers]
            await work_off(base_url, token, left, ledger, kill_after)
            assert await process.wait() == -9
        assert ledger.unanswered, "it was killed with requests under way"
    first = dict(ledger.answers)
    assert len(first) < len(jobs)

    async with serving(scratch_database.gateway, tmp_path / "keys.json") as (_, base_url):
        left = [job for job in jobs if job.key not in ledger.answers]
        await work_off(base_url, token, left, ledger, lambda: None)
        await everything_is_there_once(scene, jobs, ledger)
        again = Ledger()
        async with scene.unchanged():
            await work_off(base_url, token, jobs, again, lambda: None)
    assert again.answers == ledger.answers
    assert first.items() <= again.answers.items()


async def everything_is_there_once(scene: Scene, jobs: list[Job], ledger: Ledger) -> None:
    """The rows, the audit log and the client's ledger agree, row by row."""
    told: dict[str, str] = {}
    for job in jobs:
        answer = json.loads(ledger.answers[job.key])
        assert "errors" not in answer, (job.key, answer)
        done = answer["data"]["done"]
        assert done["errors"] == [], (job.key, answer)
        for result in done.get("results", [done]):
            told[result["row"]["id"]] = result["row"]["name"]
    contacts = {str(row["id"]): row["full_name"] for row in await scene.rows(Contact)}
    companies = {
        str(row["id"]): row["name"] for row in await scene.rows(Company) if row["name"].startswith("new ")
    }
    units = {str(row["id"]): row["status"].upper() for row in await scene.rows(Unit)}
    assert told == contacts | companies | units
    assert len(contacts) == len(set(contacts.values())) == 4 * EACH
    assert set(companies.values()) == {f"new {number}" for number in range(EACH)}
    assert set(units.values()) == {"RESERVED"}
    log = await scene.audit()
    assert Counter(str(row["entity_id"]) for row in log) == Counter(told.keys())
    assert Counter(row["action"] for row in log) == {
        "contact.create": 4 * EACH,
        "company.update": EACH,
        "unit.reserve": EACH,
    }
    kept = sa.select(sa.func.count()).select_from(idempotency_records)
    assert (await scene.owner.execute(kept)).scalar_one() == len(jobs)
