"""Traces: spans of webhooks and HTTP calls that say what and how long, and never about whom.

OpenTelemetry is loaded where traces are switched on, and nowhere else.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

_NAME = "throughline"


@dataclass
class Exchange:
    """One request and its answer; `status` 0 while there is none."""

    status: int = 0


class Tracing:
    """The spans of this process; without a provider it makes none, at no cost."""

    def __init__(self, provider: TracerProvider | None = None) -> None:
        self.provider = provider
        self._tracer = provider.get_tracer(_NAME) if provider else None

    @contextmanager
    def webhook(self, route: str, **about: str) -> Iterator[Exchange]:
        """A span of a delivery that we answer."""
        with self._span(f"POST {route}", "SERVER", {"http.route": route, **about}) as exchange:
            yield exchange

    @contextmanager
    def call(self, service: str, method: str, url: str, **about: str) -> Iterator[Exchange]:
        """A span of a call of ours; of the address' query only the names are kept."""
        facts = {"http.request.method": method.upper(), "url.full": without_values(url), **about}
        with self._span(f"{method.upper()} {service}", "CLIENT", facts) as exchange:
            yield exchange

    def close(self) -> None:
        """Hand over what is left."""
        if self.provider is not None:
            self.provider.shutdown()

    @contextmanager
    def _span(self, name: str, kind: str, facts: Mapping[str, str]) -> Iterator[Exchange]:
        exchange = Exchange()
        if self._tracer is None:
            yield exchange
            return
        from opentelemetry.trace import SpanKind, Status, StatusCode

        # Of an exception only its type: its text may hold an address.
        with self._tracer.start_as_current_span(
            name, kind=SpanKind[kind], attributes=dict(facts), record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield exchange
            except BaseException as error:
                span.set_attribute("error.type", type(error).__name__)
                span.set_status(Status(StatusCode.ERROR))
                raise
            finally:
                if exchange.status:
                    span.set_attribute("http.response.status_code", exchange.status)
                if exchange.status >= (400 if kind == "CLIENT" else 500):
                    span.set_status(Status(StatusCode.ERROR))


NO_TRACING = Tracing()


def without_values(url: str) -> str:
    """An address without user, fragment and the values of its query, in which people's e-mails stand."""
    parts = urlsplit(url)
    names = "&".join(f"{name}=***" for name, _ in parse_qsl(parts.query, keep_blank_values=True))
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}" + (f"?{names}" if names else "")


def current_trace_id() -> str:
    """The 32 hex digits of the trace that is being made here, "" where there is none."""
    api = sys.modules.get("opentelemetry.trace")  # nobody makes a trace where nobody loaded it
    context = api.get_current_span().get_span_context() if api else None
    return f"{context.trace_id:032x}" if context is not None and context.is_valid else ""


def open_tracing(kind: str, part: str, *, file: Path, endpoint: str) -> Tracing:
    """Traces of the process `part`, as the setting `traces` says: "off", to a "file" of JSON lines, or by "otlp"."""
    if kind == "off":
        return NO_TRACING
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    from clients.spans import exporter

    provider = TracerProvider(resource=Resource.create({"service.name": f"{_NAME}-{part}"}))
    provider.add_span_processor(BatchSpanProcessor(exporter(kind, file, endpoint)))
    return Tracing(provider)
