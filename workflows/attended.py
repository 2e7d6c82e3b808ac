"""What every run of a payment has that can wait for a person, go on where it stopped, and take itself back."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any, NoReturn

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.messages import MessageActivities
    from activities.stock import StockActivities
    from activities.stripe import StripeActivities
    from domain.attention import Action, Answer, Trouble, adopted
    from domain.changes import may_change
    from domain.money import Money
    from domain.notices import AnswerRecord
    from domain.numbers import order_number
    from domain.payments import PaymentStatus
    from domain.policy import HeldMoney, Oversell
    from domain.runs import PaymentInput, PaymentRef, Stage
    from workflows import contract
    from workflows.attention import Desk, closes, details, trouble_of
    from workflows.calls import Calls
    from workflows.compensation import TakeBack, UndoStack
    from workflows.telling import Bell

_DOCUMENTS = ("return", "order", "invoice", "payment", "package", "shipment", "adjustment", "creditnote", "receive")


class Attended:
    """A run with a desk where answers arrive, an undo stack, and a face in the Temporal UI."""

    # The order is complete without these steps.
    _skippable: tuple[str, ...] = ("recognise", "stock", "adjust", "write_back", "ship", "fee")

    def __init__(self, start: PaymentInput) -> None:
        self._start = start
        self._ref = PaymentRef(connection=start.connection, payment_id=start.payment_id, round=start.carried.round)
        self._events = list(start.carried.events)
        self._corrected = start.carried.corrected
        self._calls = Calls(start, self._show)
        self._desk = Desk(start.carried.trouble, start.carried.answer, self._show)
        self._undo = UndoStack(start.carried.undo)
        self._found = dict(start.carried.found)
        self._notes = list(start.carried.notes)
        self._step = "wait"
        self._stage = Stage.RECEIVED
        self._total: Money | None = start.carried.trouble.at_risk if start.carried.trouble else None
        self._status: PaymentStatus | None = None
        self._lines: tuple[str, ...] = ()

    @workflow.signal(name=contract.RESUME)
    def resume(self, said: Any) -> None:
        """A person's answer, as typed; one that cannot be taken is shown with the reason."""
        self._desk.take(said)

    @workflow.update(name=contract.RESOLVE)
    def resolve(self, said: Any) -> str:
        """A person's answer, taken or refused at once."""
        self._desk.take(said)
        return self._desk.answer.action.value if self._desk.answer else ""

    @resolve.validator
    def _refuse(self, said: Any) -> None:
        if why := self._desk.why_not(said):
            raise ApplicationError(why, type="AnswerRefused", non_retryable=True)

    @workflow.query(name=contract.TROUBLE)
    def trouble(self) -> Trouble | None:
        """What the run waits for; None where it does not wait for a person."""
        return self._desk.trouble if self._desk.answer is None else None

    @workflow.query(name=contract.PROGRESS)
    def progress(self) -> dict[str, str | list[str]]:
        """How far the run has come, with the ids found so far, and what it waits for by itself."""
        return {
            "stage": self._stage.value,
            "ids": self._ids(),
            "total": str(self._total or ""),
            "corrected": list(self._corrected),
            "notes": self._notes,
            **({"waits": self._calls.waits} if self._calls.waits else {}),
        }

    async def _wait_for_answer(self) -> None:
        """At once, unless this run was parked: then until somebody answers, however long that takes."""
        carried, trouble = self._start.carried, self._desk.trouble
        if trouble is None:
            return
        self._stage = Stage.NEEDS_ATTENTION
        self._show()
        reminders = carried.reminders
        pause = self._start.policy.remind_every if reminders else self._start.policy.tell_after
        while self._desk.answer is None:
            reminders, pause = await self._wait_or_remind(trouble, reminders, pause)
        answer = self._desk.answer
        if meant := adopted(trouble, answer) if answer.action is Action.ADOPT else None:
            answer = answer.model_copy(update={"reason": answer.reason or f"order {meant.number}"})
        number = carried.answers + 1
        record = AnswerRecord(
            **dict(self._ref),
            number=number,
            attention_class=trouble.attention_class.value,
            **answer.model_dump(exclude={"amendments", "order"}),
            amendments=answer.amendments,
        )
        await self._calls.write(MessageActivities.record_answer, record, f"Keep who answered: {answer.action.value}")
        await self._bell.still(trouble, answer.action.value)
        self._obey(answer, trouble, number)
        workflow.upsert_search_attributes([contract.NEEDS_ATTENTION.value_set(False)])
        if self._start.carried.aborting:
            raise ApplicationError(
                await self._take_back(self._start.carried.aborting), type="Aborted", non_retryable=True
            )

    def _obey(self, answer: Answer, trouble: Trouble, number: int) -> None:
        """The run goes on as the answer says; a retried undo goes on undoing."""
        self._notes.append(
            f"{answer.by} answered {answer.action.value}" + (f": {answer.reason}" if answer.reason else "")
        )
        carried = self._start.carried
        aborting = carried.aborting or (
            f"{answer.by} aborted: {answer.reason}" if answer.action is Action.ABORT else ""
        )
        skipped = (*carried.skipped, trouble.step) if answer.action is Action.SKIP else carried.skipped
        meant = adopted(trouble, answer) if answer.action is Action.ADOPT else None
        changed = carried.model_copy(
            update={
                "adopted": meant.salesorder_id if meant else carried.adopted,
                "answers": number,
                "aborting": aborting,
                "skipped": skipped,
                "amendments": (*carried.amendments, *answer.amendments),
                **({"approved": trouble.at_risk, "agreed": trouble.message} if answer.action is Action.APPROVE else {}),
            }
        )
        self._start = self._start.model_copy(update={"carried": changed})
        self._desk.trouble, self._desk.answer = None, None

    async def _wait_or_remind(self, trouble: Trouble, reminders: int, pause: timedelta) -> tuple[int, timedelta]:
        """Wait for an answer; when none comes in time, tell people, in a fresh history where this one has grown."""
        try:
            await workflow.wait_condition(
                lambda: self._desk.answer is not None,
                timeout=pause,
                timeout_summary="Remind people that this payment waits",
            )
            return reminders, pause
        except TimeoutError:
            pause = await self._bell.ring(trouble, reminders + 1)
        if self._desk.answer is None and workflow.info().is_continue_as_new_suggested():
            self._continue(reminders=reminders + 1)
        return reminders + 1, pause

    @property
    def _bell(self) -> Bell:
        return Bell(self._calls, self._ref, self._start.policy, self._start.carried.answers)

    async def _park(self, error: ApplicationError | ActivityError | asyncio.CancelledError) -> NoReturn:
        """Ask a person, in a small fresh history; what only closes the run closes it, and so does a cancellation."""
        if is_cancelled_exception(error):
            try:
                if self._desk.trouble:
                    await self._bell.still(self._desk.trouble, "cancelled")
                    self._desk.trouble = None
                await self._take_back("the run was cancelled")
            except (ApplicationError, ActivityError) as stuck:
                if is_cancelled_exception(stuck):
                    await self._park(stuck)  # cancelled once more: what is left is still taken back
                error = stuck
            else:
                raise asyncio.CancelledError
        assert isinstance(error, ApplicationError | ActivityError)
        if closes(error):
            if self._stage is not Stage.TAKEN_BACK:
                self._reach(Stage.FAILED, note=str(error.cause or error), index=True)
            raise error
        trouble = trouble_of(
            error, self._step, at_risk=self._total, lines=self._lines, skippable=self._step in self._skippable
        )
        self._begin_to_wait(trouble)
        try:
            await self._let_go()
            await self._bell.note(trouble)
            await workflow.wait_condition(workflow.all_handlers_finished)
        except (ActivityError, asyncio.CancelledError) as cancelled:
            await self._park(cancelled)
        self._continue(reminders=0)

    def _begin_to_wait(self, trouble: Trouble) -> None:
        """Whoever looks at the run sees that it waits, and for what."""
        self._desk.trouble = trouble
        self._stage = Stage.NEEDS_ATTENTION
        self._show()
        workflow.upsert_search_attributes(
            [
                contract.STAGE.value_set(Stage.NEEDS_ATTENTION.value),
                contract.NEEDS_ATTENTION.value_set(True),
                contract.ATTENTION_CLASS.value_set(trouble.attention_class.value),
                contract.BUSINESS_IDS.value_set(self._ids()),
            ]
        )

    def _continue(self, *, reminders: int) -> NoReturn:
        carried = self._start.carried.model_copy(
            update={
                "trouble": self._desk.trouble,
                "answer": self._desk.answer,
                "undo": self._undo.kinds,
                "round": self._ref.round,
                "found": self._found,
                "notes": tuple(self._notes[-20:]),
                "reminders": reminders,
                "events": tuple(event for event in self._events if may_change(event.type)),
                "corrected": self._corrected,
            }
        )
        workflow.continue_as_new(self._start.model_copy(update={"carried": carried}))

    async def _take_back(self, why: str) -> str:
        """Take back what was written, last first, and say what stands: the money, in Stripe."""
        self._step = "undo"
        carried = self._start.carried.model_copy(update={"aborting": why})
        self._start = self._start.model_copy(update={"carried": carried})
        said = f"{why}; {await self._undone()}"
        self._reach(Stage.TAKEN_BACK, note=said, index=True)
        return said

    async def _undone(self) -> str:
        """Take everything back, and say what was."""
        undone = ", ".join(kind.value for kind in reversed(self._undo.kinds)) or "nothing had been written"
        ref = await self._round()
        number = order_number(ref.payment_id)
        assert self._total is not None  # the round was read together with the amount
        await TakeBack(self._calls, ref, number, self._total).run(self._undo)
        await self._let_go()
        adopted_order = self._found.get("adopted", "")
        theirs = f"; order {adopted_order}, entered by hand, stays with its documents" if adopted_order else ""
        return f"taken back: {undone}{theirs}; {await self._money_now(ref)}"

    async def _money_now(self, ref: PaymentRef) -> str:
        """Where the money is. What is authorised only is let go of where the policy says so."""
        held = f"Stripe still holds {self._total or 'the money'}"
        if self._status is not PaymentStatus.UNCAPTURED or self._start.policy.held_money is HeldMoney.KEEP:
            return held
        now = await self._calls.write(StripeActivities.let_go_of_hold, ref, f"Let go of {self._total} in Stripe")
        return f"Stripe let go of {self._total}" if now.status is PaymentStatus.CANCELED else f"captured since: {held}"

    async def _let_go(self) -> None:
        """While nobody goes on with this payment, others may have the pieces that it reserved and did not order."""
        if self._start.policy.oversell is not Oversell.GO_ON:
            await self._calls.write(StockActivities.release_stock, self._ref, "Let go of pieces that are not ordered")

    async def _round(self) -> PaymentRef:
        """The payment in its round of now: after an abort of a parked run nobody has asked yet."""
        fetched = await self._calls.read(
            StripeActivities.fetch_payment, self._ref, f"Read {self._start.payment_id} from Stripe"
        )
        self._total, self._status = fetched.money, fetched.status
        return self._ref.model_copy(update={"round": fetched.round})

    def _reach(self, stage: Stage, *, note: str = "", index: bool = False, **found: str) -> None:
        """Say in the UI how far it is; `index` also writes it to the search attributes, which costs an action."""
        self._stage = stage
        self._found |= found
        if note:
            self._notes.append(note)
        self._show()
        if index:
            found_ids = self._ids()
            workflow.upsert_search_attributes(
                [contract.STAGE.value_set(stage.value), contract.BUSINESS_IDS.value_set(found_ids)]
            )

    def _hears_more(self, heard: int) -> bool:
        """Whether Stripe has said more since `heard` of its events were known."""
        return len(self._events) > heard

    def _ids(self) -> list[str]:
        """What the run can be found by."""
        return contract.business_ids(self._start.payment_id, *self._found.values())

    def _named(self) -> list[str]:
        """What the run is about, for its heading."""
        number = "".join(contract.business_ids(self._start.payment_id)[1:])
        return [self._start.payment_id, str(self._total or ""), f"order {number}" if number else ""]

    def _show(self) -> None:
        """The current details: what the run waits for, if it waits, and what is known."""
        known = [*self._named(), self._stage.value]
        ids = [f"- Stripe charge `{self._found['charge']}`"] if "charge" in self._found else []
        ids += [f"- Zoho {kind} `{self._found[kind]}`" for kind in _DOCUMENTS if kind in self._found]
        asked = [*details(self._desk.trouble, self._desk.refused), ""] if self._desk.trouble else []
        asked += [f"**{self._calls.waits}**", ""] if self._calls.waits else []
        heading = f"**{' · '.join(filter(None, known))}**"
        workflow.set_current_details("\n".join([*asked, heading, "", *ids, *(f"- {note}" for note in self._notes)]))
