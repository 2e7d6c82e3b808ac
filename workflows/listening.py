"""What a payment's run hears of Stripe: it waits for the money, then for the fee, and passes on what came later."""

from __future__ import annotations

from functools import partial

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.starts import StartActivities
    from activities.stripe import StripeActivities
    from domain.changes import is_news, may_tell_fee
    from domain.payments import Fee, PaymentStatus
    from domain.runs import FetchedPayment, PaymentEvent, PaymentInput, Stage, StartPaymentInput
    from workflows import contract
    from workflows.attended import Attended


class Listening(Attended):
    """A run that events reach while it is open; each is a hint, and the run reads from Stripe what is true."""

    def __init__(self, start: PaymentInput) -> None:
        super().__init__(start)
        self._heard = 0
        self._fee: Fee | None = None

    @workflow.signal(name=contract.PAYMENT_EVENT)
    def payment_event(self, event: PaymentEvent) -> None:
        """Stripe said something about this payment; the run reads from Stripe what is true."""
        self._events.append(event)

    async def _wait_until_paid(self) -> FetchedPayment:
        deadline = workflow.now() + self._start.policy.unpaid_patience
        while True:
            heard = len(self._events)
            fetched = await self._calls.read(
                StripeActivities.fetch_payment, self._ref, f"Read {self._start.payment_id} from Stripe"
            )
            self._total, self._lines = fetched.money, fetched.lines
            if fetched.status is PaymentStatus.PAID:
                self._heard, self._fee = heard, fetched.fee
                self._found["charge"] = fetched.charge_id
                self._ref = self._ref.model_copy(update={"round": fetched.round})
                return fetched
            if fetched.status is PaymentStatus.CANCELED:
                raise ApplicationError("the payment was canceled in Stripe", type="PaymentCanceled", non_retryable=True)
            self._reach(Stage.WAITING_FOR_MONEY, note=f"Stripe says {fetched.status.value}", index=True)
            await self._wait_for_event(heard, (deadline - workflow.now()).total_seconds())

    async def _wait_for_event(self, heard: int, seconds: float) -> None:
        try:
            await workflow.wait_condition(
                partial(self._hears_more, heard),
                timeout=max(seconds, 0),
                timeout_summary="Give up when no money has come by then",
            )
        except TimeoutError:
            raise ApplicationError(
                "the payment was not paid or captured within the policy's time; a later event starts it again",
                type="NotPaid",
                non_retryable=True,
            ) from None

    async def _await_fee(self) -> Fee | None:
        """Look when `charge.updated` comes, and once more when the patience ends."""
        deadline, heard = workflow.now() + self._start.policy.fee_patience, self._heard
        while True:
            told = await self._tells_fee(heard, (deadline - workflow.now()).total_seconds())
            heard = len(self._events)
            fee = await self._calls.read(StripeActivities.fetch_fee, self._ref, "Read what Stripe kept of the payment")
            if fee is not None or not told:
                return fee

    async def _tells_fee(self, heard: int, seconds: float) -> bool:
        try:
            await workflow.wait_condition(
                lambda: any(may_tell_fee(event.type, event.changed) for event in self._events[heard:]),
                timeout=max(seconds, 0),
                timeout_summary="Close without Stripe's fee when it has not come by then",
            )
        except TimeoutError:
            return False
        return True

    async def _hand_over(self) -> None:
        """What Stripe told since the payment was read, and may change what is written, gets a run of its own."""
        position = 0 if self._start.carried.undo else self._heard
        while position < len(self._events):
            event = self._events[position]
            position += 1
            if is_news(event.type, event.changed, fee_known=self._fee is not None):
                later = StartPaymentInput(connection=self._ref.connection, payment_id=self._ref.payment_id, event=event)
                await self._calls.write(StartActivities.start_change, later, f"Let {event.event_id} be carried over")
