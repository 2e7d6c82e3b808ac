"""Names that are computed, so that whoever repeats a write arrives at the same one."""

from __future__ import annotations

import re

_PAYMENT = re.compile(r"(pi|ch|py)_([A-Za-z0-9_]+)")


def shipment_number(payment_id: str, round: int = 0) -> str:
    """The shipment's number: `pi_3ABC` -> `SH-3ABC`, and `SH-3ABC-2` where a first one was taken back.

    Whether Zoho keeps them unique is unknown, so it names the shipment for people and guards nothing.
    """
    number = "SH-" + order_number(payment_id).removeprefix("SO-")
    return f"{number}-{round + 1}" if round else number


def order_number(payment_id: str) -> str:
    """The sales order's number, from the payment's id alone: `pi_3ABC` -> `SO-3ABC`, `ch_3ABC` -> `SO-ch-3ABC`.

    Zoho refuses a number it already has, which makes this the order's idempotency key. The format is frozen at the
    first release. ValueError for an id that is no payment's.
    """
    match = _PAYMENT.fullmatch(payment_id)
    if match is None:
        raise ValueError(f"{payment_id!r} is no payment id: expected pi_…, ch_… or py_…")
    kind, tail = match.groups()
    return f"SO-{tail}" if kind == "pi" else f"SO-{kind}-{tail}"
