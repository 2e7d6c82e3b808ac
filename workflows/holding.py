"""Goods of a disputed payment stay while they have not left: people are told, and the order says so by policy."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.changes import ChangeActivities
    from activities.credits import CreditActivities
    from domain.credits import CreditQuery, Sold
    from domain.disputes import DisputeRef
    from domain.runs import PaymentRef
    from workflows.calls import Calls
    from workflows.corrections import correct_order

_HELD, _UNMARKED = "held", "unmarked"


class Holding:
    """One dispute's hold on its order, beside everything else that its run does. It parks nothing: it is told.

    `marks` counts how often the order was marked as held and freed again; it is marked while that is odd.
    """

    def __init__(self, calls: Calls, ref: DisputeRef, number: str, marks: int) -> None:
        self._calls = calls
        self._ref = ref
        self._number = number
        self._marks = marks
        self._marking = False
        self._task: asyncio.Task[None] | None = None

    def begin(self, tell: Callable[[str, str], Awaitable[None]]) -> None:
        """Hold the order, and `tell` people: once for each word."""
        self._task = asyncio.create_task(self._hold(tell))

    def stop(self) -> None:
        """The dispute is decided: what was not begun is not begun any more."""
        if self._task is not None and not self._marking:
            self._task.cancel()

    async def finished(self) -> None:
        """A mark at hand is written, or refused."""
        if self._task is not None:
            await workflow.wait([self._task])

    async def release(self) -> str:
        """The order is marked as free again, where it was marked as held; what people should know, "" for nothing."""
        if self._marks % 2 == 0:
            return ""
        try:
            await self._mark(f"{self._ref.dispute_id} is over")
        except (ActivityError, ApplicationError) as error:
            if is_cancelled_exception(error):
                raise
            return f"order {self._number} still says that it is held: {_cause(error)}"
        return f"order {self._number} is held no longer"

    async def _hold(self, tell: Callable[[str, str], Awaitable[None]]) -> None:
        try:
            sold = await self._sale()
            if sold is None or sold.status == "void":
                return
            if any(line.shipped for line in sold.lines):
                return await tell(_HELD, f"goods of order {self._number} have left already: nothing is held back")
            said = "nothing of it has left, and nothing should while this is open"
            await tell(_HELD, f"order {self._number} is held: {said}")
            if self._calls.policy.hold_field and self._marks % 2 == 0:
                await self._mark(f"held for {self._ref.dispute_id}")
        except (ActivityError, ApplicationError) as error:
            if not is_cancelled_exception(error):
                said = f"order {self._number} could not be marked as held, so hold it by hand"
                await tell(_UNMARKED, f"{said}: {_cause(error)}")

    async def _sale(self) -> Sold | None:
        """The order with what of it has left; None where Zoho has none (yet: its own run will not ship it)."""
        query = CreditQuery(**self._ref.model_dump(exclude={"dispute_id"}), refund_id=self._ref.dispute_id)
        found = await self._calls.zoho_read(
            CreditActivities.find_sale,
            query.model_copy(update={"number": self._number}),
            f"Look for sales order {self._number}",
        )
        if found is None:
            return None
        named = query.model_copy(update={"document_id": found.salesorder_id})
        return await self._calls.zoho_read(CreditActivities.read_sale, named, f"Read sales order {self._number}")

    async def _mark(self, says: str) -> None:
        """The order's custom field says so. One writer: it waits for others who write the payment's documents."""
        own = PaymentRef(**self._ref.model_dump(exclude={"dispute_id"}))
        await self._calls.read(ChangeActivities.take_turn, own, "Wait until nobody else writes its documents")
        self._marking = True
        try:
            await self._correct(own, says)
        finally:
            self._marking = False
            await self._calls.write(ChangeActivities.end_turn, own, "Let the next change be carried over")

    async def _correct(self, own: PaymentRef, says: str) -> None:
        known = await self._calls.read(ChangeActivities.recall_order, own, "See how the order was written")
        if known.order is None:
            raise ApplicationError("our memory of it is gone", type="ChangedByHand", non_retryable=True)
        self._marks += 1
        one = own.model_copy(update={"round": known.order.round, "change": f"{own.change}.{self._marks}"})
        marks = {self._calls.policy.hold_field: says}
        await correct_order(self._calls, one, known.order, known.salesorder_id, marks)


def _cause(error: ActivityError | ApplicationError) -> str:
    return str(error.cause if isinstance(error, ActivityError) else error)
