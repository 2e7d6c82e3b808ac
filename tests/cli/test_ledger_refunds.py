"""The check that judges a demo or a storm, on money that went back: refunds, returns, adjustments and lost disputes."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from cli.ledger_check import check
from tests.cli.sample_ledgers import SOLD, Ledger, change, documents, double, drop, stripe, zoho


def refunded() -> tuple[Ledger, Ledger]:
    """One of the two lamps of pi_1 was given back: Stripe's refund, Zoho's credit note and what was paid out of it."""
    ledger, books = stripe(), zoho()
    ledger["refunds"] = [
        {"id": "re_1", "status": "succeeded", "payment_intent": "pi_1", "charge": "ch_1", "amount": 4900,
         "currency": "eur", "metadata": {}},
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


def proposed() -> tuple[Ledger, Ledger]:
    """The lamp came back by an adjustment, which moved both stocks; the credit note moved none."""
    ledger, books = refunded()
    ledger["refunds"][0]["metadata"] = {"zoho_inventory_adjustment_id": "ad1"}
    books["creditnotes"][0]["line_items"][0]["is_returned_to_stock"] = False
    line = {"item_id": "i1", "quantity_adjusted": Decimal(1)}
    row = {"inventory_adjustment_id": "ad1", "reference_number": "SO-1", "status": "adjusted", "line_items": [line]}
    books["adjustments"] = [row]
    books["items"][0]["physical"] += 1
    return ledger, books


def test_an_adjustment_that_a_refund_names_is_a_persons() -> None:
    """It moved the stock, once; without the refund it has to be said who made it."""
    ledger, books = proposed()
    assert check(ledger, books, SOLD) == []
    books["creditnotes"], books["refunds"], ledger["refunds"] = [], [], []
    assert [one.invariant for one in check(ledger, books, SOLD)] == ["I6", "I2", "I2"]
    assert check(ledger, books, SOLD, by_hand=["ad1"]) == []


@pytest.mark.parametrize(("count", "known", "words"), [
    (2, True, "I4 ad1: 2 refunds for one adjustment"), (1, False, "I6 ad1: 1 refunds for an adjustment that Zoho"),
])  # fmt: skip
def test_an_adjustment_gives_money_back_once(count: int, known: bool, words: str) -> None:
    """Two refunds of one, and one of none that Zoho has, are found."""
    ledger, books = proposed()
    ledger["refunds"] += [{**ledger["refunds"][0], "id": f"re_{extra}"} for extra in range(2, count + 1)]
    books["adjustments"] = books["adjustments"] if known else []
    assert any(str(one).startswith(words) for one in check(ledger, books, SOLD))


def test_a_credit_note_that_people_wrote_for_a_return_is_its_refunds() -> None:
    """Nobody's until then; and the refund that names the return has given back what it says."""
    ledger, books = refunded()
    books["creditnotes"][0] |= {"reference_number": "", "salesreturn_id": "rt1"}
    books["salesreturns"] = [{"salesreturn_id": "rt1"}]
    assert [one.invariant for one in check({**ledger, "refunds": []}, books, SOLD)] == []
    ledger["refunds"][0]["metadata"] = {"zoho_salesreturn_id": "rt1"}
    assert check(ledger, books, SOLD) == []
    books["creditnotes"][0]["total"] = Decimal("48.00")
    assert [one.invariant for one in check(ledger, books, SOLD)] == ["I3"]


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


def disputed(*, credited: bool, amount: int = 4900) -> tuple[Ledger, Ledger]:
    """Of pi_1, 98 EUR, so much was lost to a bank: credited like a refund, or written off."""
    ledger, books = refunded() if credited else (stripe(), zoho())
    row = {"id": "dp_1", "status": "lost", "payment_intent": "pi_1", "charge": "ch_1", "amount": amount}
    ledger["disputes"] = [{**row, "currency": "eur"}]
    ledger.pop("refunds", None)
    if credited:
        books["creditnotes"][0]["reference_number"] = "dp_1"
        return ledger, books
    money = Decimal(amount) / 100
    books["invoices"][0]["write_off_amount"] = money
    books["payments"][0]["amount"] -= money
    if not books["payments"][0]["amount"]:
        books["payments"].pop(0)
    return ledger, books


@pytest.mark.parametrize(("credited", "amount"), [(True, 4900), (False, 4900), (False, 9800)])
def test_a_lost_dispute_that_is_booked_has_no_violation(credited: bool, amount: int) -> None:
    """Credited as a refund is; or the payment is lowered, or gone, and just that is written off. A won one is none."""
    ledger, books = disputed(credited=credited, amount=amount)
    ledger["disputes"].append({**ledger["disputes"][0], "id": "dp_2", "status": "won"})
    assert check(ledger, books, SOLD) == []


WRONG_LOSSES: dict[str, tuple[bool, int, Callable[[Ledger], None], str]] = {
    "credited a cent off": (
        True, 4900, change("creditnotes", total=Decimal("48.99")), "I3 dp_1: credit notes over 48.99, not 49"
    ),
    "credited and not paid out": (True, 4900, drop("refunds"), "I3 dp_1: paid out 0, not 49"),
    "credited twice": (True, 4900, double("creditnotes"), "I3 dp_1: credit notes over 49, 49, not 49"),
    "credited and written off": (
        True, 4900, change("invoices", write_off_amount=Decimal(49)),
        "I3 pi_1: 49 were written off, disputes took 0 that is not credited",
    ),
    "not written off": (
        False, 4900, change("invoices", write_off_amount=Decimal(0)),
        "I3 pi_1: 0 were written off, disputes took 49.00 that is not credited",
    ),
    "the payment not lowered": (False, 4900, change("payments", amount=Decimal(98)), "I3 pi_1: payment says 98 EUR"),
    "lost as a whole, and a payment stands": (
        False, 9800,
        lambda books: books["payments"].append(documents("pi_1", "98", 2)["payments"]),
        "I1 pi_1: has 1 payments in Zoho, not none",
    ),
    "nothing booked": (
        True, 4900, lambda books: books.update(creditnotes=[], refunds=[]), "I3 pi_1: payment says 98 EUR, Stripe 49"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG_LOSSES)
def test_each_difference_of_a_lost_dispute_is_named(name: str) -> None:
    """One that is booked otherwise, twice, or not at all, is found."""
    credited, amount, spoil, words = WRONG_LOSSES[name]
    ledger, books = disputed(credited=credited, amount=amount)
    spoil(books)
    said = [str(violation) for violation in check(ledger, books, SOLD)]
    assert any(one.startswith(words) for one in said), said


def test_a_returns_credit_note_is_found_by_the_return() -> None:
    """The note may have the reference of a refund that failed, or a person's own; the refund names the return."""
    ledger, books = refunded()
    ledger["refunds"][0]["metadata"] = {"zoho_salesreturn_id": "sr1"}
    books["salesreturns"] = [{"salesreturn_id": "sr1"}]
    books["creditnotes"][0] |= {"reference_number": "re_0", "salesreturn_id": "sr1"}
    assert check(ledger, books, SOLD) == []
    books["creditnotes"][0]["salesreturn_id"] = "sr2"
    said = [str(violation) for violation in check(ledger, books, SOLD)]
    assert "I3 sr1: credit notes over nothing, not 49.00" in said
    assert "I6 sr2: 1 credit notes trace to no refund" in said


def test_two_refunds_for_one_return_are_found() -> None:
    """However much of the payment is left; and one for a return that Zoho does not have."""
    ledger, books = refunded()
    ledger["refunds"][0]["metadata"] = {"zoho_salesreturn_id": "sr1"}
    ledger["refunds"].append({**ledger["refunds"][0], "id": "re_2"})
    books["creditnotes"][0]["salesreturn_id"] = "sr1"
    assert "I6 sr1: 2 refunds for a return that Zoho does not have" in map(str, check(ledger, books, SOLD))
    books["salesreturns"] = [{"salesreturn_id": "sr1"}]
    assert "I4 sr1: 2 refunds for one return" in map(str, check(ledger, books, SOLD))
