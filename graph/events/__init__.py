"""Events: what changed, in the one order that every feed tells it in; docs/events.md."""

from graph.events.event import Event, SlowConsumer

__all__ = ["Event", "SlowConsumer"]
