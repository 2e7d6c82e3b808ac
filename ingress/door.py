"""The one door that events go through, delivered or found by a sweep: what an event is about, and who is told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from enum import StrEnum
from functools import partial
from typing import Protocol

from domain.changes import is_echo
from domain.runs import PaymentEvent
from domain.sweeps import Case, Heard
from ingress.events import StripeEvent
from ingress.subjects import Disputed, Named, Nothing, PaidOut, Refunded, Subject, subject_of

_LONGEST = 255  # of an id in our store


class Started(StrEnum):
    """What became of an event that Temporal accepted."""

    ACCEPTED = "accepted"  # told to a run, new or open
    ALREADY_DONE = "already-done"  # the run has completed, and the event says only what it knew


class Starts(Protocol):
    """Who starts runs, or tells the open ones."""

    async def payment_event(
        self, connection: str, payment_id: str, seen: PaymentEvent, summary_hint: str = ""
    ) -> Started: ...

    async def refund_event(self, connection: str, refund_id: str, payment_id: str, seen: PaymentEvent) -> Started: ...

    async def dispute_event(self, connection: str, dispute_id: str, payment_id: str, seen: PaymentEvent) -> Started: ...

    async def payout_event(self, connection: str, payout_id: str, seen: PaymentEvent) -> Started: ...

    async def resolve_event(self, connection: str, seen: PaymentEvent) -> Started: ...


def hear(event: StripeEvent, own_keys: Collection[str]) -> Heard:
    """`event` by its ids; NOTHING with a reason for what is of no interest, our own echoes included. BadDelivery."""
    subject = subject_of(event)
    if isinstance(subject, Nothing):
        return _heard(event, subject, Case.NOTHING, reason=subject.reason)
    if is_echo(event.changed, own_keys):
        return _heard(event, subject, Case.NOTHING, reason="own")
    if isinstance(subject, Named):
        return _heard(event, subject, Case.PAYMENT, money=subject.money, paid=subject.paid)
    if isinstance(subject, Refunded):
        return _heard(event, subject, Case.REFUND)
    if isinstance(subject, PaidOut):
        return _heard(event, subject, Case.PAYOUT)
    return _heard(event, subject, Case.DISPUTE if isinstance(subject, Disputed) else Case.UNNAMED)


def telling(starter: Starts, connection: str, heard: Heard) -> Callable[[], Awaitable[Started]]:
    """The call that tells the run of `heard`; one whose payment is not known asks Stripe first, in a run of its own."""
    if heard.case is Case.PAYMENT:
        return partial(starter.payment_event, connection, heard.payment_id, heard.event, heard.money)
    if heard.case is Case.PAYOUT:
        return partial(starter.payout_event, connection, heard.about, heard.event)
    if not heard.payment_id:
        return partial(starter.resolve_event, connection, heard.event)
    tell = starter.refund_event if heard.case is Case.REFUND else starter.dispute_event
    return partial(tell, connection, heard.about, heard.payment_id, heard.event)


def _heard(
    event: StripeEvent, subject: Subject, case: Case, *, money: str = "", paid: str = "", reason: str = ""
) -> Heard:
    payment_id = "" if isinstance(subject, Nothing) else getattr(subject, "payment_id", "")
    named = str(event.subject.get("id") or "")[:_LONGEST]
    object_id = named if isinstance(subject, Named | Nothing) else subject.object_id
    seen = PaymentEvent(
        event_id=event.event_id, type=event.type, object_id=object_id, created=event.created, changed=event.changed
    )
    about = payment_id if isinstance(subject, Named) else object_id
    return Heard(event=seen, case=case, about=about, payment_id=payment_id, money=money, paid=paid, reason=reason)
