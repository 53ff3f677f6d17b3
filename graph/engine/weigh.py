"""How large an answer is at most: from its plan, and a look at the values that may be long.

It is far too much where a few values are long, and costs next to nothing; what may be too large by it is
measured by `graph.size`.
"""

from collections.abc import Callable, Iterable, Mapping
from operator import itemgetter
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from graph.engine.pages import Pages
from graph.engine.plan import Child, Entry, ObjectPlan
from graph.limits import LONG_TEXTS, MAX_TEXT
from graph.permissions import Permission

_BYTES: Final = 6
"""Bytes of a character in JSON, at most."""
_SHORT: Final = 50
"""Bytes of a number, a time or an id; of quotes, a comma and the like."""
_CURSOR: Final = 500
"""Bytes of a cursor, the text in it apart."""


class Weight(NamedTuple):
    """What an object of a plan weighs in bytes, and the places of what may be long, with the keys of each."""

    fixed: int
    long: list[tuple[Callable[[Any], Any], int]]


def at_most(
    plans: Iterable[ObjectPlan], rows: list[list[Any]], pages: Mapping[Child, Pages], times: int
) -> int:
    """The bytes of an answer in which no object stands more often than `times`."""
    total = 0
    for plan in plans:
        found = rows[plan.number]
        if found:
            weight = plan.weight
            if weight is None:
                weight = plan.weight = _weight(plan)
            total += weight.fixed
            for place, keys in weight.long:
                total += keys * _longest(map(place, found))
    for child, shown in pages.items():
        if child.source is not None and child.source.cursors:
            text = any(isinstance(column.type, sa.String) for column in shown.request.order.place)
            for place in shown.places if text else ():
                total += _cursors(child.entries) * 2 * _longest(map(itemgetter(place), shown.rows()))
    return total * times


def _longest(values: Iterable[Any]) -> int:
    """The bytes of the longest of the texts, or lists of texts; other values have none."""
    longest = 0
    for value in values:
        if isinstance(value, list):
            value = "".join(map(str, value)) + "   " * len(value)
        if isinstance(value, str) and len(value) > longest:
            longest = len(value)
    return longest * _BYTES


def _weight(plan: ObjectPlan) -> Weight:
    fixed, long = _SHORT, dict[int, int]()
    for key, kind, detail in plan.entries:
        fixed += len(key) + _SHORT
        if kind == "child":
            fixed += _names(plan.children[detail].entries)
        elif kind == "permissions":
            fixed += len(Permission) * _SHORT
        elif kind == "column":
            column = plan.source.target.table.c[plan.source.columns[detail]]
            if column.name in LONG_TEXTS or isinstance(column.type, JSONB | sa.ARRAY):
                long[detail] = long.get(detail, 0) + 1
            elif isinstance(column.type, sa.String) and "enum" not in column.info:
                fixed += 4 * min(column.type.length or MAX_TEXT, MAX_TEXT)
    return Weight(fixed, [(itemgetter(place), keys) for place, keys in long.items()])


def _names(entries: list[Entry]) -> int:
    """What a connection, its edges and its page's info weigh themselves."""
    found = 0
    for key, kind, detail in entries:
        found += len(key) + (_CURSOR if "ursor" in kind else _SHORT)
        found += _names(detail) if kind in ("edges", "pageInfo") else 0
    return found


def _cursors(entries: list[Entry]) -> int:
    return sum(
        _cursors(detail) if kind in ("edges", "pageInfo") else "ursor" in kind for _, kind, detail in entries
    )
