"""An inventory adjustment that somebody made for goods that came back: it proposes a refund, and a person agrees."""

from __future__ import annotations

import asyncio

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.proposals import ProposalActivities
    from domain.credits import CreditWritten
    from domain.given_back import ReturnMoney
    from domain.policy import ADJUSTMENT_ID_KEY
    from domain.proposals import OrderNamed, ProposalInput, ProposalQuery, ProposalResult, ProposalSeen
    from domain.refunds import FetchedRefund
    from domain.runs import Stage
    from workflows import contract
    from workflows.giving_back import GivesBack
    from workflows.proposal_books import ProposalBooks
    from workflows.return_books import Owed
    from workflows.returning import stop

_ORDER, _NAMED = "order", "order_named"


@workflow.defn(name=contract.ADJUSTMENT_WORKFLOW)
class AdjustmentWorkflow(GivesBack[ProposalSeen]):
    """One run an adjustment; its id is Zoho's. Money goes back only after a person has agreed to the very amount.

    The adjustment has moved the stock, so the credit note moves none. A refund that fails later starts it again.
    """

    _skippable = ("mark",)
    _kind = "adjustment"
    _named_by = ADJUSTMENT_ID_KEY

    @workflow.init
    def __init__(self, start: ProposalInput) -> None:
        super().__init__(start, start.adjustment_id)

    @workflow.run
    async def run(self, start: ProposalInput) -> ProposalResult:
        """From "it is on the shelf again" to "the buyer has the money, and the books say so"."""
        try:
            await self._wait_for_answer()
            seen = await self._wait_until_it_counts()
            if why := await self._find_payment(seen):
                return await self._close(Stage.REFUSED, why)
            await self._take_turn()
            money = await self._money_of(seen)
            if why := "" if money.refund_id else self._nothing_meant(seen):
                return await self._close(Stage.REFUSED, why)
            return await self._carry(seen, money)
        except (ApplicationError, ActivityError, asyncio.CancelledError) as error:
            await self._park(error)

    async def _read(self) -> ProposalSeen:
        wanted = ProposalQuery(**dict(self._case), field=self._policy.adjustment_order_field)
        summary = f"Read adjustment {self._zoho_id}"
        return await self._calls.zoho_read(ProposalActivities.read_proposal, wanted, summary)

    async def _wait_until_it_counts(self) -> ProposalSeen:
        """The adjustment once it has moved stock, or has ended, or is none that was meant."""
        self._step, pause, seen = "adjustment", self._policy.look_every, await self._look()
        while seen.meant(self._policy) and not (seen.counts or seen.ended):
            if self._stage is not Stage.WAITING_FOR_RETURN:
                self._reach(Stage.WAITING_FOR_RETURN, note=f"waits while Zoho says {seen.status}", index=True)
            await self._hear(pause.total_seconds(), "Look at the adjustment again")
            pause = min(2 * pause, self._policy.look_at_most)
            seen = await self._look()
        return seen

    async def _find_payment(self, seen: ProposalSeen) -> str:
        """Finds order and payment; why there is nothing to give back, "" where there may be.

        Once found they stay: what a person agrees to is never moved to another order.
        """
        self._step = "payment"
        if self._start.payment_id:
            return ""
        if why := self._nothing_meant(seen):
            return why
        if not seen.order:
            raise self._unmatched("it names no order")
        order_id = await self._find_order(seen.order)
        if why := await self._find_payment_of(order_id, f"adjustment {self._zoho_id}"):
            return why
        self._found |= {_ORDER: order_id, _NAMED: seen.order}
        return ""

    def _nothing_meant(self, seen: ProposalSeen) -> str:
        """Why nothing is to go back, "" where something may be."""
        if seen.ended:
            return f"nothing went back: {seen.ended}"
        if not seen.meant(self._policy):
            return "nothing went back: neither its reason nor a custom field says that goods came back"
        return ""

    async def _find_order(self, named: str) -> str:
        wanted = OrderNamed(**dict(self._case), named=named)
        summary = f"Look for the order that adjustment {self._zoho_id} names"
        found = await self._calls.zoho_read(ProposalActivities.find_named_order, wanted, summary)
        if not found.salesorder_id:
            raise self._unmatched(f"Zoho has no order {named}")
        return found.salesorder_id

    async def _carry(self, seen: ProposalSeen, money: ReturnMoney) -> ProposalResult:
        """A person's yes, then money, then documents."""
        self._step = "sale"
        owed = await self._owed(seen, money)
        refund = await self._refund(seen, money, owed)
        self._step = "credit_note"
        note = await self._books.credit_note(refund, owed)
        self._reach(Stage.CREDITED, creditnote=note.creditnote_id)
        self._step = "pay_out"
        self._found["credit_refund"] = await self._books.pay_out(refund, owed, note)
        if self._begin("mark"):
            await self._books.mark(refund, note)
        said = f"adjustment {self._zoho_id} · {refund.refund_id} over {refund.money} · credit note {note.number}"
        return await self._close(Stage.CREDITED, said, refund, note)

    async def _owed(self, seen: ProposalSeen, money: ReturnMoney) -> Owed:
        if _ORDER not in self._found:  # begun by a refund, which tells the payment
            self._found[_ORDER] = await self._find_order(self._start.payment_id)
        try:
            if not money.refund_id:
                await self._check_order(seen)
            return await self._books.owed(self._found[_ORDER], seen, money)
        except ValueError as error:
            unmatched = self._unmatched(str(error))
        if not money.refund_id:
            await self._forget_order()
        raise unmatched

    async def _check_order(self, seen: ProposalSeen) -> None:
        """ValueError where somebody has named another order since this one was found."""
        same = seen.order == self._found.get(_NAMED)
        if not same and seen.order and _NAMED not in self._found:
            same = await self._find_order(seen.order) == self._found[_ORDER]
        if not same:
            raise ValueError(f"it names {seen.order or 'no order'} now, and was about another")
        self._found[_NAMED] = seen.order

    async def _forget_order(self) -> None:
        """Whoever puts the adjustment right may name another order, and has to ask for approval again."""
        await self._end_turn()
        self._found = {kind: one for kind, one in self._found.items() if kind not in (_ORDER, _NAMED)}
        carried = self._start.carried.model_copy(update={"approved": None})
        self._start = self._start.model_copy(update={"carried": carried})
        self._pay_with("")

    async def _may_go_back(self, seen: ProposalSeen, money: ReturnMoney, owed: Owed) -> None:
        """Always somebody else than whoever made the adjustment, to these very pieces."""
        name = f"adjustment {self._zoho_id}"
        pieces = ", ".join(f"{line.pieces.normalize():f} {line.name or line.item_id}" for line in seen.lines)
        said = f"{name} says that {pieces} came back of order {seen.order}: {owed.total} would go back to the buyer"
        asked, carried = f"{said}, once somebody agrees", self._start.carried
        agreed = carried.approved == owed.total and carried.agreed == asked
        self._enough_left(money, owed.total, name)
        if not agreed:
            self._ask_approval(seen.requester, asked)

    async def _let_go(self) -> None:
        """While a person is asked others may write: everything is read anew afterwards."""
        if self._start.payment_id:
            await self._end_turn()

    async def _take_out(self, seen: ProposalSeen, refund_id: str, money: ReturnMoney) -> None:
        await self._books.take_out(refund_id, money)

    async def _undo_books(self, money: ReturnMoney) -> list[str]:
        return await self._books.take_back(money)

    async def _close(
        self, stage: Stage, said: str, refund: FetchedRefund | None = None, note: CreditWritten | None = None
    ) -> ProposalResult:
        return ProposalResult(adjustment_id=self._zoho_id, **await self._end(stage, said, refund, note))

    def _unmatched(self, why: str) -> ApplicationError:
        said = f"adjustment {self._zoho_id} cannot be matched: {why}; put it right in Zoho, then retry; or abort"
        return stop("AdjustmentUnmatched", said)

    @property
    def _books(self) -> ProposalBooks:
        return ProposalBooks(self._calls, self._case, self._undo)
