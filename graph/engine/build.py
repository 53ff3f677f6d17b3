"""Functions that turn rows into the objects of an answer, compiled once per plan.

A dictionary display over the places of a row is the fastest way Python has to make an object: no call and
no look-up by name per scalar. The values are in the form of the answer already, PostgreSQL made them so;
only JSON, arrays and addresses are looked at one by one.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import INET, JSONB

from graph.engine.plan import ObjectPlan
from graph.stored import stored_json, stored_texts


def compile_build(plan: ObjectPlan, permissions: list[str]) -> Any:
    """`build(rows, children)`: the objects of `rows`; `children` is for each child a function of its key."""
    parts = []
    names: dict[str, Any] = {"json": stored_json, "texts": stored_texts, "permissions": permissions}
    for place, (key, kind, detail) in enumerate(plan.entries):
        if kind == "constant":
            names[f"constant{place}"] = detail
            value = f"constant{place}"
        elif kind == "permissions":
            value = "permissions"
        elif kind == "refused":
            value = "None"
        elif kind == "child":
            value = f"child{detail}(row[{plan.children[detail].key}])"
        else:
            value = _column(plan, detail)
        parts.append(f"{key!r}: {value}")
    unpack = "".join(f"    child{place} = children[{place}]\n" for place in range(len(plan.children)))
    source = f"def build(rows, children):\n{unpack}    return [{{{', '.join(parts)}}} for row in rows]\n"
    # Nothing of a client's but response keys gets in here, and those as Python's own literals.
    exec(source, names)  # noqa: S102
    return names["build"]


def _column(plan: ObjectPlan, place: int) -> str:
    stored = plan.source.target.table.c[plan.source.columns[place]].type
    if isinstance(stored, JSONB):
        return f"json(row[{place}])"
    if isinstance(stored, sa.ARRAY):
        return f"texts(row[{place}])"
    if isinstance(stored, INET):
        return f"row[{place}] and str(row[{place}])"
    return f"row[{place}]"
