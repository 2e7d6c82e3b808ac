"""The check that judges a demo or a storm: silent on ledgers that agree, loud on each way they can differ."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from cli.ledger_check import check
from cli.ledger_facts import major, succeeded
from tests.cli.sample_ledgers import SOLD, Ledger, adjust, change, double, drop, stripe, zoho


def test_ledgers_that_agree_have_no_violation() -> None:
    """A right pair of ledgers passes, whatever way the amounts are written, and unpaid payments are not missed."""
    assert check(stripe(), zoho(), SOLD) == []


def test_only_what_brought_money_counts() -> None:
    """Intents that succeeded and charges without an intent count once; the rest does not."""
    assert {paid.payment_id: paid.amount for paid in succeeded(stripe()).values()} == {
        "pi_1": Decimal("98.00"),
        "ch_2": Decimal("49.00"),
    }


@pytest.mark.parametrize(
    ("currency", "amount"), [("jpy", "12345"), ("eur", "123.45"), ("kwd", "12.345"), ("UGX", "12345")]
)
def test_minor_units_follow_the_currency(currency: str, amount: str) -> None:
    """Yen and shillings have no decimals, dinars three, the others two."""
    assert major(12345, currency) == Decimal(amount)


def test_a_payments_adjustment_counts_like_its_invoice() -> None:
    """Parts of a set leave both ledgers; what was sold is what invoice and adjustment moved together."""
    books = zoho()
    adjust("pi_1", -3)(books)
    assert check(stripe(), books, {"pi_1": {"LAMP": 5}, "ch_2": {"LAMP": 1}}) == []


WRONG: dict[str, tuple[Callable[[Ledger], None], str, str]] = {
    "no order": (drop("salesorders"), "I1", "has 0 orders"),
    "two orders": (double("salesorders"), "I1", "has 2 orders"),
    "void order": (change("salesorders", status="void"), "I1", "has 0 orders"),
    "no invoice": (drop("invoices"), "I1", "has 0 invoices"),
    "two invoices": (double("invoices"), "I1", "has 2 invoices"),
    "no payment": (drop("payments"), "I1", "has 0 payments"),
    "two payments": (double("payments"), "I1", "has 2 payments"),
    "payment on another invoice": (change("payments", invoices=[{"invoice_id": "x"}]), "I1", "is applied to"),
    "a cent off the order": (change("salesorders", total=Decimal("98.01")), "I3", "order says 98.01"),
    "a cent off the invoice": (change("invoices", total=Decimal("97.99")), "I3", "invoice says 97.99"),
    "a cent off the payment": (change("payments", amount=Decimal("97.99")), "I3", "payment says 97.99"),
    "a cent off the fee": (
        change("payments", bank_charges=Decimal("3.15")),
        "I3",
        "bank charges 3.15, Stripe kept 3.14",
    ),
    "another currency": (change("payments", currency_code="USD"), "I3", "payment says 98 USD"),
    "an open balance": (change("invoices", balance=Decimal("0.01")), "I3", "still wants 0.01"),
    "an unsold piece gone": (change("items", accounting=Decimal(6)), "I2", "accounting stock is 6, not 7"),
    "a draft invoice": (change("invoices", status="draft"), "I2", "accounting stock is 7, not 9"),
    "goods left": (change("items", physical=Decimal(9)), "I2", "physical stock is 9, not 10"),
    "the wrong pieces": (
        change("invoices", line_items=[{"item_id": "i1", "quantity": Decimal(1)}]),
        "I2",
        "moved {'LAMP': 1}, sold {'LAMP': 2}",
    ),
    "an adjustment of nobody": (adjust("pi_9", -1), "I6", "1 adjustments trace to no payment"),
    "an adjustment by hand": (adjust("", -1), "I2", "accounting stock is 6, not 7"),
    "two adjustments": (adjust("pi_1", -1, -1), "I1", "has 2 adjustments"),
    "an order of nobody": (change("salesorders", reference_number="pi_9"), "I6", "1 orders trace to no payment"),
    "an invoice without reference": (change("invoices", reference_number=""), "I6", "1 invoices trace to no"),
    "an order for an unpaid payment": (change("payments", reference_number="pi_3"), "I6", "1 payments trace to"),
}


@pytest.mark.parametrize("name", WRONG)
def test_each_difference_is_named(name: str) -> None:
    """Each single thing that is wrong is found, under its invariant and in words that say what."""
    spoil, invariant, words = WRONG[name]
    books = zoho()
    spoil(books)
    assert any(
        violation.invariant == invariant and words in violation.message for violation in check(stripe(), books, SOLD)
    ), [str(violation) for violation in check(stripe(), books, SOLD)]


def test_totals_are_compared_for_each_currency() -> None:
    """A payment booked twice shows in its currency's sum, too."""
    books = zoho()
    double("payments")(books)
    sums = [violation for violation in check(stripe(), books) if violation.subject == "EUR"]
    assert [str(violation) for violation in sums] == ["I3 EUR: Stripe received 147.00, Zoho books 245.00"]


def test_a_fee_in_another_currency_is_not_judged() -> None:
    """A shop leaves it to the payout, or has it converted."""
    ledger, books = stripe(), zoho()
    ledger["balance_transactions"][0]["currency"] = "usd"
    books["payments"][0]["bank_charges"] = Decimal(0)
    assert check(ledger, books) == []


def test_of_what_was_taken_back_nothing_may_stand() -> None:
    """A cancelled order may leave void documents behind and no other."""
    books = zoho()
    assert {violation.invariant for violation in check(stripe(), books, taken_back={"pi_1"})} == {"I3", "I6"}
    for kind in ("salesorders", "invoices"):
        books[kind][0]["status"] = "void"
    drop("payments")(books)
    books["items"][0]["accounting"] = Decimal(9)
    assert check(stripe(), books, SOLD, taken_back={"pi_1"}) == []


def test_shipped_goods_leave_physical_stock_once() -> None:
    """What a package's shipment took is gone from the shelf; a second shipment, or a stranger's, is a violation."""
    books = zoho()
    line = {"item_id": "i1", "quantity": Decimal(2)}
    books["packages"] = [{"line_items": [line], "shipment_order": {"shipment_id": "s1"}}]
    books["shipments"] = [{"reference_number": "pi_1"}]
    books["items"][0]["physical"] = Decimal(8)
    assert check(stripe(), books, SOLD) == []
    books["shipments"] += [{"reference_number": "pi_1"}, {"reference_number": "pi_9"}]
    assert [one.invariant for one in check(stripe(), books, SOLD)] == ["I1", "I6"]
