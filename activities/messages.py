"""People are told what became of a payment."""

from __future__ import annotations

from temporalio import activity

from activities.effects import Once
from activities.shops import Shops
from domain.runs import NotifyInput, StepDone


class MessageActivities:
    """Messages go to the addresses of the connection."""

    def __init__(self, shops: Shops, once: Once) -> None:
        self._shops = shops
        self._once = once

    @activity.defn
    async def notify_paid(self, wanted: NotifyInput) -> StepDone:
        """Tell people once; where the answer was lost they are not told twice."""

        async def call() -> StepDone:
            await self._shops[wanted.connection].notifier.send("Order paid", wanted.message)
            return StepDone()

        return await self._once.write("notify_paid", wanted, StepDone, call)
