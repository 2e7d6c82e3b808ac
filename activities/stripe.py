"""Stripe's side of a payment: read the truth, find the payment an event means, write the order's id back."""

from __future__ import annotations

from temporalio import activity

from activities.dossier import Dossier
from activities.effects import Once
from activities.shops import Shops
from domain.corrections import CustomerPayments
from domain.payments import Fee
from domain.policy import VALUE_LIMIT
from domain.runs import (
    FetchedPayment,
    HoldLetGo,
    PaymentRef,
    ResolvedPayment,
    ResolveInput,
    StepDone,
    WriteBackInput,
    WrittenBack,
)


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
    async def resolve_customer(self, wanted: ResolveInput) -> CustomerPayments:
        """The customer's newest payment in each currency that has an order in Zoho: each is another contact.

        Where our memory of it is gone, its metadata still name the order.
        """
        newest: dict[str, str] = {}
        paid = await self._shops[wanted.connection].stripe.payments_of(wanted.event.object_id)
        for payment_id, currency, order in paid:
            carried = order or await self._once.did(wanted.connection, payment_id, "sales_order")
            if currency not in newest and carried:
                newest[currency] = payment_id
        return CustomerPayments(payment_ids=tuple(newest.values()))

    @activity.defn
    async def write_back(self, wanted: WriteBackInput) -> StepDone:
        """Put the order's id, and what the shop wants besides, into the payment's metadata.

        Stripe merges keys, so a repeat changes nothing.
        """

        async def call() -> WrittenBack:
            await self._shops[wanted.connection].stripe.write_metadata(
                wanted.payment_id,
                wanted.metadata | await self._wanted_besides(wanted),
                idempotency_key=_key("write_back", wanted),
            )
            return WrittenBack(metadata=wanted.metadata)

        await self._once.repeat("write_back", wanted, WrittenBack, call)
        return StepDone()

    @activity.defn
    async def clear_metadata(self, wanted: WriteBackInput) -> StepDone:
        """Take what we wrote out of the payment's metadata again: an empty value removes a key."""
        own = self._shops[wanted.connection].mapping.write_back

        async def call() -> StepDone:
            await self._shops[wanted.connection].stripe.write_metadata(
                wanted.payment_id,
                dict.fromkeys([*wanted.metadata, *own], ""),
                idempotency_key=_key("clear_metadata", wanted),
            )
            return StepDone()

        return await self._once.repeat("clear_metadata", wanted, StepDone, call)

    @activity.defn
    async def let_go_of_hold(self, ref: PaymentRef) -> HoldLetGo:
        """Cancel a payment that is authorised only; a repeat finds it cancelled."""

        async def call() -> HoldLetGo:
            key = f"{activity.info().workflow_id}/let_go_of_hold/{ref.round}"
            stripe = self._shops[ref.connection].stripe
            return HoldLetGo(status=await stripe.cancel_payment(ref.payment_id, idempotency_key=key))

        return await self._once.repeat("let_go_of_hold", ref, HoldLetGo, call)

    async def _wanted_besides(self, wanted: WriteBackInput) -> dict[str, str]:
        """The shop's own keys, filled from the ids of the documents and the order's custom fields."""
        own = self._shops[wanted.connection].mapping.write_back
        if not own:
            return {}
        draft = await self._dossier.order(wanted, wanted.order_ref)
        told = {key: wanted.known.get(source) or draft.custom_fields.get(source, "") for key, source in own.items()}
        return {key: value[:VALUE_LIMIT] for key, value in told.items() if value}


def _key(step: str, wanted: WriteBackInput) -> str:
    """Stripe keeps it for a day: a step that a person has told anew is another request."""
    anew = f"/{wanted.change}" if wanted.change else ""
    return f"{activity.info().workflow_id}/{step}/{wanted.round}{anew}"
