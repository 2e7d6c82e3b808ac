"""Stripe's side of a dispute: name the dispute of an event, start its run, read what it is and what it took."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from temporalio import activity

from activities.credits import VOID_CREDIT_NOTE
from activities.effects import Once
from activities.shops import Shops
from activities.writeoffs import LOWER, RESTORE
from domain.disputes import (
    DisputeLoss,
    DisputeNamed,
    DisputeRef,
    DisputesFound,
    FetchedDispute,
    MovesInput,
    StartDisputeInput,
    holds,
    loss_of,
)
from domain.payments import Moved
from domain.runs import PaymentEvent, PaymentRef, ResolveInput, StepDone
from domain.sales import OrderWritten

_BOOKS = ("credit_note", LOWER, "void_sales_order")
_MARK = "update_sales_order"


class DisputeStarter(Protocol):
    """Who can start a dispute's run."""

    async def dispute_event(self, connection: str, dispute_id: str, payment_id: str, event: PaymentEvent) -> object:
        """Signal-with-start of the dispute's run."""
        ...


class DisputeActivities:
    """What a dispute's run asks of Stripe."""

    def __init__(self, shops: Shops, once: Once, starter: DisputeStarter) -> None:
        self._shops = shops
        self._once = once
        self._starter = starter

    @activity.defn
    async def fetch_dispute(self, ref: DisputeRef) -> FetchedDispute:
        """Read the dispute: its state, its deadline, and which money has moved; with what we remember of it."""
        facts = await self._shops[ref.connection].stripe.disputes.fetch(ref.dispute_id)
        steps = await self._once.steps(ref.connection, facts.payment_id)
        return FetchedDispute(**dict(facts), **_remembered(steps, ref.dispute_id))

    @activity.defn
    async def fetch_loss(self, ref: DisputeRef) -> DisputeLoss:
        """A lost dispute with what the charge brought, what was given back of it before, and what we remember."""
        stripe = self._shops[ref.connection].stripe
        dispute = await stripe.disputes.fetch(ref.dispute_id)
        captured = await stripe.disputes.captured(dispute.charge_id, dispute.money.currency)
        payment = dispute.payment_id
        loss = loss_of(dispute, captured, await stripe.refunds.of(payment), await stripe.disputes.of(payment))
        number = await self._once.rounds(ref.connection, payment)
        sale = PaymentRef(connection=ref.connection, payment_id=payment, round=number)
        order = await self._once.known("sales_order", sale, OrderWritten)
        known = {"salesorder_id": order.salesorder_id if order else "", "round": ref.round}
        return loss.model_copy(update={"refund": loss.refund.model_copy(update=known)})

    @activity.defn
    async def find_disputes(self, ref: PaymentRef) -> DisputesFound:
        """The disputes for whose sake the payment's goods are to stay."""
        found = await self._shops[ref.connection].stripe.disputes.of(ref.payment_id)
        return DisputesFound(holding=tuple(one.dispute_id for one in found if holds(one)))

    @activity.defn
    async def keep_moves(self, wanted: MovesInput) -> StepDone:
        """Keep each balance transaction of the dispute, with its fee, as a row of the payment's."""
        for move in wanted.moves:

            async def seen(move: Moved = move) -> Moved:
                return move

            step = f"moved#{move.transaction_id}"
            await self._once.repeat(step, wanted, Moved, seen, amount=move.net, note="told")
        return StepDone()

    @activity.defn
    async def resolve_dispute(self, wanted: ResolveInput) -> DisputeNamed:
        """Ask Stripe which payment the event's dispute belongs to."""
        facts = await self._shops[wanted.connection].stripe.disputes.fetch(wanted.event.object_id)
        return DisputeNamed(dispute_id=facts.dispute_id, payment_id=facts.payment_id)

    @activity.defn
    async def start_dispute(self, wanted: StartDisputeInput) -> None:
        """Start the dispute's run, or tell the open one that something happened."""
        await self._starter.dispute_event(wanted.connection, wanted.dispute_id, wanted.payment_id, wanted.event)


def _remembered(steps: Mapping[str, bool], dispute_id: str) -> dict[str, int | bool]:
    """What the payment's steps say of the dispute: its round, whether it is being booked, and its order's marks."""
    done = [step for step, completed in steps.items() if completed]
    own = f"@{dispute_id}"
    back = sum(step.endswith(own) and step.startswith((f"{VOID_CREDIT_NOTE}#", f"{RESTORE}#")) for step in done)
    anew = f"~{back}" if back else ""
    return {
        "round": back,
        "begun": any(f"{step}{anew}{own}" in steps for step in _BOOKS),
        "forgotten": not any(step.partition("~")[0] == "sales_order" for step in done),
        "marks": sum(step.startswith(_MARK) and f"{own}." in step for step in done),
    }
