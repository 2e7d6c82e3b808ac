"""What each line of a payout does to the books: from which account money came into Stripe's clearing account."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from domain.matching import MatchedLine
from domain.money import Money, total
from domain.payments import Fact
from domain.payouts import LineKind, Payout, PayoutLine


class Account(StrEnum):
    """The accounts that a payout touches, by what they are for. Each has a name in the connection's settings."""

    CLEARING = "clearing"
    BANK = "bank"
    RECEIVABLES = "receivables"
    REFUNDS = "refunds"
    DISPUTES = "disputes"
    DISPUTE_FEES = "dispute_fees"
    FEES = "fees"
    FEE_TAX = "fee_tax"
    WITHHELD_TAX = "withheld_tax"
    EXCHANGE = "exchange"
    RESERVES = "reserves"
    ADJUSTMENTS = "adjustments"
    UNMATCHED = "unmatched"


class AccountNames(BaseModel):
    """What the accounts of a payout are called in the shop's books.

    `clearing`: what Stripe holds for the shop; `bank`: where payouts arrive; `receivables`, `refunds`: what invoices
    are paid from and what credit notes pay out of; `disputes`, `dispute_fees`: what banks took and what that cost;
    `fees`, `fee_tax`, `withheld_tax`: Stripe's fees, the tax on them, tax that Stripe kept for the state; `exchange`:
    gain and loss by rates; `reserves`: what Stripe holds back; `adjustments`: its other corrections; `unmatched`: money
    whose document is missing, until somebody finds it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    clearing: str = Field(default="Stripe Clearing", min_length=1)
    bank: str = Field(default="Bank", min_length=1)
    receivables: str = Field(default="Accounts Receivable", min_length=1)
    refunds: str = Field(default="Accounts Receivable", min_length=1)
    disputes: str = Field(default="Stripe Disputes", min_length=1)
    dispute_fees: str = Field(default="Stripe Dispute Fees", min_length=1)
    fees: str = Field(default="Stripe Fees", min_length=1)
    fee_tax: str = Field(default="Input Tax on Stripe Fees", min_length=1)
    withheld_tax: str = Field(default="Tax Withheld by Stripe", min_length=1)
    exchange: str = Field(default="Exchange Gain or Loss", min_length=1)
    reserves: str = Field(default="Stripe Reserves", min_length=1)
    adjustments: str = Field(default="Stripe Adjustments", min_length=1)
    unmatched: str = Field(default="Stripe Unmatched", min_length=1)


class Posting(Fact):
    """`money` came into the clearing account from `account`, below zero where it went there: a balanced pair by itself.

    `document` names what carries it already (Zoho's payment, another payout): "" for what is still to be posted.
    """

    account: Account
    money: Money
    document: str = ""


_AGAINST = {
    LineKind.CHARGE: Account.RECEIVABLES,
    LineKind.CHARGE_FAILURE: Account.RECEIVABLES,
    LineKind.CAPTURE_REVERSAL: Account.RECEIVABLES,
    LineKind.REFUND: Account.REFUNDS,
    LineKind.REFUND_FAILURE: Account.REFUNDS,
    LineKind.DISPUTE: Account.DISPUTES,
    LineKind.DISPUTE_REVERSAL: Account.DISPUTES,
    LineKind.FEE: Account.FEES,
    LineKind.TAX: Account.FEE_TAX,
    LineKind.ADJUSTMENT: Account.ADJUSTMENTS,
    LineKind.RESERVE: Account.RESERVES,
    LineKind.TOPUP: Account.BANK,
    LineKind.TOPUP_REVERSAL: Account.BANK,
    LineKind.PAYOUT: Account.BANK,
    LineKind.PAYOUT_REVERSAL: Account.BANK,
}
# Without a document the money of these has no home yet. What a bank took has: nothing else books it.
_HOMELESS = frozenset({Account.RECEIVABLES, Account.REFUNDS})
_DISPUTES = frozenset({LineKind.DISPUTE, LineKind.DISPUTE_REVERSAL})
_OTHER_PAYOUTS = frozenset({LineKind.PAYOUT, LineKind.PAYOUT_REVERSAL})
_TAXES = {"tax": Account.FEE_TAX, "withheld_tax": Account.WITHHELD_TAX}


def postings_of(one: MatchedLine) -> tuple[Posting, ...]:
    """What a line does to the books; sums to its net."""
    return _merged((*_amount(one), *_fee(one)))


def settlement(payout: Payout) -> tuple[Posting, ...]:
    """What the payout itself does: the money goes to the bank (or comes from it), with the fee that Stripe took for
    that, and comes back where it failed. Sums to what its own rows move.
    """
    rows = [row for row in (payout.own, payout.returned) if row is not None]
    moves = [Posting(account=Account.BANK, money=row.amount) for row in rows]
    return tuple([*moves, *(fee for row in rows for fee in _taken(row, Account.FEES))])


def _merged(postings: Iterable[Posting]) -> tuple[Posting, ...]:
    """One posting an account and document, none of nothing, in the order in which they first came."""
    sums: dict[tuple[Account, str], Money] = {}
    for one in postings:
        key = (one.account, one.document)
        sums[key] = sums[key] + one.money if key in sums else one.money
    return tuple(Posting(account=key[0], money=money, document=key[1]) for key, money in sums.items() if money)


def _amount(one: MatchedLine) -> Iterator[Posting]:
    """The amount; what the books count otherwise by their own rate is gain or loss, in a posting of its own."""
    line, document, account = one.line, one.document, _AGAINST[one.kind]
    if document is None:
        homeless = account in _HOMELESS
        yield Posting(account=Account.UNMATCHED if homeless else account, money=line.amount, document=_carrier(one))
        return
    if one.kind in _DISPUTES:
        account = Account.REFUNDS if document.creditnote_id else Account.RECEIVABLES  # credited, or written off
    agreed = document.money == abs(line.original)
    same = document.money.currency == line.amount.currency
    value = document.money if same else _counted(document.value, line)
    if value is None and not agreed:
        yield Posting(account=Account.UNMATCHED, money=line.amount)
        return
    booked = line.amount if value is None else -value if line.amount.minor < 0 else value
    yield Posting(account=account, money=booked, document=document.document_id)
    yield Posting(account=Account.EXCHANGE if agreed else Account.UNMATCHED, money=line.amount - booked)


def _fee(one: MatchedLine) -> Iterator[Posting]:
    """The fee, taxes apart. A document that carries one has all of it as bank charges, so taxes move out of there."""
    line, document = one.line, one.document
    fees = Account.DISPUTE_FEES if one.kind in _DISPUTES else Account.FEES
    if one.kind is not LineKind.CHARGE or document is None or document.fee is None:
        yield from _taken(line, fees, _carrier(one))
        return
    same = document.fee.currency == line.fee.currency
    carried = document.fee if same else _counted(document.fee_value, line) or line.fee
    yield Posting(account=fees, money=-carried, document=document.document_id)
    yield Posting(account=fees if same else Account.EXCHANGE, money=carried - line.fee)
    yield Posting(account=fees, money=line.fee)
    yield from _taken(line, fees)


def _counted(value: Money | None, line: PayoutLine) -> Money | None:
    """What the books count a document for, where they count in the settlement's currency."""
    return value if value is not None and value.currency == line.amount.currency else None


def _carrier(one: MatchedLine) -> str:
    """Another payout among the lines is booked with its own certificate."""
    return one.line.source_id if one.kind in _OTHER_PAYOUTS else ""


def _taken(line: PayoutLine, fees: Account, document: str = "") -> tuple[Posting, ...]:
    """The fee of a row as it is posted where the books have no bank charges for it."""
    taxes = [(_TAXES[part.kind], -part.amount) for part in line.parts if part.kind in _TAXES]
    rest = total((tax for _, tax in taxes), line.fee.currency) + line.fee
    made = ((fees, -rest), *taxes)
    return _merged(Posting(account=account, money=money, document=document) for account, money in made)
