"""A dispute as Stripe tells it: what the bank wants, until when an answer counts, and which money has moved."""

from __future__ import annotations

from enum import StrEnum

from pydantic import AwareDatetime

from domain.money import Money
from domain.payments import Fact, Moved
from domain.runs import PaymentEvent, PaymentInput, PaymentRef


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


class DisputeResult(Fact):
    """How a dispute ended."""

    dispute_id: str
    payment_id: str
    status: DisputeStatus
    money: Money
    notes: tuple[str, ...] = ()
