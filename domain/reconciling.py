"""What crosses Temporal about a payout: ids, sums and counts. Its lines stay in our store."""

from __future__ import annotations

from domain.money import Money
from domain.payments import Fact
from domain.payouts import PayoutKind, PayoutStatus
from domain.runs import PaymentEvent, PaymentInput, PaymentRef


class PayoutInput(PaymentInput):
    """What a payout's run starts with; `payment_id` is the payout's own, `po_…`."""

    event: PaymentEvent


class PayoutStanding(Fact):
    """Where a payout is. `settled` says that the bank's answer is there, and everything that Stripe tells of it.

    `own_id` is its own balance transaction, which stands among its lines.
    """

    money: Money
    kind: PayoutKind
    status: PayoutStatus
    itemised: bool
    settled: bool
    own_id: str = ""


class PageInput(PaymentRef):
    """The page of a payout's lines that begins `after` a line ("" for the first); its first line is number `place`."""

    own_id: str
    after: str = ""
    place: int = 0


class PageKept(Fact):
    """How many lines were kept, and what they come to. The next page begins `after`, "" where this was the last."""

    lines: int
    net: Money | None = None
    after: str = ""


class CertifyInput(PaymentRef):
    """A payout to be certified out of the `lines` that were kept."""

    lines: int = 0


class Certified(Fact):
    """What became of it. With `problems` nothing was issued; `asks` is what a person has to look at, `to_book` how many
    things are still to be booked.
    """

    version: int = 0
    hash: str = ""
    problems: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    to_book: int = 0


class PayoutResult(Fact):
    """What a payout became. `posted` is what stands in Zoho Books for it, in words."""

    payout_id: str
    money: Money
    status: PayoutStatus
    lines: int
    version: int
    hash: str
    to_book: int = 0
    posted: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
