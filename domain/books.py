"""A payout in Zoho Books: which transfers and which journal say what no other document carries.

Nothing that was posted is changed later: what a later version says otherwise is posted as the difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from pydantic import Field

from domain.money import Money, total
from domain.payments import Fact
from domain.runs import PaymentRef

TRANSFER, JOURNAL = "transfer", "journal"


class Side(Fact):
    """What a journal does to an account: a debit above zero, a credit below."""

    account: str
    money: Money


class Transfer(Fact):
    """`money`, above zero, from one account to another. `reference` names it in Books, whatever the version."""

    reference: str
    source: str
    target: str
    money: Money
    day: date


class JournalKept(Fact):
    """A journal as it was posted, by ids of Books."""

    journal_id: str
    reference: str
    sides: tuple[Side, ...]


class PostingPlan(Fact):
    """What of a payout has to stand in Books, accounts by their names. `sides` balance.

    `day` is the date of this version's journal; `journals` and `transfers_known` are what was
    posted so far by our own memory (transfers by reference). `base` is the organisation's own currency, "" while nobody
    knows; `exported`: the policy leaves this payout, which `arrived` too early, to be exported, or a person did.
    `clearing` is the clearing account's name, `deposit` the id of the account that payments come to, "" where the
    shop names none. `round` as of any reference.
    """

    payout_id: str
    version: int
    currency: str
    day: date
    hash: str = ""
    transfers: tuple[Transfer, ...] = ()
    sides: tuple[Side, ...] = ()
    journals: tuple[JournalKept, ...] = ()
    transfers_known: dict[str, str] = Field(default_factory=dict)
    base: str = ""
    arrived: date
    exported: bool = False
    clearing: str = ""
    deposit: str = ""
    round: int = 0

    def names(self) -> tuple[str, ...]:
        """The accounts that are needed, by name."""
        ends = [name for one in self.transfers for name in (one.source, one.target)]
        return tuple(dict.fromkeys([*ends, *(side.account for side in self.sides)]))


class PostInput(PaymentRef):
    """A version of a payout's certificate to be posted."""

    version: int


class TransferInput(PaymentRef):
    """A transfer to be posted, accounts by id; `says` is its description. `after` as of any guarded write."""

    transfer: Transfer
    says: str = ""
    after: int = 0


class JournalInput(PaymentRef):
    """A journal to be posted, accounts by id; `says` are its notes."""

    reference: str
    sides: tuple[Side, ...]
    day: date
    says: str = ""
    after: int = 0


class PostedRef(PaymentRef):
    """What was posted, by Books' id, or looked for by its reference (a journal by what that begins with).

    `transfer` or `sides` is what it should be; `keep`: whatever it is, it is ours.
    """

    kind: str = TRANSFER
    currency: str
    document_id: str = ""
    reference: str = ""
    transfer: Transfer | None = None
    sides: tuple[Side, ...] = ()
    keep: bool = False
    after: int = 0


class Posted(Fact):
    """A transfer or a journal that stands in Books; of one whose answer was lost only `asked` is known.

    `sides` are what a journal was posted with.
    """

    document_id: str = ""
    reference: str = ""
    sides: tuple[Side, ...] = ()
    unknown: bool = False
    asked: int = 0


class PostedList(Fact):
    """What a list of Books shows of a payout."""

    found: tuple[Posted, ...] = ()


class TransferSeen(Fact):
    """A bank transaction as Books has it; `money` None where its amount is finer than a minor unit."""

    document_id: str
    kind: str
    source: str
    target: str
    money: Money | None

    def differs(self, wanted: Transfer) -> str:
        """What is otherwise than it was posted, "" where nothing is."""
        if self.kind != "transfer_fund":
            return f"it is a {self.kind or 'transaction of no kind'}, not a transfer of funds"
        if (self.source, self.target) != (wanted.source, wanted.target):
            return "it is between other accounts"
        return "" if self.money == wanted.money else f"it is over {self.money}, not {wanted.money}"


class JournalSeen(Fact):
    """A journal as Books has it. `sides` is None where an amount is finer than a minor unit."""

    document_id: str
    reference: str
    status: str
    sides: tuple[Side, ...] | None

    def differs(self, wanted: Sequence[Side]) -> str:
        """What is otherwise than it was posted, "" where nothing is."""
        if self.status == "draft":
            return "it is a draft, which moves nothing: publish it"
        if self.sides is None:
            return "it holds amounts finer than a minor unit"
        if {side.money.currency for side in self.sides} != {side.money.currency for side in wanted}:
            return "it is in another currency"
        off = missing(wanted, self.sides)
        return "" if not off else "; ".join(f"{side.money} are missing on account {side.account}" for side in off)


class PostedRow(Fact):
    """For people: what was posted of a payout, from our own memory. `deleted` since, by us."""

    kind: str
    document_id: str
    reference: str
    money: Money | None = None
    deleted: bool = False


def merged(sides: Iterable[Side]) -> tuple[Side, ...]:
    """One side an account, none of nothing, in the order in which they first came."""
    sums: dict[str, Money] = {}
    for side in sides:
        sums[side.account] = sums[side.account] + side.money if side.account in sums else side.money
    return tuple(Side(account=account, money=money) for account, money in sums.items() if money)


def missing(wanted: Iterable[Side], standing: Iterable[Side]) -> tuple[Side, ...]:
    """What is still to be posted where `standing` is: balanced, for both are."""
    return merged([*wanted, *(Side(account=side.account, money=-side.money) for side in standing)])


def turnover(sides: Sequence[Side]) -> Money:
    """What a journal debits; it has one side at least."""
    return total((side.money for side in sides if side.money.minor > 0), sides[0].money.currency)
