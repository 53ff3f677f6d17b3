"""What an operation costs: known before it runs, as far as it can be, and counted while it does.

    cost = 1 + 10 for each root mutation + the rows that it may read

`graph/admission/pricing.py` makes prices of documents; a price and the variables of a request make a cost.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from graph import limits
from graph.errors import TooComplex

Given = Mapping[str, Any]
"""The variables as the client gave them."""
Times = Callable[[Given], int]
Switches = tuple[tuple[str, bool], ...]
"""Variables, each with the value that `@include` or `@skip` wants it to have."""


@dataclass(frozen=True, slots=True)
class Rows:
    """`times` × (`own` and what is below), where the switches let it be."""

    own: int
    times: Times | None = None
    switches: Switches = ()
    below: tuple["Rows", ...] = ()

    def count(self, given: Given) -> int:
        """How many rows these may be."""
        if any(given.get(name) is not wanted for name, wanted in self.switches):
            return 0
        rows = self.own + sum(item.count(given) for item in self.below)
        return rows if self.times is None else rows * self.times(given)


@dataclass(slots=True)
class Cost:
    """What an operation costs; `rows` goes up as it runs."""

    requested: int = limits.OPERATION_COST
    """The most that it may cost: what is charged."""
    fixed: int = limits.OPERATION_COST
    """What of it is not rows."""
    rows: int = 0
    """Rows that were read so far."""
    remaining: int | None = None
    """What may still be asked for until the bucket is full again; None where there is none."""
    ahead: int = 0
    """What was charged already, when the document was read."""

    @property
    def spent(self) -> dict[str, int | None]:
        """`extensions.cost`."""
        return {"requested": self.requested, "actual": self.fixed + self.rows, "remaining": self.remaining}

    @property
    def explained(self) -> dict[str, int | None]:
        """The same where nothing was run."""
        return {**self.spent, "actual": 0}


@dataclass(frozen=True, slots=True)
class Price:
    """The price of an operation."""

    rows: Rows
    mutations: tuple[Times, ...]
    defaults: Given
    bulk: bool
    """Whether it has a bulk mutation."""
    most: int
    """How many rows it may read: at once, or for each event."""

    def of(self, given: Given | None) -> Cost:
        """The cost with these variables; TooComplex if more rows may be read than `most`."""
        variables = {**self.defaults, **(given or {})}
        rows = self.rows.count(variables)
        if rows > self.most:
            words = "rows that it may read, by the sizes of its pages"
            raise TooComplex("nodes", words, self.most, min(rows, 2**53))
        fixed = limits.OPERATION_COST + sum(times(variables) for times in self.mutations)
        return Cost(fixed + rows, fixed)
