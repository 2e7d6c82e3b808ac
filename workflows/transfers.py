"""A payout's transfers between the clearing account and the bank: each posted once, whoever did it."""

from __future__ import annotations

from functools import partial

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.books import BooksActivities
    from domain.books import TRANSFER, Posted, PostingPlan, Transfer, TransferInput
    from workflows.posted import GONE, Postings, by_hand


class Transfers:
    """The transfers of one plan, accounts by their ids."""

    def __init__(self, postings: Postings, plan: PostingPlan) -> None:
        self._postings = postings
        self._plan = plan

    async def stand(self) -> list[str]:
        """Each stands in Books, in words. ApplicationError `ChangedByHand` where it stands otherwise."""
        return [await self._stands(one) for one in self._plan.transfers]

    async def _stands(self, one: Transfer) -> str:
        known = self._plan.transfers_known.get(one.reference, "")
        if known:
            await self._see(known, one)
        else:
            known = (await self._look(one) or await self._write(one)).document_id
        return f"transfer {known} ({one.reference}) of {one.money}"

    async def _write(self, one: Transfer) -> Posted:
        wanted = TransferInput(**dict(self._postings.ref), transfer=one, says=f"Stripe payout {self._plan.payout_id}")

        async def write(after: int) -> Posted:
            now = wanted.model_copy(update={"after": after})
            return await self._postings.calls.zoho_write(BooksActivities.post_transfer, now, f"Transfer {one.money}")

        self._postings.mark(TRANSFER, one.reference)
        posted = await self._postings.calls.settle(write, partial(self._look, one), "transfer")
        self._postings.mark(TRANSFER, one.reference, posted.document_id)
        await self._see(posted.document_id, one)
        return posted

    async def _look(self, one: Transfer) -> Posted | None:
        """The transfer, whoever made it."""
        faults = []
        for candidate in await self._postings.listed(TRANSFER, one.reference, one.money.currency):
            fault = await self._fault(candidate.document_id, one)
            if not fault:
                return candidate
            faults.append(f"{candidate.document_id}: {fault}")
        if faults:
            raise by_hand(f"what is called {one.reference} in Books is not its transfer ({'; '.join(faults)})")
        return None

    async def _see(self, document_id: str, one: Transfer) -> None:
        """It stands as it was posted."""
        if fault := await self._fault(document_id, one):
            await self._postings.refuse(TRANSFER, document_id, one.reference, fault)

    async def _fault(self, document_id: str, one: Transfer) -> str:
        wanted = self._postings.wanted(TRANSFER, one.reference, one.money.currency, document_id)
        seen = await self._postings.transfer(wanted.model_copy(update={"transfer": one}))
        return GONE if seen is None else seen.differs(one)
