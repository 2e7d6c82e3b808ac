"""What each kind of line does to the books, as balanced entries."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from typing import Any

import pytest

from clients.signing import SigningRing
from domain.certificates import certify
from domain.certified import Certificate
from domain.journal import COLUMNS, imbalance, journal, summary, to_csv, to_rows
from domain.matching import BookedDocument, explain
from domain.money import Money
from domain.payouts import LineKind, PayoutLine
from domain.postings import AccountNames, postings_of
from tests.domain.months import BEGIN, a_line, a_payout, eur, settled_share

RING = SigningRing.generate()


def posted(line: PayoutLine, *documents: BookedDocument) -> list[tuple[str, int, str]]:
    """Account, cents into clearing, and document of each posting of one line."""
    (one,) = explain(a_payout([line]), [line], documents).lines
    made = postings_of(one)
    assert sum(posting.money.minor for posting in made) == line.net.minor
    return [(posting.account.value, posting.money.minor, posting.document) for posting in made]


def paid(**more: Any) -> BookedDocument:
    """The payment `pi_1` over 49.90 in the books."""
    given: dict[str, Any] = {"kind": LineKind.CHARGE, "document_id": "zp_1", "money": eur(4990), "reference": "pi_1"}
    return BookedDocument.model_validate({**given, "on": BEGIN.date(), **more})


def charge(tax: int = 28, **more: Any) -> PayoutLine:
    """A charge over 49.90 with a fee of 1.75."""
    return a_line(1, "charge", 4990, 175, tax=tax, source_id="ch_1", payment_id="pi_1", **more)


def test_a_charge_whose_payment_is_booked_with_its_fee() -> None:
    """Only the tax on the fee is left to be told from the fee."""
    assert posted(charge(), paid(fee=eur(175))) == [
        ("receivables", 4990, "zp_1"), ("fees", -175, "zp_1"), ("fees", 28, ""), ("fee_tax", -28, "")
    ]  # fmt: skip
    assert posted(charge(tax=0), paid(fee=eur(175))) == [("receivables", 4990, "zp_1"), ("fees", -175, "zp_1")]


def test_a_charge_whose_fee_is_not_booked() -> None:
    """The payout books it, its tax apart."""
    assert posted(charge(), paid()) == [("receivables", 4990, "zp_1"), ("fees", -147, ""), ("fee_tax", -28, "")]


def test_a_charge_whose_fee_is_booked_otherwise() -> None:
    """What is too little is posted."""
    assert posted(charge(tax=0), paid(fee=eur(170))) == [
        ("receivables", 4990, "zp_1"), ("fees", -170, "zp_1"), ("fees", -5, "")
    ]  # fmt: skip


def test_a_charge_that_the_books_do_not_know() -> None:
    """Its money waits on an account of its own, and so does what differs."""
    assert posted(charge(tax=0)) == [("unmatched", 4990, ""), ("fees", -175, "")]
    assert posted(charge(tax=0), paid(money=eur(4980))) == [
        ("receivables", 4980, "zp_1"), ("unmatched", 10, ""), ("fees", -175, "")
    ]  # fmt: skip
    dollars = Money.of(5500, "USD")
    assert posted(charge(tax=0, charged=dollars), paid(money=Money.of(5400, "USD"))) == [
        ("unmatched", 4990, ""), ("fees", -175, "")
    ]  # fmt: skip


def test_gain_and_loss_is_a_posting_of_its_own() -> None:
    """The books counted 55.00 dollars as 50.20, Stripe settled 49.90: a loss of 0.30, on the fee a gain of 0.02."""
    dollars = Money.of(5500, "USD")
    line = charge(tax=0, charged=dollars)
    assert posted(line, paid(money=dollars, value=eur(5020))) == [
        ("receivables", 5020, "zp_1"), ("exchange", -30, ""), ("fees", -175, "")
    ]  # fmt: skip
    booked = paid(money=dollars, value=eur(4990), fee=Money.of(195, "USD"), fee_value=eur(177))
    assert posted(line, booked) == [("receivables", 4990, "zp_1"), ("exchange", 2, ""), ("fees", -177, "zp_1")]


def test_books_in_a_third_currency_tell_no_gain() -> None:
    """Nobody knows what 50.20 francs are in euro: the settlement's own amounts stand."""
    dollars, francs = Money.of(5500, "USD"), Money.of(5020, "CHF")
    booked = paid(money=dollars, value=francs, fee=Money.of(195, "USD"), fee_value=Money.of(178, "CHF"))
    assert posted(charge(tax=0, charged=dollars), booked) == [("receivables", 4990, "zp_1"), ("fees", -175, "zp_1")]


def test_a_refund_at_another_days_rate_leaves_a_loss() -> None:
    """55.00 dollars came as 49.90 and went back as 50.40: the share the books carry is what came."""
    dollars = Money.of(5500, "USD")
    share = settled_share(dollars, eur(4990), dollars.zero(), dollars)
    line = a_line(1, "refund", -5040, source_id="re_1", charged=-dollars)
    booked = paid(kind=LineKind.REFUND, document_id="zr_1", money=dollars, reference="re_1", value=share)
    assert posted(line, booked) == [("refunds", -4990, "zr_1"), ("exchange", -50, "")]


@pytest.mark.parametrize("parts", [[1, 1, 1], [3333, 2167], [5499, 1], [5500]])
def test_shares_of_parts_make_up_the_whole(parts: list[int]) -> None:
    """However a charge is refunded in parts, what the books carry of it sums to what was settled."""
    charged, settled = Money.of(sum(parts), "USD"), eur(4991)
    shares, before = [], charged.zero()
    for part in parts:
        refund = Money.of(part, "USD")
        shares.append(settled_share(charged, settled, before, refund))
        before += refund
    assert sum(share.minor for share in shares) == 4991


@pytest.mark.parametrize(
    ("line", "postings"),
    [
        (a_line(1, "refund", -990, 25, source_id="re_1"), [("unmatched", -990, ""), ("fees", -25, "")]),
        (
            a_line(1, "dispute", -4990, 1500, tax=240),
            [("disputes", -4990, ""), ("dispute_fees", -1260, ""), ("fee_tax", -240, "")],
        ),
        (a_line(1, "dispute_reversal", 4990, -1500), [("disputes", 4990, ""), ("dispute_fees", 1500, "")]),
        (a_line(1, "fee", -250), [("fees", -250, "")]),
        (a_line(1, "tax", -48), [("fee_tax", -48, "")]),
        (a_line(1, "other_adjustment", 12), [("adjustments", 12, "")]),
        (a_line(1, "risk_reserved_funds", -500), [("reserves", -500, "")]),
        (a_line(1, "topup", 500), [("bank", 500, "")]),
        (a_line(1, "payout", -2000, 20, source_id="po_9"), [("bank", -2000, "po_9"), ("fees", -20, "po_9")]),
        (a_line(1, "payout_reversal", 2000, source_id="po_9"), [("bank", 2000, "po_9")]),
    ],
)  # fmt: skip
def test_every_other_line_has_its_account(line: PayoutLine, postings: list[tuple[str, int, str]]) -> None:
    """Another payout in the lines is carried by its own certificate, its fee too."""
    assert posted(line) == postings


@pytest.mark.parametrize(("note", "account"), [("cn_1", "refunds"), ("", "receivables")])
def test_a_lost_dispute_that_is_booked_is_not_booked_again(note: str, account: str) -> None:
    """The credit note's refund, or the payment that was lowered, has the money; what the dispute cost is still open."""
    booked = paid(kind=LineKind.DISPUTE, document_id="z_1", reference="dp_1", creditnote_id=note, fee=None)
    line = a_line(1, "dispute", -4990, 1500, source_id="dp_1")
    assert posted(line, booked) == [(account, -4990, "z_1"), ("dispute_fees", -1500, "")]
    back = booked.model_copy(update={"kind": LineKind.DISPUTE_REVERSAL})
    assert posted(a_line(1, "dispute_reversal", 4990, source_id="dp_1"), back) == [(account, 4990, "z_1")]


def a_certificate() -> Certificate:
    """A charge that is booked with its fee, and Radar's fee with a text that a spreadsheet would run."""
    lines = [charge(), a_line(2, "fee", -250, says="=Radar")]
    explained = explain(a_payout(lines), lines, [paid(fee=eur(175))])
    names = AccountNames(bank="Volksbank", fees="4970 Fees")
    return certify(explained, names, RING, connection="shop", at=datetime(2026, 11, 3, tzinfo=UTC))


def test_the_journal_is_balanced_entry_by_entry() -> None:
    """Under the shop's own names; what documents carry can be left out."""
    lines = journal(a_certificate())
    assert imbalance(lines) == {}
    for name in {one.entry for one in lines}:
        assert imbalance(one for one in lines if one.entry == name) == {}
    assert [(one.account, one.debit.minor, one.credit.minor) for one in lines if one.entry == "po_1"] == [
        ("Stripe Clearing", 0, 4565), ("Volksbank", 4565, 0)
    ]  # fmt: skip
    still = journal(a_certificate(), open_only=True)
    assert {one.document for one in still} == {""}
    assert {one.entry for one in still} == {"txn_1", "txn_2", "po_1"}


def test_the_summary_has_one_line_an_account() -> None:
    """The clearing account of a payout that arrived is even, so it is not there."""
    lines = summary(journal(a_certificate()))
    assert {one.account: (one.debit - one.credit).minor for one in lines} == {
        "Accounts Receivable": -4990, "4970 Fees": 397, "Input Tax on Stripe Fees": 28, "Volksbank": 4565
    }  # fmt: skip
    assert imbalance(lines) == {}
    assert {(one.entry, one.date) for one in lines} == {("po_1", "2026-11-03")}
    assert summary(()) == ()


def test_an_unbalanced_journal_is_seen() -> None:
    """One line that is lost."""
    lines = journal(a_certificate())
    assert imbalance(lines[1:]) == {"EUR": eur(-4990)}


def test_the_journal_as_csv_and_rows() -> None:
    """The same lines; no cell of the CSV is a formula."""
    lines = journal(a_certificate())
    rows = list(csv.DictReader(io.StringIO(to_csv(lines))))
    assert tuple(rows[0]) == COLUMNS
    assert [(row["debit"], row["credit"]) for row in rows[:2]] == [("49.90", ""), ("", "49.90")]
    assert [row["memo"] for row in rows if row["entry"] == "txn_2"] == ["fee: =Radar"] * 2
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "-", "@"))]
    plain = to_rows(lines)
    assert (plain[0]["debit"], plain[0]["currency"]) == (4990, "EUR")
    assert len(plain) == len(rows) == len(lines)
