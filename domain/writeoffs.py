"""An invoice of which a part is written off: what it brought is lowered first, so that just that part is owed."""

from __future__ import annotations

from enum import StrEnum

from domain.disputes import DisputeRef
from domain.documents import ReceiptRecord
from domain.money import Money
from domain.payments import Fact


class OweState(StrEnum):
    """How an invoice stands of which `money` is to be written off."""

    PAID = "paid"  # nothing is owed, nothing was written off
    OWED = "owed"  # just that money is owed
    WRITTEN_OFF = "written_off"  # that money was written off, and nothing is owed
    OTHER = "other"  # somebody else's doing


class WriteOffInput(DisputeRef):
    """`money` of the invoice to be written off.

    `record` is its recorded payment as it was before, None where that was lowered before our memory begins.
    """

    invoice_id: str
    money: Money
    record: ReceiptRecord | None = None
    after: int = 0


class ReceiptKept(Fact):
    """A recorded payment as it was before it was lowered at the invoice: what it is brought back to."""

    record: ReceiptRecord
    invoice_id: str


class WriteOffSeen(Fact):
    """How the invoice stands."""

    state: OweState


def lowered(record: ReceiptRecord, invoice_id: str, money: Money) -> ReceiptRecord | None:
    """The recorded payment with `money` less on the invoice; None where nothing is left of it.

    ValueError where it did not bring so much to that invoice.
    """
    shares = [share for share in record.shares if share.invoice_id == invoice_id]
    if not shares or shares[0].amount < money or record.amount < money:
        raise ValueError(f"the recorded payment {record.zoho_payment_id} brought less than {money} to {invoice_id}")
    kept = [
        share.model_copy(update={"amount": share.amount - money}) if share.invoice_id == invoice_id else share
        for share in record.shares
    ]
    amount = record.amount - money
    left = tuple(share for share in kept if share.amount)
    if amount and not left:
        raise ValueError(f"the recorded payment {record.zoho_payment_id} holds money that is on no invoice")
    return record.model_copy(update={"amount": amount, "shares": left}) if amount else None


def state_of(balance: Money | None, written_off: Money | None, money: Money) -> OweState:
    """How an invoice stands that wants `balance` and of which `written_off` was given up."""
    if balance is None or written_off is None:
        return OweState.OTHER
    known = {
        (0, 0): OweState.PAID,
        (money.minor, 0): OweState.OWED,
        (0, money.minor): OweState.WRITTEN_OFF,
    }
    return known.get((balance.minor, written_off.minor), OweState.OTHER)
