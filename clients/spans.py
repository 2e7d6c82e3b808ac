"""Where finished spans go, redacted on the way. Importing this loads OpenTelemetry: only where traces are on."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import Status

from clients.logs import redact

# Long, and it repeats what the message and the span's name say.
_LEFT_OUT = ("exception.stacktrace",)


class Redacting(SpanExporter):
    """The last to touch a span: every text in it is redacted."""

    def __init__(self, inner: SpanExporter) -> None:
        self._inner = inner

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._inner.export([_clean(span) for span in spans])

    def shutdown(self) -> None:
        self._inner.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        return self._inner.force_flush(timeout_millis)


class ToFile(SpanExporter):
    """One JSON object a line, appended in one write, so that several processes may share the file."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        text = "".join(f"{span.to_json(indent=None)}\n" for span in spans)
        self._file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, text.encode())
        finally:
            os.close(descriptor)
        return SpanExportResult.SUCCESS


def exporter(kind: str, file: Path, endpoint: str) -> SpanExporter:
    """To the `file` where `kind` says so, else by OTLP to `endpoint`."""
    if kind == "file":
        return Redacting(ToFile(file))
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return Redacting(OTLPSpanExporter(endpoint=endpoint))


def _clean(span: ReadableSpan) -> ReadableSpan:
    events = [Event(event.name, _facts(event.attributes), event.timestamp) for event in span.events]
    said = redact(span.status.description) if span.status.description else None
    return ReadableSpan(
        name=redact(span.name),
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=_facts(span.attributes),
        events=events,
        links=span.links,
        kind=span.kind,
        status=Status(span.status.status_code, said),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _facts(attributes: Mapping[str, Any] | None) -> dict[str, Any]:
    return {
        name: redact(value) if isinstance(value, str) else value
        for name, value in (attributes or {}).items()
        if name not in _LEFT_OUT
    }
