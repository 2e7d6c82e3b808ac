"""Stripe's side of a refund: read the truth, name the refunds of an event, write the credit note's id back."""

from __future__ import annotations

from typing import Protocol

from temporalio import activity

from activities.carried import ORDER_GONE, named
from activities.credits import VOID_CREDIT_NOTE
from activities.effects import Once
from activities.shops import Shops
from domain.refunds import FetchedRefund, MarkInput, RefundRef, RefundsResolved, StartRefundInput
from domain.runs import PaymentEvent, PaymentRef, ResolveInput, StepDone
from domain.sales import OrderWritten


class RefundStarter(Protocol):
    """Who can start a refund's run."""

    async def refund_event(self, connection: str, refund_id: str, payment_id: str, event: PaymentEvent) -> object:
        """Signal-with-start of the refund's run."""
        ...


class RefundActivities:
    """What a refund's run asks of Stripe."""

    def __init__(self, shops: Shops, once: Once, starter: RefundStarter) -> None:
        self._shops = shops
        self._once = once
        self._starter = starter

    @activity.defn
    async def fetch_refund(self, ref: RefundRef) -> FetchedRefund:
        """Read the refund, what its payment brought, and what earlier refunds gave back; with what we remember."""
        facts = await self._shops[ref.connection].stripe.refunds.fetch(ref.refund_id)
        number = await self._once.rounds(ref.connection, facts.payment_id)
        sale = PaymentRef(connection=ref.connection, payment_id=facts.payment_id, round=number)
        order = await self._once.known("sales_order", sale, OrderWritten)
        own = ref.model_copy(update={"payment_id": facts.payment_id, "round": 0})
        again = await self._once.undone(VOID_CREDIT_NOTE, own)
        void = await self._once.known("void_sales_order", own, StepDone)
        known = {"salesorder_id": order.salesorder_id if order else "", "round": again, "cancelled": void is not None}
        gone = await self._once.ended(sale.connection, sale.payment_id, f"{named(ORDER_GONE, number)}@")
        return FetchedRefund(**dict(facts), **known, gone=gone)

    @activity.defn
    async def resolve_refunds(self, wanted: ResolveInput) -> RefundsResolved:
        """Ask Stripe which refunds the event may be about: its own, or every one of its charge."""
        found = await self._shops[wanted.connection].stripe.refunds.named(wanted.event.object_id)
        return RefundsResolved(refunds=tuple(found))

    @activity.defn
    async def start_refund(self, wanted: StartRefundInput) -> None:
        """Start the refund's run, or tell the open one that something happened."""
        await self._starter.refund_event(wanted.connection, wanted.refund_id, wanted.payment_id, wanted.event)

    @activity.defn
    async def mark_refund(self, wanted: MarkInput) -> StepDone:
        """Put the credit note's id into the refund's metadata; Stripe merges keys, so a repeat changes nothing."""

        async def call() -> StepDone:
            key = f"{activity.info().workflow_id}/mark_refund/{wanted.round}/{wanted.change}"
            stripe = self._shops[wanted.connection].stripe
            await stripe.refunds.mark(wanted.refund_id, wanted.metadata, idempotency_key=key)
            return StepDone()

        return await self._once.repeat("mark_refund", wanted, StepDone, call)

    @activity.defn
    async def unmark_refund(self, wanted: MarkInput) -> StepDone:
        """Take the credit note's id out of the refund's metadata again: an empty value removes a key."""

        async def call() -> StepDone:
            key = f"{activity.info().workflow_id}/unmark_refund/{wanted.round}/{wanted.change}"
            stripe = self._shops[wanted.connection].stripe
            await stripe.refunds.mark(wanted.refund_id, dict.fromkeys(wanted.metadata, ""), idempotency_key=key)
            return StepDone()

        return await self._once.repeat("unmark_refund", wanted, StepDone, call)
