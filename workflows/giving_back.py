"""What every run has that gives money back for something that happened in Zoho: the payment, the refund, the end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import suppress
from typing import Any, Generic, NoReturn, Protocol, TypeVar

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.changes import ChangeActivities
    from activities.messages import MessageActivities
    from activities.refunds import RefundActivities
    from domain.attention import APPROVAL
    from domain.credits import CreditWritten
    from domain.given_back import ReturnMoney
    from domain.money import Money
    from domain.notices import NotifyInput
    from domain.policy import RETURN_ID_KEY
    from domain.refunds import FetchedRefund, RefundRef, RefundStatus
    from domain.returns import ReturnEvent, ReturnRef
    from domain.runs import PaymentInput, Stage
    from workflows import contract
    from workflows.attended import Attended
    from workflows.return_books import Owed
    from workflows.returning import Returning, stop


class Happened(Protocol):
    """What happened in Zoho."""

    @property
    def ended(self) -> str:
        """Why nothing will come of it, "" where something may."""
        ...


Seen = TypeVar("Seen", bound=Happened)


class GivesBack(Attended, ABC, Generic[Seen]):
    """One thing of Zoho's by its id. What the run hears is a hint: it reads the thing, and its payment in Stripe."""

    _kind = "return"
    _named_by = RETURN_ID_KEY

    def __init__(self, start: PaymentInput, zoho_id: str) -> None:
        super().__init__(start)
        self._zoho_id = zoho_id
        self._policy = start.policy.returns
        self._told = self._heard = 0
        self._failures = 0
        self._giving = False
        self._ref = self._ref.model_copy(update={"change": zoho_id})
        self._found[self._kind] = zoho_id

    @workflow.signal(name=contract.RETURN_EVENT)
    def return_event(self, event: ReturnEvent) -> None:
        """Somebody said something about it; the run reads what is true."""
        self._told += 1
        self._failures += event.failed

    @abstractmethod
    async def _read(self) -> Seen:
        """The thing as it is in Zoho."""

    @abstractmethod
    async def _take_out(self, seen: Seen, refund_id: str, money: ReturnMoney) -> None:
        """The money of a refund that failed is with us again, and the books say so."""

    @abstractmethod
    async def _may_go_back(self, seen: Seen, money: ReturnMoney, owed: Owed) -> None:
        """Refuses what must not go back; asks whom it has to."""

    @abstractmethod
    async def _undo_books(self, money: ReturnMoney) -> list[str]:
        """Takes back what the run wrote in Zoho; what that was, in words."""

    async def _look(self) -> Seen:
        """The thing as it is; what is said from now on may make it another."""
        self._heard = self._told
        return await self._read()

    async def _find_payment_of(self, order_id: str, name: str) -> str:
        """Finds the payment that the order was written for; why there is none of ours, "" where there is."""
        found = await self._returning.payment(order_id)
        if found.foreign:
            raise stop(
                "ForeignPayment",
                f"{name} belongs to {found.foreign}, which this Stripe account does not know: give the "
                "money back in the account that took it, then abort",
            )
        if not found.payment_id:
            return f"nothing went back: no payment in Stripe belongs to the order of {name}"
        self._pay_with(found.payment_id)
        self._reach(Stage.RECEIVED, note=f"paid with {found.payment_id}, says {found.told_by}", index=True)
        return ""

    def _pay_with(self, payment_id: str) -> None:
        self._start = self._start.model_copy(update={"payment_id": payment_id})
        self._ref = self._ref.model_copy(update={"payment_id": payment_id})

    async def _hear(self, seconds: float, why: str) -> None:
        """Waits for news since the last look, `seconds` at most. In a fresh history where this one has grown."""
        if workflow.info().is_continue_as_new_suggested():
            self._continue(reminders=0)
        with suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: self._told > self._heard, timeout=max(seconds, 0), timeout_summary=why
            )

    async def _take_turn(self) -> None:
        if await self._turn():
            self._continue(reminders=0)  # what was seen before the wait may be another thing by now

    async def _turn(self) -> bool:
        """Nobody else writes the payment's documents now; whether that had to be waited for."""
        self._step, why = "turn", "Wait until nobody else writes its documents"
        return (await self._calls.read(ChangeActivities.take_turn, self._ref, why)).asked > 1

    async def _end_turn(self) -> None:
        await self._calls.write(ChangeActivities.end_turn, self._ref, "Let the next change be carried over")

    async def _money_of(self, seen: Seen) -> ReturnMoney:
        """What is left of the payment. A refund of ours that failed is taken out of the books, and asked about."""
        self._step, self._failures = "refund", 0
        money = await self._returning.money()
        news = tuple(one for one in money.failed if one not in self._corrected)
        # One that stands was made after all that failed were taken out: what is booked now is its own money.
        if news and not money.refund_id:
            await self._take_out(seen, news[-1], money)
            self._corrected += news
            self._fail(news[-1])
        if money.refund_id and seen.ended:
            raise stop(
                "ChangedByHand",
                f"{money.refund_id} gave {money.refunded} back for {self._kind} {self._zoho_id}, and {seen.ended}: "
                "book it by hand, then abort",
            )
        return money

    async def _refund(self, seen: Seen, money: ReturnMoney, owed: Owed) -> FetchedRefund:
        """The refund once the buyer has it: the one that was made, or one that is made now."""
        self._step, self._total, refund_id = "refund", owed.total, money.refund_id
        if not refund_id:
            await self._may_go_back(seen, money, owed)
            self._giving = True
            answers = self._start.carried.answers
            refund_id = await self._returning.give_back(
                owed.total, owed.note, attempt=len(money.failed), answers=answers
            )
        self._reach(Stage.WAITING_FOR_MONEY, refund=refund_id)
        refund = await self._wait_until_settled(refund_id)
        if refund.money != owed.total:
            raise stop(
                "TotalsDiffer",
                f"{refund.refund_id} gave {refund.money} back, the {self._kind} comes to {owed.total}",
            )
        # What is booked for it is another effect than what was for those that failed, whoever put that right.
        return refund.model_copy(update={"round": refund.round + len(money.failed)})

    def _enough_left(self, money: ReturnMoney, total: Money, name: str) -> None:
        if total > money.left:
            raise stop(
                "RefundTooLarge",
                f"{name} comes to {total}, and {money.left} is left of {self._start.payment_id}: "
                f"see what went back already, put the {self._kind} right in Zoho, then retry; or abort",
            )

    def _ask_approval(self, requester: str, why: str) -> NoReturn:
        self._step, asked = "approval", {"requester": requester}
        raise ApplicationError(why, asked, type=APPROVAL, non_retryable=True)

    async def _wait_until_settled(self, refund_id: str) -> FetchedRefund:
        """The refund once it has arrived; `refund_patience` is for one that never does."""
        deadline = workflow.now() + self._start.policy.refund_patience
        wanted, summary = RefundRef(**dict(self._ref), refund_id=refund_id), f"Read {refund_id} from Stripe"
        pause, waited = self._policy.look_every, False
        while True:
            self._heard = self._told
            refund = await self._calls.read(RefundActivities.fetch_refund, wanted, summary)
            if refund.status is RefundStatus.SUCCEEDED:
                if waited and workflow.patched(contract.READS_ANEW):
                    self._continue(reminders=0)  # others may have written since, and people
                return refund
            if refund.status is RefundStatus.FAILED:
                self._corrected += (refund_id,)
                self._fail(refund_id)
            if workflow.now() >= deadline:
                raise stop("RefundPending", f"Stripe still says pending of {refund_id}; look at it there, then retry")
            await self._hear(min(pause, deadline - workflow.now()).total_seconds(), "Look at the refund again")
            waited = True
            pause = min(2 * pause, self._policy.look_at_most)

    def _fail(self, refund_id: str) -> NoReturn:
        raise stop(
            "RefundFailed",
            f"{refund_id} did not reach the buyer, who waits for the money: retry gives it back once more; or pay it "
            "another way, then abort",
        )

    async def _end(
        self, stage: Stage, said: str, refund: FetchedRefund | None, note: CreditWritten | None
    ) -> dict[str, Any]:
        """Others may write again, people are told, and nothing that was heard is left; the result."""
        self._step = "close"
        if self._start.payment_id:
            await self._end_turn()
        about = f"{stage.value}-{refund.refund_id if refund else self._zoho_id}"
        notice = NotifyInput(**dict(self._ref) | {"round": 0}, message=said, about=about)
        await self._calls.tell(MessageActivities.notify_return, notice, f"Tell people what became of the {self._kind}")
        self._reach(stage, note=said, index=True)
        await workflow.wait_condition(workflow.all_handlers_finished)
        if self._failures:
            self._continue(reminders=0)  # it failed after it had arrived: nothing that was said is lost
        return {
            "payment_id": self._start.payment_id,
            "stage": stage,
            "refund_id": refund.refund_id if refund else "",
            "creditnote_id": note.creditnote_id if note else "",
            "money": refund.money if refund else None,
            "notes": tuple(self._notes),
        }

    async def _undone(self) -> str:
        """Takes back what this run wrote in Zoho; the money that went back is not ours to fetch."""
        if not self._start.payment_id:
            return "nothing had been written"
        if self._undo.kinds and workflow.patched(contract.CAREFUL_UNDO):
            await self._turn()  # others may write while a person is asked, or while a refund is under way
            self._step = "undo"
        money = await self._money_now_gone()
        try:
            undone = await self._undo_books(money)
        except (ActivityError, ApplicationError) as error:
            cause = error.cause if isinstance(error, ActivityError) else error
            what = f"what was written for {self._kind} {self._zoho_id} could not all be taken back and still stands"
            raise stop("UndoFailed", f"{what}: {cause}") from None
        await self._end_turn()
        gone = f"{money.refunded} went back with {money.refund_id}" if money.refund_id else "no money went back"
        return f"taken back: {', '.join(undone) or 'nothing had been written'}; {gone}"

    async def _money_now_gone(self) -> ReturnMoney:
        """What has gone back; a refund that was on its way when the run was stopped may show late."""
        money = await self._returning.money()
        if self._giving and not money.refund_id:
            await workflow.sleep(self._start.policy.settle_wait, summary="Wait whether the refund shows up after all")
            money = await self._returning.money()
        return money

    async def _let_go(self) -> None:
        """What comes back reserves no goods."""

    def _begin(self, step: str) -> bool:
        """The step that may be left out is next; whether it is to be done."""
        self._step = step
        return step not in self._start.carried.skipped

    @property
    def _returning(self) -> Returning:
        return Returning(self._calls, self._case, self._undo)

    @property
    def _case(self) -> ReturnRef:
        return ReturnRef(**dict(self._ref), return_id=self._zoho_id, named_by=self._named_by)
