"""What a payout's run and Zoho Books know of one posting: marks for the way back, reads, and what is not as it was."""

from __future__ import annotations

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.books import BooksActivities
    from activities.messages import MessageActivities
    from domain.books import TRANSFER, JournalSeen, Posted, PostedRef, TransferSeen
    from domain.runs import PaymentRef
    from workflows.calls import Calls

GONE = "it is gone"
_MARK = "posted "  # before what a run remembers that it posted: kind and reference, with Books' id once that is known


class Postings:
    """The postings of one payout. `found` is what its run remembers over a wait."""

    def __init__(self, calls: Calls, ref: PaymentRef, found: dict[str, str]) -> None:
        self.calls = calls
        self.ref = ref
        self._found = found

    def marks(self) -> list[tuple[str, str, str]]:
        """Kind, reference and id ("" where the answer was lost) of what the run posted, the last first."""
        marked = [key.removeprefix(_MARK) for key in self._found if key.startswith(_MARK)]
        split = [key.partition(" ") for key in reversed(marked)]
        return [(kind, reference, self._found[f"{_MARK}{kind} {reference}"]) for kind, _, reference in split]

    def mark(self, kind: str, reference: str, document_id: str = "") -> None:
        """Undo before do: from now on there may be something to take back."""
        self._found[f"{_MARK}{kind} {reference}"] = document_id

    def forget(self, kind: str, reference: str) -> None:
        """There is nothing to take back any more."""
        self._found.pop(f"{_MARK}{kind} {reference}", None)

    def wanted(self, kind: str, reference: str, currency: str, document_id: str = "") -> PostedRef:
        """What is looked for, or read."""
        about = {"kind": kind, "reference": reference, "currency": currency, "document_id": document_id}
        return PostedRef(**dict(self.ref), **about)

    async def listed(self, kind: str, reference: str, currency: str) -> tuple[Posted, ...]:
        """What a list of Books shows under a reference: of a journal, under what it begins with."""
        method = BooksActivities.find_transfers if kind == TRANSFER else BooksActivities.find_journals
        wanted = self.wanted(kind, reference, currency)
        return (await self.calls.zoho_read(method, wanted, f"Look for a {kind} called {reference}")).found

    async def transfer(self, wanted: PostedRef) -> TransferSeen | None:
        """The bank transaction as it stands."""
        summary = f"Read transfer {wanted.document_id}"
        return await self.calls.zoho_read(BooksActivities.read_transfer, wanted, summary)

    async def journal(self, wanted: PostedRef) -> JournalSeen | None:
        """The journal as it stands."""
        return await self.calls.zoho_read(BooksActivities.read_journal, wanted, f"Read journal {wanted.document_id}")

    async def refuse(self, kind: str, document_id: str, reference: str, fault: str) -> None:
        """Ask a person; what is gone counts as taken back, so that a retry posts it anew."""
        if fault == GONE:
            await self.calls.write(MessageActivities.close_round, self.ref, f"Keep that {kind} {document_id} is gone")
            self.forget(kind, reference)
        raise by_hand(f"{kind} {document_id} ({reference}) is not as it was posted: {fault}")


def by_hand(what: str) -> ApplicationError:
    """Something stands in Books that is not what was posted."""
    cure = "put it right in Zoho Books and retry, or skip: `throughline payouts journal` says what should stand there"
    return ApplicationError(f"{what}; {cure}", type="ChangedByHand", non_retryable=True)
