"""A payout's postings in Zoho Books: planned from its certificate, posted, found, read back and deleted."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from temporalio import activity

from activities.effects import Once
from activities.memory import Memory
from activities.shops import Shops
from clients.errors import Refused
from domain.book_accounts import AccountsFound, AccountsInput
from domain.books import (
    JOURNAL,
    TRANSFER,
    JournalInput,
    JournalKept,
    JournalSeen,
    Posted,
    PostedList,
    PostedRef,
    PostedRow,
    PostingPlan,
    PostInput,
    TransferInput,
    TransferSeen,
    turnover,
)
from domain.canonical import parse
from domain.certified import Certificate
from domain.money import Money
from domain.policy import BooksPolicy, ForeignPayout
from domain.posting_plans import plan_of
from domain.runs import StepDone

if TYPE_CHECKING:
    from clients.store import EffectRow, Effects, Payouts

_POST, _DELETE, _LEFT = "post_", "delete_", "leave_postings"
_STEP = re.compile(rf"(?P<verb>{_POST}|{_DELETE})(?P<kind>{TRANSFER}|{JOURNAL})#(?P<named>[^~@]+)(~\d+)?(@.+)?")


class BooksActivities:
    """One Zoho call each at most."""

    def __init__(self, shops: Shops, payouts: Payouts, effects: Effects, memory: Memory, once: Once) -> None:
        self._shops = shops
        self._payouts = payouts
        self._effects = effects
        self._memory = memory
        self._once = once

    @activity.defn
    async def plan_postings(self, wanted: PostInput) -> PostingPlan:
        """What the version says that no document carries, and what was posted of the payout so far."""
        versions = await self._payouts.versions(wanted.connection, wanted.payment_id)
        if len(versions) < wanted.version:
            raise Refused("store", f"version {wanted.version} of {wanted.payment_id} is not kept", code="no_version")
        plan = await asyncio.to_thread(_planned, versions[wanted.version - 1])
        rows = await self._effects.of(wanted.connection, wanted.payment_id)
        organization = (await self._memory.catalogue(wanted.connection)).organization
        shop = self._shops[wanted.connection]
        base = organization.currency if organization else ""
        known = {
            "base": base,
            "exported": _exported(shop.policy.books, plan, base) or any(row.step == _LEFT for row in rows),
            "deposit": shop.mapping.deposit_account_id,
            "round": await self._once.rounds(wanted.connection, wanted.payment_id),
        }
        return plan.model_copy(update=known | _known(rows))

    @activity.defn
    async def leave_postings(self, wanted: PostInput) -> StepDone:
        """Keep that people book this payout, in whatever version."""

        async def call() -> StepDone:
            return StepDone()

        first = wanted.model_copy(update={"round": 0})
        return await self._once.repeat(_LEFT, first, StepDone, call, note="left to people")

    @activity.defn
    async def find_book_accounts(self, wanted: AccountsInput) -> AccountsFound:
        """Those of a page of the chart of accounts that have one of the names."""
        accounts, more = await self._shops[wanted.connection].zoho.books.accounts(wanted.page)
        return AccountsFound(accounts=tuple(one for one in accounts if one.name in wanted.names), more=more)

    @activity.defn
    async def post_transfer(self, wanted: TransferInput) -> Posted:
        """Money of the payout as moved between two accounts."""
        one = wanted.transfer

        async def call() -> Posted:
            made = await self._shops[wanted.connection].zoho.books.transfer(wanted)
            return Posted(document_id=made, reference=one.reference)

        return await self._once.write(f"{_POST}{TRANSFER}#{one.reference}", wanted, Posted, call, amount=one.money)

    @activity.defn
    async def find_transfers(self, wanted: PostedRef) -> PostedList:
        """The bank transactions with exactly this reference, whoever made them."""
        ids = await self._shops[wanted.connection].zoho.books.find_transactions(wanted.reference)
        return PostedList(found=tuple(Posted(document_id=one, reference=wanted.reference) for one in ids))

    @activity.defn
    async def read_transfer(self, wanted: PostedRef) -> TransferSeen | None:
        """The bank transaction as it stands. Where it is the wanted transfer, or gone, that is kept."""
        seen = await self._shops[wanted.connection].zoho.books.transaction(wanted.document_id, wanted.currency)
        if seen is None:
            await self._gone(TRANSFER, wanted)
        elif wanted.transfer is not None and not seen.differs(wanted.transfer):
            await self._stands(TRANSFER, wanted, wanted.transfer.money)
        return seen

    @activity.defn
    async def delete_transfer(self, wanted: PostedRef) -> StepDone:
        """Take a transfer back."""

        async def call() -> StepDone:
            await self._shops[wanted.connection].zoho.books.delete_transaction(wanted.document_id)
            return StepDone()

        return await self._once.write(f"{_DELETE}{TRANSFER}#{wanted.document_id}", wanted, StepDone, call)

    @activity.defn
    async def post_journal(self, wanted: JournalInput) -> Posted:
        """What no other document carries, as one journal."""

        async def call() -> Posted:
            made = await self._shops[wanted.connection].zoho.books.journal(wanted)
            return Posted(document_id=made, reference=wanted.reference, sides=wanted.sides)

        step = f"{_POST}{JOURNAL}#{wanted.reference}"
        return await self._once.write(step, wanted, Posted, call, amount=turnover(wanted.sides))

    @activity.defn
    async def find_journals(self, wanted: PostedRef) -> PostedList:
        """The payout's journals of all versions, by what their references begin with."""
        found = await self._shops[wanted.connection].zoho.books.find_journals(wanted.reference)
        return PostedList(found=tuple(found))

    @activity.defn
    async def read_journal(self, wanted: PostedRef) -> JournalSeen | None:
        """The journal as it stands. Where it is the wanted one, or gone, that is kept."""
        seen = await self._shops[wanted.connection].zoho.books.journal_seen(wanted.document_id, wanted.currency)
        if seen is None:
            await self._gone(JOURNAL, wanted)
        elif (sides := seen.sides if wanted.keep else wanted.sides) and not seen.differs(sides):
            await self._stands(JOURNAL, wanted.model_copy(update={"sides": sides}), turnover(sides))
        return seen

    @activity.defn
    async def delete_journal(self, wanted: PostedRef) -> StepDone:
        """Take a journal back."""

        async def call() -> StepDone:
            await self._shops[wanted.connection].zoho.books.delete_journal(wanted.document_id)
            return StepDone()

        return await self._once.write(f"{_DELETE}{JOURNAL}#{wanted.document_id}", wanted, StepDone, call)

    async def _gone(self, kind: str, wanted: PostedRef) -> None:
        await self._once.adopt(f"{_DELETE}{kind}#{wanted.document_id}", wanted, StepDone())

    async def _stands(self, kind: str, wanted: PostedRef, money: Money) -> None:
        """Remembered once, also where something else of the payout was taken back since."""
        known = posted_rows(await self._effects.of(wanted.connection, wanted.payment_id))
        if any(one.document_id == wanted.document_id for one in known):
            return
        found = Posted(document_id=wanted.document_id, reference=wanted.reference, sides=wanted.sides)
        await self._once.adopt(f"{_POST}{kind}#{wanted.reference}", wanted, found, amount=money)


def _exported(policy: BooksPolicy, plan: PostingPlan, base: str) -> bool:
    """Whether the shop leaves such a payout to be exported."""
    foreign = policy.foreign is ForeignPayout.EXPORT and base not in ("", plan.currency)
    return foreign or (policy.since is not None and plan.arrived < policy.since)


def posted_rows(rows: Sequence[EffectRow]) -> Iterator[PostedRow]:
    """What was posted of a payout by our own effects, the oldest first; what was deleted again is marked."""
    done = [(row, step) for row in rows if row.completed_at and (step := _STEP.fullmatch(row.step))]
    gone = {step["named"] for _, step in done if step["verb"] == _DELETE}
    for row, step in done:
        if step["verb"] == _POST:
            posted = Posted.model_validate_json(row.result["answer"])
            about = {"document_id": posted.document_id, "reference": posted.reference, "money": row.amount}
            yield PostedRow(kind=step["kind"], deleted=posted.document_id in gone, **about)


def _known(rows: Sequence[EffectRow]) -> dict[str, object]:
    """What stands by our own memory: journals, and transfers by their references."""
    standing = {one.document_id: one for one in posted_rows(rows) if not one.deleted}
    answers = [Posted.model_validate_json(row.result["answer"]) for row in rows if row.completed_at and _posts(row)]
    journals = [one for one in answers if one.document_id in standing and standing[one.document_id].kind == JOURNAL]
    return {
        "journals": tuple(
            JournalKept(journal_id=j.document_id, reference=j.reference, sides=j.sides) for j in journals
        ),
        "transfers_known": {one.reference: one.document_id for one in standing.values() if one.kind == TRANSFER},
    }


def _posts(row: EffectRow) -> bool:
    step = _STEP.fullmatch(row.step)
    return step is not None and step["verb"] == _POST


def _planned(text: str) -> PostingPlan:
    """Of a certificate with 10,000 lines it takes a while: never in the loop."""
    return plan_of(Certificate.model_validate(parse(text)))
