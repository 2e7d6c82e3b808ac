"""What we tell about ourselves: logs without secrets or people, and Temporal's own metrics."""

from __future__ import annotations

import logging
import re
import sys
import time
from typing import TextIO

from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig

_MASKS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\b(sk|rk|pk|whsec)_[A-Za-z0-9_+/=-]{3,}"), r"\1_***"),
    (re.compile(r"(_secret_)[A-Za-z0-9]+"), r"\1***"),
    (re.compile(r"(?i)\b(Zoho-oauthtoken|Bearer|Basic)\s+[^\s,;\"']+"), r"\1 ***"),
    (re.compile(r"\b1000\.[0-9a-f]{20,}\.[0-9a-f]{20,}\b"), "1000.***"),
    (
        re.compile(
            r"(?i)\b(client_secret|refresh_token|access_token|api_key|password)(\\?[\"']?\s*[=:]\s*\\?[\"']?)"
            r"[^\s&,;\"'\\})]+"
        ),
        r"\1\2***",
    ),
    (re.compile(r"(://)[^\s/@:]*:[^\s/@]+@"), r"\1***@"),
    (re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@[\w-]+(?:\.[\w-]+)+"), "***@***"),
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x80-\x9f\u2028\u2029]")
_CHATTY = ("httpx", "httpcore", "aiohttp.access", "stripe", "apprise", "alembic")


def redact(text: str) -> str:
    """`text` with keys, tokens, passwords and e-mail addresses masked."""
    for pattern, mask in _MASKS:
        text = pattern.sub(mask, text)
    return text


class RedactingFormatter(logging.Formatter):
    """One line a record, in UTC; messages and tracebacks are redacted and carry no control characters.

    The formatter is the last to touch a line, so nothing that a record holds can pass beside it.
    """

    def __init__(self) -> None:
        self.converter = time.gmtime
        super().__init__("%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s %(message)s", "%Y-%m-%dT%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:
        """A stranger's line break must not begin a line of ours."""
        return super().formatMessage(record).replace("\n", "\\n")

    def format(self, record: logging.LogRecord) -> str:
        """The whole line."""
        return _CONTROL.sub("?", redact(super().format(record)))


def configure_logging(level: str, stream: TextIO | None = None) -> None:
    """Every logger of this process to `stream` (standard error), redacted; libraries from WARNING on."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(RedactingFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)


def make_runtime(metrics_address: str = "") -> Runtime:
    """Temporal's runtime for this process; with `metrics_address` (host:port) it serves `/metrics` there.

    One a process: it has its own threads. ValueError where the address cannot be bound.
    """
    metrics = PrometheusConfig(bind_address=metrics_address, durations_as_seconds=True) if metrics_address else None
    return Runtime(telemetry=TelemetryConfig(metrics=metrics))
