"""A payout posted in Zoho Books: its accounts found, its transfers and journal made to stand, and taken back."""

from __future__ import annotations

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.books import BooksActivities
    from activities.catalogue import CatalogueActivities
    from activities.messages import MessageActivities
    from domain.book_accounts import ACCOUNTS_CURE, AccountsInput, NamedAccount, account_faults, deposit_fault
    from domain.books import TRANSFER, PostedRef, PostingPlan, PostInput
    from domain.plans import LookUp, LookUpInput, LookUpKind
    from domain.posting_plans import by_id
    from domain.runs import PaymentRef, StepDone
    from workflows.calls import Calls
    from workflows.journals import Journals
    from workflows.posted import Postings
    from workflows.transfers import Transfers


class Posting:
    """One payout in Books. `ref` gets the round; `found` is what the run remembers over a wait."""

    def __init__(self, calls: Calls, ref: PaymentRef, found: dict[str, str]) -> None:
        self.ref = ref
        self._calls = calls
        self._found = found

    async def post(self, version: int) -> tuple[str, ...]:
        """What stands in Books for this version, in words; empty where nothing has to.

        Everything is looked for before it is posted, and read afterwards. ApplicationError: `SettingsFault` where an
        account or the currency does not fit, `ChangedByHand` where something stands there that is not what was posted.
        """
        plan = await self._plan(version)
        self.ref = self.ref.model_copy(update={"round": plan.round})
        if plan.exported:
            return (_LEFT,)
        ids = await self._accounts(plan.names())
        if fault := deposit_fault(plan.clearing, plan.deposit, ids):
            raise _settings(f"{fault}, restart the worker and retry")
        plan = by_id(plan, ids)
        postings = Postings(self._calls, self.ref, self._found)
        transfers = await Transfers(postings, plan).stand()
        return (*transfers, *await Journals(postings, plan).stand())

    async def leave(self, version: int) -> tuple[str, ...]:
        """A person said to go on without: nothing more is posted of this payout, by a later version either.

        That, and what this run had posted by then, in words.
        """
        wanted = PostInput(**dict(self.ref), version=version)
        await self._calls.write(BooksActivities.leave_postings, wanted, "Keep that people book this payout")
        marks = Postings(self._calls, self.ref, self._found).marks()
        return (_LEFT, *(f"{kind} {known} ({reference}) stands" for kind, reference, known in marks if known))

    async def take_back(self, currency: str) -> str:
        """Delete what this run posted, the last first, and see that it is gone. What that was, "" for nothing.

        ApplicationError `UndoFailed` where it stands all the same.
        """
        gone = []
        postings = Postings(self._calls, self.ref, self._found)
        for kind, reference, known in postings.marks():
            for document_id in [known] if known else await self._lost(postings, kind, reference, currency):
                await self._delete(postings, postings.wanted(kind, reference, currency, document_id))
                gone.append(f"{kind} {document_id}")
            postings.forget(kind, reference)
        if gone:
            await self._calls.write(MessageActivities.close_round, self.ref, "Keep that everything was taken back")
        return ", ".join(gone)

    async def _plan(self, version: int) -> PostingPlan:
        wanted = PostInput(**dict(self.ref), version=version)
        summary = f"See what version {version} has to post"
        plan = await self._calls.read(BooksActivities.plan_postings, wanted, summary)
        if not plan.base:
            ask = LookUpInput(connection=self.ref.connection, lookup=LookUp(kind=LookUpKind.ORGANIZATION))
            await self._calls.zoho_read(CatalogueActivities.describe_organization, ask, "Ask for the own currency")
            plan = await self._calls.read(BooksActivities.plan_postings, wanted, summary)
        if plan.currency != plan.base and not plan.exported:
            raise _settings(
                f"{plan.payout_id} is in {plan.currency} and the organisation's books are in {plan.base}: nobody knows"
                " which rate Books would take; book it by hand (`throughline payouts journal` says what), then skip."
                ' With foreign = "export" in policy.books such payouts do not ask'
            )
        return plan

    async def _accounts(self, names: tuple[str, ...]) -> dict[str, str]:
        """The ids of the accounts by name."""
        found: list[NamedAccount] = []
        page, more = 1, bool(names)
        while more:
            wanted = AccountsInput(**dict(self.ref), names=names, page=page)
            summary = f"Look for {len(names)} accounts in Books"
            answer = await self._calls.zoho_read(BooksActivities.find_book_accounts, wanted, summary)
            found, page, more = [*found, *answer.accounts], page + 1, answer.more
        if faults := account_faults(names, found):
            raise _settings(f"in Zoho Books {'; '.join(faults)}: {ACCOUNTS_CURE}")
        return {one.name: one.account_id for one in found}

    async def _lost(self, postings: Postings, kind: str, reference: str, currency: str) -> list[str]:
        """What a write whose answer was never known may have made."""

        async def look() -> list[str] | None:
            found = await postings.listed(kind, reference, currency)
            return [one.document_id for one in found if one.reference == reference] or None

        return await self._calls.look_twice(look, kind) or []

    async def _delete(self, postings: Postings, wanted: PostedRef) -> None:
        method = BooksActivities.delete_transfer if wanted.kind == TRANSFER else BooksActivities.delete_journal
        read = postings.transfer if wanted.kind == TRANSFER else postings.journal

        async def write(after: int) -> StepDone:
            now = wanted.model_copy(update={"after": after})
            return await self._calls.zoho_undo(method, now, f"Delete {wanted.kind} {wanted.document_id}")

        async def look() -> StepDone | None:
            return StepDone() if await read(wanted) is None else None

        await self._calls.settle(write, look, "undo")
        if await look() is None:
            said = f"{wanted.kind} {wanted.document_id} in Zoho Books could not be deleted and still stands"
            raise ApplicationError(said, type="UndoFailed", non_retryable=True)


_LEFT = "left to people, who book it by hand"


def _settings(what: str) -> ApplicationError:
    return ApplicationError(what, type="SettingsFault", non_retryable=True)
