"""What of a certificate is posted in Zoho Books: transfers and one journal, to the cent, account by account."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from clients.signing import SigningRing
from domain.book_accounts import NamedAccount, account_faults, deposit_fault
from domain.books import JournalKept, JournalSeen, PostingPlan, Side, Transfer, TransferSeen, merged, missing, turnover
from domain.certificates import certify
from domain.certified import Certificate
from domain.matching import BookedDocument, explain
from domain.payouts import LineKind, PayoutKind, PayoutStatus
from domain.posting_plans import by_id, free_reference, plan_of
from domain.postings import AccountNames
from tests.domain.months import BEGIN, Month, a_line, a_payout, eur, months

RING = SigningRing.generate()
NAMES = AccountNames()
AT = datetime(2026, 11, 20, tzinfo=UTC)
LATER = datetime(2026, 11, 29, tzinfo=UTC)
FEE = a_line(3, "fee", -250)


def certified(month: Month, at: datetime = AT, previous: Certificate | None = None) -> Certificate:
    """The month's certificate."""
    explained = explain(month.payout(), month.lines, month.documents)
    return certify(explained, NAMES, RING, connection="shop", at=at, previous=previous)


def moved(plan: PostingPlan) -> Counter[str]:
    """What the plan debits each account with, in cents."""
    sums: Counter[str] = Counter()
    for one in plan.transfers:
        sums[one.target] += one.money.minor
        sums[one.source] -= one.money.minor
    for side in plan.sides:
        sums[side.account] += side.money.minor
    return sums


def shown(plan: PostingPlan) -> list[tuple[str, str, str, int]]:
    """Its transfers."""
    return [(one.reference, one.source, one.target, one.money.minor) for one in plan.transfers]


@settings(max_examples=60, deadline=None)
@given(month=months())
def test_what_is_posted_and_what_is_carried_are_the_payout(month: Month) -> None:
    """Account by account and to the cent; the journal balances, and the clearing account ends where it should."""
    certificate = certified(month)
    plan = plan_of(certificate)
    sums = moved(plan)
    head = certificate.certificate
    entries = [*head.settlement, *(entry for line in certificate.lines for entry in line.postings)]
    for entry in entries:
        if entry.document:
            sums[head.accounts["clearing"]] += entry.minor
            sums[head.accounts[entry.account]] -= entry.minor
    wanted: Counter[str] = Counter()
    for account, minor in head.totals.accounts.items():
        wanted[head.accounts[account]] -= minor
        wanted[head.accounts["clearing"]] += minor
    for name in {*sums, *wanted}:
        assert sums[name] == wanted[name], name
    assert sum(side.money.minor for side in plan.sides) == 0
    assert sums[NAMES.clearing] == head.totals.net - head.payout.taken + head.payout.returned


@settings(max_examples=40, deadline=None)
@given(month=months(), data=st.data())
def test_a_later_version_posts_the_difference(month: Month, data: st.DataObject) -> None:
    """The journals of both versions together are what the later one says, and the transfers are the same ones."""
    known = data.draw(st.lists(st.sampled_from(month.documents), unique_by=lambda d: d.document_id)) if (
        month.documents) else []  # fmt: skip
    before = Month(lines=month.lines, documents=known)
    first = plan_of(certified(before))
    second = plan_of(certified(month, LATER, certified(before)))
    left = missing(second.sides, first.sides)
    assert sum(side.money.minor for side in left) == 0
    assert missing(second.sides, [*first.sides, *left]) == ()
    assert shown(second)[: len(first.transfers)] == shown(first) or month.failed
    assert {one.reference: one.money for one in first.transfers}.items() <= {
        one.reference: one.money for one in second.transfers
    }.items()


def test_a_payout_and_its_fee() -> None:
    """The money goes to the bank by the payout's id, Radar's bill into a journal of the version."""
    plan = plan_of(certified(Month(lines=[a_line(1, "charge", 4990, 175, source_id="ch_1", payment_id="pi_1"), FEE],
                                   documents=[paid()])))  # fmt: skip
    assert shown(plan) == [("po_1", "Stripe Clearing", "Bank", 4565)]
    assert plan.transfers[0].day == plan.day == plan.arrived == date(2026, 11, 3)
    assert [(side.account, side.money.minor) for side in plan.sides] == [
        ("Stripe Clearing", -250), ("Stripe Fees", 250)
    ]  # fmt: skip
    assert turnover(plan.sides) == eur(250)
    assert plan.names() == ("Stripe Clearing", "Bank", "Stripe Fees")


def paid(**more: Any) -> BookedDocument:
    """The payment `pi_1` with its fee."""
    return BookedDocument(
        kind=LineKind.CHARGE, document_id="zp_1", money=eur(4990), reference="pi_1", fee=eur(175), on=BEGIN.date()
    )


def test_a_negative_payout_comes_from_the_bank() -> None:
    """The same with the other sign."""
    plan = plan_of(certified(Month(lines=[FEE])))
    assert shown(plan) == [("po_1", "Bank", "Stripe Clearing", 250)]


def test_a_manual_payout_is_just_the_transfer() -> None:
    """And what an instant one cost."""
    for fee in (0, 20):
        own = a_line(9, "payout", -2000, fee, source_id="po_1")
        payout = a_payout([], PayoutKind.INSTANT).model_copy(update={"money": eur(2000), "own": own})
        plan = plan_of(certify(explain(payout, [], ()), NAMES, RING, connection="shop", at=AT))
        assert shown(plan) == [("po_1", "Stripe Clearing", "Bank", 2000)]
        assert [side.money.minor for side in plan.sides] == ([-20, 20] if fee else [])


def test_a_failed_payout_comes_back() -> None:
    """By a transfer of its own the other way, on the day that it was found out; a top-up has one as well."""
    lines = [FEE, a_line(4, "topup", 50_000)]
    explained = explain(
        a_payout(lines, status=PayoutStatus.FAILED, returned=a_line(8, "payout_reversal", 49_750)), lines, ()
    )
    plan = plan_of(certify(explained, NAMES, RING, connection="shop", at=LATER))
    assert shown(plan) == [
        ("po_1", "Stripe Clearing", "Bank", 49_750),
        ("po_1/back", "Bank", "Stripe Clearing", 49_750),
        ("txn_4", "Bank", "Stripe Clearing", 50_000),
    ]
    assert [one.day.day for one in plan.transfers] == [3, 29, 1]


def test_a_journal_is_called_by_its_version() -> None:
    """Or by the next number, where that stands already and nobody remembers it."""
    plan = plan_of(certified(Month(lines=[FEE])))
    standing = [JournalKept(journal_id=str(n), reference=f"po_1/{n}", sides=()) for n in (1, 2, 10)]
    assert free_reference(plan, ()) == "po_1/1"
    assert free_reference(plan, standing) == "po_1/3"
    assert free_reference(plan.model_copy(update={"version": 2}), standing[:1]) == "po_1/2"


def test_accounts_of_one_name_are_one() -> None:
    """By name and by id; what goes from an account to itself is nothing to post."""
    sides = (Side(account="A", money=eur(5)), Side(account="B", money=eur(-5)))
    assert merged([*sides, *sides]) == tuple(one.model_copy(update={"money": one.money + one.money}) for one in sides)
    plan = plan_of(certified(Month(lines=[FEE])))
    assert by_id(plan, dict.fromkeys(plan.names(), "7")).transfers == ()
    assert by_id(plan, dict.fromkeys(plan.names(), "7")).sides == ()


def test_accounts_that_are_not_clear_are_named() -> None:
    """One that is missing and one that there are two of; a page that shows an account twice does no harm."""
    found = [NamedAccount(name=name, account_id=id_) for name, id_ in (("A", "1"), ("B", "2"), ("B", "3"), ("A", "1"))]
    assert account_faults(["A"], found) == []
    assert account_faults(["A", "B", "C"], found) == [
        "'B' is the name of 2 accounts", "'C' is no active account"
    ]  # fmt: skip


def test_payouts_leave_the_account_that_payments_come_to() -> None:
    """Else the clearing account could never be even; where the shop names no account, nobody can tell."""
    ids = {"Stripe Clearing": "1", "Bank": "2"}
    plan = plan_of(certified(Month(lines=[FEE])))
    assert plan.clearing == "Stripe Clearing"
    assert deposit_fault("Stripe Clearing", "1", ids) == deposit_fault("Stripe Clearing", "", ids) == ""
    assert "is 1: make both the same" in deposit_fault("Stripe Clearing", "2", ids)


def test_what_stands_otherwise_is_said() -> None:
    """Of a transfer its type, accounts and amount; of a journal a draft, a currency, each cent."""
    wanted = Transfer(reference="po_1", source="1", target="2", money=eur(100), day=AT.date())
    seen = TransferSeen(document_id="9", kind="transfer_fund", source="1", target="2", money=eur(100))
    assert seen.differs(wanted) == ""
    for change, word in (
        ({"kind": "deposit"}, "deposit"),
        ({"target": "3"}, "other accounts"),
        ({"money": eur(101)}, "1.01 EUR, not 1.00 EUR"),
        ({"money": None}, "None"),
    ):
        assert word in seen.model_copy(update=change).differs(wanted)
    sides = (Side(account="1", money=eur(250)), Side(account="2", money=eur(-250)))
    journal = JournalSeen(document_id="9", reference="po_1/1", status="published", sides=sides)
    assert journal.differs(sides) == ""
    for changes, word in (
        ({"sides": (Side(account="1", money=eur(249)), sides[1])}, "0.01 EUR are missing on account 1"),
        ({"sides": None}, "finer"),
        ({"sides": ()}, "currency"),
        ({"status": "draft"}, "publish"),
    ):
        assert word in journal.model_copy(update=changes).differs(sides)


def test_every_account_but_the_bank_can_be_in_a_journal() -> None:
    """What is transferred is money at the bank, whatever line it comes from."""
    lines = [a_line(number, "topup_reversal", -100) for number in (1, 2)]
    plan = plan_of(certified(Month(lines=lines)))
    assert plan.sides == ()
    assert [one.reference for one in plan.transfers] == ["po_1", "txn_1", "txn_2"]
