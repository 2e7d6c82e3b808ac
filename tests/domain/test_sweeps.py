"""What an event's row, or a row of money, says of the run that should be there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from domain.sweeps import (
    Case,
    Heard,
    Missed,
    MoneyRow,
    RunSeen,
    Source,
    Swept,
    Why,
    knew,
    recalled,
    told_by_money,
    was_taken,
    why_missed,
)

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
LATER = NOON + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("kind", "about", "case"),
    [
        ("payment_intent.succeeded", "pi_1", Case.PAYMENT),
        ("v1.payment_intent.succeeded", "pi_1", Case.PAYMENT),
        ("charge.succeeded", "ch_1", Case.PAYMENT),  # of a charge without an intent
        ("v1.charge.succeeded", "ch_1", Case.UNNAMED),
        ("charge.updated", "pi_1", Case.NOTHING),  # starts no payment's run
        ("payment_intent.canceled", "pi_1", Case.NOTHING),
        ("refund.updated", "re_1", Case.REFUND),
        ("refund.created", "pyr_1", Case.REFUND),
        ("charge.refunded", "ch_1", Case.UNNAMED),
        ("charge.dispute.closed", "du_1", Case.DISPUTE),
        ("payout.paid", "po_1", Case.PAYOUT),
        ("v1.payout.paid", "po_1", Case.PAYOUT),
        ("invoice.paid", "in_1", Case.UNNAMED),
        ("customer.updated", "cus_1", Case.UNNAMED),
        ("charge.succeeded", "", Case.NOTHING),
    ],
)
def test_a_row_says_which_run_should_be_there(kind: str, about: str, case: Case) -> None:
    """By its type and the id that it was noted under."""
    assert recalled("evt_1", kind, about, NOON).case is case


@pytest.mark.parametrize(
    ("category", "source", "about"),
    [
        ("charge", "ch_1", "pi_1"),
        ("charge", "py_1", "pi_1"),
        ("refund", "re_1", "re_1"),
        ("dispute", "dp_1", "dp_1"),
        ("dispute_reversal", "dp_1", None),
        ("partial_capture_reversal", "ch_1", None),
        ("refund_failure", "re_1", None),
        ("fee", "", None),
        ("payout", "po_1", None),
    ],
)
def test_money_says_which_run_should_be_there(category: str, source: str, about: str | None) -> None:
    """Charges, refunds and disputes; nothing else moves a document of ours."""
    row = MoneyRow(transaction_id="txn_1", category=category, source=source, payment_id="pi_1", at=NOON)
    heard = told_by_money(row)
    assert (heard.about if heard else None) == about
    assert heard is None or (heard.payment_id, heard.event.event_id) == ("pi_1", "txn_1")


def test_why_is_what_is_known_of_the_delivery() -> None:
    """Refused by us, failed at us, never sent to us, or nothing to be sent at all."""
    assert why_missed("refused-busy", failed=True, pull=False) is Why.REFUSED
    assert why_missed(None, failed=True, pull=False) is Why.DELIVERY_FAILED
    assert why_missed(None, failed=False, pull=False) is Why.NEVER_DELIVERED
    assert why_missed(None, failed=False, pull=True) is Why.PULLED
    assert [was_taken(one) for one in (None, "refused-busy", "ignored-own", "accepted")] == [False, False, True, True]


def run(*, closed: datetime | None = LATER, succeeded: bool = True) -> RunSeen:
    """A run that closed after noon."""
    return RunSeen(open=closed is None, succeeded=succeeded, closed_at=closed)


@pytest.mark.parametrize(
    ("kind", "seen", "known"),
    [
        ("payment_intent.succeeded", run(), True),
        ("payment_intent.succeeded", run(succeeded=False), True),  # a person aborted it: it stays so
        ("payment_intent.succeeded", run(closed=NOON - timedelta(seconds=1)), False),
        ("payment_intent.succeeded", run(closed=None), False),  # it may wait for the money
        ("payment_intent.succeeded", None, False),
        ("charge.captured", run(), False),  # may say more than the run read
        ("charge.captured", run(succeeded=False), True),
        ("charge.updated", run(), False),
        ("refund.created", run(), True),
        ("refund.failed", run(), False),
        ("charge.dispute.created", run(), True),
        ("charge.dispute.closed", run(), False),
    ],
)
def test_a_run_knew_what_was_said_before_it_closed(kind: str, seen: RunSeen | None, known: bool) -> None:
    """It reads the truth from Stripe; only what may have come after its last look is told again."""
    case = recalled("evt_1", kind, "pi_1", NOON).case
    heard = Heard(event=recalled("evt_1", kind, "pi_1", NOON).event, case=Case.PAYMENT if case else case, about="pi_1")
    assert knew(seen, heard) is known


def test_a_result_names_a_hundred_gaps_and_counts_all() -> None:
    """So that it stays small."""
    one = Missed(event_id="evt_1", type="charge.succeeded", about="pi_1", source=Source.EVENTS, why=Why.REFUSED)
    swept = Swept(since=NOON, until=NOON).with_missed([one] * 60).with_missed([one] * 60)
    assert (len(swept.gaps), swept.missed) == (100, {"refused": 120})
