"""How large an answer is at most: by its plan, how often objects stand in it, and the longest of their texts.

It is too much where a few values are long, and costs little; what may be too large by it is measured by
`graph.size`.
"""

from collections.abc import Callable, Iterable, Mapping
from operator import itemgetter
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from graph.engine.pages import Pages
from graph.engine.plan import Child, Entry, ObjectPlan
from graph.permissions import Permission

_BYTES: Final = 6
"""Bytes of a character in JSON, at most."""
_SHORT: Final = 50
"""Bytes of a number, a time or an id; of quotes, a comma and the like."""
_CURSOR: Final = 500
"""Bytes of a cursor, the text in it apart."""


class Weight(NamedTuple):
    """What an object of a plan weighs in bytes, its texts apart."""

    fixed: int
    texts: list[tuple[Callable[[Iterable[Any]], int], int]]
    """What the longest text of a column weighs in some rows, and how often an object has it."""


def at_most(
    plans: Iterable[ObjectPlan],
    rows: list[list[Any]],
    pages: Mapping[Child, Pages],
    nodes: Mapping[Child, list[Any]],
    most: int,
) -> int:
    """The bytes of an answer in which the objects of no plan stand more often than `most` together."""
    total = 0
    # How often objects of a plan stand there, and how often one of them, at most
    stand, same = {0: 1}, {0: 1}
    for plan in plans:
        found = rows[plan.number]
        if not found or plan.number not in stand:
            continue
        if plan.weight is None:
            plan.weight = _weight(plan)
        weight = plan.weight.fixed + sum(keys * longest(found) for longest, keys in plan.weight.texts)
        here, again = stand[plan.number], same[plan.number]
        total += here * weight
        for child in plan.children:
            times = each = here
            if child in pages:
                times, each = min(most, pages[child].shown(len(found)) * again), again
                total += (here + times) * _page(child, pages[child])
            elif child in nodes:
                times = each = min(most, len(nodes[child]))
            for below in child.below():
                stand[below.number], same[below.number] = times, each
    return total


def _longest(place: int, column: sa.Column[Any]) -> Callable[[Iterable[Any]], int]:
    """What finds the bytes of the longest value of a column in rows; what is null has none."""
    at, size = itemgetter(place), _texts if isinstance(column.type, sa.ARRAY) else len
    return lambda rows: _BYTES * max(map(size, filter(None, map(at, rows))), default=0)


def _texts(value: list[Any]) -> int:
    return sum(3 + len(str(text)) for text in value)


def _page(child: Child, pages: Pages) -> int:
    """What edges and the info of a page weigh: with the texts in their cursors, if there are any."""
    if child.source is None or not child.source.cursors:
        return _names(child.entries)
    longest = 0
    for place, column in zip(pages.places, pages.request.order.place, strict=True):
        if isinstance(column.type, sa.String):
            longest += _longest(place, column)(pages.rows())
    return _names(child.entries) + _cursors(child.entries) * 2 * longest


def _weight(plan: ObjectPlan) -> Weight:
    fixed, texts, columns = _SHORT, dict[int, int](), plan.source.target.table.c
    for key, kind, detail in plan.entries:
        fixed += len(key) + _SHORT
        if kind == "permissions":
            fixed += len(Permission) * _SHORT
        elif kind == "column":
            column = columns[plan.source.columns[detail]]
            if isinstance(column.type, sa.String | JSONB | sa.ARRAY) and "enum" not in column.info:
                texts[detail] = texts.get(detail, 0) + 1
    longest = [(_longest(place, columns[plan.source.columns[place]]), keys) for place, keys in texts.items()]
    return Weight(fixed, longest)


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
