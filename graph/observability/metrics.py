"""What Prometheus reads of this process.

Operations come in by `Metrics.count`; everything else is looked at when somebody asks. docs/operations.md has
all of them in a table.

A client chooses the names of its operations, so a name becomes a label only where it is that of a trusted
document or among the first `MAX_OPERATION_NAMES` that somebody who was signed in has run; all others are
`(other)`. Each name costs some twenty lines of the exposition.
"""

import platform
from bisect import bisect_left
from collections.abc import Iterable
from importlib import metadata
from itertools import accumulate
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Info,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from db.session import Database
from graph.events.hub import Hub
from graph.http.live import Live
from graph.limits import MAX_OPERATION_NAMES, MAX_TRUSTED_NAMES
from graph.observability.operation import INVALID, Operation

UNNAMED: Final = "(unnamed)"
OTHER: Final = "(other)"
"""No names of GraphQL have parentheses."""

SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Buckets of the latency: from a look-up to the deadline."""

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each, which nobody asks for


_LABELS: Final = ("operation", "kind")


class _Series:
    """What is counted of the operations of one name and kind."""

    __slots__ = ("buckets", "cost", "seconds", "statements")

    def __init__(self) -> None:
        self.buckets = [0] * (len(SECONDS) + 1)
        self.seconds, self.statements, self.cost = 0.0, 0, 0

    def count(self, operation: Operation) -> None:
        self.buckets[bisect_left(SECONDS, operation.seconds)] += 1
        self.seconds += operation.seconds
        self.statements += operation.statements
        self.cost += operation.cost or 0


class _Operations(Collector):
    """Counts operations: a tenth of what it costs with the library's own, which are locked each time."""

    def __init__(self) -> None:
        self.series: dict[tuple[str, str], _Series] = {}

    def collect(self) -> Iterable[Metric]:
        seconds = HistogramMetricFamily(
            "m3_operation_duration_seconds", "From the request's parsed body to its answer.", labels=_LABELS
        )
        statements = CounterMetricFamily(
            "m3_operation_statements", "SQL statements, transaction control apart.", labels=_LABELS
        )
        cost = CounterMetricFamily("m3_operation_cost", "Cost as the limits count it.", labels=_LABELS)
        bounds = [*map(floatToGoString, SECONDS), "+Inf"]
        # A copy: this may run in a thread of its own
        for key, series in list(self.series.items()):
            counts = zip(bounds, accumulate(series.buckets), strict=True)
            seconds.add_metric(key, [*counts], series.seconds)
            statements.add_metric(key, series.statements)
            cost.add_metric(key, series.cost)
        return seconds, statements, cost


class Metrics:
    """The metrics of one process, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._operations = _Operations()
        self.registry.register(self._operations)
        self._errors = Counter(
            "m3_operation_errors",
            "Errors in answers, by extensions.code.",
            (*_LABELS, "code"),
            registry=self.registry,
        )
        Info("m3_build", "What is running.", registry=self.registry).info(
            {"version": metadata.version("m3core-gateway"), "python": platform.python_version()}
        )
        ProcessCollector(registry=self.registry)
        self._names: set[str] = set()

    def count(self, operation: Operation) -> None:
        """Count an operation that has ended."""
        key = (self._label(operation), operation.kind)
        series = self._operations.series.get(key)
        if series is None:
            series = self._operations.series[key] = _Series()
        series.count(operation)
        for code, number in operation.codes.items():
            self._errors.labels(*key, code).inc(number)

    def show(self, database: Database, hub: Hub, live: Live) -> None:
        """Show how busy the pools are, what is open, and how late events are, each when it is asked for."""
        self.registry.register(_Pools(database))
        for name, documentation, value in (
            ("m3_sockets", "WebSockets and event streams that are open.", lambda: len(live)),
            ("m3_subscriptions", "Subscriptions that are running.", lambda: hub.subscriptions),
            (
                "m3_event_outbox_age_seconds",
                "How long the oldest event has waited for its place in the log.",
                lambda: hub.outbox_age,
            ),
            (
                "m3_event_age_seconds",
                "How old the last event was when it was handed out.",
                lambda: hub.event_age,
            ),
            ("m3_event_silence_seconds", "How long ago this process has read the log.", lambda: hub.silence),
        ):
            Gauge(name, documentation, registry=self.registry).set_function(value)

    def _label(self, operation: Operation) -> str:
        name = operation.name
        if name is None or operation.kind == INVALID:
            return UNNAMED
        if name not in self._names:
            most = MAX_TRUSTED_NAMES if operation.trusted else MAX_OPERATION_NAMES
            anybody = operation.tenant_id is None and not operation.trusted
            if anybody or len(self._names) >= most:
                return OTHER
            self._names.add(name)
        return name


class _Pools(Collector):
    def __init__(self, database: Database) -> None:
        self._database = database

    def collect(self) -> Iterable[Metric]:
        labels = ["pool"]
        shown = {
            "size": GaugeMetricFamily("m3_pool_size", "Connections that the pool may open.", labels=labels),
            "opened": GaugeMetricFamily("m3_pool_opened", "Connections that are open.", labels=labels),
            "in_use": GaugeMetricFamily("m3_pool_in_use", "Connections in a transaction.", labels=labels),
            "waiting": GaugeMetricFamily(
                "m3_pool_waiting", "Transactions that wait for a connection.", labels=labels
            ),
        }
        for pool, usage in self._database.usage().items():
            for name, family in shown.items():
                family.add_metric([pool], getattr(usage, name))
        return shown.values()
