"""Functions that turn rows into the objects of an answer, compiled once per plan.

A dictionary display over the places of a row is the fastest way Python has to make an object: no call and
no look-up by name per scalar. The values are in the form of the answer already: PostgreSQL made them so.
"""

from typing import Any

import orjson
from sqlalchemy.dialects.postgresql import JSONB

from graph.engine.plan import ObjectPlan


def compile_build(plan: ObjectPlan, permissions: list[str]) -> Any:
    """`build(rows, children)`: the objects of `rows`; `children` is for each child a function of its key."""
    parts = []
    constants: dict[str, Any] = {"Fragment": orjson.Fragment, "permissions": permissions}
    table = plan.layout.table.table
    for place, (key, kind, detail) in enumerate(plan.entries):
        if kind == "constant":
            constants[f"constant{place}"] = detail
            value = f"constant{place}"
        elif kind == "permissions":
            value = "permissions"
        elif kind == "child":
            value = f"child{detail}(row[{plan.children[detail].key}])"
        elif isinstance(table.c[plan.layout.columns[detail][0]].type, JSONB):
            value = f"row[{detail}] and Fragment(row[{detail}])"
        else:
            value = f"row[{detail}]"
        parts.append(f"{key!r}: {value}")
    unpack = "".join(f"    child{place} = children[{place}]\n" for place in range(len(plan.children)))
    source = f"def build(rows, children):\n{unpack}    return [{{{', '.join(parts)}}} for row in rows]\n"
    # Nothing of a client's but response keys gets in here, and those as Python's own literals.
    exec(source, constants)  # noqa: S102
    return constants["build"]
