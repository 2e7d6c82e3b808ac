"""What of a payout's lines can be looked for, or told to a run."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from domain.matching import BookedDocument, explain
from domain.missing import MOST, Lacks, MissingLine, before_us, heard_of, missing_of, still
from domain.money import Money
from domain.payouts import LineKind, PayoutLine
from domain.sweeps import Case
from tests.domain.months import BEGIN, a_line, a_payout, eur


def charge(number: int = 1, **more: Any) -> PayoutLine:
    """A charge of 49.90 with a fee of 1.75."""
    given = {"source_id": f"ch_{number}", "payment_id": f"pi_{number}"} | more
    return a_line(number, "charge", 4990, 175, **given)


def document(**more: Any) -> BookedDocument:
    """The payment that Zoho has for it, without its fee."""
    given: dict[str, Any] = {"kind": LineKind.CHARGE, "document_id": "zp_1", "linked": ("pi_1",), "order_id": "so_1"}
    return BookedDocument.model_validate({**given, "money": eur(4990), "on": BEGIN.date(), **more})


def lacking(lines: list[PayoutLine], *documents: BookedDocument) -> list[tuple[str, Lacks]]:
    """The lines that lack something, and what."""
    found = missing_of(explain(a_payout(lines), lines, documents))
    return [(one.transaction_id, one.what) for one in found.lines]


def test_what_is_missing_is_told_by_line() -> None:
    """No document, no fee on the document, or one that only looks like it; nothing of a line that has all."""
    assert lacking([charge()]) == [("txn_1", Lacks.DOCUMENT)]
    assert lacking([charge()], document()) == [("txn_1", Lacks.FEE)]
    assert lacking([charge()], document(linked=())) == [("txn_1", Lacks.REFERENCE)]
    assert lacking([charge()], document(fee=eur(175))) == []


@pytest.mark.parametrize("more", [{"linked": (), "reference": "pi_1"}, {"order_id": ""}])
def test_a_fee_is_booked_by_the_run_of_a_sale_that_is_ours(more: dict[str, Any]) -> None:
    """One that is known by its reference only was entered by hand, and telling its payment would sell it anew."""
    assert lacking([charge()], document(**more)) == []


@pytest.mark.parametrize(
    "line",
    [
        charge(payment_id=""),
        a_line(1, "charge_failure", -4990, source_id="py_1", payment_id="pi_1"),
        a_line(1, "fee", -250),
    ],
)
def test_nobody_is_told_of_what_no_run_books(line: PayoutLine) -> None:
    """A line without a payment, a debit that bounced, a bill of Stripe's."""
    assert lacking([line]) == []


def test_more_than_are_looked_after_are_counted() -> None:
    """A whole payout that our memory lost is not looked after at once."""
    lines = [charge(number) for number in range(1, MOST + 8)]
    found = missing_of(explain(a_payout(lines), lines, ()))
    assert (len(found.lines), found.more) == (MOST, 7)


@pytest.mark.parametrize(
    ("kind", "what", "said", "case", "about"),
    [
        (LineKind.CHARGE, Lacks.DOCUMENT, "charge.succeeded", Case.PAYMENT, "pi_1"),
        (LineKind.CHARGE, Lacks.FEE, "charge.updated", Case.PAYMENT, "pi_1"),
        (LineKind.REFUND, Lacks.DOCUMENT, "refund.created", Case.REFUND, "x_1"),
        (LineKind.REFUND_FAILURE, Lacks.DOCUMENT, "refund.failed", Case.REFUND, "x_1"),
        (LineKind.DISPUTE, Lacks.DOCUMENT, "charge.dispute.created", Case.DISPUTE, "x_1"),
        (LineKind.DISPUTE_REVERSAL, Lacks.DOCUMENT, "charge.dispute.funds_reinstated", Case.DISPUTE, "x_1"),
    ],
)
def test_a_line_is_told_in_stripes_words(kind: LineKind, what: Lacks, said: str, case: Case, about: str) -> None:
    """The balance transaction is the event, for every line is told once."""
    heard = heard_of(a_missing(kind=kind, what=what))
    assert (heard.event.event_id, heard.event.type, heard.case, heard.about) == ("txn_1", said, case, about)
    assert heard.payment_id == "pi_1"


def a_missing(**more: Any) -> MissingLine:
    """A line that lacks its document."""
    given = {"transaction_id": "txn_1", "kind": LineKind.CHARGE, "source_id": "x_1", "payment_id": "pi_1"}
    return MissingLine.model_validate({**given, "money": Money.of(4990, "EUR"), "at": BEGIN, **more})


@pytest.mark.parametrize(
    ("first", "before"),
    [(BEGIN - timedelta(days=1), False), (BEGIN + timedelta(seconds=9), False), (BEGIN + timedelta(hours=1), True)],
)
def test_nobody_is_told_of_what_was_before_us(first: datetime, before: bool) -> None:
    """The first payment is a moment older than what we heard of it; where we heard of nothing, all of it is older."""
    assert before_us(a_missing(), first) is before
    assert before_us(a_missing(), None)


def test_nobody_waits_for_a_dispute() -> None:
    """It has its document once it is lost, which may be months from now."""
    both = missing_of(explain(a_payout([charge()]), [charge()], ()))
    assert still(both, [a_missing()])
    assert not still(both, [a_missing(transaction_id="txn_2")])
    assert not still(both, [a_missing(kind=LineKind.DISPUTE)])
