"""How long an answer asks us to wait: `Retry-After` in both of its forms (RFC 9110, section 10.2.3)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

MOST = 86_400.0  # no answer holds us longer than a day


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds, from headers named in lower case; None where the answer does not say.

    A date counts from the answer's own `Date`, so that a clock of ours that is wrong does no harm.
    """
    text = headers.get("retry-after", "")
    told = seconds(text)
    if told is None:
        until, sent = _moment(text), _moment(headers.get("date", ""))
        if until is None or sent is None:
            return None
        told = max(0.0, (until - sent).total_seconds())
    return min(told, MOST)


def seconds(text: str | None) -> float | None:
    """A number that is finite and not negative; None for anything else."""
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None


def _moment(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None
