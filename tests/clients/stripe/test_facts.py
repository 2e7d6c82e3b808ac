"""Stripe's objects as facts: every field has one source, and a null is never an error."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from clients.errors import Refused
from clients.stripe.facts import FoundLines, charge_facts, charge_status, intent_facts, intent_status
from domain.currencies import UnknownCurrency
from domain.money import Money
from domain.payments import LineSource, PaymentFacts, PaymentStatus
from tests.clients.stripe.fake import sample


def facts_of(intent: dict[str, Any], **found: Any) -> PaymentFacts:
    return intent_facts(intent, FoundLines(**found), account_id="acct_1Shop")


def test_a_checkout_payment_is_read_field_by_field() -> None:
    """The sample's ids, money, times and people arrive where an order looks for them."""
    facts = facts_of(sample("payment_intent"), source=LineSource.CHECKOUT, session=sample("checkout_session"))
    assert facts.payment_id == "pi_3SCN000000000000000001"
    assert facts.charge_id == "ch_3SCN000000000000000001"
    assert facts.account_id == "acct_1Shop"
    assert facts.session_id == "cs_test_SCN0000000000000000000000000000000000000001"
    assert (facts.livemode, facts.status) == (False, PaymentStatus.PAID)
    assert facts.money == Money.of(3999, "USD")
    assert facts.created == datetime(2026, 8, 2, 19, 46, 45, tzinfo=UTC)
    assert facts.description == "My First Test Charge (created for API docs)"
    assert facts.metadata == {"order_ref": "SO-1001"}
    assert facts.buyer.customer_id == "cus_SCN0000000001"
    assert (facts.buyer.name, facts.buyer.email) == ("Example Buyer", "buyer@example.com")
    assert facts.shipping.is_empty()


def test_the_address_with_a_street_wins() -> None:
    """The card knows a postal code only, so the address typed at Checkout is the billing address."""
    facts = facts_of(sample("payment_intent"), session=sample("checkout_session"))
    assert (facts.billing.line1, facts.billing.city) == ("1 Example St", "Springfield")
    card_only = facts_of(sample("payment_intent"))
    assert (card_only.billing.postal_code, card_only.billing.line1) == ("00000", "")


def test_a_known_customer_is_one_person() -> None:
    """The customer's own name and e-mail come before what was typed this time."""
    customer = {"id": "cus_1", "name": "Ada Lovelace", "email": "ada@example.com", "phone": None}
    intent = {**sample("payment_intent"), "customer": customer}
    buyer = facts_of(intent, session=sample("checkout_session")).buyer
    assert (buyer.customer_id, buyer.name, buyer.email) == ("cus_1", "Ada Lovelace", "ada@example.com")


def test_a_deleted_customer_is_still_named_by_its_id() -> None:
    """Of a deleted customer Stripe gives the id alone; the rest comes from Checkout."""
    intent = {**sample("payment_intent"), "customer": {"id": "cus_1", "deleted": True}}
    buyer = facts_of(intent, session=sample("checkout_session")).buyer
    assert (buyer.customer_id, buyer.name) == ("cus_1", "Example Buyer")


def test_shipping_comes_from_the_intent_then_from_the_session() -> None:
    """The intent's address is the one the shop set; Checkout's collected one is the second choice."""
    session = sample("checkout_session")
    place = {"line1": "2 Harbour Rd", "city": "Cork", "country": "IE"}
    session["collected_information"] = {"shipping_details": {"name": "Bob", "address": place}}
    assert facts_of(sample("payment_intent"), session=session).shipping.line1 == "2 Harbour Rd"
    given = {"name": "Eve", "phone": "+1", "address": {**place, "line1": "3 Quay St"}}
    shipping = facts_of({**sample("payment_intent"), "shipping": given}, session=session).shipping
    assert (shipping.name, shipping.line1, shipping.phone) == ("Eve", "3 Quay St", "+1")


def test_an_intent_of_nulls_is_read() -> None:
    """Every field null but id, currency, status and time: facts with nothing in them, and no error."""
    intent = dict.fromkeys(sample("payment_intent"))
    intent |= {"id": "pi_1", "currency": "eur", "status": "processing", "created": 1785700000}
    facts = facts_of(intent)
    assert (facts.status, facts.money, facts.charge_id) == (PaymentStatus.UNPAID, Money.of(0, "EUR"), "")
    assert facts.buyer.email == ""


def test_what_cannot_be_read_is_refused() -> None:
    """No time, or a currency outside Stripe's table, is an error that says so."""
    intent = {**sample("payment_intent"), "created": None, "latest_charge": "ch_1"}
    with pytest.raises(Refused, match="pi_3SCN"):
        facts_of(intent)
    with pytest.raises(UnknownCurrency):
        facts_of({**intent, "created": 1, "currency": "xyz"})


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        ("succeeded", PaymentStatus.PAID),
        ("requires_capture", PaymentStatus.UNCAPTURED),
        ("canceled", PaymentStatus.CANCELED),
        ("processing", PaymentStatus.UNPAID),
        ("requires_action", PaymentStatus.UNPAID),
        ("a_new_one", PaymentStatus.UNPAID),
        (None, PaymentStatus.UNPAID),
    ],
)
def test_an_intents_status(status: str | None, meaning: PaymentStatus) -> None:
    """Only a succeeded intent is paid; a status that nobody knows is not."""
    assert intent_status({"status": status}) is meaning


@pytest.mark.parametrize(
    ("charge", "meaning"),
    [
        ({"status": "succeeded", "captured": True}, PaymentStatus.PAID),
        ({"status": "succeeded", "captured": True, "refunded": True}, PaymentStatus.PAID),
        ({"status": "succeeded", "captured": False}, PaymentStatus.UNCAPTURED),
        ({"status": "succeeded", "captured": False, "refunded": True}, PaymentStatus.CANCELED),
        ({"status": "pending"}, PaymentStatus.UNPAID),
        ({"status": "failed"}, PaymentStatus.CANCELED),
        ({}, PaymentStatus.UNPAID),
    ],
)
def test_a_charges_status(charge: dict[str, Any], meaning: PaymentStatus) -> None:
    """A charge is paid once captured; released or failed, its money never comes."""
    assert charge_status(charge) is meaning


def test_a_charge_without_intent_has_its_own_id() -> None:
    """An old integration's charge is the payment, and its captured amount the money."""
    charge = {**sample("payment_intent")["latest_charge"], "payment_intent": None, "amount_captured": 3000}
    facts = charge_facts(charge, FoundLines(), account_id="acct_1Shop")
    assert facts.payment_id == facts.charge_id == "ch_3SCN000000000000000001"
    assert (facts.money, facts.status) == (Money.of(3000, "USD"), PaymentStatus.PAID)


def test_the_intents_metadata_wins() -> None:
    """Session and intent both carry metadata; where they disagree the intent is right."""
    session = {**sample("checkout_session"), "metadata": {"order_ref": "old", "cart": "7"}}
    assert facts_of(sample("payment_intent"), session=session).metadata == {"order_ref": "SO-1001", "cart": "7"}
