"""A payout's certificate as balanced double-entry lines, for the accountant and for other accounting systems."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from domain.certified import Certificate, Entry
from domain.money import Money
from domain.payments import Fact
from domain.payouts import LineKind
from domain.postings import Account
from domain.sheets import to_sheet

COLUMNS = ("date", "entry", "account", "debit", "credit", "currency", "document", "memo")
_NO_MEMO = ""


class JournalLine(Fact):
    """One side of an entry: `debit` or `credit` is zero, both are of one currency and never below zero.

    `entry` is the balance transaction, or the payout itself; lines of one entry balance. `document` is what carries it
    already, "" where it is still to be posted.
    """

    date: str
    entry: str
    account: str
    debit: Money
    credit: Money
    document: str = ""
    memo: str = ""


def journal(certificate: Certificate, *, open_only: bool = False) -> tuple[JournalLine, ...]:
    """Every entry of the certificate, line by line, then the payout's own; `open_only` leaves out what is carried."""
    head = certificate.certificate
    accounts, currency = head.accounts, head.payout.currency
    made: list[JournalLine] = []
    for line in certificate.lines:
        memo = f"{line.kind} {line.source}".strip() + (f": {line.says}" if line.says else "")
        for entry in line.postings:
            made += _pair(entry, line.at[:10], line.transaction, accounts, currency, memo)
    kind = LineKind.PAYOUT.value if head.payout.itemised else f"{head.payout.kind} payout, not itemised"
    for entry in head.settlement:
        made += _pair(entry, head.payout.arrival[:10], head.payout.id, accounts, currency, kind)
    return tuple(one for one in made if not (open_only and one.document))


def summary(lines: Sequence[JournalLine]) -> tuple[JournalLine, ...]:
    """One line an account, debit less credit, none of nothing: what is posted once for the whole payout."""
    sums: dict[str, Money] = {}
    for one in lines:
        moved = one.debit - one.credit
        sums[one.account] = sums[one.account] + moved if one.account in sums else moved
    last = max((one.date for one in lines), default="")
    entry = lines[-1].entry if lines else ""
    return tuple(_side(last, entry, account, money, "", _NO_MEMO) for account, money in sums.items() if money)


def imbalance(lines: Iterable[JournalLine]) -> dict[str, Money]:
    """What debits exceed credits by, currency by currency, where they do; empty for a balanced journal."""
    sums: dict[str, Money] = {}
    for one in lines:
        moved, currency = one.debit - one.credit, one.debit.currency
        sums[currency] = sums[currency] + moved if currency in sums else moved
    return {currency: money for currency, money in sums.items() if money}


def to_csv(lines: Iterable[JournalLine]) -> str:
    """The lines with a heading; amounts in major units with a point, "" for nothing."""
    sides = ("debit", "credit")
    return to_sheet(
        COLUMNS, (row | {side: _major(row[side], row["currency"]) for side in sides} for row in to_rows(lines))
    )


def to_rows(lines: Iterable[JournalLine]) -> list[dict[str, Any]]:
    """The lines as plain values, amounts in minor units."""
    return [
        {
            "date": one.date,
            "entry": one.entry,
            "account": one.account,
            "debit": one.debit.minor,
            "credit": one.credit.minor,
            "currency": one.debit.currency,
            "document": one.document,
            "memo": one.memo,
        }
        for one in lines
    ]


def _pair(
    entry: Entry, date: str, name: str, accounts: dict[str, str], currency: str, memo: str
) -> Iterator[JournalLine]:
    money = Money.of(entry.minor, currency)
    yield _side(date, name, accounts[Account.CLEARING.value], money, entry.document, memo)
    yield _side(date, name, accounts[entry.account], -money, entry.document, memo)


def _side(date: str, entry: str, account: str, money: Money, document: str, memo: str) -> JournalLine:
    debit, credit = (money, money.zero()) if money.minor > 0 else (money.zero(), -money)
    return JournalLine(
        date=date, entry=entry, account=account, debit=debit, credit=credit, document=document, memo=memo
    )


def _major(minor: int, currency: str) -> str:
    return f"{Money.of(minor, currency).decimal():f}" if minor else ""
