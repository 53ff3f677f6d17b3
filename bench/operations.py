"""What it costs to watch an operation: `python -m bench.operations`, in nanoseconds of CPU for each."""

import logging as standard
import os
import sys
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Final
from uuid import uuid4

from graph.observability import logging, operation
from graph.observability.metrics import Metrics
from graph.observability.operation import Operation, observed
from graph.settings import Settings

ROUNDS: Final = 7
TIMES: Final = 20_000
STATEMENTS: Final = 3
LOGGER: Final = standard.getLogger(operation.__name__)


def nanoseconds(act: Callable[[], object]) -> float:
    """The CPU time of `act`, the least of several rounds."""
    found = []
    for _ in range(ROUNDS):
        began = time.process_time_ns()
        for _ in range(TIMES):
            act()
        found.append((time.process_time_ns() - began) / TIMES)
    return min(found)


def main() -> None:
    """Print what counting, logging and the observer cost."""
    sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  # the log's, until the end
    logging.configure(Settings())
    metrics, tenant, request = Metrics(), uuid4(), uuid4().hex
    done = Operation(request_id=request, name="Deals", kind="query", tenant_id=tenant, statements=STATEMENTS)
    done.seconds = 0.0123

    def watched(services: Any) -> Callable[[], None]:
        def run() -> None:
            context: Any = SimpleNamespace(
                operation=Operation(name="Deals", kind="query"),
                services=services,
                request_id=request,
                tenant_id=tenant,
                trace={},
            )
            with observed(context) as seen:
                for _ in range(STATEMENTS):
                    seen.ended(seen.began("SELECT 1"), None)

        return run

    services = SimpleNamespace(metrics=metrics, tracing=None)
    print(f"metrics                              {nanoseconds(lambda: metrics.count(done)):8.0f} ns")
    everything = nanoseconds(watched(services))
    LOGGER.setLevel(standard.WARNING)
    quiet = nanoseconds(watched(services))
    print(f"all but the log, {STATEMENTS} statements         {quiet:8.0f} ns")
    print(f"the log's line                       {everything - quiet:8.0f} ns")


if __name__ == "__main__":
    main()
