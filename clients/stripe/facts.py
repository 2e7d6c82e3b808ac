"""Stripe's objects as facts of one payment: pure, so that recorded answers can be put through it."""

from __future__ import annotations

from dataclasses import dataclass, field

from clients.stripe.raw import Raw, address, moment, money, number, part, parts, reference, text, words
from domain.currencies import exponent
from domain.payments import (
    Address,
    Buyer,
    ChargeSays,
    Fee,
    FeePart,
    LineSource,
    PaidLine,
    PaymentFacts,
    PaymentStatus,
    ShippingCost,
)


@dataclass(frozen=True)
class FoundLines:
    """The lines, where they were found, and the session or invoice that also knows the buyer."""

    source: LineSource = LineSource.NONE
    lines: tuple[PaidLine, ...] = ()
    shipping_cost: ShippingCost | None = None
    session: Raw = field(default_factory=dict)
    invoice: Raw = field(default_factory=dict)


def intent_status(intent: Raw) -> PaymentStatus:
    """Where the money of a PaymentIntent is."""
    known = {
        "succeeded": PaymentStatus.PAID,
        "requires_capture": PaymentStatus.UNCAPTURED,
        "canceled": PaymentStatus.CANCELED,
    }
    return known.get(text(intent, "status"), PaymentStatus.UNPAID)


def charge_status(charge: Raw) -> PaymentStatus:
    """Where the money of a charge without intent is; failed, or released uncaptured, it never comes."""
    status = text(charge, "status")
    if status == "failed" or (status == "succeeded" and not charge.get("captured") and charge.get("refunded")):
        return PaymentStatus.CANCELED
    if status != "succeeded":
        return PaymentStatus.UNPAID
    return PaymentStatus.PAID if charge.get("captured") else PaymentStatus.UNCAPTURED


def intent_facts(intent: Raw, found: FoundLines, *, account_id: str) -> PaymentFacts:
    """The facts of an intent with `latest_charge` and `customer` expanded. Raises UnknownCurrency."""
    charge, currency = part(intent, "latest_charge"), _currency(intent)
    return PaymentFacts(
        payment_id=text(intent, "id"),
        charge_id=reference(intent, "latest_charge"),
        account_id=account_id,
        livemode=intent.get("livemode") is True,
        status=intent_status(intent),
        money=money(intent, "amount_received", currency),
        created=moment(charge if charge.get("created") else intent, "created"),
        description=text(intent, "description") or text(charge, "description"),
        receipt_email=text(intent, "receipt_email") or text(charge, "receipt_email"),
        buyer=_buyer(intent, charge, found),
        billing=_billing(charge, found),
        shipping=_shipping(intent, charge, found),
        metadata={**words(found.invoice), **words(found.session), **words(charge), **words(intent)},
        line_source=found.source,
        lines=found.lines,
        shipping_cost=found.shipping_cost,
        session_id=text(found.session, "id"),
        invoice_id=text(found.invoice, "id") or reference(found.session, "invoice"),
        intended=money(intent, "amount", currency),
        at_charge=_at_charge(charge),
        fee=charge_fee(charge),
    )


def charge_facts(charge: Raw, found: FoundLines, *, account_id: str) -> PaymentFacts:
    """The facts of a charge without intent, with `customer` expanded. Raises UnknownCurrency."""
    currency = _currency(charge)
    return PaymentFacts(
        payment_id=text(charge, "id"),
        charge_id=text(charge, "id"),
        account_id=account_id,
        livemode=charge.get("livemode") is True,
        status=charge_status(charge),
        money=money(charge, "amount_captured", currency),
        created=moment(charge, "created"),
        description=text(charge, "description"),
        receipt_email=text(charge, "receipt_email"),
        buyer=_buyer(charge, charge, found),
        billing=_billing(charge, found),
        shipping=_shipping(charge, charge, found),
        metadata=words(charge),
        line_source=found.source,
        lines=found.lines,
        shipping_cost=found.shipping_cost,
        intended=money(charge, "amount", currency),
        at_charge=_at_charge(charge),
        fee=charge_fee(charge),
    )


def charge_fee(charge: Raw) -> Fee | None:
    """What Stripe kept of a charge with `balance_transaction` expanded; None until there is one."""
    row = part(charge, "balance_transaction")
    if not row:
        return None
    currency = _currency(row)
    return Fee(
        transaction_id=text(row, "id"),
        amount=money(row, "fee", currency),
        exchange_rate=number(row.get("exchange_rate")),
        parts=tuple(map(_fee_part, parts(row, "fee_details"))),
    )


def _fee_part(detail: Raw) -> FeePart:
    amount = money(detail, "amount", _currency(detail))
    return FeePart(kind=text(detail, "type"), amount=amount, description=text(detail, "description"))


def _at_charge(charge: Raw) -> ChargeSays:
    return ChargeSays(
        receipt_email=text(charge, "receipt_email"), shipping=_placed(part(charge, "shipping")), metadata=words(charge)
    )


def _currency(raw: Raw) -> str:
    currency = text(raw, "currency").upper()
    exponent(currency)
    return currency


def _buyer(owner: Raw, charge: Raw, found: FoundLines) -> Buyer:
    """The customer's own record before what was typed this time, so that one customer stays one contact."""
    customer, typed = part(owner, "customer"), part(found.session, "customer_details")
    card, invoiced = part(charge, "billing_details"), found.invoice
    names = (
        text(customer, "name"),
        text(customer, "business_name"),
        text(customer, "individual_name"),
        text(typed, "name"),
        text(typed, "business_name"),
        text(typed, "individual_name"),
        text(invoiced, "customer_name"),
        text(card, "name"),
    )
    emails = (
        text(customer, "email"),
        text(typed, "email"),
        text(invoiced, "customer_email"),
        text(card, "email"),
        text(owner, "receipt_email"),
    )
    phones = (text(raw, "phone") for raw in (customer, typed, card))
    return Buyer(
        customer_id=reference(owner, "customer"),
        name=next(filter(None, names), ""),
        email=next(filter(None, emails), ""),
        phone=next(filter(None, phones), "") or text(invoiced, "customer_phone"),
        address=_fullest(
            address(part(customer, "address")),
            address(part(typed, "address")),
            address(part(invoiced, "customer_address")),
            address(part(card, "address")),
        ),
    )


def _billing(charge: Raw, found: FoundLines) -> Address:
    """The address of the card, unless only the session or invoice has the whole of it."""
    card, typed = part(charge, "billing_details"), part(found.session, "customer_details")
    named = {"name": text(found.invoice, "customer_name"), "phone": text(found.invoice, "customer_phone")}
    return _fullest(
        address(part(card, "address"), name=text(card, "name"), phone=text(card, "phone")),
        address(part(typed, "address"), name=text(typed, "name"), phone=text(typed, "phone")),
        address(part(found.invoice, "customer_address"), **named),
    )


def _shipping(owner: Raw, charge: Raw, found: FoundLines) -> Address:
    places = (
        part(owner, "shipping"),
        part(found.session, "collected_information", "shipping_details"),
        part(found.invoice, "shipping_details"),
        part(found.invoice, "customer_shipping"),
        part(charge, "shipping"),
    )
    return _fullest(*map(_placed, places))


def _placed(raw: Raw) -> Address:
    """An address with the name and phone that Stripe keeps beside it."""
    return address(part(raw, "address"), name=text(raw, "name"), phone=text(raw, "phone"))


def _fullest(*addresses: Address) -> Address:
    """The first with a street, else the first with anything: a card often knows its postal code only."""
    filled = [one for one in addresses if not one.is_empty()]
    with_street = [one for one in filled if one.line1]
    return next(iter(with_street or filled), Address())
