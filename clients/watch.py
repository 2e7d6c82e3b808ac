"""Who watches each HTTP call of a connection: a span where traces are kept, a count where metrics are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from clients.tracing import NO_TRACING, Exchange, Tracing

# Connection, service and what became of the call: the HTTP status, or "no-answer".
Count = Callable[[str, str, str], None]


def count_nothing(connection: str, service: str, outcome: str) -> None:
    """For who has no metrics."""


class Watch:
    """Sees the calls of one connection."""

    def __init__(self, connection: str = "", tracing: Tracing = NO_TRACING, count: Count = count_nothing) -> None:
        self._connection = connection
        self._tracing = tracing
        self._count = count

    @contextmanager
    def call(self, service: str, method: str, url: str) -> Iterator[Exchange]:
        """One call to `service`, "zoho" or "stripe"; the caller writes the answer's status down."""
        with self._tracing.call(service, method, url, connection=self._connection) as exchange:
            try:
                yield exchange
            finally:
                outcome = str(exchange.status) if exchange.status else "no-answer"
                self._count(self._connection, service, outcome)


UNWATCHED = Watch()
