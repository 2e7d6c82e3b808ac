"""Stripe's side of a payment: read the truth, find the payment an event means, write the order's id back."""

from __future__ import annotations

from temporalio import activity

from activities.dossier import Dossier
from activities.effects import Once
from activities.shops import Shops
from domain.payments import Fee
from domain.runs import FetchedPayment, PaymentRef, ResolvedPayment, ResolveInput, StepDone, WriteBackInput


class StripeActivities:
    """What a run asks of Stripe."""

    def __init__(self, shops: Shops, dossier: Dossier, once: Once) -> None:
        self._shops = shops
        self._dossier = dossier
        self._once = once

    @activity.defn
    async def fetch_payment(self, ref: PaymentRef) -> FetchedPayment:
        """Read the payment with its lines, keep it in the dossier, and tell the run what it may know."""
        facts, facts_ref = await self._dossier.fetch(ref)
        return FetchedPayment(
            status=facts.status,
            money=facts.money,
            charge_id=facts.charge_id,
            facts_ref=facts_ref,
            lines=tuple(line.line_id for line in facts.lines),
            round=await self._once.rounds(ref.connection, ref.payment_id),
            fee=facts.fee.model_copy(update={"parts": ()}) if facts.fee else None,
        )

    @activity.defn
    async def fetch_fee(self, ref: PaymentRef) -> Fee | None:
        """Read what Stripe kept, if it says so by now; the parts of it stay in the dossier."""
        fee = await self._shops[ref.connection].stripe.fetch_fee(ref.payment_id)
        if fee is None:
            return None
        await self._dossier.keep_fee(ref, fee)
        return fee.model_copy(update={"parts": ()})

    @activity.defn
    async def resolve_payment(self, wanted: ResolveInput) -> ResolvedPayment:
        """Ask Stripe which payment the event's object belongs to."""
        found = await self._shops[wanted.connection].stripe.resolve_payment(wanted.event.object_id)
        return ResolvedPayment(payment_id=found or "")

    @activity.defn
    async def write_back(self, wanted: WriteBackInput) -> StepDone:
        """Put the order's id into the payment's metadata; Stripe merges keys, so a repeat changes nothing."""

        async def call() -> StepDone:
            await self._shops[wanted.connection].stripe.write_metadata(
                wanted.payment_id,
                wanted.metadata,
                idempotency_key=f"{activity.info().workflow_id}/write_back/{wanted.round}",
            )
            return StepDone()

        return await self._once.repeat("write_back", wanted, StepDone, call)

    @activity.defn
    async def clear_metadata(self, wanted: WriteBackInput) -> StepDone:
        """Take the order's id out of the payment's metadata again: an empty value removes a key."""
        cleared = wanted.model_copy(update={"metadata": dict.fromkeys(wanted.metadata, "")})

        async def call() -> StepDone:
            await self._shops[wanted.connection].stripe.write_metadata(
                wanted.payment_id,
                cleared.metadata,
                idempotency_key=f"{activity.info().workflow_id}/clear_metadata/{wanted.round}",
            )
            return StepDone()

        return await self._once.repeat("clear_metadata", wanted, StepDone, call)
