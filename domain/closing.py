"""A month is added up: what our certificates say of each row of Stripe's balance, against what Stripe says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from domain.certified import Certificate, CertifiedLine, Entry
from domain.matching import MatchedLine
from domain.money import Money
from domain.months import Balance, Discrepancy, Flow, FlowSum, MonthSpan, Move
from domain.payouts import LineKind, Payout, PayoutLine, PayoutStatus
from domain.postings import Account, Posting, postings_of

#: Other payouts among a payout's lines: each has a certificate of its own, and counts once.
_CARRIED = frozenset({LineKind.PAYOUT, LineKind.PAYOUT_REVERSAL})
_BY_ACCOUNT = {
    Account.FEES: Flow.FEES,
    Account.DISPUTE_FEES: Flow.DISPUTE_FEES,
    Account.FEE_TAX: Flow.TAX,
    Account.WITHHELD_TAX: Flow.TAX,
    Account.EXCHANGE: Flow.EXCHANGE,
}
_BY_KIND = {
    LineKind.CHARGE: Flow.CAPTURED,
    LineKind.CHARGE_FAILURE: Flow.CAPTURED,
    LineKind.CAPTURE_REVERSAL: Flow.CAPTURED,
    LineKind.REFUND: Flow.REFUNDED,
    LineKind.REFUND_FAILURE: Flow.REFUNDED,
    LineKind.DISPUTE: Flow.DISPUTED,
    LineKind.DISPUTE_REVERSAL: Flow.DISPUTED,
    LineKind.FEE: Flow.FEES,
    LineKind.TAX: Flow.TAX,
    LineKind.ADJUSTMENT: Flow.ADJUSTED,
    LineKind.RESERVE: Flow.RESERVED,
    LineKind.TOPUP: Flow.TOPPED_UP,
    LineKind.TOPUP_REVERSAL: Flow.TOPPED_UP,
    LineKind.PAYOUT: Flow.PAID_OUT,
    LineKind.PAYOUT_REVERSAL: Flow.PAID_OUT,
}


class _Claim(NamedTuple):
    """A line of a certificate."""

    payout_id: str
    currency: str
    line: CertifiedLine

    @property
    def minor(self) -> int:
        """What is posted for it, in minor units."""
        return sum(entry.minor for entry in self.line.postings)

    @property
    def posted(self) -> Money:
        """The same as money."""
        return Money.of(self.minor, self.currency)


class Added(NamedTuple):
    """What a month adds up to."""

    balances: tuple[Balance, ...]
    discrepancies: tuple[Discrepancy, ...]
    moves: tuple[Move, ...]


def add_up(
    span: MonthSpan,
    rows: Sequence[PayoutLine],
    closing: Mapping[str, Money],
    certificates: Iterable[Certificate],
    payouts: Sequence[Payout],
) -> Added:
    """Every row of the month, from the certificate that has it, else from Stripe itself.

    `rows` are all balance transactions that Stripe made in the month, `closing` is what it held at its end by currency;
    the certificates may hold rows of other months. Tolerance zero: what the discrepancies are off by sums to the
    differences.
    """
    book = _Book(span, certificates)
    for row in sorted(rows, key=lambda row: (row.at, row.transaction_id)):
        book.take(row)
    book.leftovers()
    currencies = sorted({*closing, *(row.net.currency for row in rows), *(one.money.currency for one in book.moves)})
    balances = [
        _balance(span, currency, rows, closing.get(currency, Money.of(0, currency)), book, payouts)
        for currency in currencies
    ]
    moves = sorted(book.moves, key=lambda one: (one.at, one.transaction_id))
    return Added(tuple(balances), tuple(book.discrepancies), tuple(moves))


class _Book:
    """The month's moves as our certificates tell them, and where Stripe tells them otherwise."""

    def __init__(self, span: MonthSpan, certificates: Iterable[Certificate]) -> None:
        self._span = span
        self._claims: dict[str, list[_Claim]] = {}
        self._own: dict[str, Certificate] = {}
        self.moves: list[Move] = []
        self.discrepancies: list[Discrepancy] = []
        for one in certificates:
            head = one.certificate
            self._own[head.payout.id] = one
            for line in one.lines:
                claim = _Claim(head.payout.id, head.payout.currency, line)
                self._claims.setdefault(line.transaction, []).append(claim)

    def take(self, row: PayoutLine) -> None:
        """A row of Stripe's: as it is certified, if it is."""
        claims = self._claims.pop(row.transaction_id, [])
        if row.kind in _CARRIED:
            self._take_payout(row, claims)
        elif claims:
            self._take_claim(row, claims[0])
            for again in claims[1:]:
                self._count(again, f"is in the certificates of {claims[0].payout_id} and {again.payout_id}")
        else:
            self.moves += _uncertified(row)

    def leftovers(self) -> None:
        """What is certified of the month, and Stripe does not have."""
        for claim in (claim for claims in self._claims.values() for claim in claims):
            if self._span.holds(_moment(claim, self._span)):
                self._count(claim, f"is in the certificate of {claim.payout_id}, and Stripe has no such row")

    def _count(self, claim: _Claim, what: str) -> None:
        self.moves += _certified(claim, _moment(claim, self._span))
        self._differ(claim.line.transaction, f"{what}: {claim.posted} too much", claim.posted)

    def _take_claim(self, row: PayoutLine, claim: _Claim) -> None:
        """Off is what is posted and did not move."""
        self.moves += _certified(claim, row.at)
        if claim.currency != row.net.currency:
            what = f"is in {row.net.currency} at Stripe, and in {claim.currency} in the certificate of"
            self._differ(row.transaction_id, f"{what} {claim.payout_id}", claim.posted)
            self._differ(row.transaction_id, f"{what} {claim.payout_id}", -row.net)
        elif faults := [*_faults(row, claim)]:
            what = f"is certified by {claim.payout_id} with {', '.join(faults)}"
            self._differ(row.transaction_id, what, claim.posted - row.net)

    def _take_payout(self, row: PayoutLine, claims: Sequence[_Claim]) -> None:
        """By its own certificate; as a line of another's it moves nothing."""
        for claim in claims:
            if faults := [*_faults(row, claim)]:
                what = f"is carried by {claim.payout_id} with {', '.join(faults)}"
                self._differ(row.transaction_id, what, row.net.zero())
        self.moves += _uncertified(row, row.source_id)
        own = self._own.get(row.source_id)
        payout, left = own.certificate.payout if own else None, row.kind is LineKind.PAYOUT
        if payout is None or not (left or payout.returned):
            return  # of a return that is not certified yet the payout itself says so
        said = Money.of(-payout.taken if left else payout.returned, payout.currency)
        if said.currency != row.net.currency:
            what = f"moved {row.net}, and the certificate of {payout.id} is in {payout.currency}"
            self._differ(row.transaction_id, what, row.net.zero())
        elif said != row.net:
            what = f"moved {row.net}, and the certificate of {payout.id} says {said}"
            self._differ(row.transaction_id, what, said - row.net)
            about = {"flow": Flow.PAID_OUT, "account": Account.BANK.value, "payout_id": payout.id}
            self.moves.append(Move(at=row.at, transaction_id=row.transaction_id, money=said - row.net, **about))

    def _differ(self, transaction: str, what: str, off: Money) -> None:
        self.discrepancies.append(Discrepancy(transaction_id=transaction, message=f"{transaction} {what}", off=off))


def _faults(row: PayoutLine, claim: _Claim) -> Iterator[str]:
    """Where the certificate says another amount than Stripe."""
    line, posted = claim.line, claim.minor
    for name, minor, true in (
        ("amount", line.amount, row.amount), ("fee", line.fee, row.fee), ("net", line.net, row.net),
        ("postings of", posted, row.net),
    ):  # fmt: skip
        if minor != true.minor:
            ours = Money.of(minor, claim.currency)
            yield f"{name} {ours} in place of {true}: {abs(ours - true)} off"


def _money(claim: _Claim, entry: Entry) -> Money:
    return Money.of(entry.minor, claim.currency)


def _certified(claim: _Claim, at: datetime) -> Iterator[Move]:
    line = claim.line
    for entry in line.postings:
        yield Move(
            at=at,
            transaction_id=line.transaction,
            flow=_flow(entry.account, line.kind),
            account=entry.account,
            money=_money(claim, entry),
            payout_id=claim.payout_id,
            document=entry.document,
            source=line.source,
        )


def _uncertified(row: PayoutLine, payout_id: str = "") -> Iterator[Move]:
    """As Stripe tells it; what no document was looked for stands without one."""
    about = {"at": row.at, "transaction_id": row.transaction_id, "payout_id": payout_id, "source": row.source_id}
    if row.kind is None:
        yield Move(**about, flow=Flow.UNKNOWN, account=Account.UNMATCHED.value, money=row.net)
        return
    for one in _postings(row, row.kind):
        yield Move(**about, flow=_flow(one.account.value, row.kind.value), account=one.account.value, money=one.money)


def _postings(row: PayoutLine, kind: LineKind) -> tuple[Posting, ...]:
    return postings_of(MatchedLine(line=row, kind=kind))


_FLOWS_OF_ACCOUNTS = {account.value: flow for account, flow in _BY_ACCOUNT.items()}
_FLOWS_OF_KINDS = {kind.value: flow for kind, flow in _BY_KIND.items()}


def _flow(account: str, kind: str) -> Flow:
    return _FLOWS_OF_ACCOUNTS.get(account) or _FLOWS_OF_KINDS.get(kind, Flow.UNKNOWN)


def _moment(claim: _Claim, span: MonthSpan) -> datetime:
    """When it was, by its certificate; one that was tampered with counts from the month's beginning."""
    try:
        at = datetime.fromisoformat(claim.line.at)
    except ValueError:
        return span.begin
    return at if at.tzinfo else span.begin


def _balance(
    span: MonthSpan,
    currency: str,
    rows: Iterable[PayoutLine],
    closing: Money,
    book: _Book,
    payouts: Iterable[Payout],
) -> Balance:
    moves = [one for one in book.moves if one.money.currency == currency]
    waiting = [one for one in moves if not one.payout_id]
    opening = closing - _sum((row.net for row in rows if row.net.currency == currency), currency)
    return Balance(
        opening=opening,
        flows=tuple(_flows(moves, currency)),
        closing=closing,
        difference=opening + _sum((one.money for one in moves), currency) - closing,
        waiting=_sum((one.money for one in waiting), currency),
        waiting_rows=len({one.transaction_id for one in waiting}),
        on_its_way=_sum((one.money for one in payouts if _under_way(one, span, currency)), currency),
    )


def _sum(amounts: Iterable[Money], currency: str) -> Money:
    """Of amounts in this currency; of 40,000 postings adding Money takes seconds."""
    return Money.of(sum(one.minor for one in amounts), currency)


def _flows(moves: Sequence[Move], currency: str) -> Iterator[FlowSum]:
    for flow in Flow:
        some = [one for one in moves if one.flow is flow]
        if some:
            money = _sum((one.money for one in some), currency)
            yield FlowSum(flow=flow, money=money, rows=len({one.transaction_id for one in some}))


def _under_way(payout: Payout, span: MonthSpan, currency: str) -> bool:
    """Whether it left Stripe in the month and reaches the bank after it."""
    gone = payout.status in (PayoutStatus.FAILED, PayoutStatus.CANCELED)
    mine = payout.money.currency == currency and span.holds(payout.created)
    return mine and not gone and payout.arrival >= span.end
