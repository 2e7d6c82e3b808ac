"""An order of ours that somebody changed in Zoho: a person says whether that stands, and what becomes of the money."""

from __future__ import annotations

import asyncio
from typing import NoReturn

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.changes import ChangeActivities
    from activities.order_checks import OrderCheckActivities
    from activities.stripe import StripeActivities
    from domain.attention import APPROVAL, Action, Answer, Trouble
    from domain.money import Money
    from domain.order_polls import AcceptedOrder, CheckResult, OrderCheckInput, OrderLook, OrderNews, Standing
    from domain.payments import PaymentStatus
    from domain.policy import HeldMoney
    from domain.runs import Stage
    from workflows import contract
    from workflows.attended import Attended
    from workflows.cancelling import CHOICES, Cancelling

_REFUND, _GIVING = "refund", "giving"  # the refund that was made, and which attempt was begun
_SAID = {Standing.VOID: "void", Standing.GONE: "deleted"}


@workflow.defn(name=contract.ORDER_CHECK_WORKFLOW)
class OrderCheckWorkflow(Attended):
    """One run an order, started when a poll finds it changed. It waits until nobody else writes the payment's
    documents, looks once more, and asks. It overwrites nothing in Zoho.
    """

    _skippable = ("differs", "cancelled")

    @workflow.init
    def __init__(self, start: OrderCheckInput) -> None:
        super().__init__(start)
        self._order = start.salesorder_id
        self._restores = False
        # The same for all histories of this run; the next change of the order has effects of its own. The end of the
        # id, for its beginning may be a moment's.
        self._ref = self._ref.model_copy(update={"change": f"check-{workflow.info().first_execution_run_id[-12:]}"})
        self._found["order"] = start.salesorder_id

    @workflow.run
    async def run(self, start: OrderCheckInput) -> CheckResult:
        """From "it is not as we wrote it" to "a person has decided"."""
        try:
            await self._wait_for_answer()
            look = await self._look()
            if look.asks and look.standing is Standing.STANDS:
                await self._compare(look)
            elif look.asks:
                await self._settle(look)
            return await self._close(look)
        except (ApplicationError, ActivityError, asyncio.CancelledError) as error:
            await self._park(error)

    async def _look(self) -> OrderLook:
        """The order once nobody else writes it; who waits for a person lets others write."""
        self._step = "turn"
        await self._calls.read(ChangeActivities.take_turn, self._ref, "Wait until nobody else writes its documents")
        self._step = "look"
        wanted = OrderNews(connection=self._ref.connection, payment_id=self._ref.payment_id, salesorder_id=self._order)
        summary = f"Read back the order of {self._start.payment_id}"
        look = await self._calls.zoho_read(OrderCheckActivities.see_order, wanted, summary)
        self._ref, self._total = self._ref.model_copy(update={"round": look.round}), look.total
        return look

    async def _compare(self, look: OrderLook) -> None:
        """A person takes the order as it is, or puts it right in Zoho."""
        self._step = "differs"
        if await self._accepted(look):
            return
        said = "; ".join(map(str, look.differences))
        raise ApplicationError(
            f"order {look.number} is not as it was written: {said}. Put it right in Zoho, then retry; or skip with a "
            "reason: then it stands as it is",
            type="DriftFound",
            non_retryable=True,
        )

    async def _accepted(self, look: OrderLook) -> bool:
        """Whether a person said that this is all right; of what changed since it was asked, nobody has said so."""
        asked, self._found["asked"] = self._found.get("asked", ""), look.digest
        if asked != look.digest:
            self._ask_anew()
        if self._step not in self._start.carried.skipped:
            return False
        await self._accept(look)
        self._notes.append("a person took the order as it is")
        return True

    def _ask_anew(self) -> None:
        """What was said of another change is said no more."""
        skipped = tuple(step for step in self._start.carried.skipped if step != self._step)
        carried = self._start.carried.model_copy(update={"skipped": skipped})
        self._start = self._start.model_copy(update={"carried": carried})

    async def _accept(self, look: OrderLook) -> None:
        wanted = AcceptedOrder(**dict(self._ref), digest=f"{look.round}/{look.digest}")
        await self._calls.write(OrderCheckActivities.accept_order, wanted, "Remember that it stands as it is")

    async def _settle(self, look: OrderLook) -> None:
        """The order counts no longer: what becomes of its money."""
        self._step = "cancelled"
        if await self._accepted(look):
            return
        left = await self._left()
        if left is None:
            await self._accept(look)
        elif self._restores:
            await self._cancelling.restore(look)
            self._notes.append("the payment is carried anew")
        elif "refund_by" in self._found:
            await self._give_back(look, left)
        else:
            self._ask(look, left)

    async def _left(self) -> Money | None:
        """What is left of the payment's money; None where there is nothing to decide any more."""
        summary = f"Read {self._start.payment_id} from Stripe"
        held = await self._calls.read(StripeActivities.fetch_payment, self._ref, summary)
        self._total, self._status = held.money, held.status
        if held.status is PaymentStatus.CANCELED:
            self._notes.append("Stripe says canceled: no money to give back")
            return None
        if held.status is not PaymentStatus.PAID:
            return await self._held(held.money)
        self._total = (await self._cancelling.money()).left
        if not self._total:
            self._notes.append("all of the money has gone back")
        return self._total or None

    async def _held(self, money: Money) -> Money | None:
        """Money that is authorised only is let go of, where the policy says so."""
        if self._status is PaymentStatus.UNCAPTURED and self._start.policy.held_money is HeldMoney.LET_GO:
            self._notes.append(await self._money_now(self._ref))
            return None
        return money

    def _ask(self, look: OrderLook, left: Money) -> NoReturn:
        void = look.standing is Standing.VOID
        first = "delete the void order in Zoho first, for its number is taken" if void else "nothing of it may stand"
        raise ApplicationError(
            f"the order of {self._start.payment_id} is {_SAID[look.standing]} in Zoho, and Stripe holds {left}: refund "
            f"gives it back; restore carries the payment anew ({first}); skip with a reason leaves both as they are",
            {"choices": CHOICES},
            type="OrderCancelled",
            non_retryable=True,
        )

    async def _give_back(self, look: OrderLook, left: Money) -> None:
        """All that is left, once; above the limit of returns, after somebody else has agreed."""
        agreed = self._start.carried.approved
        if self._start.policy.returns.needs_approval(left) and (agreed is None or agreed < left):
            self._step, asked = "approval", {"requester": self._found["refund_by"]}
            why = f"{left} for the cancelled order of {self._start.payment_id} is above the limit: somebody else has "
            raise ApplicationError(f"{why}to agree first", asked, type=APPROVAL, non_retryable=True)
        if self._status is PaymentStatus.PAID:
            if look.standing is Standing.GONE:
                await self._cancelling.note_gone()
            attempt = (await self._cancelling.money()).attempt
            self._found[_GIVING] = str(attempt)
            answers = self._start.carried.answers
            self._found[_REFUND] = await self._cancelling.give_back(left, attempt=attempt, answers=answers)
            self._notes.append(f"{left} goes back with {self._found[_REFUND]}, whose own run books it")
        else:
            held = await self._calls.write(StripeActivities.let_go_of_hold, self._ref, f"Let go of {left} in Stripe")
            self._notes.append(f"Stripe says {held.status.value} of the money that was authorised")
        await self._accept(look)

    def _obey(self, answer: Answer, trouble: Trouble, number: int) -> None:
        super()._obey(answer, trouble, number)
        self._restores = answer.action is Action.RESTORE
        if answer.action is Action.REFUND:
            self._found["refund_by"] = answer.by
        if self._restores:  # who wanted a refund before wants it no more
            self._found.pop("refund_by", None)

    async def _close(self, look: OrderLook) -> CheckResult:
        self._step = "close"
        await self._end_turn()
        if not look.asks:
            self._notes.append("there is nothing to ask")
        self._reach(Stage.CHECKED, index=True)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return CheckResult(
            payment_id=self._start.payment_id,
            salesorder_id=self._order,
            standing=look.standing,
            refund_id=self._found.get(_REFUND, ""),
            notes=tuple(self._notes),
        )

    async def _let_go(self) -> None:
        """Who waits for a person lets others write."""
        await self._end_turn()

    async def _undone(self) -> str:
        """Nothing was written in Zoho; what went back in Stripe is not ours to fetch."""
        refund_id = await self._made()
        await self._end_turn()
        return "the order stays as it is in Zoho" + (f"; money went back with {refund_id}" if refund_id else "")

    async def _made(self) -> str:
        """The refund, also one that was on its way when the run was stopped; "" where none was made."""
        known, begun = self._found.get(_REFUND, ""), self._found.get(_GIVING)
        if known or begun is None or self._total is None or not workflow.patched(contract.NAMES_LATE):
            return known
        return await self._cancelling.made(int(begun), self._total)

    async def _end_turn(self) -> None:
        await self._calls.write(ChangeActivities.end_turn, self._ref, "Let others write its documents")

    @property
    def _cancelling(self) -> Cancelling:
        return Cancelling(self._calls, self._ref, self._order)

    def _ids(self) -> list[str]:
        return contract.business_ids(self._start.payment_id, self._order, self._found.get(_REFUND, ""))
