"""A payout is held against what its newest certificate tells and what its run does."""

from __future__ import annotations

from datetime import timedelta

import pytest

from clients.signing import SigningRing
from domain.certificates import certify
from domain.matching import BookedDocument, explain
from domain.payout_checks import compared, news_of, says_otherwise
from domain.payouts import LineKind, Payout, PayoutStatus
from domain.postings import AccountNames
from domain.sweeps import RunSeen
from tests.domain.months import BEGIN, a_line, a_payout, eur

PAID = a_payout([a_line(1, "charge", 4990, 175)])
BACK = a_line(9998, "payout_reversal", 4815, source_id="po_1")
FAILED = PAID.model_copy(update={"status": PayoutStatus.FAILED, "returned": BACK, "failure": "account_closed"})
ON_ITS_WAY = PAID.model_copy(update={"status": PayoutStatus.IN_TRANSIT})
OPEN = RunSeen(open=True)
COMPLETED = RunSeen(open=False, succeeded=True, closed_at=BEGIN)
ABORTED = RunSeen(open=False, closed_at=BACK.at - timedelta(days=1))
ABORTED_SINCE = RunSeen(open=False, closed_at=BACK.at + timedelta(days=1))

RING = SigningRing.generate()
BOOKED = BookedDocument(
    kind=LineKind.CHARGE, document_id="460001", money=eur(4990), on=BEGIN.date(), linked=("pi_1",), fee=eur(175)
)


@pytest.mark.parametrize(
    ("payout", "run", "certified", "regular", "says"),
    [
        (PAID, COMPLETED, "paid", True, "certified"),
        (FAILED, COMPLETED, "failed", True, "certified"),
        (FAILED, COMPLETED, "paid", True, "lacking"),
        (PAID, None, None, True, "lacking"),
        (PAID, COMPLETED, None, True, "lacking"),  # our store was lost
        (PAID, OPEN, None, True, "under_way"),
        (ON_ITS_WAY, None, None, True, "under_way"),
        (PAID, ABORTED, None, True, "left"),
        (PAID, ABORTED, None, False, "lacking"),  # somebody asked for it
        (FAILED, ABORTED, None, True, "lacking"),  # it came back afterwards
        (FAILED, ABORTED_SINCE, None, True, "left"),
    ],
)
def test_what_becomes_of_a_payout(
    payout: Payout, run: RunSeen | None, certified: str | None, regular: bool, says: str
) -> None:
    """Each is counted once, and only one without a certificate of its present state is told."""
    known = {payout.payout_id: certified} if certified else {}
    found = compared([(payout, run)], known, regular=regular)
    counts = {
        "certified": found.certified, "under_way": found.under_way, "left": found.left, "lacking": len(found.lacking)
    }  # fmt: skip
    assert {name for name, count in counts.items() if count} == {says}
    assert found.count == 1


def test_one_that_names_what_is_open_is_told_where_somebody_asks() -> None:
    """Its state is known, so that nothing was missed."""
    found = compared([(PAID, COMPLETED)], {"po_1": "paid"}, regular=False, open_ones={"po_1"})
    assert [(one.payout_id, one.known) for one in found.lacking] == [("po_1", True)]
    assert compared([(PAID, OPEN)], {"po_1": "paid"}, regular=False, open_ones={"po_1"}).under_way == 1


def test_a_certificate_says_otherwise_once_something_is_no_longer_open() -> None:
    """Or open that was not; not by the words in which it is told."""
    line = a_line(1, "charge", 4990, 175, source_id="ch_1", payment_id="pi_1")
    open_, booked = explain(PAID, [line], ()), explain(PAID, [line], [BOOKED])
    first = certify(open_, AccountNames(), RING, connection="shop", at=BEGIN)
    assert not says_otherwise(first, open_)
    reworded = [one.model_copy(update={"message": "otherwise"}) for one in open_.findings]
    assert not says_otherwise(first, open_.model_copy(update={"findings": tuple(reworded)}))
    assert says_otherwise(first, booked)
    assert says_otherwise(certify(booked, AccountNames(), RING, connection="shop", at=BEGIN), open_)


def test_the_news_are_those_that_stripe_would_have_told() -> None:
    """By the row that moved the money, so that the same news twice are one event."""
    paid, failed = news_of(PAID), news_of(FAILED)
    assert (paid.event.type, paid.event.event_id, paid.about) == ("payout.paid", "txn_9999", "po_1")
    assert (failed.event.type, failed.event.event_id, failed.event.created) == ("payout.failed", "txn_9998", BACK.at)
