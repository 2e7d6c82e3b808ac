"""Whether a delivery is Stripe's: its signature over the raw bytes, and its age. Pure."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import datetime

PAST_SECONDS = 300
FUTURE_SECONDS = 60
_MOST_SIGNATURES = 16
_TIMESTAMP = re.compile(r"[0-9]{1,12}")


class BadDelivery(ValueError):
    """Refused before anything was done. `reason` is a word for counters and logs, not a quotation."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def verify(raw: bytes, headers: Sequence[str], secrets: Sequence[str], now: datetime) -> None:
    """BadDelivery unless one of `secrets` signed `raw`, at most 300 s before `now` and at most 60 s after it.

    `headers` are all values of `Stripe-Signature`: exactly one is right. Only scheme v1 counts
    (docs.stripe.com/webhooks/signature). Every secret is tried against every signature, whichever fits.
    """
    if len(headers) != 1:
        raise BadDelivery("unsigned" if not headers else "signed-twice")
    timestamp, candidates = _parse(headers[0])
    signed = timestamp.encode() + b"." + raw
    genuine = False
    for secret in secrets:
        expected = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest().encode()
        for candidate in candidates:
            genuine |= hmac.compare_digest(expected, candidate)
    if not genuine:
        raise BadDelivery("forged")
    age = now.timestamp() - int(timestamp)
    if not -FUTURE_SECONDS <= age <= PAST_SECONDS:
        raise BadDelivery("stale" if age > 0 else "from-the-future")


def _parse(header: str) -> tuple[str, list[bytes]]:
    """The one timestamp and the v1 signatures of `t=…,v1=…[,v1=…][,v0=…]`."""
    pairs = [part.partition("=") for part in header.split(",")]
    timestamps = [value for name, _, value in pairs if name == "t"]
    candidates = [value.encode(errors="surrogateescape") for name, _, value in pairs if name == "v1"]
    if len(timestamps) != 1 or not _TIMESTAMP.fullmatch(timestamps[0]):
        raise BadDelivery("forged")
    if not 1 <= len(candidates) <= _MOST_SIGNATURES:
        raise BadDelivery("forged")
    return timestamps[0], candidates
