"""What Prometheus reads of this process.

Operations come in by `Metrics.count`; everything else is looked at when somebody asks. docs/operations.md has
all of them in a table.

A client chooses the names of its operations, so a name becomes a label only where it is that of a trusted
document or among the first `MAX_OPERATION_NAMES` that somebody who was signed in has run; all others are
`(other)`. Each name costs some twenty lines of the exposition.
"""

import platform
from collections.abc import Iterable
from importlib import metadata
from typing import Final, NamedTuple

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

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


class _Series(NamedTuple):
    """What is counted of the operations of one name and kind."""

    seconds: Histogram
    statements: Counter
    cost: Counter


class Metrics:
    """The metrics of one process, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels = ("operation", "kind")
        self._seconds = Histogram(
            "m3_operation_duration_seconds",
            "From the request's parsed body to its answer.",
            labels,
            buckets=SECONDS,
            registry=self.registry,
        )
        self._statements = Counter(
            "m3_operation_statements",
            "SQL statements, transaction control apart.",
            labels,
            registry=self.registry,
        )
        self._cost = Counter(
            "m3_operation_cost", "Cost as the limits count it.", labels, registry=self.registry
        )
        self._errors = Counter(
            "m3_operation_errors",
            "Errors in answers, by extensions.code.",
            (*labels, "code"),
            registry=self.registry,
        )
        Info("m3_build", "What is running.", registry=self.registry).info(
            {"version": metadata.version("m3core-gateway"), "python": platform.python_version()}
        )
        ProcessCollector(registry=self.registry)
        self._names: set[str] = set()
        self._series: dict[tuple[str, str], _Series] = {}

    def count(self, operation: Operation) -> None:
        """Count an operation that has ended."""
        key = (self._label(operation), operation.kind)
        series = self._series.get(key)
        if series is None:
            series = self._series[key] = _Series(
                self._seconds.labels(*key), self._statements.labels(*key), self._cost.labels(*key)
            )
        series.seconds.observe(operation.seconds)
        if operation.statements:
            series.statements.inc(operation.statements)
        if operation.cost:
            series.cost.inc(operation.cost)
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
