"""What a process tells about itself: logs, traces, and metrics next to Temporal's own."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TextIO

from temporalio import activity, workflow
from temporalio.client import Interceptor as ClientInterceptor
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig

from clients.logs import JsonFormatter, RedactingFormatter, said_about
from clients.settings import Settings
from clients.tracing import Tracing, current_trace_id, open_tracing
from clients.watch import Count, Watch

_CHATTY = ("httpx", "httpcore", "aiohttp.access", "stripe", "apprise", "alembic", "opentelemetry")
_FORMATTERS = {"text": RedactingFormatter, "json": JsonFormatter}


def configure_logging(level: str, stream: TextIO | None = None, form: str = "text") -> None:
    """Every logger of this process to `stream` (standard error), redacted; libraries from WARNING on.

    `form` is "text" or "json". Each record tells payment, run, connection and trace where they are known.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_FORMATTERS[form]())
    handler.addFilter(_tell_where)
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    # Our formatters say it, once.
    workflow.logger.workflow_info_on_message = False
    activity.logger.activity_info_on_message = False


def _tell_where(record: logging.LogRecord) -> bool:
    record.known = _where()
    return True


def _where() -> dict[str, str]:
    """What is known of the record that is made here and now."""
    known, workflow_id = said_about(), ""
    if activity.in_activity():
        info = activity.info()
        workflow_id, known["activity"] = info.workflow_id or "", info.activity_type
    elif workflow.in_workflow():
        workflow_id = workflow.info().workflow_id
    if workflow_id:
        kind, connection, thing = f"{workflow_id}::".split(":")[:3]
        known |= {"workflow_id": workflow_id, "connection": connection, f"{kind}_id": thing}
    if trace := current_trace_id():
        known["trace_id"] = trace
    return known


def make_runtime(metrics_address: str = "") -> Runtime:
    """Temporal's runtime for this process; with `metrics_address` (host:port) it serves `/metrics` there.

    One a process: it has its own threads. ValueError where the address cannot be bound.
    """
    metrics = PrometheusConfig(bind_address=metrics_address, durations_as_seconds=True) if metrics_address else None
    return Runtime(telemetry=TelemetryConfig(metrics=metrics))


@dataclass(frozen=True)
class Telemetry:
    """What one process tells of itself."""

    runtime: Runtime
    tracing: Tracing
    count: Count

    @property
    def interceptors(self) -> Sequence[ClientInterceptor]:
        """For the client."""
        return tracing_interceptors(self.tracing)

    def watch(self, connection: str) -> Watch:
        """Who sees the calls of one connection."""
        return Watch(connection, self.tracing, self.count)


def open_telemetry(settings: Settings, part: str, *, metrics_port: int = 0) -> Telemetry:
    """Metrics on `metrics_port` (0: none) and traces of the process `part`; the caller closes `tracing`."""
    tracing = open_tracing(settings.traces, part, file=settings.traces_path(), endpoint=settings.traces_endpoint)
    runtime = make_runtime(f"127.0.0.1:{metrics_port}" if metrics_port else "")
    return Telemetry(runtime, tracing, call_counter(runtime))


def call_counter(runtime: Runtime) -> Count:
    """Counts HTTP calls next to Temporal's metrics."""
    counter = runtime.metric_meter.create_counter("throughline_calls_total", "HTTP calls by what became of them")

    def count(connection: str, service: str, outcome: str) -> None:
        counter.add(1, {"connection": connection, "service": service, "outcome": outcome})

    return count


def tracing_interceptors(tracing: Tracing) -> Sequence[ClientInterceptor]:
    """What carries a trace through Temporal, for the plugin of client, worker and replayer; nothing where it is off."""
    if tracing.provider is None:
        return ()
    from temporalio.contrib.opentelemetry import TracingInterceptor

    return (TracingInterceptor(tracing.provider.get_tracer("throughline")),)
