"""The goods of an order, reserved before it is written, so that nobody sells the last piece twice."""

from __future__ import annotations

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.orders import OrderActivities
    from activities.stock import StockActivities
    from domain.documents import CONFIRMED
    from domain.policy import Oversell
    from domain.runs import PaymentRef
    from domain.sales import OrderInput, OrderNumber
    from domain.stock import StockAnswer, StockInput, Verdict
    from workflows.calls import Calls


class Stock:
    """One order's goods. Nothing is written to Zoho here."""

    def __init__(self, calls: Calls, wanted: OrderInput) -> None:
        self._calls = calls
        self._wanted = wanted
        self._ref = PaymentRef(connection=wanted.connection, payment_id=wanted.payment_id, round=wanted.round)
        self._goods = StockInput(**dict(self._ref), order_ref=wanted.order_ref, item_ids=wanted.item_ids)

    async def reserve(self, *, beyond: bool) -> OrderInput:
        """The order to write, its goods reserved; `beyond` does so without a look. ApplicationError `Oversold`."""
        if beyond:
            await self._sell_beyond()
            return self._reserved()
        answer = await self._look_until_sure()
        backorders = self._calls.policy.oversell is Oversell.BACKORDER
        if answer.verdict is Verdict.ENOUGH:
            return self._reserved(*(answer.short if answer.beyond and backorders else ()))
        if backorders:
            return self._reserved(*(await self._sell_beyond(*answer.short)).short)
        if not await self._is_confirmed():
            raise _oversold(answer)
        return self._reserved()

    async def _look_until_sure(self) -> StockAnswer:
        """Yes or no; where other payments have to be settled first, looked at again for as long as the policy says."""
        policy = self._calls.policy
        deadline, pause = workflow.now() + policy.oversell_patience, policy.first_retry
        while True:
            answer = await self._calls.zoho_read(
                StockActivities.reserve_stock,
                self._goods,
                f"See what is left for {self._wanted.number}, and reserve it",
            )
            if answer.verdict is not Verdict.LATER or workflow.now() >= deadline:
                return answer
            await workflow.sleep(pause, summary="Wait for payments that may let go of the last pieces")
            pause = min(pause * 2, policy.longest_retry)

    async def _sell_beyond(self, *short: str) -> StockAnswer:
        wanted = self._goods.model_copy(update={"short": short})
        return await self._calls.write(
            StockActivities.sell_beyond_stock, wanted, f"Reserve the goods of {self._wanted.number} beyond stock"
        )

    async def _is_confirmed(self) -> bool:
        """Whether the order is there already, and itself the reason that so little is left."""
        number = OrderNumber(**dict(self._ref), number=self._wanted.number)
        found = await self._calls.zoho_read(
            OrderActivities.find_sales_order, number, f"See whether {number.number} has its goods already"
        )
        return found is not None and found.status in CONFIRMED

    def _reserved(self, *backordered: str) -> OrderInput:
        return self._wanted.model_copy(update={"reserved": True, "backordered": backordered})


def _oversold(answer: StockAnswer) -> ApplicationError:
    why = f"Zoho has too little left for sale: {', '.join(answer.short)}"
    if answer.verdict is Verdict.LATER:
        why = f"other payments hold the last pieces ({', '.join(answer.before)}): {', '.join(answer.short)}"
    cure = "retry once there is more, or skip with a reason to sell beyond stock"
    return ApplicationError(f"{why}; no order was written; {cure}", type="Oversold", non_retryable=True)
