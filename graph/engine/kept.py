"""The SQL of all plans, kept while there is room: filters make any number of statements of a plan."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from db.compiled import Statement
from graph import limits

_EACH = 1000
"""Bytes that a statement takes beside its texts."""


class Statements:
    """The statements used last."""

    def __init__(self) -> None:
        self._known: OrderedDict[Any, tuple[Statement, int]] = OrderedDict()
        self.size = 0
        """The bytes of memory that they take, about."""

    def get(self, source: int, words: Any, make: Callable[[], Statement]) -> Statement:
        """The statement of a source, made now or before; `words` are what it depends on besides."""
        key = source, words
        kept = self._known.get(key)
        if kept is not None:
            self._known.move_to_end(key)
            return kept[0]
        made = make()
        size = _EACH + len(made.sql) + 2 * len(repr((words, made.own)))
        self._known[key] = made, size
        self.size += size
        while self.size > limits.MAX_STATEMENTS_BYTES:
            _, (_, oldest) = self._known.popitem(last=False)
            self.size -= oldest
        return made
