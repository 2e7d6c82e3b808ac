"""A payout as Stripe tells it: its lines, what kind each of them is, and whether they add up to it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum

from pydantic import AwareDatetime

from domain.money import Money, total
from domain.payments import Fact, FeePart


class PayoutKind(StrEnum):
    """How a payout came to be. Stripe itemises automatic ones only (docs.stripe.com/payouts/reconciliation)."""

    AUTOMATIC = "automatic"
    MANUAL = "manual"
    INSTANT = "instant"


class PayoutStatus(StrEnum):
    """Where the money is: PAID is not final, for a bank may send it back within five business days."""

    PENDING = "pending"
    IN_TRANSIT = "in_transit"
    PAID = "paid"
    FAILED = "failed"
    CANCELED = "canceled"


class Reconciled(StrEnum):
    """Whether Stripe knows all lines of a payout; never of one that it does not itemise."""

    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    NOT_APPLICABLE = "not_applicable"


class LineKind(StrEnum):
    """What a line is. A closed list, by Stripe's reporting categories; docs/payouts.md explains each."""

    CHARGE = "charge"
    CHARGE_FAILURE = "charge_failure"  # a payment by debit that bounced after it had succeeded
    CAPTURE_REVERSAL = "capture_reversal"  # a part of a charge that was not captured after all
    REFUND = "refund"
    REFUND_FAILURE = "refund_failure"
    DISPUTE = "dispute"
    DISPUTE_REVERSAL = "dispute_reversal"
    FEE = "fee"  # billed by itself: Radar, Billing, network costs
    TAX = "tax"  # on such a fee
    ADJUSTMENT = "adjustment"
    RESERVE = "reserve"  # held back, or let go
    TOPUP = "topup"
    TOPUP_REVERSAL = "topup_reversal"
    PAYOUT = "payout"  # another payout, manual or instant, that had left the same balance
    PAYOUT_REVERSAL = "payout_reversal"  # another payout that came back


# What is left out (Connect, Issuing, Capital) is not a shop's business: a payout with such a line waits for a person.
_BY_CATEGORY = {
    "charge": LineKind.CHARGE,
    "charge_failure": LineKind.CHARGE_FAILURE,
    "partial_capture_reversal": LineKind.CAPTURE_REVERSAL,
    "refund": LineKind.REFUND,
    "refund_failure": LineKind.REFUND_FAILURE,
    "dispute": LineKind.DISPUTE,
    "dispute_reversal": LineKind.DISPUTE_REVERSAL,
    "fee": LineKind.FEE,
    "tax": LineKind.TAX,
    "other_adjustment": LineKind.ADJUSTMENT,
    "risk_reserved_funds": LineKind.RESERVE,
    "topup": LineKind.TOPUP,
    "topup_reversal": LineKind.TOPUP_REVERSAL,
    "payout": LineKind.PAYOUT,
    "payout_reversal": LineKind.PAYOUT_REVERSAL,
}
# Parts of a fee that are known; which of them are tax is the journal's business.
FEE_PARTS = frozenset({"stripe_fee", "application_fee", "payment_method_passthrough_fee", "tax", "withheld_tax"})


class PayoutLine(Fact):
    """One balance transaction. `amount`, `fee`, `net` are in the currency that Stripe settles in, below zero where
    money left; `charged` is the same amount in the buyer's currency (None where Stripe does not say), and is never
    computed from `rate`, Stripe's own: minor units of the settlement's for one of the buyer's.

    `source_id` is what made it (`ch_…`, `re_…`, `du_…`, `po_…`, "" for fees), `payment_id` its payment. `named` are
    Zoho's ids in the source's metadata; `says` is Stripe's text where no person is concerned, else "".
    """

    transaction_id: str
    category: str
    type: str = ""
    amount: Money
    fee: Money
    net: Money
    parts: tuple[FeePart, ...] = ()
    charged: Money | None = None
    rate: Decimal | None = None
    source_id: str = ""
    payment_id: str = ""
    at: AwareDatetime
    named: tuple[str, ...] = ()
    says: str = ""

    @property
    def kind(self) -> LineKind | None:
        """What it is; None for a category that is not known, which is never guessed."""
        if self.category == "fee" and self.type == "tax_fee":
            return LineKind.TAX
        return _BY_CATEGORY.get(self.category)

    @property
    def original(self) -> Money:
        """The amount in the buyer's currency where there is one, else in the settlement's."""
        return self.amount if self.charged is None else self.charged


class Payout(Fact):
    """One payout. `money` is what the bank gets, below zero where Stripe takes it from the bank.

    `own` is the payout's own balance transaction, the opposite of `money`, with a fee where Stripe took one for it;
    `returned` is the one that gave the money back after a failure. `arrival` is an estimate, UTC.
    """

    payout_id: str
    money: Money
    kind: PayoutKind
    status: PayoutStatus
    reconciled: Reconciled
    created: AwareDatetime
    arrival: AwareDatetime
    own: PayoutLine | None = None
    returned: PayoutLine | None = None
    failure: str = ""
    trace: str = ""

    @property
    def itemised(self) -> bool:
        """Whether Stripe tells its lines at all."""
        return self.kind is PayoutKind.AUTOMATIC

    @property
    def ready(self) -> bool:
        """Whether everything that Stripe will tell of it is there."""
        gave_up = self.status in (PayoutStatus.FAILED, PayoutStatus.CANCELED)
        if self.own is None or (gave_up and self.returned is None):
            return False
        return self.reconciled is not Reconciled.IN_PROGRESS


class PayoutPage(Fact):
    """A page of the account's payouts, newest first. The next begins `after` that id, "" at the end."""

    payouts: tuple[Payout, ...] = ()
    after: str = ""


class LinePage(Fact):
    """A page of a payout's lines, newest first, without its own row. The next begins `after` that id, "" at the end."""

    lines: tuple[PayoutLine, ...] = ()
    after: str = ""


def line_faults(line: PayoutLine) -> list[str]:
    """Why a line cannot be right by itself; empty for a good one. Each fault names the money that is off."""
    others = [line.fee, line.net, *(part.amount for part in line.parts)]
    if strange := sorted({one.currency for one in others} - {line.amount.currency}):
        return [f"{line.transaction_id} mixes {line.amount.currency} with {', '.join(strange)}"]
    faults = []
    if off := line.amount - line.fee - line.net:
        faults.append(
            f"{line.transaction_id}: amount {line.amount} less fee {line.fee} is not net {line.net}: {off} off"
        )
    if off := total((part.amount for part in line.parts), line.fee.currency) - line.fee:
        faults.append(f"{line.transaction_id}: the parts of its fee come to {off} more than {line.fee}")
    unknown = sorted({part.kind for part in line.parts} - FEE_PARTS)
    return faults + [f"{line.transaction_id}: {kind!r} is no known part of a fee" for kind in unknown]


def sum_faults(payout: Payout, lines: Sequence[PayoutLine]) -> list[str]:
    """Why the lines are not those of the payout, each fault with the money that is off; empty where they add up.

    Tolerance zero: the lines' nets and the payout's own row sum to nothing, and that row is the payout's amount.
    """
    if payout.own is None:
        return [f"{payout.payout_id} has no balance transaction yet"]
    currency = payout.money.currency
    if strange := sorted({line.net.currency for line in (payout.own, *lines)} - {currency}):
        return [f"{payout.payout_id} is in {currency} and has rows in {', '.join(strange)}"]
    faults = []
    if off := payout.own.amount + payout.money:
        faults.append(f"{payout.payout_id} pays {payout.money}, and its own row takes {-payout.own.amount}: {off} off")
    if payout.itemised and (off := total((line.net for line in lines), currency) + payout.own.net):
        faults.append(f"{payout.payout_id}: its lines come to {off} more than {-payout.own.net}")
    if not payout.itemised and lines:
        faults.append(
            f"{payout.payout_id} is {payout.kind.value} and cannot be itemised, yet there are {len(lines)} lines"
        )
    seen: set[str] = set()
    for line in lines:
        if line.transaction_id in seen:
            faults.append(f"{line.transaction_id} is there twice: {line.net} counted once more")
        seen.add(line.transaction_id)
    return faults
