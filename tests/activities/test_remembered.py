"""What our memory says of a payment's documents, for a payout's lines."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from pydantic import BaseModel

from activities.remembered import came_back, documents_of
from clients.store import EffectRow
from domain.credits import CreditWritten, PaidOut
from domain.documents import ReceiptRecord, Share
from domain.matching import BookedDocument
from domain.money import Money
from domain.payments import Moved
from domain.payouts import LineKind
from domain.runs import StepDone
from domain.sales import ReceiptWritten
from domain.writeoffs import ReceiptKept

AT = datetime(2026, 11, 3, tzinfo=UTC)
LOSS = Money.of(4990, "EUR")
NOTE = CreditWritten(creditnote_id="cn_1", number="CN-1", total=LOSS)
OUT = Moved(transaction_id="txn_out", money=-LOSS, fee=Money.of(1500, "EUR"), net=Money.of(-6490, "EUR"))
BACK = Moved(transaction_id="txn_back", money=LOSS, fee=Money.of(0, "EUR"), net=LOSS)


def row(step: str, answer: BaseModel | None = None, amount: Money | None = None) -> EffectRow:
    """A completed effect of pi_1."""
    kept = {"answer": (answer or StepDone()).model_dump_json()}
    return EffectRow(step, "pi_1", "owner", AT, AT, kept, amount=amount)


def documents(*rows: EffectRow) -> list[tuple[LineKind, str, tuple[str, ...]]]:
    """Kind, id and links of each document."""
    return [(one.kind, one.document_id, one.linked) for one in documents_of(rows)]


def test_a_credited_dispute_has_its_credit_notes_refund() -> None:
    """By the dispute's id and by the balance transaction that took the money: it is no refund."""
    booked = [
        row("moved#txn_out@dp_1", OUT, OUT.net),
        row("credit_note@dp_1", NOTE, LOSS),
        row("credit_note_refund@dp_1", PaidOut(zoho_refund_id="zr_1"), LOSS),
    ]
    assert documents(*booked) == [(LineKind.DISPUTE, "zr_1", ("dp_1", "txn_out"))]
    back = [row("delete_credit_refund#zr_1@dp_1"), row("moved#txn_back@dp_1", BACK, BACK.net)]
    assert documents(*booked, *back) == [
        (LineKind.DISPUTE, "zr_1", ("dp_1", "txn_out")),
        (LineKind.DISPUTE_REVERSAL, "zr_1", ("dp_1", "txn_back")),
    ]


def test_a_won_dispute_wants_no_document() -> None:
    """Once what it took has come back, and not before; of another dispute that says nothing."""
    out, back = row("moved#txn_out@dp_1", OUT, OUT.net), row("moved#txn_back@dp_1", BACK, BACK.net)
    other = row("moved#txn_9@dp_2", OUT.model_copy(update={"transaction_id": "txn_9"}), OUT.net)
    assert came_back([out, other]) == frozenset()
    assert came_back([out, back, other]) == {"txn_out", "txn_back"}


def test_a_written_off_dispute_has_the_payment_that_was_lowered() -> None:
    """Two disputes may have lowered one payment; what was restored came back."""
    record = ReceiptRecord(
        zoho_payment_id="zp_1",
        contact_id="c_1",
        mode="Stripe",
        amount=LOSS,
        day=AT.date(),
        reference="pi_1",
        shares=(Share(invoice_id="inv_1", amount=LOSS),),
        bank_charges=LOSS.zero(),
    )
    kept = ReceiptKept(record=record, invoice_id="inv_1")
    booked = [
        row(f"{step}@{dispute}", answer, LOSS)
        for dispute in ("dp_1", "dp_2")
        for step, answer in (("payment_before", kept), ("lower_payment", None), ("write_off", None))
    ]
    restored = row("restore_payment#inv_1@dp_2")
    found = list(documents_of([*booked, restored]))
    assert [(one.kind, one.document_id, one.reference) for one in found] == [
        (LineKind.DISPUTE, "zp_1", "dp_1"),
        (LineKind.DISPUTE, "zp_1", "dp_2"),
        (LineKind.DISPUTE_REVERSAL, "zp_1", "dp_2"),
    ]
    assert all(isinstance(one, BookedDocument) and one.money == LOSS for one in found)


def test_foreign_money_has_what_the_books_count_it_for() -> None:
    """55.00 dollars at 0.92: 50.60 euro, and 1.79 of the fee; where that is not another currency nothing is said."""
    sum_, fee, euro = Money.of(5500, "USD"), Money.of(195, "USD"), "EUR"
    record = ReceiptRecord(
        zoho_payment_id="zp_1",
        contact_id="c_1",
        mode="Stripe",
        amount=sum_,
        day=AT.date(),
        shares=(Share(invoice_id="inv_1", amount=sum_),),
        exchange_rate=Decimal("0.92"),
        bank_charges=fee,
    )
    booked = [
        row("customer_payment", ReceiptWritten(zoho_payment_id="zp_1", record=record), sum_),
        row("credit_note_refund@re_1", PaidOut(zoho_refund_id="zr_1", value=Decimal("9.2")), Money.of(1000, "USD")),
        row("payment_before@dp_1", ReceiptKept(record=record, invoice_id="inv_1")),
        row("lower_payment@dp_1", amount=Money.of(2000, "USD")),
    ]
    paid, refunded, lowered = documents_of(booked, euro)
    assert (paid.value, paid.fee_value) == (Money.of(5060, euro), Money.of(179, euro))
    assert (refunded.value, lowered.value) == (Money.of(920, euro), Money.of(1840, euro))
    for own in ("", "USD"):
        assert {one.value for one in documents_of(booked, own)} == {None}
