"""A run that found out which payment an event means starts, or wakes, that payment's run."""

from __future__ import annotations

from typing import Protocol

from temporalio import activity

from domain.runs import PaymentEvent, StartPaymentInput


class PaymentStarter(Protocol):
    """Who can start a payment's run."""

    async def payment_event(self, connection: str, payment_id: str, event: PaymentEvent) -> object:
        """Signal-with-start of the payment's run."""
        ...

    async def change_event(self, connection: str, payment_id: str, event: PaymentEvent) -> object:
        """Start of the run that carries over what `event` changed of a payment that is closed, or closes now."""
        ...

    async def is_open(self, connection: str, payment_id: str) -> bool | None:
        """Whether the payment's own run is open; None where there is none."""
        ...


class StartActivities:
    """Starts by business id: a repeat meets the same run."""

    def __init__(self, starter: PaymentStarter) -> None:
        self._starter = starter

    @activity.defn
    async def start_payment(self, wanted: StartPaymentInput) -> None:
        """Start the payment's run, or tell the open one that something happened."""
        await self._starter.payment_event(wanted.connection, wanted.payment_id, wanted.event)

    @activity.defn
    async def start_change(self, wanted: StartPaymentInput) -> None:
        """Start the run that carries over what the event changed; one event has one such run."""
        await self._starter.change_event(wanted.connection, wanted.payment_id, wanted.event)
