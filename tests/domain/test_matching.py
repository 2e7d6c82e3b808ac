"""Which document belongs to a line, how sure that is, and what is said to be missing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain.matching import BookedDocument, Confidence, Explained, FindingKind, explain
from domain.money import Money
from domain.payouts import LineKind, PayoutLine
from tests.domain.months import BEGIN, a_line, a_payout, eur


def charge(number: int = 1, minor: int = 4990, **more: Any) -> PayoutLine:
    """A charge with a fee of 1.75."""
    return a_line(number, "charge", minor, 175, source_id=f"ch_{number}", payment_id=f"pi_{number}", **more)


def document(number: int = 1, minor: int = 4990, **more: Any) -> BookedDocument:
    """A payment in the books that names nobody."""
    given: dict[str, Any] = {"kind": LineKind.CHARGE, "document_id": f"zp_{number}", "fee": eur(175)}
    return BookedDocument.model_validate({**given, "money": eur(minor), "on": BEGIN.date(), **more})


def found(lines: list[PayoutLine], *documents: BookedDocument) -> Explained:
    """A payout of these lines, explained."""
    return explain(a_payout(lines), lines, documents)


def kinds(explained: Explained) -> list[FindingKind]:
    """What was found."""
    return [one.kind for one in explained.findings]


@pytest.mark.parametrize(
    ("more", "confidence"),
    [
        ({"linked": ("pi_1",)}, Confidence.LINKED),
        ({"linked": ("ch_1",)}, Confidence.LINKED),
        ({"reference": "pi_1"}, Confidence.REFERENCED),
        ({"reference": "ch_1"}, Confidence.REFERENCED),
        ({"order_id": "so_77"}, Confidence.REFERENCED),
        ({"invoice_id": "inv_77"}, Confidence.REFERENCED),
    ],
)
def test_a_document_that_names_the_line_is_the_lines(more: dict[str, Any], confidence: Confidence) -> None:
    """By our link, by what stands on it, or because Stripe's metadata names the order: nobody is asked."""
    explained = found([charge(named=("so_77", "inv_77"))], document(**more))
    assert (explained.lines[0].document, explained.lines[0].confidence) == (document(**more), confidence)
    assert explained.findings == ()


def test_amount_and_date_alone_ask_a_person() -> None:
    """The only one that fits is likely, and to be confirmed."""
    explained = found([charge()], document())
    assert explained.lines[0].confidence is Confidence.LIKELY
    (asked,) = explained.asks
    assert (asked.kind, asked.money) == (FindingKind.LIKELY, eur(4990))
    assert asked.message == "txn_1 (ch_1, 49.90 EUR) looks like zp_1; confirm it"


@pytest.mark.parametrize(
    "other",
    [
        document(on=(BEGIN + timedelta(days=4)).date()),
        document(minor=4991),
        document(money=Money.of(4990, "USD")),
        document(reference="pi_other"),
        document(linked=("pi_other",)),
        document(kind=LineKind.REFUND),
    ],
)
def test_what_fits_nothing_is_not_taken(other: BookedDocument) -> None:
    """Another day, amount, currency or kind; and what says that it is another's is never taken."""
    explained = found([charge()], other)
    assert explained.lines[0].document is None
    assert kinds(explained) == [FindingKind.PAYMENT_MISSING]


def test_a_guess_takes_nobodys_own() -> None:
    """Two payments of one amount: the one that is linked goes where it belongs, whoever comes first."""
    explained = found([charge(1), charge(2)], document(7, linked=("pi_2",)), document(8))
    assert [one.document and one.document.document_id for one in explained.lines] == ["zp_8", "zp_7"]
    assert [one.confidence for one in explained.lines] == [Confidence.LIKELY, Confidence.LINKED]


@pytest.mark.parametrize(("lines", "documents"), [((1,), (7, 8)), ((1, 2), (7,)), ((1, 2), (7, 8))])
def test_what_could_be_several_is_not_guessed(lines: tuple[int, ...], documents: tuple[int, ...]) -> None:
    """Neither which document nor which line; and nothing is said to be missing that may be there."""
    explained = found([charge(n) for n in lines], *(document(n) for n in documents))
    assert [one.document for one in explained.lines] == [None] * len(lines)
    assert set(kinds(explained)) == {FindingKind.AMBIGUOUS}


def test_two_documents_of_one_payment_ask() -> None:
    """A payment that is booked twice is seen."""
    explained = found([charge()], document(7, reference="pi_1"), document(8, reference="pi_1"))
    assert kinds(explained) == [FindingKind.AMBIGUOUS]
    assert "zp_7, zp_8" in explained.findings[0].message


def test_one_document_of_two_lines_asks() -> None:
    """It goes to the first; the second is told of it."""
    second = charge(2).model_copy(update={"payment_id": "pi_1"})
    explained = found([charge(), second], document(7, linked=("pi_1",)))
    assert [one.document is not None for one in explained.lines] == [True, False]
    assert [(one.kind, one.transaction_id) for one in explained.findings] == [(FindingKind.USED_TWICE, "txn_2")]


def test_refunds_of_one_payment_are_told_apart() -> None:
    """By the refund's id, never by the payment's."""
    lines = [a_line(n, "refund", -500, source_id=f"re_{n}", payment_id="pi_1") for n in (1, 2)]
    books = [
        document(n, 500, kind=LineKind.REFUND, reference=f"re_{n}", order_id="so_1", creditnote_id=f"cn_{n}", fee=None)
        for n in (2, 1)
    ]
    explained = found(lines, *books)
    assert [one.document and one.document.document_id for one in explained.lines] == ["zp_1", "zp_2"]
    assert explained.findings == ()


@pytest.mark.parametrize(
    ("category", "missing"),
    [
        ("charge", FindingKind.PAYMENT_MISSING),
        ("charge_failure", FindingKind.PAYMENT_MISSING),
        ("partial_capture_reversal", FindingKind.PAYMENT_MISSING),
        ("refund", FindingKind.REFUND_MISSING),
        ("refund_failure", FindingKind.REFUND_MISSING),
        ("dispute", FindingKind.DISPUTE_MISSING),
        ("dispute_reversal", FindingKind.DISPUTE_MISSING),
    ],
)
def test_what_is_missing_is_named(category: str, missing: FindingKind) -> None:
    """With the money at risk; it asks nobody, for it can be booked."""
    explained = found([a_line(1, category, 100, source_id="x_1")])
    (one,) = explained.findings
    assert (one.kind, one.transaction_id, one.money) == (missing, "txn_1", eur(100))
    assert explained.asks == ()


def test_a_dispute_whose_money_came_back_wants_no_document() -> None:
    """Neither what was taken nor what was given back; another dispute of the payout does."""
    categories = ("dispute", "dispute_reversal", "dispute")
    lines = [a_line(number, name, -100, source_id="x") for number, name in enumerate(categories)]
    explained = explain(a_payout(lines), lines, (), {"txn_0", "txn_1"})
    assert [(one.kind, one.transaction_id) for one in explained.findings] == [(FindingKind.DISPUTE_MISSING, "txn_2")]


def test_other_lines_want_no_document() -> None:
    """Fees, corrections, reserves and other payouts have none."""
    categories = ("fee", "tax", "other_adjustment", "risk_reserved_funds", "topup", "payout", "payout_reversal")
    assert found([a_line(n, name, 5) for n, name in enumerate(categories)]).findings == ()


def test_the_tax_on_stripes_fees_is_tax() -> None:
    """Whichever of Stripe's two words says so."""
    rows = [a_line(1, "fee", -5, type="tax_fee"), a_line(2, "tax", -5), a_line(3, "fee", -5, type="stripe_fee")]
    assert [row.kind for row in rows] == [LineKind.TAX, LineKind.TAX, LineKind.FEE]


def test_a_late_fee_is_named() -> None:
    """The payment is booked, its bank charges are not; where the currencies differ it is left to the payout."""
    assert kinds(found([charge()], document(reference="pi_1", fee=None))) == [FindingKind.FEE_MISSING]
    usd = Money.of(5500, "USD")
    assert kinds(found([charge(charged=usd)], document(reference="pi_1", money=usd, fee=None))) == []


def test_what_differs_is_named() -> None:
    """Amount and fee, each with both numbers."""
    explained = found([charge()], document(minor=4980, reference="pi_1", fee=eur(170)))
    assert kinds(explained) == [FindingKind.AMOUNT_DIFFERS, FindingKind.FEE_DIFFERS]
    assert "zp_1, 49.80 EUR" in explained.findings[0].message
    assert explained.findings[1].message == "zp_1 has 1.70 EUR as the fee, and txn_1 1.75 EUR"


def test_a_line_that_cannot_be_is_fatal() -> None:
    """Its fee's parts, its currency, a part nobody knows, a line that is there twice."""
    line = charge()
    usd = Money.of(175, "USD")
    odd = [
        line.model_copy(update={"parts": ()}),
        line.model_copy(update={"fee": usd}),
        line.model_copy(update={"parts": (line.parts[0].model_copy(update={"kind": "tip"}),)}),
    ]
    for one in odd:
        assert {FindingKind.LINE_DIFFERS} <= {finding.kind for finding in explain(a_payout([line]), [one], ()).fatal}
    twice = explain(a_payout([line]), [line, line], ()).fatal
    assert [one.message for one in twice] == [
        "po_1: its lines come to 48.15 EUR more than 48.15 EUR",
        "txn_1 is there twice: 48.15 EUR counted once more",
    ]
    abroad = line.model_copy(update={"amount": usd, "fee": usd.zero(), "net": usd, "parts": ()})
    assert "has rows in USD" in explain(a_payout([line]), [abroad], ()).fatal[0].message
