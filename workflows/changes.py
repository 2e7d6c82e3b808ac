"""What Stripe changes of a payment after its run has closed: compared with what was written, and corrected."""

from __future__ import annotations

import asyncio

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.changes import ChangeActivities
    from domain.corrections import ChangeInput, ChangePlan, ChangeResult, PersonInput
    from domain.fees import bookable
    from domain.plans import OrderPlan
    from domain.runs import Stage, StepDone
    from domain.sales import OrderInput, ReceiptWritten
    from workflows import contract
    from workflows.attended import Attended
    from workflows.contacts import settle_addresses
    from workflows.corrections import correct_order, correct_person
    from workflows.fees import book_fee


@workflow.defn(name=contract.CHANGE_WORKFLOW)
class ChangeWorkflow(Attended):
    """One run an event. It waits until nobody else writes the payment's documents, reads the truth, and corrects.

    Each correction says what Stripe says, so there is nothing to take back: an aborted run names what it corrected.
    """

    _skippable = ("money", "fee", "person", "order")

    @workflow.init
    def __init__(self, start: ChangeInput) -> None:
        super().__init__(start)
        self._event = start.event
        self._ref = self._ref.model_copy(update={"change": start.event.event_id})
        self._order: OrderInput | None = None

    @workflow.run
    async def run(self, start: ChangeInput) -> ChangeResult:
        """From "something changed" to "Zoho says what Stripe says"."""
        try:
            await self._wait_for_answer()
            plan = await self._compare()
            if plan.salesorder_id:
                await self._check_money(plan)
                await self._correct_fee(plan)
                await self._correct_person(plan)
                await self._correct_order(plan)
            return await self._close()
        except (ApplicationError, ActivityError, asyncio.CancelledError) as error:
            await self._park(error)

    async def _compare(self) -> ChangePlan:
        self._step = "turn"
        self._ref = self._ref.model_copy(update={"change": self._telling()})
        await self._calls.read(ChangeActivities.take_turn, self._ref, "Wait until nobody else writes its documents")
        self._step = "plan"
        summary = f"Compare {self._start.payment_id} with what was written"
        plan = await self._calls.read(ChangeActivities.plan_change, self._ref, summary)
        self._total, self._order = plan.money, plan.order
        self._ref = self._ref.model_copy(update={"round": plan.round})
        if not plan.salesorder_id:
            self._notes.append("no order of this payment stands in Zoho: there is nothing to correct")
        if plan.forgotten:
            self._notes.append("our memory of the order is gone: only the fee was compared")
        return plan

    def _telling(self) -> str:
        """What names the effects: told again after an answer, each correction may be due anew."""
        answers = self._start.carried.answers
        return f"{self._event.event_id}.{answers}" if answers else self._event.event_id

    async def _check_money(self, plan: ChangePlan) -> None:
        """Books that are closed over another amount are no matter for a program."""
        self._step = "money"
        if self._skips() or plan.order is None or (plan.paid and plan.money == plan.order.total):
            return
        raise ApplicationError(
            f"Stripe holds {plan.money} of a payment that was booked over {plan.order.total}; correct the books by "
            "hand and skip, or abort",
            type="MoneyChanged",
            non_retryable=True,
        )

    async def _correct_fee(self, plan: ChangePlan) -> None:
        self._step = "fee"
        if self._skips() or plan.fee is None:
            return
        chosen = bookable(plan.fee, plan.money.currency, self._start.policy.foreign_fee)
        self._notes.append(chosen.note)
        if chosen.charges:
            receipt = ReceiptWritten(zoho_payment_id=plan.zoho_payment_id)
            if await book_fee(self._calls, self._ref, receipt, chosen.charges):
                self._put_right("fee")

    async def _correct_person(self, plan: ChangePlan) -> None:
        """Name, e-mail and phone at the contact's person; the contact keeps its display name."""
        self._step = "person"
        if self._skips() or plan.order is None or not plan.person:
            return
        if await correct_person(self._calls, self._person(plan.order)):
            self._put_right("person")

    async def _correct_order(self, plan: ChangePlan) -> None:
        """Addresses and custom fields of the order; a paid invoice keeps what it said."""
        self._step = "order"
        if self._skips() or plan.order is None or not (plan.addressed or plan.fields):
            return
        self._order = await self._address(plan.order) if plan.addressed else plan.order
        await correct_order(self._calls, self._ref, self._order, plan.salesorder_id)
        if plan.fields:
            self._put_right("fields")
        if plan.addressed:
            self._put_right("address")
            self._notes.append("the invoice was paid and keeps the address that it had")

    async def _address(self, order: OrderInput) -> OrderInput:
        known = OrderPlan(order_ref=order.order_ref)
        addresses = await settle_addresses(self._calls, self._ref, known, order.contact_id)
        return order.model_copy(update={"addresses": addresses})

    async def _close(self) -> ChangeResult:
        self._step = "close"
        if self._order is not None:
            await self._calls.write(ChangeActivities.keep_change, self._order, "Keep what is written now")
        await self._end_turn()
        self._notes.append(f"corrected: {', '.join(self._corrected)}" if self._corrected else "nothing had to change")
        self._reach(Stage.CORRECTED, index=True)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return ChangeResult(
            payment_id=self._start.payment_id,
            event_id=self._event.event_id,
            corrected=self._corrected,
            notes=tuple(self._notes),
        )

    async def _end_turn(self) -> StepDone:
        return await self._calls.write(ChangeActivities.end_turn, self._ref, "Let the next change be carried over")

    async def _undone(self) -> str:
        """Corrections say what is true, so they stand."""
        await self._end_turn()
        return f"corrected until then: {', '.join(self._corrected) or 'nothing'}; it stands, for Stripe says so"

    def _put_right(self, what: str) -> None:
        self._corrected = tuple(dict.fromkeys([*self._corrected, what]))

    def _skips(self) -> bool:
        return self._step in self._start.carried.skipped

    def _ids(self) -> list[str]:
        return [*super()._ids(), self._event.event_id, self._event.object_id]

    def _person(self, order: OrderInput) -> PersonInput:
        return PersonInput(**dict(self._ref), order_ref=order.order_ref, contact_id=order.contact_id)
