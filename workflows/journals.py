"""A payout's journals: those of all versions together say what the newest says."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.books import BooksActivities
    from domain.books import JOURNAL, JournalInput, JournalKept, Posted, PostingPlan, Side, missing, turnover
    from domain.posting_plans import free_reference, stem_of
    from workflows.posted import GONE, Postings, by_hand


class Journals:
    """The journals of one plan, accounts by their ids."""

    def __init__(self, postings: Postings, plan: PostingPlan) -> None:
        self._postings = postings
        self._plan = plan

    async def stand(self) -> list[str]:
        """What is missing is posted; each journal that stands, in words.

        ApplicationError `ChangedByHand` where one does not stand as it was posted.
        """
        strangers = await self._strangers()
        for one in self._plan.journals:
            await self._see(one)
        standing = [*self._plan.journals, *strangers]
        if left := missing(self._plan.sides, [side for one in standing for side in one.sides]):
            standing.append(await self._write(left, standing))
        return [f"journal {one.journal_id} ({one.reference}) of {turnover(one.sides)}" for one in standing]

    async def _strangers(self) -> list[JournalKept]:
        """Journals of the payout that our memory does not know: their answer was lost, or the memory."""
        known = {one.journal_id for one in self._plan.journals}
        found = await self._postings.listed(JOURNAL, stem_of(self._plan.payout_id), self._plan.currency)
        return [await self._as_found(one) for one in found if one.document_id not in known]

    async def _as_found(self, one: Posted) -> JournalKept:
        wanted = self._postings.wanted(JOURNAL, one.reference, self._plan.currency, one.document_id)
        seen = await self._postings.journal(wanted.model_copy(update={"keep": True}))
        fault = GONE if seen is None else seen.differs(seen.sides or ())
        if seen is None or not seen.sides or fault:
            raise by_hand(
                f"journal {one.document_id} ({one.reference}) cannot be reckoned with: {fault or 'it has no amounts'}"
            )
        return JournalKept(journal_id=one.document_id, reference=one.reference, sides=seen.sides)

    async def _write(self, left: tuple[Side, ...], before: Sequence[JournalKept]) -> JournalKept:
        plan = self._plan
        reference = free_reference(plan, before)
        beside = f"; adds to {', '.join(one.reference for one in before)}" if before else ""
        says = f"Stripe payout {plan.payout_id}, version {plan.version} of its certificate, {plan.hash}{beside}"
        wanted = JournalInput(**dict(self._postings.ref), reference=reference, sides=left, day=plan.day, says=says)

        async def write(after: int) -> Posted:
            now = wanted.model_copy(update={"after": after})
            return await self._postings.calls.zoho_write(BooksActivities.post_journal, now, f"Post journal {reference}")

        self._postings.mark(JOURNAL, reference)
        posted = await self._postings.calls.settle(write, partial(self._look, reference), "journal")
        self._postings.mark(JOURNAL, reference, posted.document_id)
        kept = JournalKept(journal_id=posted.document_id, reference=reference, sides=left)
        await self._see(kept)
        return kept

    async def _look(self, reference: str) -> Posted | None:
        found = await self._postings.listed(JOURNAL, reference, self._plan.currency)
        return next((one for one in found if one.reference == reference), None)

    async def _see(self, one: JournalKept) -> None:
        """It stands as it was posted."""
        wanted = self._postings.wanted(JOURNAL, one.reference, self._plan.currency, one.journal_id)
        seen = await self._postings.journal(wanted.model_copy(update={"sides": one.sides}))
        if fault := GONE if seen is None else seen.differs(one.sides):
            await self._postings.refuse(JOURNAL, one.journal_id, one.reference, fault)
