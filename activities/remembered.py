"""What our own memory says of the documents of a payment: no call to anybody."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel

from activities.effects import LIKELY, TAKEN_BACK
from domain.credits import CreditWritten, PaidOut
from domain.disputes import DISPUTES
from domain.documents import ReceiptRecord
from domain.matching import BookedDocument
from domain.money import Money
from domain.payments import Moved
from domain.payouts import LineKind
from domain.sales import InvoiceWritten, OrderWritten, ReceiptWritten
from domain.writeoffs import ReceiptKept

if TYPE_CHECKING:
    from clients.store import EffectRow

Answer = TypeVar("Answer", bound=BaseModel)
# As `activities.effects` names a step: done anew after `round` times, for the change or refund `about`.
_STEP = re.compile(r"(?P<name>[a-z_]+)(#(?P<document>[^~@]+))?(~(?P<round>\d+))?(@(?P<about>.+))?")
# What leaves, and what comes back of it.
_REFUND = (LineKind.REFUND, LineKind.REFUND_FAILURE)
_DISPUTE = (LineKind.DISPUTE, LineKind.DISPUTE_REVERSAL)


def documents_of(rows: Sequence[EffectRow], own: str = "") -> Iterator[BookedDocument]:
    """What stands in Zoho by our own effects of any number of payments: payments, refunds, lost disputes.

    What was deleted since is left out, but for a refund that failed and a dispute that was won after all: the money
    left and came back, and both were booked. What the books count foreign money for is told where `own`, the
    organisation's currency, is known.
    """
    by_payment = _by_payment(rows)
    standing: set[str] = set()
    for payment_id, done in by_payment.items():
        gone = {one.document for one in done if one.name in ("delete_payment", "delete_credit_refund")}
        again = sum(one.name == TAKEN_BACK for one in done)
        payments = list(_payments(payment_id, [one for one in done if one.round == again], gone, own))
        standing |= {one.document_id for one in payments}
        yield from payments
        yield from _refunds(done, gone, own)
        yield from _write_offs(done, own)
    for one in (one for done in by_payment.values() for one in done if one.name == LIKELY):
        record = one.answer(ReceiptWritten).record
        if record is not None and record.zoho_payment_id not in standing:
            yield _recorded(record, own)


def came_back(rows: Sequence[EffectRow]) -> frozenset[str]:
    """The balance transactions of disputes that took money and gave all of it back: nothing of them is to be booked."""
    moves: dict[str, list[Moved]] = {}
    for done in _by_payment(rows).values():
        for one in (one for one in done if one.name == "moved" and one.about.startswith(DISPUTES)):
            moves.setdefault(one.about, []).append(one.answer(Moved))
    settled = (kept for kept in moves.values() if len(kept) > 1 and not sum(one.money.minor for one in kept))
    return frozenset(one.transaction_id for kept in settled for one in kept)


def _by_payment(rows: Sequence[EffectRow]) -> dict[str, list[_Done]]:
    found: dict[str, list[_Done]] = {}
    for row in rows:
        if row.completed_at is not None and (step := _STEP.fullmatch(row.step)):
            found.setdefault(row.stripe_id, []).append(_Done(row, step, row.completed_at))
    return found


class _Done:
    """A step that was completed, `at` that time."""

    def __init__(self, row: EffectRow, step: re.Match[str], at: datetime) -> None:
        self.row, self.at = row, at
        self.name, self.document, self.about = step["name"], step["document"] or "", step["about"] or ""
        self.round = int(step["round"] or 0)

    def answer(self, kind: type[Answer]) -> Answer:
        """What it answered."""
        return kind.model_validate_json(self.row.result["answer"])


def _payments(payment_id: str, done: Sequence[_Done], gone: set[str], own: str) -> Iterator[BookedDocument]:
    orders = [one.answer(OrderWritten).salesorder_id for one in done if one.name == "sales_order"]
    invoices = [one.answer(InvoiceWritten).invoice_id for one in done if one.name == "invoice"]
    fees = [one.row.amount for one in done if one.name == "fee"]
    for one in done:
        if one.name != "customer_payment" or one.row.amount is None:
            continue
        written = one.answer(ReceiptWritten)
        if not written.zoho_payment_id or written.zoho_payment_id in gone:
            continue
        charges = written.record.bank_charges if written.record else None
        rate = written.record.exchange_rate if written.record else None
        fee = fees[-1] if fees else charges or None
        yield BookedDocument(
            kind=LineKind.CHARGE,
            document_id=written.zoho_payment_id,
            money=one.row.amount,
            on=one.at.date(),
            reference=payment_id,
            linked=(payment_id,),
            order_id=orders[-1] if orders else "",
            invoice_id=invoices[-1] if invoices else _invoice(written.record),
            fee=fee,
            value=_counted(one.row.amount, rate, own),
            fee_value=_counted(fee, rate, own),
        )


def _recorded(record: ReceiptRecord, own: str) -> BookedDocument:
    """A payment that Zoho has, whose only amount and date say what it may belong to."""
    return BookedDocument(
        kind=LineKind.CHARGE,
        document_id=record.zoho_payment_id,
        money=record.amount,
        on=record.day,
        reference=record.reference,
        invoice_id=_invoice(record),
        fee=record.bank_charges or None,
        value=_counted(record.amount, record.exchange_rate, own),
        fee_value=_counted(record.bank_charges or None, record.exchange_rate, own),
    )


def _counted(money: Money | None, rate: Decimal | None, own: str) -> Money | None:
    """What the books count foreign money for: amount times rate, by the description of both in Zoho's specification,
    rounded as Zoho rounds.
    """
    return _in_own(money, money.decimal() * rate if money and rate else None, own)


def _in_own(money: Money | None, value: Decimal | None, own: str) -> Money | None:
    """`value` of the own currency, where that is known and another than the money's."""
    if money is None or value is None or own in ("", money.currency):
        return None
    return Money.rounded(value, own)


def _invoice(record: ReceiptRecord | None) -> str:
    return record.shares[0].invoice_id if record and record.shares else ""


def _refunds(done: Sequence[_Done], gone: set[str], own: str) -> Iterator[BookedDocument]:
    """Of refunds, and of lost disputes that were credited."""
    notes = {one.about: one.answer(CreditWritten) for one in done if one.name == "credit_note"}
    for one in done:
        if one.name != "credit_note_refund":
            continue
        note, paid = notes.get(one.about, CreditWritten()), one.answer(PaidOut)
        money = one.row.amount or note.total
        if money is None or not paid.zoho_refund_id:
            continue
        told = {"creditnote_id": note.creditnote_id, "value": _in_own(money, paid.value, own)}
        there, back = _DISPUTE if one.about.startswith(DISPUTES) else _REFUND
        for kind in (there, back) if paid.zoho_refund_id in gone else (there,):
            yield _given(one, kind, paid.zoho_refund_id, money, done).model_copy(update=told)


def _write_offs(done: Sequence[_Done], own: str) -> Iterator[BookedDocument]:
    """Of lost disputes that were written off: the recorded payment was lowered by what the bank took."""
    lowered = {one.about: one.answer(ReceiptKept).record for one in done if one.name == "payment_before"}
    restored = {one.about for one in done if one.name == "restore_payment"}
    for one in done:
        if one.name != "lower_payment" or one.row.amount is None or one.about not in lowered:
            continue
        before = lowered[one.about]
        value = _counted(one.row.amount, before.exchange_rate, own)
        for kind in _DISPUTE if one.about in restored else _DISPUTE[:1]:
            found = _given(one, kind, before.zoho_payment_id, one.row.amount, done)
            yield found.model_copy(update={"value": value})


def _given(one: _Done, kind: LineKind, document_id: str, money: Money, done: Sequence[_Done]) -> BookedDocument:
    """The document of money that went back, or of what came back of that; linked by what moved it, too."""
    moves = [move.answer(Moved) for move in done if move.name == "moved" and move.about == one.about]
    leaves = kind in (_REFUND[0], _DISPUTE[0])
    return BookedDocument(
        kind=kind,
        document_id=document_id,
        money=money,
        on=one.at.date(),
        reference=one.about,
        linked=(one.about, *(move.transaction_id for move in moves if (move.net.minor < 0) is leaves)),
    )
