"""A month adds up to the cent, whatever happened in it; what does not add up is named."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clients.signing import SigningRing
from domain.certificates import certify
from domain.certified import Certificate, CertifiedLine
from domain.closing import add_up
from domain.matching import BookedDocument, explain
from domain.money import Money, total
from domain.months import Flow, NoMonth, month_of
from domain.open_items import open_items, payout_of
from domain.payouts import LineKind, Payout, PayoutLine, PayoutStatus
from domain.postings import AccountNames
from tests.domain.months import BEGIN, Month, a_line, a_payout, eur, months

RING = SigningRing.generate()
SPAN = month_of("2026-10", "Europe/Berlin", BEGIN + timedelta(days=60))
CARRIED = (LineKind.PAYOUT, LineKind.PAYOUT_REVERSAL)
#: A month's own movements; another payout among the lines counts by its own certificate, so that they move nothing.
OWN = ("fee", "tax", "other_adjustment", "risk_reserved_funds", "topup")


def certified(month: Month, payout_id: str = "po_1") -> tuple[Payout, Certificate]:
    """The payout of all of the month's lines, made on its last day, and the certificate of it."""
    payout = month.payout(payout_id)
    last = {"at": SPAN.end - timedelta(hours=2)}
    own, back = (row and row.model_copy(update=last) for row in (payout.own, payout.returned))
    payout = payout.model_copy(update={"own": own, "returned": back, "created": last["at"]})
    explained = explain(payout, month.lines, month.documents)
    return payout, certify(explained, AccountNames(), RING, connection="shop", at=payout.created)


def statement(month: Month, payout: Payout) -> list[PayoutLine]:
    """What Stripe lists of the month: the lines and the payout's own rows."""
    own = (row for row in (payout.own, payout.returned) if row is not None)
    return [*month.lines, *(row.model_copy(update={"source_id": payout.payout_id}) for row in own)]


def closing(opening: int, rows: list[PayoutLine]) -> dict[str, Money]:
    """What Stripe holds at the end, of `opening` cents at the beginning."""
    return {"EUR": total((row.net for row in rows), "EUR") + eur(opening)}


def named(month: Month, place: int) -> Month:
    """With rows that no other month of a list has."""
    lines = [line.model_copy(update={"transaction_id": f"{line.transaction_id}_{place}"}) for line in month.lines]
    return Month(lines=lines, documents=month.documents, failed=month.failed)


@given(weeks=st.lists(months(), min_size=1, max_size=3), opening=st.integers(-100_000, 10_000_000), data=st.data())
@settings(max_examples=60, deadline=None)
def test_any_month_adds_up(weeks: list[Month], opening: int, data: st.DataObject) -> None:
    """Opening and flows are the closing balance, of payouts that are certified, are not, or were not made yet."""
    rows, payouts, certificates, waiting = [], [], [], eur(0)
    for place, week in enumerate(named(one, number) for number, one in enumerate(weeks)):
        payout, certificate = certified(week, f"po_{place}")
        how = data.draw(st.sampled_from(["certified", "paid out", "waiting"]))
        rows += week.lines if how == "waiting" else apart(statement(week, payout), place)
        payouts += [] if how == "waiting" else [payout]
        certificates += [certificate] if how == "certified" else []
        if how != "certified":
            waiting += total((line.net for line in week.lines if line.kind not in CARRIED), "EUR")
    added = add_up(SPAN, rows, closing(opening, rows), certificates, payouts)
    (balance,) = added.balances
    assert added.discrepancies == ()
    assert (balance.difference, balance.opening, balance.waiting) == (eur(0), eur(opening), waiting)
    assert balance.opening + total((one.money for one in balance.flows), "EUR") == balance.closing
    assert Flow.UNKNOWN not in {one.flow for one in balance.flows}
    moved = {one.transaction_id: eur(0) for one in added.moves}
    for move in added.moves:
        moved[move.transaction_id] += move.money
    assert moved == {row.transaction_id: row.net for row in rows if row.net or row.transaction_id in moved}


def apart(rows: list[PayoutLine], place: int) -> list[PayoutLine]:
    """The payouts' own rows, too, have names that no other payout's have."""
    own = ("txn_9998", "txn_9999")
    return [
        row.model_copy(update={"transaction_id": f"{row.transaction_id}_{place}"}) if row.transaction_id in own else row
        for row in rows
    ]


@given(month=months(OWN).filter(lambda month: month.lines), data=st.data())
@settings(max_examples=80, deadline=None)
def test_an_altered_cent_is_found_and_named(month: Month, data: st.DataObject) -> None:
    """In an amount, a net or a posting of any line; a line that is doubled or foreign; the payout itself."""
    payout, certificate = certified(month)
    rows = statement(month, payout)
    place = data.draw(st.integers(0, len(certificate.lines) - 1))
    line, cent = certificate.lines[place], data.draw(st.sampled_from([-1, 1]))
    how = data.draw(st.sampled_from(["amount", "net", "posting", "double", "foreign", "payout"]))
    wrong, named = altered(certificate, line, cent, how)
    added = add_up(SPAN, rows, closing(500, rows), wrong, [payout])
    (balance,) = added.balances
    assert [one.transaction_id for one in added.discrepancies] == [named]
    assert total((one.off for one in added.discrepancies), "EUR") == balance.difference
    assert named in added.discrepancies[0].message
    off = {"amount": 0, "net": 0, "posting": cent, "payout": -cent}.get(how, line.net)
    assert balance.difference == eur(off)


def altered(certificate: Certificate, line: CertifiedLine, cent: int, how: str) -> tuple[list[Certificate], str]:
    """Certificates that say something else than Stripe, and the row that is to be named."""
    head = certificate.certificate
    if how == "payout":
        payout = head.payout.model_copy(update={"taken": head.payout.taken + cent})
        changed = head.model_copy(update={"payout": payout})
        return [certificate.model_copy(update={"certificate": changed})], "txn_9999"
    if how in ("double", "foreign"):
        name = line.transaction if how == "double" else "txn_foreign"
        again = line.model_copy(update={"transaction": name})
        return [certificate.model_copy(update={"lines": [*certificate.lines, again]})], name
    if how == "posting":
        entries = line.postings
        entry = entries[0].model_copy(update={"minor": entries[0].minor + cent})
        other = line.model_copy(update={"postings": [entry, *entries[1:]]})
    else:
        other = line.model_copy(update={how: getattr(line, how) + cent})
    lines = [other if one is line else one for one in certificate.lines]
    return [certificate.model_copy(update={"lines": lines})], line.transaction


@pytest.mark.parametrize("at", ["", "soon", "2026-10-05", "9999-12-31T00:00:00"])
def test_what_was_tampered_with_is_named_all_the_same(at: str) -> None:
    """A foreign line of no time that could be, and a payout in another currency."""
    payout, certificate = certified(Month(lines=[a_line(1, "charge", 4990, 175)]))
    foreign = certificate.lines[0].model_copy(update={"transaction": "txn_foreign", "at": at})
    dollars = certificate.certificate.payout.model_copy(update={"currency": "USD"})
    head = certificate.certificate.model_copy(update={"payout": dollars})
    rows = statement(Month(lines=[a_line(1, "charge", 4990, 175)]), payout)
    wrong = certificate.model_copy(update={"lines": [*certificate.lines, foreign]})
    assert [one.transaction_id for one in add_up(SPAN, rows, closing(0, rows), [wrong], []).discrepancies] == [
        "txn_foreign"
    ]
    other = add_up(SPAN, rows, closing(0, rows), [certificate.model_copy(update={"certificate": head})], [])
    assert {one.transaction_id for one in other.discrepancies} == {"txn_1", "txn_9999"}
    sums = {one.currency: one.difference for one in other.balances}
    assert sums == {"EUR": eur(-4815), "USD": Money.of(4815, "USD")}


def test_each_kind_of_line_has_its_flow() -> None:
    """Captured and refunded gross, fees without their tax, what a dispute costs apart from what it took."""
    lines = [
        a_line(1, "charge", 4990, 175, tax=28, source_id="ch_1"),
        a_line(2, "refund", -990),
        a_line(3, "fee", -250),
        a_line(4, "tax", -48),
        a_line(5, "dispute", -4990, 1500),
        a_line(6, "other_adjustment", 12),
        a_line(7, "risk_reserved_funds", -500),
        a_line(8, "topup", 5000),
        a_line(9, "charge_failure", -100),
        a_line(10, "payout", -2000, source_id="po_instant"),
    ]
    (balance,) = add_up(SPAN, lines, closing(0, lines), [], []).balances
    assert {one.flow: one.money.minor for one in balance.flows} == {
        Flow.CAPTURED: 4890, Flow.REFUNDED: -990, Flow.FEES: -147 - 250, Flow.TAX: -28 - 48, Flow.DISPUTED: -4990,
        Flow.DISPUTE_FEES: -1500, Flow.ADJUSTED: 12, Flow.RESERVED: -500, Flow.TOPPED_UP: 5000, Flow.PAID_OUT: -2000,
    }  # fmt: skip
    assert {one.flow: one.rows for one in balance.flows}[Flow.FEES] == 2


def test_gain_and_loss_is_a_flow_of_its_own() -> None:
    """The books count 55.00 USD as 50.20 EUR, Stripe settled 49.90."""
    month = Month()
    dollars = Money.of(5500, "USD")
    month.lines = [a_line(1, "charge", 4990, 175, charged=dollars, payment_id="pi_1", source_id="ch_1")]
    booked = {"kind": LineKind.CHARGE, "document_id": "zp_1", "on": BEGIN.date(), "reference": "pi_1"}
    month.documents = [BookedDocument(**booked, money=dollars, value=eur(5020))]
    payout, certificate = certified(month)
    rows = statement(month, payout)
    added = add_up(SPAN, rows, closing(0, rows), [certificate], [payout])
    sums = {one.flow: one.money.minor for one in added.balances[0].flows}
    assert (sums[Flow.CAPTURED], sums[Flow.EXCHANGE], sums[Flow.FEES]) == (5020, -30, -175)


def test_an_unknown_category_is_shown_and_kept_apart() -> None:
    """It moved money, so it counts; nobody guesses as what."""
    lines = [a_line(1, "moon_dust", 777)]
    (balance,) = add_up(SPAN, lines, closing(0, lines), [], []).balances
    assert [(one.flow, one.money.minor) for one in balance.flows] == [(Flow.UNKNOWN, 777)]


def test_what_is_on_its_way_at_the_end_is_said() -> None:
    """It left Stripe in the month and reaches the bank after it; one that failed does not."""
    month = Month(lines=[a_line(1, "charge", 4990, 175)])
    payout, certificate = certified(month)
    rows = statement(month, payout)
    gone = payout.model_copy(update={"payout_id": "po_2", "status": PayoutStatus.FAILED})
    (balance,) = add_up(SPAN, rows, closing(0, rows), [certificate], [payout, gone]).balances
    assert (balance.on_its_way, balance.waiting_rows) == (payout.money, 0)


def test_a_currency_of_its_own_is_a_balance_of_its_own() -> None:
    """An account may settle in several; one without any row keeps what it had."""
    pounds = a_line(2, "charge", 1000).model_copy(
        update={name: Money.of(minor, "GBP") for name, minor in (("amount", 1000), ("fee", 0), ("net", 1000))}
    )
    ends = {"EUR": eur(4815), "GBP": Money.of(1500, "GBP"), "CHF": Money.of(7, "CHF")}
    found = add_up(SPAN, [a_line(1, "charge", 4990, 175), pounds], ends, [], []).balances
    assert [(one.currency, one.opening.minor, one.closing.minor) for one in found] == [
        ("CHF", 7, 7), ("EUR", 0, 4815), ("GBP", 500, 1500)
    ]  # fmt: skip
    assert not any(one.difference for one in found)


def test_open_items_say_what_money_depends_on_them() -> None:
    """A payout without a certificate, one whose certificate tells an old state, and each finding with its line."""
    month = Month(lines=[a_line(1, "charge", 4990, 175, source_id="ch_1")])
    payout, certificate = certified(month)
    failed = payout.model_copy(update={"status": PayoutStatus.FAILED})
    bare, old = payout_of(a_payout(month.lines, payout_id="po_2"), None, ()), payout_of(failed, certificate, ())
    assert (bare.proved, old.proved, old.flaws) == (False, False, ("it says paid, and Stripe says failed",))
    assert payout_of(payout, certificate, ()).proved
    items = [(one.about, one.kind, one.at_risk and one.at_risk.minor) for one in open_items([bare, old], [certificate])]
    assert items == [("po_2", "no_certificate", 4815), ("po_1", "unsound", 4815), ("po_1", "payment_missing", 4990)]


@pytest.mark.parametrize(
    ("name", "zone", "begin", "end"),
    [
        ("2026-11", "UTC", "2026-11-01T00:00", "2026-12-01T00:00"),
        ("2026-03", "Europe/Berlin", "2026-02-28T23:00", "2026-03-31T22:00"),  # the clocks go forward in it
        ("2026-10", "Europe/Berlin", "2026-09-30T22:00", "2026-10-31T23:00"),  # and back
        ("2026-11", "America/New_York", "2026-11-01T04:00", "2026-12-01T05:00"),  # back on its very first day
        ("2025-12", "Asia/Kolkata", "2025-11-30T18:30", "2025-12-31T18:30"),
        ("2026-02", "Pacific/Auckland", "2026-01-31T11:00", "2026-02-28T11:00"),
    ],
)
def test_a_month_ends_when_it_ends_there(name: str, zone: str, begin: str, end: str) -> None:
    """Midnight of the organisation's own clocks, whatever they do in between."""
    span = month_of(name, zone, datetime(2027, 1, 1, tzinfo=UTC))
    assert (f"{span.begin:%Y-%m-%dT%H:%M}", f"{span.end:%Y-%m-%dT%H:%M}") == (begin, end)
    assert span.holds(span.begin)
    assert not span.holds(span.end)


def test_without_a_name_it_is_the_month_that_is_over() -> None:
    """There, and not in Greenwich; what is no month, or has not begun, is refused."""
    now = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)
    assert [month_of("", zone, now).name for zone in ("UTC", "Europe/Berlin")] == ["2026-10", "2026-11"]
    assert month_of("", "UTC", datetime(2026, 1, 5, tzinfo=UTC)).name == "2025-12"
    for wrong in ("2026-13", "2026-1", "november", "2026-11-01", "0000-01"):
        with pytest.raises(NoMonth, match="is no month"):
            month_of(wrong, "UTC", now)
    with pytest.raises(NoMonth, match="has not begun yet in UTC"):
        month_of("2026-12", "UTC", now)
    assert month_of("2026-12", "Europe/Berlin", now).name == "2026-12"
