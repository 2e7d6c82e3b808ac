"""What our effect rows tell of a carried payment, whatever was taken back, repeated or changed since."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from activities.carried import carried_order
from clients.store import EffectRow
from domain.credits import CreditWritten, PaidOut
from domain.money import Money
from domain.sales import InvoiceWritten, OrderWritten, ReceiptWritten
from domain.shipping import ShipmentWritten

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
TOTAL = Money.of(4990, "EUR")
ANSWERS = {
    "sales_order": OrderWritten(salesorder_id="so-1", total=TOTAL),
    "invoice": InvoiceWritten(invoice_id="in-1"),
    "customer_payment": ReceiptWritten(zoho_payment_id="pay-1"),
    "shipment": ShipmentWritten(shipment_id="sh-1"),
    "credit_note@re_1": CreditWritten(creditnote_id="cn-1", number="CN-1", total=TOTAL),
    "credit_note~1@re_1": CreditWritten(creditnote_id="cn-2", number="CN-2", total=TOTAL),
    "credit_note_refund~1@re_1": PaidOut(zoho_refund_id="cr-2"),
    "sales_order~1": OrderWritten(salesorder_id="so-2", total=TOTAL),
}


def rows(*steps: str) -> list[EffectRow]:
    """These steps, a minute apart; one with `?` behind it is under way."""
    return [_row(step, NOON + timedelta(minutes=place)) for place, step in enumerate(steps)]


def _row(step: str, at: datetime) -> EffectRow:
    name, under_way = step.removesuffix("?"), step.endswith("?")
    answer = ANSWERS.get(name)
    result = {"answer": answer.model_dump_json() if answer else "{}"}
    return EffectRow(name, "pi_1", "run", at, None if under_way else at, {} if under_way else result)


CARRIED = ("sales_order", "invoice", "customer_payment", "shipment", "write_back")


def test_a_carried_payment_has_its_documents() -> None:
    """The last write to Zoho is the shipment: what Stripe or a person was told changes nothing there."""
    order = carried_order(rows(*CARRIED, "answer#1@check-1", "carry_back#0", "carry_back#1"))
    documents = order.documents
    assert (order.salesorder_id, order.paid, order.busy, order.carried) == ("so-1", True, False, 2)
    assert (documents.invoice_id, documents.receipt_id, documents.shipment_id) == ("in-1", "pay-1", "sh-1")
    assert (documents.total, order.last_write) == (TOTAL, NOON + timedelta(minutes=3))


def test_a_write_under_way_makes_it_busy_and_a_turn_does_not() -> None:
    """Whoever waits for a person has the turn and writes nothing; money in Stripe is no document."""
    assert carried_order(rows(*CARRIED, "fee?")).busy
    assert not carried_order(rows(*CARRIED, "correct?", "give_all_back#0@check-1?")).busy


def test_what_we_took_back_should_not_stand() -> None:
    """By a refund that voids the order, or by an abort; carried anew, the new order counts."""
    for undone in ("void_sales_order@re_1", "void_sales_order?"):
        assert carried_order(rows(*CARRIED, undone)).salesorder_id == ""
    taken_back = (*CARRIED, "void_sales_order", "taken_back#0")
    assert carried_order(rows(*taken_back)).salesorder_id == ""
    again = carried_order(rows(*taken_back, "sales_order~1"))
    assert (again.salesorder_id, again.round, again.paid) == ("so-2", 1, False)


def test_a_payment_that_a_lost_dispute_lowered_is_not_compared() -> None:
    """Its amount is ours to change; the order, its invoice and its shipment still are."""
    documents = carried_order(rows(*CARRIED, "lower_payment@du_1", "write_off@du_1")).documents
    assert (documents.receipt_id, documents.invoice_id, documents.shipment_id) == ("", "in-1", "sh-1")


def test_credit_notes_that_we_wrote_and_did_not_void() -> None:
    """One that was taken back with its refund is not missed; the money that went back is no credit note."""
    undone = ("void_credit_note#cn-1@re_1", "credit_note~1@re_1", "credit_note_refund@re_1")
    found = carried_order(rows(*CARRIED, "credit_note@re_1", *undone)).documents.credits
    assert [(one.number, one.total, one.refund_id) for one in found] == [("CN-2", TOTAL, "")]


def test_what_a_credit_note_gave_back() -> None:
    """Its refund of the same round, until we take that back."""
    paid = (*CARRIED, "credit_note~1@re_1", "credit_note_refund~1@re_1")
    assert [one.refund_id for one in carried_order(rows(*paid)).documents.credits] == ["cr-2"]
    undone = carried_order(rows(*paid, "delete_credit_refund#cr-2@re_1")).documents.credits
    assert [one.refund_id for one in undone] == [""]


def test_nothing_is_known_of_what_was_never_carried() -> None:
    """No row, or none but another run's."""
    for steps in ((), ("give_all_back#0@check-1",), ("sales_order?",)):
        order = carried_order(rows(*steps))
        assert (order.salesorder_id, order.paid) == ("", False)
