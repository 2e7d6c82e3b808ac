"""Money given back in Stripe: once for each attempt, and found again by what the refund's metadata says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from temporalio import activity

from activities.effects import Guarded, Once
from activities.shops import Shops
from clients.errors import Refused
from domain.given_back import GivenBack
from domain.money import Money
from domain.refunds import RefundSeen

# Stripe's final words about a refund that a person has to decide about.
_DISPUTED = ("charge_disputed", "refund_disputed_payment")
_SPENT = ("charge_already_refunded", "charge_not_refundable", "amount_too_large", "parameter_invalid_integer")


class Wanted(Guarded, Protocol):
    """How much is to go back, for the `attempt`th time (from 0), after how many answers of people."""

    @property
    def money(self) -> Money: ...
    @property
    def attempt(self) -> int: ...
    @property
    def answers(self) -> int: ...


class MoneyBack:
    """Refunds for one kind of cause; `step` names the effect."""

    def __init__(self, shops: Shops, once: Once, step: str) -> None:
        self._shops = shops
        self._once = once
        self._step = step

    async def give(self, wanted: Wanted, metadata: Mapping[str, str], *, within: str = "") -> GivenBack:
        """The refund in Stripe, once for each attempt; `refused` where Stripe will not. `within` tells apart what one
        run gives back for several causes.
        """
        stripe = self._shops[wanted.connection].stripe
        # Anew after each person's answer: Stripe repeats a refusal for as long as it keeps the key.
        parts = (activity.info().workflow_id, within, self._step, wanted.attempt, wanted.answers)
        key = "/".join(str(part) for part in parts if part != "")

        async def call() -> GivenBack:
            made = await stripe.refunds.create(wanted.payment_id, wanted.money, metadata=metadata, idempotency_key=key)
            return GivenBack(refund_id=made.refund_id)

        try:
            return await self._once.write(self._row(wanted), wanted, GivenBack, call, amount=wanted.money)
        except Refused as refusal:
            return _unwilling(refusal)

    async def find(self, wanted: Wanted, key: str, value: str) -> GivenBack | None:
        """The refund of this attempt, by its metadata, where the answer was lost; None where there is none."""
        ours = named(await self._shops[wanted.connection].stripe.refunds.of(wanted.payment_id), key, value)
        if len(ours) <= wanted.attempt:
            return None
        made = ours[wanted.attempt]
        found = GivenBack(refund_id=made.refund_id)
        await self._once.adopt(self._row(wanted), wanted, found, amount=made.money)
        return found

    def _row(self, wanted: Wanted) -> str:
        return f"{self._step}#{wanted.attempt}"


def named(refunds: Sequence[RefundSeen], key: str, value: str) -> list[RefundSeen]:
    """Those whose metadata says so, oldest first, of `refunds` that are newest first."""
    return [one for one in reversed(refunds) if one.metadata.get(key) == value]


def _unwilling(refusal: Refused) -> GivenBack:
    """What Stripe says of the payment is for a person to decide; any other refusal is raised as it is."""
    if refusal.code in _DISPUTED:
        return GivenBack(refused="disputed")
    if refusal.code in _SPENT or "greater than" in refusal.message:
        return GivenBack(refused="spent")
    raise refusal
