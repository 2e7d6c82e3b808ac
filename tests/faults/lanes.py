"""The lane of a kind: one that is paid out is judged by its certificate and by Zoho Books as well."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio.client import WorkflowExecutionStatus
from temporalio.service import RPCError

from tests.endtoend.shops import Shop
from tests.faults import books, paid_out
from tests.faults.books import Story
from tests.faults.cells import Cell, Lane
from tests.faults.kinds import Kind
from tests.faults.payout_tales import payout_of
from tests.faults.tales import LONG
from workflows import contract

_DAY = timedelta(days=1)
_OFTEN = 0.2  # seconds between two looks whether every run has closed


def lane_of(shop: Shop, kind: Kind) -> Lane:
    """A lane of the kind in a shop of its own."""
    return (PayoutLane if kind.tale.about == "payout" else Lane)(shop, kind)


@dataclass
class PayoutLane(Lane):
    """Of payouts. Whoever gives up may do so in the payout's run, which takes back what that posted, or in the run that
    it has told: then the payment is not booked, or not its fee, and the payout is certified without.
    """

    uncarried: set[str] = field(default_factory=set)  # payments whose own run was not there, or given up
    unbooked: set[str] = field(default_factory=set)  # payments of which something is still to be booked
    undone: dict[str, str] = field(default_factory=dict)  # by payouts that were taken back, their payments

    async def undisturbed(self) -> Story:
        """With what the payout came to."""
        story = await super().undisturbed()
        _, zoho = await self._ledgers()
        return replace(story, paid_out=await self._outcome(zoho, self.last))

    async def ended(self, cell: Cell, story: Story, payment: str, begun: float) -> list[str]:
        """The payment has to be booked, unless somebody gave up."""
        wrong = await super().ended(cell, story, payment, begun)
        if payment in self.uncarried | self.unbooked and not cell.may_end_back:
            wrong.append(f"I1 {payment} was paid out and is not booked as it should be")
        return wrong

    async def judged(
        self, payment: str, story: Story | None, *, trail: bool = True
    ) -> tuple[list[str], WorkflowExecutionStatus]:
        """And every certificate, and all of Books. What a lost store knew of them is made up for in the night."""
        if not trail:
            await self._night(payment)
        stripe, zoho = await self._ledgers()
        if not await self._is_carried(payment):
            self.uncarried.add(payment)
        elif story and books.books(stripe, zoho, payment) != story.books:
            self.unbooked.add(payment)
        wrong, status = await super().judged(payment, story, trail=trail)
        payout, completed = payout_of(self.shop, payment), status is WorkflowExecutionStatus.COMPLETED
        if not completed:
            self.undone[payout] = payment
        versions = await self.shop.store.payouts.versions(self.shop.slug, payout)
        wrong += paid_out.wrong(payout, versions, least=int(completed), most=1 if trail else 2)
        wrong += paid_out.misposted(stripe, zoho, self.undone, posts=self.shop.connection.policy.books.post)
        if story and completed and trail and self._is_whole(payment):
            wrong += books.compared(story.paid_out, paid_out.outcome(zoho, payout, versions))
        return wrong, status

    async def _night(self, payment: str) -> None:
        """The nightly check, and what it tells."""
        shop, now = self.shop, datetime.now(UTC)
        queue = (await (await self.kind.run(shop, payment)).describe()).task_queue
        wanted = shop.connection.payout_checks().model_copy(update={"since": now - _DAY, "until": now})
        id = contract.payout_check_workflow_id(shop.slug, payment, "")
        await shop.client.execute_workflow(contract.PAYOUT_CHECK_WORKFLOW, wanted, id=id, task_queue=queue)
        async with asyncio.timeout(LONG):
            while await self._open_runs():
                await asyncio.sleep(_OFTEN)

    def _is_whole(self, payment: str) -> bool:
        return payment not in self.uncarried | self.unbooked

    async def _is_carried(self, payment: str) -> bool:
        try:
            return (await self.shop.run_of(payment).describe()).status is WorkflowExecutionStatus.COMPLETED
        except RPCError:
            return False

    async def _outcome(self, zoho: Any, payment: str) -> Any:
        payout = payout_of(self.shop, payment)
        return paid_out.outcome(zoho, payout, await self.shop.store.payouts.versions(self.shop.slug, payout))

    def _kept(self, stripe: Any) -> Any:
        return books.without(books.without(stripe, self.uncarried, "payment"), self.unbooked, "books")

    def _compared(
        self, stripe: Any, zoho: Any, payment: str, story: Story | None, steps: Sequence[str] | None, *, back: bool
    ) -> list[str]:
        if payment in self.uncarried:
            return books.left(stripe, zoho, payment, None, self.kind.own)
        now = books.books(stripe, zoho, payment)
        if payment in self.unbooked or back:
            return books.half_way(story, now, None) if story else []
        if story is None:
            return []
        # What recorded payment and fee may have lost its answer: then the fee is found as well, by itself.
        found = steps is not None and Counter(steps) - Counter(story.steps) == Counter({"fee": 1})
        alike = "fee" not in story.steps and found and not Counter(story.steps) - Counter(steps or ())
        return books.different(story, now, None, None if alike else steps)
