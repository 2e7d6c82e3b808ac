"""What crosses Temporal about the recorded payment and its fee."""

from __future__ import annotations

from domain.documents import ReceiptRecord
from domain.money import Money
from domain.payments import Fact
from domain.runs import PaymentRef


class ReceiptFound(Fact):
    """Zoho's id of a recorded payment, "" where there is none, or several."""

    zoho_payment_id: str = ""


class ReceiptQuery(PaymentRef):
    """A recorded payment to be read."""

    zoho_payment_id: str
    currency: str


class FeeInput(PaymentRef):
    """The fee to write on the recorded payment."""

    record: ReceiptRecord
    charges: Money
    after: int = 0
