"""Which payment, refund or dispute an event is about, as far as the event itself can tell. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from domain.changes import concerns_zoho
from domain.money import Money
from ingress.events import StripeEvent
from ingress.signatures import BadDelivery

_LARGEST = 10**13  # minor units; a hint for the eye, so nothing is lost above it
_ID = re.compile(r"([a-z]+)_[A-Za-z0-9_]{1,240}")
_PAYMENT_KINDS = frozenset({"pi", "ch", "py"})
_REFUND_KINDS = frozenset({"re", "pyr"})
_DISPUTE_KINDS = frozenset({"dp", "du"})
_PAYOUT_KINDS = frozenset({"po"})


@dataclass(frozen=True, slots=True)
class Named:
    """The event names its payment: `pi_…`, or `ch_…`/`py_…` for a charge without an intent.

    `money` is what the event says was paid, for people to read; "" where it says nothing clear. `paid` is the same
    where the event itself says that all of it is paid (and not only authorised); "" where it does not say so.
    """

    payment_id: str
    money: str = ""
    paid: str = ""


@dataclass(frozen=True, slots=True)
class Refunded:
    """The event names a refund (`re_…`, `pyr_…`) and the payment that it belongs to."""

    object_id: str
    payment_id: str


@dataclass(frozen=True, slots=True)
class Disputed:
    """The event names a dispute (`dp_…`, `du_…`) and the payment that it belongs to."""

    object_id: str
    payment_id: str


@dataclass(frozen=True, slots=True)
class PaidOut:
    """The event names a payout, `po_…`."""

    object_id: str


@dataclass(frozen=True, slots=True)
class Unnamed:
    """Stripe has to be asked which payment belongs to this invoice, session, charge, refund or dispute.

    Of a charge that was refunded it is asked which refunds there are: the event does not say.
    """

    object_id: str


@dataclass(frozen=True, slots=True)
class Nothing:
    """The event is of no interest; `reason` is a word for counters."""

    reason: str


Subject = Named | Refunded | Disputed | PaidOut | Unnamed | Nothing


def subject_of(event: StripeEvent) -> Subject:
    """What `event` is about; BadDelivery where an event of a type we listen to names no proper object."""
    rule = _RULES.get(event.type.removeprefix("v1.") if event.thin else event.type)
    if rule is None:
        return Nothing("type")
    object_id = _id(event.subject.get("id"))
    if rule is _customer and not concerns_zoho(event.changed):
        return Nothing("of-no-concern")
    if not event.thin or rule is _payout:
        return rule(event.subject)
    return Named(object_id) if object_id.startswith("pi_") else Unnamed(object_id)


def _intent(intent: Mapping[str, Any]) -> Subject:
    money = _money(intent, "amount_received", "amount")
    return _named(intent.get("id"), money, intent.get("status") == "succeeded")


def _charge(charge: Mapping[str, Any]) -> Subject:
    """A charge made without an intent is its own payment (docs.stripe.com/api/charges)."""
    payment_id = _reference(charge.get("payment_intent")) or charge.get("id")
    paid = charge.get("paid") is True and charge.get("captured") is True and charge.get("amount_refunded") == 0
    return _named(payment_id, _money(charge, "amount_captured", "amount"), paid)


def _refund(refund: Mapping[str, Any]) -> Subject:
    """One that belongs to no charge (a customer's balance) names no payment: Stripe has to say what it is."""
    refund_id, payment_id = _id_of(refund, _REFUND_KINDS), _paid_by(refund)
    return Refunded(refund_id, payment_id) if payment_id else Unnamed(refund_id)


def _dispute(dispute: Mapping[str, Any]) -> Subject:
    dispute_id, payment_id = _id_of(dispute, _DISPUTE_KINDS), _paid_by(dispute)
    return Disputed(dispute_id, payment_id) if payment_id else Unnamed(dispute_id)


def _payout(payout: Mapping[str, Any]) -> Subject:
    return PaidOut(_id_of(payout, _PAYOUT_KINDS))


def _refunds_of(charge: Mapping[str, Any]) -> Subject:
    """Since 2022-11-15 a charge does not show its refunds."""
    return Unnamed(_id(charge.get("id")))


def _paid_by(thing: Mapping[str, Any]) -> str:
    """The payment that a refund or a dispute belongs to; a charge without an intent is one itself.

    "" where it does not say: that there is no intent is said by a null, never by leaving it out.
    """
    if intent := _reference(thing.get("payment_intent")):
        return _payment(intent)
    charge = _reference(thing.get("charge"))
    return _payment(charge) if charge and "payment_intent" in thing else ""


def _session(session: Mapping[str, Any]) -> Subject:
    """A session in mode `setup`, or with nothing to pay, has neither an intent nor an invoice."""
    if intent := _reference(session.get("payment_intent")):
        return _named(intent, _money(session, "amount_total"), session.get("payment_status") == "paid")
    if invoice := _reference(session.get("invoice")):
        return Unnamed(_id(invoice))
    return Nothing("no-payment")


def _invoice(invoice: Mapping[str, Any]) -> Subject:
    """Only API versions before 2025-03-31 name the intent here."""
    if intent := _reference(invoice.get("payment_intent")):
        return Named(_payment(intent), _money(invoice, "amount_paid"))
    return Unnamed(_id(invoice.get("id")))


def _customer(customer: Mapping[str, Any]) -> Subject:
    """Stripe has to be asked what the customer paid."""
    return Unnamed(_id(customer.get("id")))


_RULES: dict[str, Callable[[Mapping[str, Any]], Subject]] = {
    "payment_intent.succeeded": _intent,
    "charge.succeeded": _charge,
    "checkout.session.completed": _session,
    "checkout.session.async_payment_succeeded": _session,
    "invoice.paid": _invoice,
    "refund.created": _refund,
    "refund.updated": _refund,
    "refund.failed": _refund,
    "charge.refund.updated": _refund,
    "charge.refunded": _refunds_of,
    "charge.dispute.created": _dispute,
    "charge.dispute.funds_withdrawn": _dispute,
    "charge.dispute.updated": _dispute,
    "charge.dispute.funds_reinstated": _dispute,
    "charge.dispute.closed": _dispute,
    "payout.paid": _payout,
    "payout.reconciliation_completed": _payout,
    "payout.failed": _payout,
    "charge.captured": _charge,
    "charge.updated": _charge,
    "payment_intent.canceled": _intent,
    "customer.updated": _customer,
}
EVENT_TYPES = frozenset(_RULES) | {f"v1.{name}" for name in _RULES}


def _named(payment_id: Any, money: str, paid: bool) -> Named:
    return Named(_payment(payment_id), money, money if paid else "")


def _reference(value: Any) -> Any:
    """The id of a field that Stripe fills with an id, or with the expanded object."""
    return value.get("id") if isinstance(value, dict) else value


def _id(value: Any) -> str:
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise BadDelivery("no-object")
    return value


def _payment(value: Any) -> str:
    return _id_of({"id": value}, _PAYMENT_KINDS)


def _id_of(thing: Mapping[str, Any], kinds: frozenset[str]) -> str:
    found = _id(thing.get("id"))
    if found.partition("_")[0] not in kinds:
        raise BadDelivery("no-object")
    return found


def _money(thing: Mapping[str, Any], *fields: str) -> str:
    """The first of `fields` that holds an amount, as `49.90 EUR`."""
    currency = thing.get("currency")
    amounts = [thing[name] for name in fields if type(thing.get(name)) is int]
    if not amounts or not isinstance(currency, str) or not 0 <= amounts[0] < _LARGEST:
        return ""
    try:
        return str(Money.of(amounts[0], currency))
    except ValueError:  # a currency that we do not know
        return ""
