"""What a payout's lines lack in the books: looked for in Zoho, or told to the run that books it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from pydantic import AwareDatetime

from domain.documents import ReceiptRecord
from domain.matching import Confidence, FindingKind, Matched, MatchedLine
from domain.money import Money
from domain.payments import Fact
from domain.payouts import LineKind
from domain.reconciling import CertifyInput
from domain.runs import PaymentEvent, PaymentRef
from domain.sweeps import Case, Heard


class Lacks(StrEnum):
    """What a line lacks."""

    DOCUMENT = "document"
    FEE = "fee"  # on the document that surely is the line's
    REFERENCE = "reference"  # it may be one by amount and date: a person may have put Stripe's id on it since


#: So many lines of one payout are looked after; what more is missing stays for the certificate's next version.
MOST = 500
# Stripe's word for what happened, and whose run hears it. Nobody carries a debit that bounced.
_TOLD = {
    LineKind.CHARGE: ("charge.succeeded", Case.PAYMENT),
    LineKind.REFUND: ("refund.created", Case.REFUND),
    LineKind.REFUND_FAILURE: ("refund.failed", Case.REFUND),
    LineKind.DISPUTE: ("charge.dispute.created", Case.DISPUTE),
    LineKind.DISPUTE_REVERSAL: ("charge.dispute.funds_reinstated", Case.DISPUTE),
}
_HEARD_WITHIN = timedelta(minutes=5)
_FEE = ("charge.updated", Case.PAYMENT)
_LACKS = {
    FindingKind.FEE_MISSING: Lacks.FEE,
    FindingKind.PAYMENT_MISSING: Lacks.DOCUMENT,
    FindingKind.REFUND_MISSING: Lacks.DOCUMENT,
    FindingKind.DISPUTE_MISSING: Lacks.DOCUMENT,
    FindingKind.LIKELY: Lacks.REFERENCE,
    FindingKind.AMBIGUOUS: Lacks.REFERENCE,
}


class MissingInput(CertifyInput):
    """A payout of which something may lack; `again`: Stripe need not be asked for it, for its lines were seen to be
    those of the payout.
    """

    again: bool = False


class MissingLine(Fact):
    """A line that lacks something. `money` is above zero, in the buyer's currency."""

    transaction_id: str
    kind: LineKind
    what: Lacks = Lacks.DOCUMENT
    source_id: str
    payment_id: str
    money: Money
    at: AwareDatetime

    @property
    def booked_later(self) -> bool:
        """Whether it may be months before there is a document: a dispute has one once it is lost."""
        return self.kind in (LineKind.DISPUTE, LineKind.DISPUTE_REVERSAL)


class Missing(Fact):
    """The first lines that lack something, and how many more do."""

    lines: tuple[MissingLine, ...] = ()
    more: int = 0


class TellMissing(Fact):
    """A line whose run is to be told."""

    connection: str
    line: MissingLine


class ToldHow(StrEnum):
    """What came of telling a run."""

    TOLD = "told"
    DONE = "done"  # it has completed, and books nothing more
    CLOSED = "closed"  # a person aborted or cancelled it
    BEFORE = "before"  # it happened before we carried anything for this shop: it may be in the books by hand


class RunTold(Fact):
    """What came of it."""

    how: ToldHow


class FoundReceipt(PaymentRef):
    """A payment that Zoho has recorded; `likely` where only amount and date say that it is this one's."""

    record: ReceiptRecord
    likely: bool = False


class FoundCredit(PaymentRef):
    """A credit note's refund that Zoho has; `change` is the refund, or the dispute. `value` as of what was paid out."""

    creditnote_id: str
    number: str = ""
    zoho_refund_id: str
    money: Money
    value: Decimal | None = None


class AlikeInput(Fact):
    """A payment of this amount, recorded near this day, that names no payment of Stripe's."""

    connection: str
    money: Money
    at: AwareDatetime


class Alike(Fact):
    """Zoho's ids of what fits."""

    zoho_payment_ids: tuple[str, ...] = ()


def missing_of(explained: Matched) -> Missing:
    """What could be booked by a run of ours: lines whose payment is known."""
    found = list(_lacking(explained))
    return Missing(lines=tuple(found[:MOST]), more=max(0, len(found) - MOST))


def heard_of(line: MissingLine) -> Heard:
    """What Stripe would have said of the line."""
    kind, case = _FEE if line.what is Lacks.FEE else _TOLD[line.kind]
    event = PaymentEvent(event_id=line.transaction_id, type=kind, object_id=line.source_id, created=line.at)
    about = line.payment_id if case is Case.PAYMENT else line.source_id
    return Heard(event=event, case=case, about=about, payment_id=line.payment_id)


def before_us(line: MissingLine, first: datetime | None) -> bool:
    """Whether the line is from before the `first` event that we heard of for its shop, which tells of a moment ago."""
    return first is None or line.at < first - _HEARD_WITHIN


def still(missing: Missing, told: Sequence[MissingLine]) -> bool:
    """Whether something lacks that a run was told and that it books at once."""
    lacking = {one.transaction_id for one in missing.lines}
    return any(one.transaction_id in lacking for one in told if not one.booked_later)


def _lacking(explained: Matched) -> Iterator[MissingLine]:
    lacks: dict[str, Lacks] = {}
    for finding in explained.findings:
        if (what := _LACKS.get(finding.kind)) and lacks.get(finding.transaction_id) is not Lacks.REFERENCE:
            lacks[finding.transaction_id] = what
    for one in explained.lines:
        line, lack = one.line, lacks.get(one.line.transaction_id)
        if lack is None or not line.payment_id or not line.source_id or not _looked_after(one, lack):
            continue
        yield MissingLine(
            transaction_id=line.transaction_id,
            kind=one.kind,
            what=lack,
            source_id=line.source_id,
            payment_id=line.payment_id,
            money=abs(line.original),
            at=line.at,
        )


def _looked_after(one: MatchedLine, what: Lacks) -> bool:
    """Nobody books a debit that bounced; a fee only the run of a sale that is ours."""
    if what is Lacks.FEE:
        return one.confidence is Confidence.LINKED and one.document is not None and bool(one.document.order_id)
    return one.kind in _TOLD
