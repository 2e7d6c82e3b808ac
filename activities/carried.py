"""What our effect rows tell of one carried payment: which order and documents should stand, and when we wrote last."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel

from activities.credits import DELETE_CREDIT_REFUND, PAID_OUT, VOID_CREDIT_NOTE
from activities.effects import TAKEN_BACK
from domain.credits import CreditWritten, PaidOut
from domain.drift import CreditState, WrittenDocuments
from domain.runs import WrittenBack
from domain.sales import InvoiceWritten, OrderWritten, ReceiptWritten
from domain.shipping import ShipmentWritten

if TYPE_CHECKING:
    from clients.store import EffectRow

CARRY_BACK = "carry_back"
ORDER_GONE = "order_gone"
_ORDER, _INVOICE, _RECEIPT, _SHIPMENT = "sales_order", "invoice", "customer_payment", "shipment"
_WRITE_BACK = "write_back"
# What of ours changes no document in Zoho: an answer that was kept, a message, a word to Stripe, money there.
_ELSEWHERE = (
    "answer", "notify", "tell", CARRY_BACK, _WRITE_BACK, "mark_refund", "unmark_refund", "clear_metadata",
    "give_all_back", "give_back", "let_go_of_hold",
)  # fmt: skip
# Whoever has the turn has written nothing yet.
_TURN = "correct"
_NOTE = re.compile(r"credit_note(~\d+)?@.+")
_NONE = WrittenDocuments()
Answer = TypeVar("Answer", bound=BaseModel)


@dataclass(frozen=True)
class CarriedOrder:
    """`salesorder_id` is "" where no order of ours should stand; `paid`: its payment is recorded.

    `busy`: a write of ours is under way. `last_write` is when the last of ours to Zoho was known to be through.
    `carried` counts how often Stripe was told of what people entered; `told` is the metadata that the payment's own
    run wrote, None where that is not known.
    """

    salesorder_id: str = ""
    round: int = 0
    documents: WrittenDocuments = _NONE
    shipment: ShipmentWritten | None = None
    paid: bool = False
    busy: bool = False
    last_write: datetime | None = None
    carried: int = 0
    told: dict[str, str] | None = None


def carried_order(rows: Sequence[EffectRow]) -> CarriedOrder:
    """What the rows of one payment come to."""
    done = [row for row in rows if row.completed_at]
    number = sum(row.step.startswith(TAKEN_BACK) for row in rows)
    order = _answer(done, _ORDER, number, OrderWritten)
    if order is None or _undone(rows, _ORDER, number, "void_sales_order"):
        return CarriedOrder(round=number)
    shipment = _standing(rows, _SHIPMENT, number, ShipmentWritten, "delete_shipment")
    receipt = _answer(done, _RECEIPT, number, ReceiptWritten)
    kept = _standing(rows, _RECEIPT, number, ReceiptWritten, "delete_payment", "lower_payment", "restore_payment")
    invoice = _standing(rows, _INVOICE, number, InvoiceWritten, "void_invoice")
    back = _answer(done, _WRITE_BACK, number, WrittenBack)
    return CarriedOrder(
        salesorder_id=order.salesorder_id,
        round=number,
        documents=WrittenDocuments(
            total=order.total,
            invoice_id=invoice.invoice_id if invoice else "",
            receipt_id=kept.zoho_payment_id if kept else "",
            shipment_id=shipment.shipment_id if shipment else "",
            credits=tuple(_credits(rows)),
        ),
        shipment=shipment,
        paid=receipt is not None,
        busy=any(row.completed_at is None and row.step != _TURN and _writes(row.step) for row in rows),
        last_write=max((row.completed_at for row in done if row.completed_at and _writes(row.step)), default=None),
        carried=sum(row.step.startswith(f"{CARRY_BACK}#") for row in done),
        told=back.metadata if back else None,
    )


def _credits(rows: Sequence[EffectRow]) -> Iterator[CreditState]:
    """The credit notes of refunds, returns and lost disputes that we wrote and did not void."""
    for row in rows:
        if row.completed_at and "answer" in row.result and _NOTE.fullmatch(row.step):
            note = CreditWritten.model_validate_json(row.result["answer"])
            if not _took_back(rows, VOID_CREDIT_NOTE, note.creditnote_id):
                about = {"creditnote_id": note.creditnote_id, "number": note.number, "total": note.total}
                yield CreditState(**about, refund_id=_paid_out(rows, row.step.replace("credit_note", PAID_OUT, 1)))


def _paid_out(rows: Sequence[EffectRow], step: str) -> str:
    """Zoho's id of the refund that the step booked, "" where it did not, or that was taken back."""
    row = next((row for row in rows if row.step == step and row.completed_at), None)
    paid = PaidOut.model_validate_json(row.result["answer"]).zoho_refund_id if row and "answer" in row.result else ""
    return "" if _took_back(rows, DELETE_CREDIT_REFUND, paid) else paid


def _took_back(rows: Sequence[EffectRow], step: str, document_id: str) -> bool:
    return any(row.step.startswith(f"{step}#{document_id}") for row in rows)


def _standing(rows: Sequence[EffectRow], step: str, number: int, kind: type[Answer], *undone_by: str) -> Answer | None:
    """What the step wrote, unless a later step of ours took it back or changed it."""
    if _undone(rows, step, number, *undone_by):
        return None
    return _answer([row for row in rows if row.completed_at], step, number, kind)


def _undone(rows: Sequence[EffectRow], step: str, number: int, *by: str) -> bool:
    written = next((row.completed_at for row in rows if row.step == named(step, number)), None)
    return written is not None and any(row.step.startswith(by) and row.begun_at >= written for row in rows)


def _answer(done: Sequence[EffectRow], step: str, number: int, kind: type[Answer]) -> Answer | None:
    row = next((row for row in done if row.step == named(step, number)), None)
    return kind.model_validate_json(row.result["answer"]) if row and "answer" in row.result else None


def named(step: str, number: int) -> str:
    """A step's full name in the `number`th round (from 0) of a payment's documents."""
    return f"{step}~{number}" if number else step


def _writes(step: str) -> bool:
    return not step.startswith(_ELSEWHERE)
