"""What the ingress counts, in a registry of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """Counters of webhook deliveries. Labels are bounded: a stranger cannot invent a connection or a type."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._events = Counter(
            "throughline_webhook_events",
            "Deliveries by connection, event type and what became of them",
            ("connection", "type", "outcome"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "throughline_webhook_answer_seconds",
            "From a delivery's head to its answer",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._in_flight = Gauge("throughline_webhook_in_flight", "Deliveries being answered", registry=self.registry)
        self._unremembered = Counter(
            "throughline_webhook_unremembered",
            "Deliveries that Temporal accepted and our store did not note",
            registry=self.registry,
        )

    def count(self, connection: str, type: str, outcome: str) -> None:
        """One more delivery of `connection` that ended as `outcome`."""
        self._events.labels(connection, type, outcome).inc()

    def unremembered(self) -> None:
        """One more acknowledged delivery that the store did not note."""
        self._unremembered.inc()

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Times one answer, and counts it as in flight."""
        with self._in_flight.track_inprogress(), self._seconds.time():
            yield

    def text(self) -> bytes:
        """Everything, in Prometheus' text format 0.0.4."""
        return generate_latest(self.registry)
