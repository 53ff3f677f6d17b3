"""Connections put together: the rows of each parent's page, with edges, cursors and the page's info."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import chain, groupby
from operator import itemgetter
from typing import Any

from graph.connection import PageRequest
from graph.cursor import CursorScope
from graph.engine.plan import Child, Entry
from graph.size import MAX_AT_ONCE


@dataclass
class Pages:
    """The pages of one list by the key of the parent, None for a list without one."""

    request: PageRequest
    scope: CursorScope
    places: tuple[int, ...]
    slices: dict[Any, tuple[list[Any], bool]]
    """The rows of each page in the list's order, and whether there are more."""
    counts: Mapping[Any, int]

    def rows(self) -> list[Any]:
        """The rows of all pages, one after the other."""
        return list(chain.from_iterable(rows for rows, _ in self.slices.values()))

    def shown(self, parents: int) -> int:
        """Under so many parents at most so many rows are shown: some may have their key in common."""
        if parents <= len(self.slices):
            return sum(len(rows) for rows, _ in self.slices.values())
        return parents * max((len(rows) for rows, _ in self.slices.values()), default=0)

    def signer(self, key: Any) -> Callable[[Any], str]:
        """What makes the cursor of a row of the page under `key`."""
        sign, place = self.scope.under(key).signer(), itemgetter(*self.places)
        return lambda row: sign(place(row))


def slices(rows: Any, keys: list[Any], page: PageRequest) -> dict[Any, tuple[list[Any], bool]]:
    """What `statements.page` found, by the parents' `keys`; without parents that is None alone."""
    by_key: dict[Any, list[Any]] = {key: [] for key in keys}
    if len(keys) == 1:
        by_key[keys[0]] = rows
    else:
        for key, of_parent in groupby(rows, itemgetter(-1)):
            by_key[key] += of_parent
    found = {}
    for key, listed in by_key.items():
        more = len(listed) > page.limit
        if more:
            del listed[page.limit :]
        if page.backwards:
            listed.reverse()
        found[key] = (listed, more)
    return found


async def connections(child: Child, pages: Pages, made: list[list[Any]]) -> dict[Any, Any]:
    """The connections of a list by the parent's key; `made` are the objects of each object plan."""
    every = child.asks("edges", "cursor")
    ends = child.asks("pageInfo", "startCursor", "endCursor")
    found: dict[Any, Any] = {}
    start, since = 0, 0
    for key, (rows, more) in pages.slices.items():
        end = start + len(rows)
        placed = rows if every else [rows[0], rows[-1]] if ends and rows else []
        cursors = list(map(pages.signer(key), placed)) if placed else []
        connection: dict[str, Any] = {}
        for name, kind, detail in child.entries:
            if kind == "nodes":
                connection[name] = made[detail.number][start:end]
            elif kind == "edges":
                connection[name] = _edges(detail, made, start, end, cursors)
            elif kind == "pageInfo":
                connection[name] = _page_info(detail, pages.request, more, cursors)
            elif kind == "totalCount":
                connection[name] = pages.counts.get(key, 0)
            else:
                connection[name] = detail
        found[key] = connection
        start = end
        if end - since > MAX_AT_ONCE:
            since = end
            await asyncio.sleep(0)
    return found


def _edges(
    entries: list[Entry], made: list[list[Any]], start: int, end: int, cursors: list[str]
) -> list[dict[str, Any]]:
    columns = [
        made[detail.number][start:end]
        if kind == "node"
        else cursors
        if kind == "cursor"
        else [detail] * (end - start)
        for _, kind, detail in entries
    ]
    names = [name for name, _, _ in entries]
    return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]


def _page_info(entries: list[Entry], page: PageRequest, more: bool, cursors: list[str]) -> dict[str, Any]:
    info: dict[str, Any] = {}
    for name, kind, detail in entries:
        if kind == "hasNextPage":
            info[name] = page.before is not None if page.backwards else more
        elif kind == "hasPreviousPage":
            info[name] = more if page.backwards else page.after is not None
        elif kind == "startCursor":
            info[name] = cursors[0] if cursors else None
        elif kind == "endCursor":
            info[name] = cursors[-1] if cursors else None
        else:
            info[name] = detail
    return info
