"""A payment whose order was cancelled in Zoho: its money goes back, once, or it is carried anew."""

from __future__ import annotations

from functools import partial

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.cancellations import CancellationActivities
    from activities.changes import ChangeActivities
    from activities.messages import MessageActivities
    from activities.order_checks import OrderCheckActivities
    from domain.attention import Action
    from domain.by_hand import ZohoList
    from domain.given_back import GivenBack
    from domain.money import Money
    from domain.order_polls import (
        GiveAllBack,
        LeftMoney,
        OrderLook,
        OrderRef,
        Standing,
        StandingQuery,
    )
    from domain.runs import PaymentRef, StepDone
    from workflows.calls import Calls

# What a person can do about a cancelled order, as `trouble_of` reads it.
CHOICES = f"{Action.REFUND.value} {Action.RESTORE.value}"


class Cancelling:
    """One payment's money and the documents that its cancelled order leaves behind."""

    def __init__(self, calls: Calls, ref: PaymentRef, salesorder_id: str) -> None:
        self._calls = calls
        self._ref = ref
        self._order = OrderRef(**dict(ref), salesorder_id=salesorder_id)

    async def money(self) -> LeftMoney:
        """What the payment brought, and what is left of it."""
        summary = f"See what is left of {self._ref.payment_id}"
        return await self._calls.read(CancellationActivities.fetch_left, self._order, summary)

    async def give_back(self, money: Money, *, attempt: int, answers: int) -> str:
        """The refund's id. ApplicationError `PaymentDisputed` or `RefundTooLarge` where Stripe will not."""
        wanted = GiveAllBack(**dict(self._order), money=money, attempt=attempt, answers=answers)

        async def write(after: int) -> GivenBack:
            again = wanted.model_copy(update={"after": after})
            return await self._calls.write(CancellationActivities.give_all_back, again, f"Give {money} back in Stripe")

        made = await self._calls.settle(write, partial(self._find_made, wanted), "refund")
        if made.refused:
            raise _unwilling(made.refused, money, self._ref.payment_id)
        return made.refund_id

    async def made(self, attempt: int, money: Money) -> str:
        """The refund of an attempt whose answer never came, a slow one too; "" where none was made."""
        wanted = GiveAllBack(**dict(self._order), money=money, attempt=attempt)
        found = await self._calls.look_twice(partial(self._find_made, wanted), "refund")
        return found.refund_id if found else ""

    async def _find_made(self, wanted: GiveAllBack) -> GivenBack | None:
        summary = "Look whether the refund was made"
        return await self._calls.read(CancellationActivities.find_all_given_back, wanted, summary)

    async def note_gone(self) -> StepDone:
        """The refund's own run has nothing to credit, where no invoice stands."""
        if await self._standing(ZohoList.INVOICES):
            return StepDone()
        return await self._calls.write(OrderCheckActivities.note_gone, self._ref, "Keep that the order was deleted")

    async def restore(self, look: OrderLook) -> None:
        """The payment's own run writes everything anew. ApplicationError `OrderCancelled` while something stands."""
        left = [
            f"{one.value} {name}"
            for one in (ZohoList.INVOICES, ZohoList.PAYMENTS)
            for name in await self._standing(one)
        ]
        left += [f"salesorders {self._order.salesorder_id} (void)"] if look.standing is Standing.VOID else []
        if left:
            raise _stop(
                "OrderCancelled",
                f"the payment cannot be carried anew while Zoho has of it: {', '.join(left)}. Delete or void them "
                "there (the order has to be deleted), then restore",
            )
        sale = self._ref.model_copy(update={"change": ""})
        await self._calls.write(MessageActivities.close_round, sale, "Keep that nothing of it stands")
        await self._calls.write(ChangeActivities.end_turn, self._ref, "Let the payment's own run write")
        summary = f"Carry {self._ref.payment_id} anew"
        await self._calls.write(CancellationActivities.carry_anew, self._order, summary)

    async def _standing(self, listed: ZohoList) -> tuple[str, ...]:
        wanted = StandingQuery(**dict(self._ref), list=listed)
        summary = f"See what of {listed.value} stands for {self._ref.payment_id}"
        found = await self._calls.zoho_read(CancellationActivities.find_standing, wanted, summary)
        return found.document_ids


def _unwilling(word: str, money: Money, payment_id: str) -> ApplicationError:
    if word == "disputed":
        return _stop(
            "PaymentDisputed",
            f"the bank disputes {payment_id}: giving {money} back now would pay the buyer twice; wait for the "
            "dispute's end and retry, or abort",
        )
    return _stop("RefundTooLarge", f"Stripe says that {money} is more than is left of {payment_id}: see there, retry")


def _stop(kind: str, why: str) -> ApplicationError:
    return ApplicationError(why, {"choices": CHOICES}, type=kind, non_retryable=True)
