"""A written order as it would be written now: which words of Stripe's have changed since."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from domain.contacts import address_fingerprint, contact_identity
from domain.mapping import billing_of, custom_fields
from domain.mapping_policy import MappingPolicy
from domain.orders import OrderDraft
from domain.payments import Address, Fact, PaymentFacts

Said = TypeVar("Said")


class Differences(Fact):
    """What of two drafts of one order differs."""

    address: bool = False
    fields: bool = False
    person: bool = False


def renewed(written: OrderDraft, before: PaymentFacts, now: PaymentFacts, mapping: MappingPolicy) -> OrderDraft:
    """`written`, which was mapped from `before`, with the addresses, payer and custom fields that changed until `now`.

    Lines and money stay. Stripe keeps some things twice, on the intent and on its charge: the one that changed counts,
    the charge's first, for only its changes are told. What did not change stays as it was written.
    """
    now = _with_receipt(before, now)
    payer = before.buyer != now.buyer
    shipping = _latest(
        written.shipping,
        (before.at_charge.shipping, now.at_charge.shipping),
        (before.shipping, now.shipping),
        same=_same_address,
    )
    return written.model_copy(
        update={
            "buyer": now.buyer if payer else written.buyer,
            "contact": contact_identity(now) if payer else written.contact,
            "billing": _latest(written.billing, (billing_of(before), billing_of(now)), same=_same_address),
            "shipping": shipping,
            "custom_fields": _fields(written, before, now, mapping),
        }
    )


def differs(written: OrderDraft, now: OrderDraft) -> Differences:
    """What has to be corrected. Case, spacing and Unicode forms of an address are no difference."""
    return Differences(
        address=not (_same_address(written.billing, now.billing) and _same_address(written.shipping, now.shipping)),
        fields=written.custom_fields != now.custom_fields,
        person=_person(written) != _person(now),
    )


def _with_receipt(before: PaymentFacts, now: PaymentFacts) -> PaymentFacts:
    """The e-mail of a guest's receipt is his only one; a customer's stands on the customer."""
    pairs = (before.at_charge.receipt_email, now.at_charge.receipt_email), (before.receipt_email, now.receipt_email)
    email = _latest(now.buyer.email, *pairs, same=str.__eq__)
    if now.buyer.customer_id or email == now.buyer.email:
        return now
    return now.model_copy(update={"buyer": now.buyer.model_copy(update={"email": email})})


def _fields(written: OrderDraft, before: PaymentFacts, now: PaymentFacts, mapping: MappingPolicy) -> dict[str, str]:
    def at_charge(facts: PaymentFacts) -> dict[str, str]:
        return custom_fields(facts.model_copy(update={"metadata": facts.at_charge.metadata}), mapping)

    places = [(at_charge(before), at_charge(now)), (custom_fields(before, mapping), custom_fields(now, mapping))]
    names = {name for _, found in places for name in found}
    return written.custom_fields | {
        name: _latest(
            written.custom_fields.get(name, ""),
            *((old.get(name, ""), new.get(name, "")) for old, new in places),
            same=str.__eq__,
        )
        for name in sorted(names)
    }


def _latest(written: Said, *places: tuple[Said, Said], same: Callable[[Said, Said], bool]) -> Said:
    """What the first place says that changed to something; else what was written."""
    return next((now for before, now in places if now and not same(before, now)), written)


def _same_address(one: Address, other: Address) -> bool:
    return other.is_empty() or address_fingerprint(one) == address_fingerprint(other)


def _person(draft: OrderDraft) -> tuple[str, str, str]:
    return draft.buyer.name, draft.contact.email, draft.buyer.phone
