"""Stripe's side of a dispute: name the dispute of an event, start its run."""

from __future__ import annotations

from typing import Protocol

from temporalio import activity

from activities.shops import Shops
from domain.disputes import DisputeFacts, DisputeNamed, DisputeRef, StartDisputeInput
from domain.runs import PaymentEvent, ResolveInput


class DisputeStarter(Protocol):
    """Who can start a dispute's run."""

    async def dispute_event(self, connection: str, dispute_id: str, payment_id: str, event: PaymentEvent) -> object:
        """Signal-with-start of the dispute's run."""
        ...


class DisputeActivities:
    """What a dispute's run asks of Stripe."""

    def __init__(self, shops: Shops, starter: DisputeStarter) -> None:
        self._shops = shops
        self._starter = starter

    @activity.defn
    async def fetch_dispute(self, ref: DisputeRef) -> DisputeFacts:
        """Read the dispute: its state, its deadline, and which money has moved."""
        return await self._shops[ref.connection].stripe.disputes.fetch(ref.dispute_id)

    @activity.defn
    async def resolve_dispute(self, wanted: ResolveInput) -> DisputeNamed:
        """Ask Stripe which payment the event's dispute belongs to."""
        facts = await self._shops[wanted.connection].stripe.disputes.fetch(wanted.event.object_id)
        return DisputeNamed(dispute_id=facts.dispute_id, payment_id=facts.payment_id)

    @activity.defn
    async def start_dispute(self, wanted: StartDisputeInput) -> None:
        """Start the dispute's run, or tell the open one that something happened."""
        await self._starter.dispute_event(wanted.connection, wanted.dispute_id, wanted.payment_id, wanted.event)
