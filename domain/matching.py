"""Which document of the books belongs to a line of a payout, how sure that is, and what is missing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, timedelta
from enum import StrEnum

from domain.money import Money
from domain.payments import Fact
from domain.payouts import LineKind, Payout, PayoutLine, line_faults, sum_faults

#: Kinds that have a document in the books: a customer's payment, the refund of a credit note, what a bank took.
DOCUMENTED = frozenset({
    LineKind.CHARGE, LineKind.CHARGE_FAILURE, LineKind.CAPTURE_REVERSAL, LineKind.REFUND, LineKind.REFUND_FAILURE,
    LineKind.DISPUTE, LineKind.DISPUTE_REVERSAL,
})  # fmt: skip
#: Of these a payment has one at most, so its id names the line; it may have several refunds.
_ONE_A_PAYMENT = frozenset({LineKind.CHARGE, LineKind.CHARGE_FAILURE})
#: How far the dates of a line and its document may be apart where nothing but amount and date speaks for them.
NEAR = timedelta(days=3)
_STRIPE_ID = re.compile(r"(pi|ch|py|re|pyr|du|dp|txn|cs|in)_\w+")


class Confidence(StrEnum):
    """Why a document is taken for a line's, the surest first."""

    LINKED = "linked"  # our own memory of what was written
    REFERENCED = "referenced"  # Stripe's id stands on the document, or Zoho's in Stripe's metadata
    LIKELY = "likely"  # the only one of that amount and date: a person confirms it
    NONE = "none"  # there is none, or none is wanted


class FindingKind(StrEnum):
    """What a person, or a later step, has to know of a payout. A closed list."""

    UNKNOWN_CATEGORY = "unknown_category"
    LINE_DIFFERS = "line_differs"
    SUM_DIFFERS = "sum_differs"
    LIKELY = "likely"
    AMBIGUOUS = "ambiguous"
    USED_TWICE = "used_twice"
    AMOUNT_DIFFERS = "amount_differs"
    FEE_DIFFERS = "fee_differs"
    FEE_MISSING = "fee_missing"
    PAYMENT_MISSING = "payment_missing"
    REFUND_MISSING = "refund_missing"
    DISPUTE_MISSING = "dispute_missing"


#: With these nothing is certified: what the payout is made of is not known.
FATAL = frozenset({FindingKind.UNKNOWN_CATEGORY, FindingKind.LINE_DIFFERS, FindingKind.SUM_DIFFERS})
#: These only say what is still to be booked; all others ask a person.
TO_BOOK = frozenset({
    FindingKind.FEE_MISSING, FindingKind.PAYMENT_MISSING, FindingKind.REFUND_MISSING, FindingKind.DISPUTE_MISSING
})  # fmt: skip
_MISSING = {
    LineKind.CHARGE: FindingKind.PAYMENT_MISSING,
    LineKind.CHARGE_FAILURE: FindingKind.PAYMENT_MISSING,
    LineKind.CAPTURE_REVERSAL: FindingKind.PAYMENT_MISSING,
    LineKind.REFUND: FindingKind.REFUND_MISSING,
    LineKind.REFUND_FAILURE: FindingKind.REFUND_MISSING,
    LineKind.DISPUTE: FindingKind.DISPUTE_MISSING,
    LineKind.DISPUTE_REVERSAL: FindingKind.DISPUTE_MISSING,
}


class Finding(Fact):
    """One thing that is not as it should be. `message` holds ids, codes and money only: it may be shown anywhere.

    `transaction_id` is "" where the whole payout is meant; `money` is what is at risk, in the settlement's currency.
    """

    kind: FindingKind
    transaction_id: str = ""
    message: str
    money: Money | None = None


class BookedDocument(Fact):
    """What the books hold for one line. `money` is above zero, in the document's own currency.

    `linked` are the Stripe ids that our memory ties it to; `reference` is what stands on it. `fee` is what it books as
    bank charges, None for nothing. `value` and `fee_value` are what the books count both for in the organisation's own
    currency where that is another one; None where they do not say.
    """

    kind: LineKind
    document_id: str
    money: Money
    on: date
    reference: str = ""
    linked: tuple[str, ...] = ()
    order_id: str = ""
    invoice_id: str = ""
    creditnote_id: str = ""
    fee: Money | None = None
    value: Money | None = None
    fee_value: Money | None = None


class MatchedLine(Fact):
    """A line of a known kind with its document, if one was found."""

    line: PayoutLine
    kind: LineKind
    document: BookedDocument | None = None
    confidence: Confidence = Confidence.NONE


class Matched(Fact):
    """Lines of known kinds in Stripe's order, and what is to be said about them by themselves."""

    lines: tuple[MatchedLine, ...] = ()
    findings: tuple[Finding, ...] = ()


class Explained(Matched):
    """A payout, its lines in Stripe's order, and everything that is to be said about them."""

    payout: Payout

    @property
    def fatal(self) -> tuple[Finding, ...]:
        """Why no certificate can be made; empty where one can."""
        return tuple(one for one in self.findings if one.kind in FATAL)

    @property
    def asks(self) -> tuple[Finding, ...]:
        """What a person has to look at."""
        return tuple(one for one in self.findings if one.kind not in TO_BOOK)


def explain(
    payout: Payout,
    lines: Sequence[PayoutLine],
    documents: Sequence[BookedDocument],
    came_back: Collection[str] = (),
) -> Explained:
    """The payout with its matched lines, and whether they add up to it; for the rest see `match`."""
    findings = [Finding(kind=FindingKind.SUM_DIFFERS, message=fault) for fault in sum_faults(payout, lines)]
    for line in filter(None, (payout.own, payout.returned)):
        findings += _faults(line)
    matched = match(lines, documents, came_back)
    return Explained(payout=payout, lines=matched.lines, findings=(*findings, *matched.findings))


def match(lines: Sequence[PayoutLine], documents: Sequence[BookedDocument], came_back: Collection[str] = ()) -> Matched:
    """Every line with its document: by our own links first, then by references, then by amount and date alone.

    A document belongs to one line at most. Lines of unknown categories are named in the findings and left out.
    `came_back` are balance transactions of disputes whose money is ours again: these want no document.
    """
    findings = [fault for line in lines for fault in _faults(line)]
    known = [line for line in lines if line.kind is not None]
    search = _Search(known, documents)
    matched = tuple(search.matched(line) for line in known)
    findings += search.findings
    settled = {one.transaction_id for one in search.findings} | set(came_back)
    for one in matched:
        if one.document is not None:
            findings += _differences(one.line, one.document)
        elif one.kind in DOCUMENTED and one.line.transaction_id not in settled:
            # Of one that a person is asked about nothing may be booked before the answer.
            findings.append(_about(one.line, _MISSING[one.kind], "has no document in the books"))
    return Matched(lines=matched, findings=tuple(findings))


def _faults(line: PayoutLine) -> Iterator[Finding]:
    for fault in line_faults(line):
        yield _finding(line, FindingKind.LINE_DIFFERS, fault, line.net)
    if line.kind is None:
        fault = f"{line.transaction_id} moves {line.net} and is of the unknown category {line.category!r}"
        yield _finding(line, FindingKind.UNKNOWN_CATEGORY, f"{fault}; update Throughline", line.net)


def _finding(line: PayoutLine, kind: FindingKind, message: str, money: Money) -> Finding:
    return Finding(kind=kind, transaction_id=line.transaction_id, message=message, money=money)


def _about(line: PayoutLine, kind: FindingKind, what: str) -> Finding:
    named = ", ".join(filter(None, (line.source_id, str(line.original))))
    return _finding(line, kind, f"{line.transaction_id} ({named}) {what}", line.amount)


_Index = dict[tuple[LineKind | None, str], list[BookedDocument]]


class _Search:
    """Who gets which document. The surer way goes first for all lines, so a guess takes nobody's own."""

    def __init__(self, lines: Sequence[PayoutLine], documents: Sequence[BookedDocument]) -> None:
        self._free = {_key(one): one for one in documents}
        self._found: dict[str, tuple[BookedDocument, Confidence]] = {}
        self._open = {line.transaction_id: line for line in lines if line.kind in DOCUMENTED}
        self.findings: list[Finding] = []
        links = _index((one, one.linked) for one in documents)
        references = _index((one, _named_by(one)) for one in documents)
        for confidence, index in ((Confidence.LINKED, links), (Confidence.REFERENCED, references)):
            for line in list(self._open.values()):
                self._take(line, confidence, index)
        self._guess(list(self._open.values()))

    def matched(self, line: PayoutLine) -> MatchedLine:
        """The line with what was found for it."""
        if line.kind is None:
            raise ValueError(f"{line.transaction_id} is of an unknown category")
        document, confidence = self._found.get(line.transaction_id, (None, Confidence.NONE))
        return MatchedLine(line=line, kind=line.kind, document=document, confidence=confidence)

    def _take(self, line: PayoutLine, confidence: Confidence, index: _Index) -> None:
        """The document that names the line, or that the line names; one that is taken already is said so."""
        named = {_key(one): one for key in _keys(line) for one in index.get((line.kind, key), ())}
        free = [one for one in named.values() if _key(one) in self._free]
        if len(free) == 1:
            self._give(line, free[0], confidence)
        elif named:
            kind = FindingKind.AMBIGUOUS if free else FindingKind.USED_TWICE
            what = "several documents" if free else "one that another line has"
            self._say(kind, line, f"is {confidence.value} to {what}: {_list(free or list(named.values()))}")

    def _guess(self, lines: Sequence[PayoutLine]) -> None:
        """By amount and date, where the document has one such line only and the line one such document only."""
        by_amount: dict[tuple[LineKind | None, Money], list[BookedDocument]] = {}
        for one in self._free.values():
            if not _spoken_for(one):
                by_amount.setdefault((one.kind, one.money), []).append(one)
        fitting = {line.transaction_id: _near(line, by_amount) for line in lines}
        rivals = Counter(_key(one) for candidates in fitting.values() for one in candidates)
        for line in lines:
            candidates = fitting[line.transaction_id]
            if len(candidates) == 1 and rivals[_key(candidates[0])] == 1:
                self._say(FindingKind.LIKELY, line, f"looks like {_list(candidates)}; confirm it")
                self._give(line, candidates[0], Confidence.LIKELY)
            elif candidates:
                self._say(FindingKind.AMBIGUOUS, line, f"could be {_list(candidates)}; choose one")

    def _give(self, line: PayoutLine, document: BookedDocument, confidence: Confidence) -> None:
        del self._free[_key(document)]
        self._open.pop(line.transaction_id, None)
        self._found[line.transaction_id] = (document, confidence)

    def _say(self, kind: FindingKind, line: PayoutLine, what: str) -> None:
        self._open.pop(line.transaction_id)
        self.findings.append(_about(line, kind, what))


def _key(document: BookedDocument) -> tuple[LineKind, str, str]:
    """Which document: two disputes may have lowered one payment."""
    return document.kind, document.document_id, document.reference


def _keys(line: PayoutLine) -> tuple[str, ...]:
    """The ids by which a document may name the line, or the line a document."""
    payment = line.payment_id if line.kind in _ONE_A_PAYMENT else ""
    return tuple(dict.fromkeys(filter(None, (line.transaction_id, line.source_id, payment, *line.named))))


def _named_by(document: BookedDocument) -> tuple[str, ...]:
    """What a line may name the document by, and what stands on it. An order has several refunds."""
    sale = (document.order_id, document.invoice_id) if document.kind in _ONE_A_PAYMENT else ()
    return (document.reference, document.document_id, document.creditnote_id, *sale)


def _index(named: Iterable[tuple[BookedDocument, Iterable[str]]]) -> _Index:
    index: _Index = {}
    for one, names in named:
        for name in dict.fromkeys(filter(None, names)):
            index.setdefault((one.kind, name), []).append(one)
    return index


def is_stripe_id(text: str) -> bool:
    """Whether `text` is an id of Stripe's that a document may carry."""
    return _STRIPE_ID.fullmatch(text) is not None


def _spoken_for(document: BookedDocument) -> bool:
    """Whether the document says whose it is: then it is nobody else's, whatever the amount."""
    return bool(document.linked) or is_stripe_id(document.reference)


def _near(
    line: PayoutLine, by_amount: dict[tuple[LineKind | None, Money], list[BookedDocument]]
) -> list[BookedDocument]:
    found = by_amount.get((line.kind, abs(line.original)), [])
    return [one for one in found if abs(one.on - line.at.date()) <= NEAR]


def _list(documents: Sequence[BookedDocument]) -> str:
    shown = ", ".join(one.document_id for one in documents[:5])
    return shown if len(documents) <= 5 else f"{shown} and {len(documents) - 5} more"


def _differences(line: PayoutLine, document: BookedDocument) -> Iterator[Finding]:
    """What a line and its document do not agree on. A fee in another currency than the document's may be left to the
    payout: nothing is missing then.
    """
    if document.money != abs(line.original):
        what = f"is over another amount than {document.document_id}, {document.money}"
        yield _about(line, FindingKind.AMOUNT_DIFFERS, what)
    if line.kind is not LineKind.CHARGE:
        return
    if document.fee is None:
        if line.fee and document.money.currency == line.fee.currency:
            fault = f"{document.document_id} lacks the fee of {line.transaction_id}, {line.fee}"
            yield _finding(line, FindingKind.FEE_MISSING, fault, line.fee)
    elif document.fee.currency == line.fee.currency and document.fee != line.fee:
        fault = f"{document.document_id} has {document.fee} as the fee, and {line.transaction_id} {line.fee}"
        yield _finding(line, FindingKind.FEE_DIFFERS, fault, line.fee)
