"""Functions that turn rows into the objects of an answer, compiled once per plan.

They take the rows apart into columns: what the answer has in another form (big numbers as text, enums in
capitals) is changed by `map`, without a call of Python's. A dictionary display then makes each object.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import INET, JSONB

from graph.engine.plan import ObjectPlan
from graph.stored import stored_json, stored_texts


def compile_build(plan: ObjectPlan, permissions: list[str]) -> Any:
    """`build(rows, children)`: the objects of some `rows`; `children` are functions of keys, one a child."""
    names: dict[str, Any] = {"json": stored_json, "texts": stored_texts, "permissions": permissions}
    parts, columns = [], {}
    for place, (key, kind, detail) in enumerate(plan.entries):
        value = f"value{place}"
        if kind == "constant":
            names[value] = detail
        elif kind == "permissions":
            value = "permissions"
        elif kind == "refused":
            value = "None"
        elif kind == "child":
            columns[value] = f"map(children[{detail}], column[{plan.children[detail].key}])"
        else:
            columns[value] = _column(plan, detail)
        parts.append(f"{key!r}: {value}")
    each = f"({', '.join(columns)},) in zip({', '.join(columns.values())})" if columns else "_ in rows"
    source = (
        "def build(rows, children):\n"
        "    column = list(zip(*rows))\n"
        f"    return [{{{', '.join(parts)}}} for {each}]\n"
    )
    # Nothing of a client's but response keys gets in here, and those as Python's own literals.
    exec(source, names)  # noqa: S102
    return names["build"]


def _column(plan: ObjectPlan, place: int) -> str:
    stored, column = plan.source.target.table.c[plan.source.columns[place]], f"column[{place}]"
    if isinstance(stored.type, JSONB):
        return f"map(json, {column})"
    if isinstance(stored.type, sa.ARRAY):
        return f"map(texts, {column})"
    if "enum" in stored.info:
        change = "str.upper"
    elif isinstance(stored.type, sa.BigInteger | INET):
        change = "str"
    else:
        return column
    if stored.nullable:
        return f"[None if value is None else {change}(value) for value in {column}]"
    return f"map({change}, {column})"
