"""A payout: Stripe has reconciled it, its lines are kept, every line is matched, and a certificate proves it."""

from __future__ import annotations

import asyncio
from functools import partial

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.payouts import PayoutActivities
    from domain.policy import PayoutMissing
    from domain.reconciling import (
        Certified,
        CertifyInput,
        PageInput,
        PayoutInput,
        PayoutResult,
        PayoutStanding,
    )
    from domain.runs import PaymentEvent, Stage
    from workflows import contract
    from workflows.attended import Attended
    from workflows.attention import details
    from workflows.filling import Filling
    from workflows.posting import Posting

_FAILED = "payout.failed"


@workflow.defn(name=contract.PAYOUT_WORKFLOW)
class PayoutWorkflow(Attended):
    """One run a payout, open until its certificate is issued, and posted in Zoho Books where the policy says so.

    What is missing in the books before is written by the runs it belongs to.

    One that fails later is certified anew by a run of the same id: the next version names the one before.
    """

    _skippable = ("confirm", "post")

    @workflow.init
    def __init__(self, start: PayoutInput) -> None:
        super().__init__(start)
        self._heard = 0

    @workflow.run
    async def run(self, start: PayoutInput) -> PayoutResult:
        """From "the money is on its way" to a document that anybody can check."""
        try:
            await self._wait_for_answer()
            payout = await self._wait_until_settled()
            lines = await self._keep_lines(payout)
            await self._fill(lines)
            made = await self._certify(lines)
            return await self._close(payout, lines, made, await self._post(made))
        except (ApplicationError, ActivityError, asyncio.CancelledError) as error:
            await self._park(error)

    @workflow.signal(name=contract.PAYOUT_EVENT)
    def payout_event(self, event: PaymentEvent) -> None:
        """Stripe said something about this payout; the run reads from Stripe what is true."""
        self._events.append(event)

    async def _wait_until_settled(self) -> PayoutStanding:
        """The payout once the bank has it, or gave it back, and Stripe knows all of its lines."""
        self._step = "watch"
        while True:
            self._heard = heard = len(self._events)
            payout_id = self._start.payment_id
            payout = await self._calls.read(PayoutActivities.fetch_payout, self._ref, f"Read {payout_id} from Stripe")
            self._total = payout.money
            if payout.settled:
                return payout
            if self._stage is not Stage.RECONCILING:
                self._reach(Stage.RECONCILING, note=f"{payout.status.value}, not reconciled yet", index=True)
            await self._wait_for_news(heard)

    async def _wait_for_news(self, heard: int) -> None:
        """Until Stripe says more; it is asked now and then all the same, for an event may be lost."""
        try:
            await workflow.wait_condition(
                partial(self._hears_more, heard),
                timeout=self._start.policy.payout_check,
                timeout_summary="Ask Stripe again whether the payout is reconciled",
            )
        except TimeoutError:
            if workflow.info().is_continue_as_new_suggested():
                self._continue(reminders=0)

    async def _keep_lines(self, payout: PayoutStanding) -> int:
        """Page by page into our store; only counts and sums come here."""
        self._step, kept, after = "lines", 0, ""
        while payout.itemised:
            page = await self._calls.read(
                PayoutActivities.keep_payout_page,
                PageInput(**dict(self._ref), own_id=payout.own_id, after=after, place=kept),
                f"Keep the lines from number {kept + 1} on",
            )
            kept, after = kept + page.lines, page.after
            self._found["lines"] = str(kept)
            self._show()
            if not after:
                break
        return kept

    async def _fill(self, lines: int) -> None:
        """What the lines lack is found or booked first, as far as that goes in the policy's time."""
        if self._start.policy.payout_missing is PayoutMissing.BOOK and workflow.patched(contract.PAYOUT_FILLS):
            self._step = "fill"
            self._notes += await Filling(self._calls, self._ref, lines).fill()

    async def _certify(self, lines: int) -> Certified:
        """The certificate, once what the payout is made of is known; a person is asked about what is uncertain."""
        self._step = "certify"
        made = await self._calls.write(
            PayoutActivities.certify_payout,
            CertifyInput(**dict(self._ref), lines=lines),
            f"Match {lines} lines and issue the certificate",
        )
        if made.problems:
            raise ApplicationError("; ".join(made.problems), type="PayoutUnclear", non_retryable=True)
        self._step = "confirm"
        if made.asks and self._step not in self._start.carried.skipped:
            raise ApplicationError(
                f"version {made.version} is issued, and this is uncertain: {'; '.join(made.asks)}",
                type="PayoutUncertain",
                non_retryable=True,
            )
        return made

    async def _post(self, made: Certified) -> tuple[str, ...]:
        """What stands in Zoho Books for the certificate; nothing unless the policy says so.

        A run of an earlier release was started with a policy that says nothing of it, and so does nothing here.
        """
        if not self._start.policy.books.post:
            return ()
        self._step = "post"
        posting = Posting(self._calls, self._ref, self._found)
        if self._step in self._start.carried.skipped:
            return await posting.leave(made.version)
        try:
            return await posting.post(made.version)
        finally:
            self._ref = posting.ref

    async def _close(
        self, payout: PayoutStanding, lines: int, made: Certified, posted: tuple[str, ...]
    ) -> PayoutResult:
        said = f"version {made.version} certified: {lines} lines, {made.to_book} things to book"
        said = said if payout.itemised else f"{said}; {payout.kind.value}, not itemised"
        said = f"{said}; in Zoho Books: {', '.join(posted)}" if posted else said
        self._reach(Stage.CERTIFIED, note=said, index=True)
        await workflow.wait_condition(workflow.all_handlers_finished)
        if any(event.type.removeprefix("v1.") == _FAILED for event in self._events[self._heard :]):
            self._continue(reminders=0)  # it came back since Stripe was read
        return PayoutResult(
            payout_id=self._start.payment_id,
            money=payout.money,
            status=payout.status,
            lines=lines,
            version=made.version,
            hash=made.hash,
            to_book=made.to_book,
            posted=posted,
            notes=tuple(self._notes),
        )

    async def _undone(self) -> str:
        """What this run posted is deleted; nothing else was written that could be taken back."""
        currency = self._total.currency if self._total else ""
        gone = await Posting(self._calls, self._ref, self._found).take_back(currency)
        said = f"taken back in Zoho Books: {gone}" if gone else "nothing was written to Zoho"
        return f"{said}, and a certificate that was issued stands"

    async def _let_go(self) -> None:
        """A payout reserves no goods."""

    def _ids(self) -> list[str]:
        return [self._start.payment_id]

    def _show(self) -> None:
        """The current details: what the run waits for, if it waits, and how far it is."""
        known = [self._start.payment_id, str(self._total or ""), self._stage.value]
        asked = [*details(self._desk.trouble, self._desk.refused), ""] if self._desk.trouble else []
        kept = [f"- {self._found['lines']} lines kept"] if "lines" in self._found else []
        heading = f"**{' · '.join(filter(None, known))}**"
        workflow.set_current_details("\n".join([*asked, heading, "", *kept, *(f"- {note}" for note in self._notes)]))
