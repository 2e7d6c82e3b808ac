"""People are told what became of a payment."""

from __future__ import annotations

from temporalio import activity

from activities.effects import TAKEN_BACK, Once
from activities.shops import Shops
from domain.runs import AnswerRecord, NotifyInput, PaymentRef, StepDone


class MessageActivities:
    """Messages go to the addresses of the connection; answers go into the audit trail."""

    def __init__(self, shops: Shops, once: Once) -> None:
        self._shops = shops
        self._once = once

    @activity.defn
    async def record_answer(self, wanted: AnswerRecord) -> StepDone:
        """Keep who answered what, and why, for good."""

        async def call() -> StepDone:
            return StepDone()

        said = f"{wanted.action} by {wanted.by}: {wanted.reason}".rstrip(": ")
        return await self._once.repeat(f"answer#{wanted.number}", wanted, StepDone, call, note=said)

    @activity.defn
    async def close_round(self, wanted: PaymentRef) -> StepDone:
        """Keep that everything this payment made was taken back, so that each step may be done anew."""

        async def call() -> StepDone:
            return StepDone()

        return await self._once.repeat(f"{TAKEN_BACK}#{wanted.round}", wanted, StepDone, call, note="taken back")

    @activity.defn
    async def tell_attention(self, wanted: NotifyInput) -> StepDone:
        """Tell people that a run waits for them, once for each reminder; nobody is told where nobody wants to be."""

        async def call() -> StepDone:
            await self._shops[wanted.connection].notifier.send("A payment waits for you", wanted.message)
            return StepDone()

        return await self._once.write(f"tell_attention#{wanted.number}", wanted, StepDone, call)

    @activity.defn
    async def notify_paid(self, wanted: NotifyInput) -> StepDone:
        """Tell people once; where the answer was lost they are not told twice."""

        async def call() -> StepDone:
            await self._shops[wanted.connection].notifier.send("Order paid", wanted.message)
            return StepDone()

        return await self._once.write("notify_paid", wanted, StepDone, call)
