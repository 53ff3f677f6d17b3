"""Every operator on every kind of column, against what Python says about the same rows."""

import random
from collections.abc import Callable, Sequence
from typing import Any, Final, cast
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from db import models
from db.base import Base
from graph.inputs import camel_case
from graph.limits import MAX_FILTER_DEPTH, MAX_ROOT_FIELDS
from tests.client import Client, signed_in
from tests.factories import insert, make_tenant
from tests.graph.kinds import EQUALITY, KINDS, TEXT, Kind, holds

ROWS: Final = 40
SEED: Final = 20261102


async def fill(
    owner: AsyncConnection, model: type[Base], column: str, values: Sequence[Any]
) -> tuple[UUID, dict[str, Any]]:
    """A new tenant with a row for each of `values` under the same parents; the values by the rows' ids."""
    tenant = await make_tenant(owner)
    table = cast(sa.Table, model.__table__)
    parents = {c.name for key in table.foreign_key_constraints for c in key.columns}
    shared: dict[str, Any] = {"tenant_id": tenant}
    found = {}
    for value in values:
        row = await insert(owner, model, **{**shared, column: value})
        shared |= {name: row[name] for name in parents}
        found[str(row["id"])] = value
    return tenant, found


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.root}.{kind.column}")
async def test_an_operator_matches_the_rows_that_it_says(
    anyone: Client, owner: AsyncConnection, kind: Kind
) -> None:
    chance = random.Random(SEED)  # noqa: S311 - the same cases in every run
    values = [*kind.stored, *chance.choices(kind.stored, k=ROWS - len(kind.stored))]
    tenant, stored = await fill(owner, kind.model, kind.column, values)
    reader = await signed_in(anyone, owner, tenant, "*")
    cases = [(name, operand) for name in kind.operators for operand in kind.operands(name, chance)]
    filters = {
        f"f{n}": {camel_case(kind.column): {name: sent(kind, name, it)}} for n, (name, it) in enumerate(cases)
    }
    found = await matches(reader, kind.root, kind.model, filters)
    expected = {
        f"f{n}": {i for i, value in stored.items() if holds(name, value, it)}
        for n, (name, it) in enumerate(cases)
    }
    wrong = [case for n, case in enumerate(cases) if found[f"f{n}"] & stored.keys() != expected[f"f{n}"]]
    assert wrong == []
    assert any(expected.values())
    # What a condition leaves out, its opposite finds: a row without a value is in exactly one of them
    opposite = await matches(
        reader, kind.root, kind.model, {name: {"not": it} for name, it in filters.items()}
    )
    assert {name: stored.keys() - rows for name, rows in opposite.items()} == expected


def sent(kind: Kind, operator: str, operand: Any) -> Any:
    """An operand as a variable has it."""
    if isinstance(operand, list) and operator in ("in", "notIn"):
        return [kind.given(value) for value in operand]
    return operand if operator == "isNull" else kind.given(operand)


async def matches(
    reader: Client, field: str, model: type[Base], filters: dict[str, Any]
) -> dict[str, set[str]]:
    """The ids that each filter finds, asked for as many at a time as one operation may."""
    names = list(filters)
    found: dict[str, Any] = {}
    for start in range(0, len(names), MAX_ROOT_FIELDS):
        some = names[start : start + MAX_ROOT_FIELDS]
        given = ", ".join(f"${name}: {model.__name__}Filter" for name in some)
        read = " ".join(f"{name}: {field}(first: 100, filter: ${name}) {{ nodes {{ id }} }}" for name in some)
        found |= await reader.read(f"query ({given}) {{ {read} }}", **{name: filters[name] for name in some})
    return {name: {node["id"] for node in page["nodes"]} for name, page in found.items()}


Predicate = Callable[[dict[str, Any]], bool]


class Trees:
    """Filters of leads at random, with what each says of a row."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - the same cases in every run

    def filter(self, depth: int = 1) -> tuple[dict[str, Any], Predicate]:
        """A filter object: all that it says holds."""
        names = ["score", "sourceCode", "tags", "statusCode"]
        if depth < MAX_FILTER_DEPTH:
            names += ["and", "or", "not", "company"] * 2
        chosen = dict.fromkeys(self.chance.choices(names, k=self.chance.choice([0, 1, 1, 2, 3])))
        parts = {name: self.part(name, depth) for name in chosen}
        predicates = [predicate for _, predicate in parts.values()]
        return {name: given for name, (given, _) in parts.items()}, lambda row: all(
            p(row) for p in predicates
        )

    def part(self, name: str, depth: int) -> tuple[Any, Predicate]:
        """One entry of a filter object."""
        if name == "company":
            return self.company()
        if name == "not":
            given, predicate = self.filter(depth + 1)
            return given, lambda row: not predicate(row)
        if name in ("and", "or"):
            every = [self.filter(depth + 1) for _ in range(self.chance.choice([0, 1, 2, 2, 3]))]
            join = all if name == "and" else any
            return [given for given, _ in every], lambda row: join(predicate(row) for _, predicate in every)
        kind = LEADS[name]
        operator = self.chance.choice(kind.operators)
        operand = self.chance.choice(kind.operands(operator, self.chance))
        return {operator: sent(kind, operator, operand)}, lambda row: holds(operator, row[name], operand)

    def company(self) -> tuple[Any, Predicate]:
        """A condition on the company, which a row without one does not meet."""
        operator, operand = self.chance.choice(CITIES)
        given: dict[str, Any] = {"city": {operator: operand}}
        if self.chance.random() < 0.2:
            return {}, lambda row: row["company"] is not None
        return given, lambda row: row["company"] is not None and holds(operator, row["company"][0], operand)


CITIES: Final[list[tuple[str, Any]]] = [("eq", "Cairo"), ("ne", "Cairo"), ("isNull", True)]
LEADS = {camel_case(kind.column): kind for kind in KINDS if kind.root == "leads"} | {
    "statusCode": Kind(
        "leads", models.Lead, "status_code", ("new", "won"), (*EQUALITY, *TEXT), ["", "NEW", "%"]
    )
}


async def test_conditions_nest(anyone: Client, owner: AsyncConnection) -> None:
    trees = Trees(SEED)
    tenant = await make_tenant(owner)
    companies: list[tuple[Any, Any]] = [(None, None)]
    for city in ("Cairo", "Giza", None):
        row = await insert(owner, models.Company, tenant_id=tenant, city=city)
        companies.append((row["id"], [city]))
    rows: dict[str, dict[str, Any]] = {}
    for _ in range(ROWS):
        values = {
            name: trees.chance.choice(LEADS[name].stored)
            for name in ("score", "sourceCode", "tags", "statusCode")
        }
        company_id, city = trees.chance.choice(companies)
        row = await insert(
            owner,
            models.Lead,
            tenant_id=tenant,
            company_id=company_id,
            **{LEADS[name].column: value for name, value in values.items()},
        )
        rows[str(row["id"])] = {**values, "company": city}
    reader = await signed_in(anyone, owner, tenant, "*")
    cases = {f"f{number}": trees.filter() for number in range(200)}
    found: dict[str, set[str]] = {}
    for start in range(0, len(cases), 50):
        some = {name: given for name, (given, _) in list(cases.items())[start : start + 50]}
        found |= await matches(reader, "leads", models.Lead, some)
    expected = {
        name: {i for i, row in rows.items() if predicate(row)} for name, (_, predicate) in cases.items()
    }
    assert [
        (cases[name][0], found[name] ^ expected[name]) for name in cases if found[name] != expected[name]
    ] == []
    sizes = {len(found) for found in expected.values()}
    assert {0, ROWS} < sizes
    assert len(sizes) > 15, "cases that tell the rows apart"
