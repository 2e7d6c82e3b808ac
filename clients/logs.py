"""Log lines without secrets or people: as text for eyes, as JSON for machines."""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from domain.cards import mask_cards

_SECRET_NAMES = r"client_secret|refresh_token|access_token|api_key|password"
_MASKS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\b(sk|rk|pk|whsec)_[A-Za-z0-9_+/=-]{3,}"), r"\1_***"),
    (re.compile(r"(_secret_)[A-Za-z0-9]+"), r"\1***"),
    (re.compile(r"(?i)\b(Zoho-oauthtoken|Bearer|Basic)\s+[^\s,;\"']+"), r"\1 ***"),
    (re.compile(r"\b1000\.[0-9a-f]{20,}\.[0-9a-f]{20,}\b"), "1000.***"),
    (re.compile(rf"(?i)\b({_SECRET_NAMES})(\\?[\"']?\s*[=:]\s*\\?[\"']?)[^\s&,;\"'\\}})]+"), r"\1\2***"),
    (re.compile(r"(://)[^\s/@:]*:[^\s/@]+@"), r"\1***@"),
    (re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@[\w-]+(?:\.[\w-]+)+"), "***@***"),
    # An address in a query, as httpx writes it.
    (re.compile(r"[\w.!#$%&'*+/?^`{|}~-]+%40[\w-]+(?:\.[\w-]+)+"), "***@***"),
    # Telephone numbers as they are written across borders; a national one cannot be told from any other number.
    (re.compile(r"(?<![\w:.])\+[1-9](?:[ ()/.-]{0,2}\d){7,14}(?!\w)"), "+***"),
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x80-\x9f\u2028\u2029]")
_SECRET_NAME = re.compile(rf"(?i)({_SECRET_NAMES})")
_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName", "known"}
_about: ContextVar[Mapping[str, str]] = ContextVar("about", default=MappingProxyType({}))


def redact(text: str) -> str:
    """`text` with keys, tokens, passwords, e-mail addresses, telephone and card numbers masked."""
    for pattern, mask in _MASKS:
        text = pattern.sub(mask, text)
    return mask_cards(text)


def redacted(value: object) -> Any:
    """`value` as JSON can hold it, every text in it redacted, every secret's value gone."""
    if isinstance(value, Mapping):
        return {
            redact(str(key)): "***" if _SECRET_NAME.search(str(key)) else redacted(entry)
            for key, entry in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [redacted(entry) for entry in value]
    return value if value is None or isinstance(value, bool | int | float) else redact(str(value))


@contextmanager
def about(**fields: str) -> Iterator[None]:
    """What the records of this block are about, such as `connection`; ids only."""
    token = _about.set({**_about.get(), **fields})
    try:
        yield
    finally:
        _about.reset(token)


def said_about() -> dict[str, str]:
    """What `about` said."""
    return dict(_about.get())


class RedactingFormatter(logging.Formatter):
    """One line a record, in UTC; messages and tracebacks are redacted and carry no control characters.

    What is known of the record (payment, run, trace) stands behind the message. The formatter is the last to touch
    a line, so nothing that a record holds can pass beside it.
    """

    def __init__(self) -> None:
        self.converter = time.gmtime
        super().__init__("%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s %(message)s", "%Y-%m-%dT%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:
        """A stranger's line break must not begin a line of ours."""
        known = " ".join(f"{name}={value}" for name, value in _known(record).items())
        line = super().formatMessage(record).replace("\n", "\\n")
        return f"{line} [{known}]" if known else line

    def format(self, record: logging.LogRecord) -> str:
        """The whole line."""
        return _CONTROL.sub("?", redact(super().format(record)))


class JsonFormatter(RedactingFormatter):
    """One JSON object a record: time, level, logger, message, what is known of it, and its extra fields."""

    def format(self, record: logging.LogRecord) -> str:
        """The object as one line."""
        extra = {name: value for name, value in record.__dict__.items() if name not in _STANDARD}
        said: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_known(record),
            **{name: value for name, value in extra.items() if not name.startswith("temporal_")},
        }
        if record.exc_info:
            said["exception"] = self.formatException(record.exc_info)
        return json.dumps(redacted(said), ensure_ascii=False)


def _known(record: logging.LogRecord) -> dict[str, str]:
    known = getattr(record, "known", {})
    return known if isinstance(known, dict) else {}
