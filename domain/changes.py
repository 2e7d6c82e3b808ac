"""What an event says was changed, and whether the change is our own echo. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

_METADATA = "metadata"
# Said of a completed payment these tell something new; a cancellation cannot come after the money.
_CHANGES = ("charge.updated", "charge.captured", "customer.updated")
_UPDATES = ("charge.updated", "customer.updated")
_FEE = "balance_transaction"
_FOR_OPEN_RUNS = ("payment_intent.canceled",)
# Said of a refund, or of the charge that it belongs to.
_REFUNDS = ("refund.created", "refund.updated", "refund.failed", "charge.refunded", "charge.refund.updated")
_REFUND_UPDATES = ("refund.updated", "charge.refund.updated")
_DISPUTES = "charge.dispute."
# What of a dispute reaches Zoho, when it is updated.
_OF_DISPUTES = ("status", "amount", "balance_transactions")
# What of a customer reaches Zoho; a new default card does not.
_OF_CUSTOMERS = ("name", "business_name", "individual_name", "email", "phone", "address", "shipping")


def changed_keys(previous: Mapping[str, Any] | None) -> tuple[str, ...]:
    """The fields that an event's `previous_attributes` name, metadata key by key: `metadata.cart`. Never a value."""
    keys: list[str] = []
    for name, before in (previous or {}).items():
        if name == _METADATA and isinstance(before, Mapping) and before:
            keys += [f"{_METADATA}.{key}" for key in before]
        else:
            keys.append(name)
    return tuple(sorted(keys))


def is_echo(changed: Collection[str], own_keys: Collection[str]) -> bool:
    """Whether every changed field is a metadata key of ours. An event that does not say what changed is no echo."""
    ours = {f"{_METADATA}.{key}" for key in own_keys}
    return bool(changed) and all(key in ours for key in changed)


def may_change(kind: str) -> bool:
    """Whether an event of this type may say something new of a payment that was carried already."""
    return kind.removeprefix("v1.") in _CHANGES


def says_paid(kind: str) -> bool:
    """Whether an event of this type may begin a payment's run: one that only tells a change never does."""
    return kind.removeprefix("v1.") not in (*_UPDATES, *_FOR_OPEN_RUNS)


def tells_refund(kind: str) -> bool:
    """Whether an event of this type is about refunds."""
    return kind.removeprefix("v1.") in _REFUNDS


def begins_case(kind: str) -> bool:
    """Whether an event of this type says that a refund or a dispute began."""
    return kind.removeprefix("v1.") in ("refund.created", f"{_DISPUTES}created")


def reopens(kind: str, changed: Collection[str]) -> bool:
    """Whether a refund's event may undo what its run has booked; one that does not say what changed may."""
    name = kind.removeprefix("v1.")
    return name == "refund.failed" or (name in _REFUND_UPDATES and (not changed or "status" in changed))


def tells_dispute(kind: str) -> bool:
    """Whether an event of this type is about a dispute."""
    return kind.removeprefix("v1.").startswith(_DISPUTES)


def redecides(kind: str, changed: Collection[str]) -> bool:
    """Whether a dispute's event may tell another end than the one its run has booked.

    Only "created" never does; the order in which Stripe tells the others is not promised.
    """
    name = kind.removeprefix("v1.")
    if name == f"{_DISPUTES}updated":
        return not changed or any(key in _OF_DISPUTES for key in changed)
    return name.startswith(_DISPUTES) and name != f"{_DISPUTES}created"


def concerns_zoho(changed: Collection[str]) -> bool:
    """Whether a customer's change can reach a contact; one that does not say what changed may."""
    return not changed or any(key in _OF_CUSTOMERS for key in changed)


def may_tell_fee(kind: str, changed: Collection[str]) -> bool:
    """Whether the event can mean that Stripe has made the balance transaction, which holds the fee."""
    return kind.removeprefix("v1.") == "charge.updated" and (not changed or _FEE in changed)


def is_news(kind: str, changed: Collection[str], *, fee_known: bool) -> bool:
    """Whether an event that came after the payment was read may still change what was written of it."""
    if kind.removeprefix("v1.") not in _UPDATES:
        return False
    return not changed or not fee_known or any(key != _FEE for key in changed)
