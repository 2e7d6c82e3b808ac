"""A dispute as Stripe tells it: what the bank wants, until when an answer counts, and which money has moved."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from pydantic import AwareDatetime

from domain.money import Money, total
from domain.payments import Fact, Moved
from domain.refunds import FetchedRefund, RefundSeen, RefundStatus
from domain.runs import PaymentEvent, PaymentInput, PaymentRef

#: How Stripe's ids of disputes begin.
DISPUTES = ("dp_", "du_")


class DisputeStatus(StrEnum):
    """Where a dispute stands: money moves from OPEN on, never for an inquiry."""

    INQUIRY = "inquiry"  # the bank asks; it may still become a dispute
    OPEN = "open"  # evidence is wanted, or is being looked at
    WON = "won"
    LOST = "lost"
    DROPPED = "dropped"  # an inquiry that came to nothing, or a dispute that was prevented


class DisputeInput(PaymentInput):
    """What a dispute's run starts with: the dispute's id (`dp_…`, `du_…`) beside its payment's."""

    dispute_id: str
    event: PaymentEvent


class DisputeRef(PaymentRef):
    """Which dispute of which payment an activity is about; `change` is the dispute too."""

    dispute_id: str


class DisputeNamed(Fact):
    """A dispute and its payment, by their ids."""

    dispute_id: str
    payment_id: str


class StartDisputeInput(DisputeNamed):
    """A dispute's run to be started, or woken, by `event`."""

    connection: str
    event: PaymentEvent


class DisputeFacts(Fact):
    """A dispute of a charge. `money` is what is disputed: all of the charge or a part, in the charge's currency.

    `needs_response` while evidence can be handed in, until `due_by` (None where there is no deadline). `reason` is
    Stripe's word (fraudulent, product_not_received …). `withdrawn` and `reinstated` are the balance transactions that
    took money and gave it back, each with its fee, oldest first.
    """

    dispute_id: str
    payment_id: str
    charge_id: str
    money: Money
    status: DisputeStatus
    reason: str = ""
    opened: AwareDatetime
    needs_response: bool = False
    due_by: AwareDatetime | None = None
    withdrawn: tuple[Moved, ...] = ()
    reinstated: tuple[Moved, ...] = ()


class FetchedDispute(DisputeFacts):
    """The same with what our memory knows.

    `round` counts how often what was booked of it was taken back; `begun` says that something was being booked,
    `forgotten` that we remember nothing of the payment at all. `marks` counts how often its order was marked as held
    and freed again: it is marked while that is odd.
    """

    round: int = 0
    begun: bool = False
    forgotten: bool = False
    marks: int = 0


class DisputesFound(Fact):
    """The disputes of a payment, for whose sake its goods are to stay: those that are not won or dropped."""

    holding: tuple[str, ...] = ()


class MovesInput(DisputeRef):
    """The balance transactions of a dispute, to be kept: a payout's lines are matched with them."""

    moves: tuple[Moved, ...]


class DisputeLoss(Fact):
    """A lost dispute with what has to be known of its payment to book it.

    `refund` is the loss in a refund's words, for the bank has given the money back; its `before` is what refunds and
    earlier lost disputes gave back. `under_way` are refunds that have not settled: what is left depends on them.
    `opened` is the dispute's own time.
    """

    refund: FetchedRefund
    opened: AwareDatetime | None = None
    under_way: tuple[str, ...] = ()

    @property
    def left(self) -> Money:
        """How much of what the payment brought is still ours, but for this loss."""
        return self.refund.captured - total(self.refund.before, self.refund.captured.currency)


class DisputeResult(Fact):
    """How a dispute ended, what was booked of it, and the balance transactions that a payout will show.

    The ids are empty where nothing was booked: it was not lost, or a person booked it.
    """

    dispute_id: str
    payment_id: str
    status: DisputeStatus
    money: Money
    creditnote_id: str = ""
    number: str = ""
    zoho_refund_id: str = ""
    written_off: str = ""
    withdrawn: tuple[Moved, ...] = ()
    reinstated: tuple[Moved, ...] = ()
    notes: tuple[str, ...] = ()


def holds(dispute: DisputeFacts) -> bool:
    """Whether goods are to stay where they are: the money is asked for, or gone."""
    return dispute.status not in (DisputeStatus.WON, DisputeStatus.DROPPED)


def loss_of(
    dispute: DisputeFacts, captured: Money, refunds: Sequence[RefundSeen], others: Sequence[DisputeFacts]
) -> DisputeLoss:
    """The loss with what was given back before it: all refunds that did not fail, and lost disputes opened earlier.

    Each in the order of time; ids decide within a second. `captured` is what the charge brought.
    """
    age = (dispute.opened, dispute.dispute_id)
    lost = [one for one in others if one.status is DisputeStatus.LOST and (one.opened, one.dispute_id) < age]
    given = [(one.at, one.refund_id, one.money) for one in refunds if one.status is not RefundStatus.FAILED]
    given += [(one.opened, one.dispute_id, one.money) for one in lost]
    refund = FetchedRefund(
        refund_id=dispute.dispute_id,
        payment_id=dispute.payment_id,
        money=dispute.money,
        status=RefundStatus.SUCCEEDED,
        at=dispute.opened,
        captured=captured,
        before=tuple(money for _, _, money in sorted(given, key=lambda one: one[:2])),
        reason=dispute.reason,
    )
    under_way = tuple(one.refund_id for one in refunds if one.status is RefundStatus.PENDING)
    return DisputeLoss(refund=refund, opened=dispute.opened, under_way=under_way)
