"""A refund as Stripe tells it, and what its run came to."""

from __future__ import annotations

from enum import StrEnum

from pydantic import AwareDatetime, Field

from domain.money import Money
from domain.payments import Fact, Moved
from domain.runs import PaymentEvent, PaymentInput, PaymentRef, Stage


class RefundStatus(StrEnum):
    """Where the money of a refund is: still under way, with the buyer, or with us again."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class RefundRef(PaymentRef):
    """Which refund of which payment an activity is about. `change` is the refund too: its effects are its own."""

    refund_id: str


class RefundInput(PaymentInput):
    """What a refund's run starts with: the refund's id beside its payment's."""

    refund_id: str
    event: PaymentEvent


class RefundFacts(Fact):
    """A refund with what has to be known of its payment.

    `at` is when Stripe made it, `captured` what the payment brought. `before` is what earlier refunds that stand gave
    back, in the order in which Stripe made them. `reason` is why it failed, in Stripe's words. `return_id`
    is Zoho's return that the refund was made for, as its metadata says, "" for one that was made by somebody else;
    `adjustment_id` is the inventory adjustment that proposed it.
    """

    refund_id: str
    payment_id: str
    money: Money
    status: RefundStatus
    at: AwareDatetime
    captured: Money
    before: tuple[Money, ...] = ()
    reason: str = ""
    return_id: str = ""
    adjustment_id: str = ""

    @property
    def whole(self) -> bool:
        """Whether this refund alone gives back all that the payment brought."""
        return not self.before and self.money == self.captured


class RefundSeen(Fact):
    """One refund of a payment, with the metadata that tells whose it is: never crosses Temporal.

    `purpose` is why it was made (duplicate, fraudulent, requested_by_customer, "" for none), `failure` why it failed,
    both in Stripe's words. `moved` took the money, None until Stripe says so; `returned` gave it back after a failure.
    """

    refund_id: str
    payment_id: str
    charge_id: str
    money: Money
    status: RefundStatus
    at: AwareDatetime
    purpose: str = ""
    failure: str = ""
    metadata: dict[str, str] = Field(default_factory=dict)
    moved: Moved | None = None
    returned: Moved | None = None


class FetchedRefund(RefundFacts):
    """The same with what our memory knows: `round` counts the credit notes of this refund that were taken back.

    `cancelled` says that the order was voided for it, `gone` that a person knows that somebody deleted the order.
    `salesorder_id` is "" where our memory of the sale is gone, or
    never was.
    """

    round: int = 0
    cancelled: bool = False
    gone: bool = False
    salesorder_id: str = ""


class RefundNamed(Fact):
    """A refund and its payment, by their ids."""

    refund_id: str
    payment_id: str


class RefundsResolved(Fact):
    """The refunds that an event may be about."""

    refunds: tuple[RefundNamed, ...] = ()


class StartRefundInput(Fact):
    """A refund's run to be started, or woken, by `event`."""

    connection: str
    refund_id: str
    payment_id: str
    event: PaymentEvent


class MarkInput(RefundRef):
    """What the refund's metadata shall say."""

    metadata: dict[str, str]


class RefundResult(Fact):
    """What a refund became in Zoho; the ids are empty where nothing was to be credited."""

    refund_id: str
    payment_id: str
    stage: Stage
    creditnote_id: str = ""
    number: str = ""
    zoho_refund_id: str = ""
    money: Money
    notes: tuple[str, ...] = ()
