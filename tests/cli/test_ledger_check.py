"""The check that judges a demo or a storm: silent on ledgers that agree, loud on each way they can differ."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest

from cli.ledger_check import check, major, succeeded

Ledger = dict[str, Any]
SOLD = {"pi_1": {"LAMP": 2}, "ch_2": {"LAMP": 1}}


def intent(payment_id: str, amount: int, currency: str = "eur", status: str = "succeeded") -> Ledger:
    """A payment intent as Stripe's ledger shows it."""
    return {
        "id": payment_id,
        "status": status,
        "amount_received": amount if status == "succeeded" else 0,
        "currency": currency,
        "created": 1,
    }


def stripe() -> Ledger:
    """One intent with its charge, one charge without an intent, one payment that never came about."""
    charge = {"paid": True, "captured": True, "currency": "eur", "created": 2}
    row = {"currency": "eur", "fee": 314, "id": "txn_1"}
    return {
        "payment_intents": [intent("pi_1", 9800), intent("pi_3", 100, status="requires_payment_method")],
        "charges": [
            {"id": "ch_1", "payment_intent": "pi_1", "amount_captured": 9800, "balance_transaction": "txn_1", **charge},
            {
                "id": "ch_2",
                "payment_intent": None,
                "amount_captured": 4900,
                "balance_transaction": None,
                **charge,
            },
        ],
        "balance_transactions": [row],
    }


def documents(reference: str, total: str, pieces: int) -> dict[str, Ledger]:
    """The order, the invoice and the payment of one reference."""
    line = {"item_id": "i1", "quantity": Decimal(pieces)}
    money = {"reference_number": reference, "currency_code": "EUR"}
    amount, invoice_id = Decimal(total), f"inv-{reference}"
    return {
        "salesorders": {**money, "status": "confirmed", "total": amount, "line_items": [line]},
        "invoices": {
            **money,
            "invoice_id": invoice_id,
            "status": "paid",
            "total": amount,
            "balance": Decimal(0),
            "line_items": [line],
        },
        "payments": {
            **money,
            "amount": amount,
            "bank_charges": Decimal("3.14") if reference == "pi_1" else Decimal(0),
            "invoices": [{"invoice_id": invoice_id}],
        },
    }


def zoho() -> Ledger:
    """The books of both payments, and three lamps gone from the shelf."""
    lamp = {
        "item_id": "i1",
        "sku": "LAMP",
        "track_inventory": True,
        "opening": Decimal(10),
        "accounting": Decimal(7),
        "physical": Decimal(10),
    }
    both = [documents("pi_1", "98", 2), documents("ch_2", "49.00", 1)]
    return {
        "items": [lamp, {"item_id": "i2", "sku": "SHIP", "track_inventory": False}],
        **{kind: [pair[kind] for pair in both] for kind in ("salesorders", "invoices", "payments")},
    }


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


def drop(kind: str) -> Callable[[Ledger], None]:
    """Takes the first document of a kind away."""
    return lambda books: books[kind].pop(0)


def double(kind: str) -> Callable[[Ledger], None]:
    """Writes the first document of a kind a second time."""
    return lambda books: books[kind].append(deepcopy(books[kind][0]))


def change(kind: str, **values: Any) -> Callable[[Ledger], None]:
    """Changes the first row of a kind."""
    return lambda books: books[kind][0].update(values)


def adjust(reference: str, *pieces: int) -> Callable[[Ledger], None]:
    """Adjusts the lamps, once for each number of pieces, and moves both ledgers by it."""

    def spoil(books: Ledger) -> None:
        for count in pieces:
            line = {"item_id": "i1", "quantity_adjusted": Decimal(count)}
            row = {"reference_number": reference, "status": "adjusted", "line_items": [line]}
            books.setdefault("adjustments", []).append(row)
            for ledger in ("accounting", "physical"):
                books["items"][0][ledger] += count

    return spoil


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


def refunded() -> tuple[Ledger, Ledger]:
    """One of the two lamps of pi_1 was given back: Stripe's refund, Zoho's credit note and what was paid out of it."""
    ledger, books = stripe(), zoho()
    ledger["refunds"] = [
        {"id": "re_1", "status": "succeeded", "payment_intent": "pi_1", "charge": "ch_1", "amount": 4900,
         "currency": "eur"},
    ]  # fmt: skip
    line = {"item_id": "i1", "quantity": Decimal(1), "is_returned_to_stock": True}
    note = {"reference_number": "re_1", "creditnote_id": "cn1", "status": "closed", "total": Decimal(49)}
    books["creditnotes"] = [{**note, "line_items": [line]}]
    books["refunds"] = [{"creditnote_id": "cn1", "amount": Decimal("49.00")}]
    books["items"][0]["accounting"] = Decimal(8)
    return ledger, books


def test_a_refund_with_its_credit_note_has_no_violation() -> None:
    """What a credit note returned is back in accounting stock; a refund that did not come about needs none."""
    ledger, books = refunded()
    ledger["refunds"].append({**ledger["refunds"][0], "id": "re_2", "status": "failed"})
    assert check(ledger, books, SOLD) == []


WRONG_REFUNDS: dict[str, tuple[Callable[[Ledger], None], str]] = {
    "no credit note": (drop("creditnotes"), "I3 re_1: credit notes over nothing, not 49"),
    "a void credit note": (change("creditnotes", status="void"), "I3 re_1: credit notes over nothing, not 49"),
    "two credit notes": (double("creditnotes"), "I3 re_1: credit notes over 49, 49, not 49"),
    "a cent off": (change("creditnotes", total=Decimal("49.01")), "I3 re_1: credit notes over 49.01, not 49"),
    "not paid out": (drop("refunds"), "I3 re_1: paid out 0, not 49"),
    "paid out twice": (double("refunds"), "I3 re_1: paid out 98.00, not 49"),
    "of nobody": (change("creditnotes", reference_number="re_9"), "I6 re_9: 1 credit notes trace to no refund"),
    "not returned to stock": (
        lambda books: books["creditnotes"][0]["line_items"][0].update(is_returned_to_stock=False),
        "I2 LAMP: accounting stock is 8, not 7",
    ),
}


@pytest.mark.parametrize("name", WRONG_REFUNDS)
def test_each_difference_of_a_refund_is_named(name: str) -> None:
    """A refund without its credit note, and a credit note that is not its refund's, are found."""
    spoil, words = WRONG_REFUNDS[name]
    ledger, books = refunded()
    spoil(books)
    said = [str(violation) for violation in check(ledger, books, SOLD)]
    assert any(one.startswith(words) for one in said), said
